"""What is a new row called? Ids begin with their kind and sort by time; the rest cannot be guessed."""

import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing looks like something else


def base32(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        letters.append(ALPHABET[rest])
    return "".join(reversed(letters))


def new_id(prefix: str) -> str:
    """`clm_06g3zt5k2n8w…`: 48 bits of milliseconds, then 80 random bits."""
    return f"{prefix}_{base32(time.time_ns() // 1_000_000, 10)}{base32(secrets.randbits(80), 16)}"


def new_token() -> str:
    """128 random bits for a link; whoever has it may open the page."""
    return base32(secrets.randbits(130), 26)

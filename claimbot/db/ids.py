"""What is a new row called? Ids begin with their kind and sort by time; the rest cannot be guessed."""

import os
import time
from functools import lru_cache

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing looks like something else
# Each random byte becomes one letter: eight bytes for each of the 32 letters.
LETTER_OF_BYTE = bytes(ord(ALPHABET[byte % 32]) for byte in range(256))


def base32(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        letters.append(ALPHABET[rest])
    return "".join(reversed(letters))


def new_id(prefix: str) -> str:
    """`clm_06g3zt5k2n8w…`: 48 bits of milliseconds, then 80 random bits."""
    return f"{prefix}_{_moment(time.time_ns() // 1_000_000)}{_random_letters(16)}"


def new_token() -> str:
    """130 random bits for a link; whoever has it may open the page."""
    return _random_letters(26)


@lru_cache(maxsize=4)
def _moment(now_ms: int) -> str:
    return base32(now_ms, 10)


def _random_letters(count: int) -> str:
    return os.urandom(count).translate(LETTER_OF_BYTE).decode("ascii")

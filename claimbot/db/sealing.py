"""How are secrets kept in a table? AES-GCM, bound to the table, column and row they stand in."""

import base64
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from claimbot.core.errors import Ours

NONCE_BYTES = 12  # what AES-GCM asks for


class Sealer:
    """Seals with the first key of the ring, opens with any."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESGCM(key) for key in keys]

    def __repr__(self) -> str:
        return f"Sealer({len(self._ciphers)} keys)"

    def seal(self, secret: str, place: str) -> str:
        """`place` is table/column/row: a sealed value moved to another row does not open there."""
        if not secret:
            return ""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(nonce, secret.encode(), place.encode())
        return base64.b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, place: str) -> str:
        """Raises Ours when no key of the ring opens it."""
        if not sealed:
            return ""
        for cipher in self._ciphers:
            try:
                raw = base64.b64decode(sealed, validate=True)
                return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
            except (InvalidTag, ValueError):  # another key, or not a sealed value at all
                continue
        raise Ours(f"no key of ENCRYPTION_KEYS opens {place.split('/')[0]}; was a key removed?")

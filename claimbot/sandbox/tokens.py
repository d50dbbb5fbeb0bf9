"""Which access token belongs to which account, and is it still good?"""

import secrets
import threading
from dataclasses import asdict, dataclass, replace

from claimbot.sandbox.clock import WorldClock
from claimbot.sandbox.config import AccountConfig
from claimbot.sandbox.graph_errors import GraphRefusal, bad_token, expired_token, revoked_token
from claimbot.sandbox.shelf import Shelf

DAY_SECONDS = 86_400
# Long-lived tokens live 60 days, and may be refreshed when they are a day old.
LONG_LIVED_DAYS = 60
REFRESH_AFTER_SECONDS = DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Token:
    account: str
    issued_at: float
    expires_at: float
    is_revoked: bool = False


class Tokens:
    def __init__(self, accounts: tuple[AccountConfig, ...], clock: WorldClock, shelf: Shelf) -> None:
        self._lock = threading.Lock()
        self._accounts = accounts
        self._clock = clock
        self._shelf = shelf
        self._by_word: dict[str, Token] = {}
        self.reset()
        for word, record in shelf.records("token"):
            self._by_word[word] = Token(**record)

    def reset(self) -> None:
        """Back to the configured tokens, as if issued now."""
        now = self._clock.seconds()
        with self._lock:
            self._by_word.clear()
            for account in self._accounts:
                if account.token:
                    expires_at = now + account.token_days * DAY_SECONDS
                    self._by_word[account.token] = Token(account.external_id, now, expires_at)
                    self._shelf.put("token", account.token, asdict(self._by_word[account.token]))

    def check(self, word: str) -> Token:
        """Raises GraphRefusal 190 for a token that is unknown, revoked or expired."""
        token = self._by_word.get(word)
        if token is None:
            raise bad_token()
        if token.is_revoked:
            raise revoked_token()
        if token.expires_at <= self._clock.seconds():
            raise expired_token()
        return token

    def refresh(self, word: str) -> tuple[str, int]:
        """A new token and how many seconds it lives."""
        token = self.check(word)
        if self._clock.seconds() - token.issued_at < REFRESH_AFTER_SECONDS:
            raise GraphRefusal("The access token is too new to be refreshed", 100)
        return self.issue(token.account)

    def issue(self, account: str) -> tuple[str, int]:
        now = self._clock.seconds()
        word = "IGAA" + secrets.token_urlsafe(40)
        lifetime_seconds = LONG_LIVED_DAYS * DAY_SECONDS
        with self._lock:
            self._by_word[word] = Token(account, now, now + lifetime_seconds)
            self._shelf.put("token", word, asdict(self._by_word[word]))
        return word, lifetime_seconds

    def revoke(self, account: str, is_revoked: bool) -> None:
        """Revokes all tokens of an account, or gives them back."""
        with self._lock:
            for word, token in self._by_word.items():
                if token.account == account:
                    self._by_word[word] = replace(token, is_revoked=is_revoked)
                    self._shelf.put("token", word, asdict(self._by_word[word]))

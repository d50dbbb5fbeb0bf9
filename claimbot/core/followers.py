"""What do we know of the person who wrote, and may we write to them now?"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# Platforms allow a reply within 24 hours of the person's own message; we stop a little earlier,
# because the message has to get there in time.
WINDOW = timedelta(hours=24)
WINDOW_MARGIN = timedelta(seconds=30)

# "Until resumed": a time that never comes.
FOREVER_YEAR = 9999


@dataclass(frozen=True, slots=True)
class Lead:
    """A person who wrote to an account of a brand."""

    id: str
    brand_id: str
    account_id: str
    external_id: str
    username: str = ""
    name: str = ""
    opted_out_at: datetime | None = None
    human_until: datetime | None = None
    helped_at: datetime | None = None
    window_expires_at: datetime | None = None
    profile_at: datetime | None = None
    is_new: bool = field(default=False, compare=False)
    """Written down in this very transaction: nothing else can be known of them."""

    def is_paused(self, now: datetime) -> bool:
        return self.human_until is not None and self.human_until > now

    def is_reachable(self, now: datetime) -> bool:
        """May an automatic message be sent now, by the platform's window and the person's will?"""
        if self.opted_out_at is not None or self.window_expires_at is None:
            return False
        return now < self.window_expires_at - WINDOW_MARGIN


def follower_key(account_id: str, external_id: str) -> str:
    """How the gate knows a follower: nothing personal is kept in Redis."""
    return hashlib.sha256(f"{account_id}:{external_id}".encode()).hexdigest()[:24]

"""Who may do what, and how long does somebody wait who mistyped?"""

from datetime import UTC, datetime, timedelta

import pytest

from claimbot.core.brands import Brand
from claimbot.core.operators import (
    ACCOUNT_TRIES_FREE,
    ADDRESS_TRIES_FREE,
    EVERYWHERE_TRIES_MOST,
    WAIT_SECONDS_MOST,
    Membership,
    Right,
    Role,
    Tries,
    is_over,
    wait_seconds,
)

NOW = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)
BRAND = Brand("brd_1", "aurora", "Aurora", "UTC", "en", livemode=False)


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.OWNER, {Right.LOOK, Right.CHANGE, Right.OWN}),
        (Role.EDITOR, {Right.LOOK, Right.CHANGE}),
        (Role.VIEWER, {Right.LOOK}),
    ],
)
def test_a_role_has_its_rights(role: Role, rights: set[Right]) -> None:
    assert {right for right in Right if Membership(BRAND, role).may(right)} == rights


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 2), (6, 4), (7, 8), (8, 16), (9, 32), (10, 60), (11, 60), (10_000, 60)],
)
def test_the_wait_at_one_account_grows_to_a_minute(failures: int, seconds: float) -> None:
    assert wait_seconds(Tries(account=failures, account_last_at=NOW), NOW) == seconds


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [
        (Tries(address=ADDRESS_TRIES_FREE - 1, address_last_at=NOW), 0),
        (Tries(address=ADDRESS_TRIES_FREE, address_last_at=NOW), 2),
        (Tries(everywhere=EVERYWHERE_TRIES_MOST - 1), 0),
        (Tries(everywhere=EVERYWHERE_TRIES_MOST), WAIT_SECONDS_MOST),
        (Tries(ACCOUNT_TRIES_FREE, NOW, ADDRESS_TRIES_FREE + 2, NOW), 8),
    ],
)
def test_the_longest_wait_counts(tries: Tries, seconds: float) -> None:
    assert wait_seconds(tries, NOW) == seconds


def test_a_wait_runs_from_the_last_try() -> None:
    tries = Tries(account=8, account_last_at=NOW)
    waits = [wait_seconds(tries, NOW + timedelta(seconds=after)) for after in (0, 10, 15.5, 16, 100)]
    assert waits == [16, 6, 0.5, 0, 0]


@pytest.mark.parametrize(
    ("created_ago", "seen_ago", "is_ended"),
    [
        (timedelta(0), timedelta(0), False),
        (timedelta(hours=2), timedelta(minutes=59, seconds=59), False),
        (timedelta(hours=2), timedelta(minutes=60), True),
        (timedelta(hours=11, minutes=59), timedelta(0), False),
        (timedelta(hours=12), timedelta(0), True),
    ],
)
def test_a_session_ends_by_itself(created_ago: timedelta, seen_ago: timedelta, is_ended: bool) -> None:
    assert is_over(NOW - created_ago, NOW - seen_ago, NOW) is is_ended

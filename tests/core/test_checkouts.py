"""The end of a payment session stays where Stripe accepts it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbot.core.checkouts import LONGEST, SHORTEST, expires_clamp

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hold_minutes", "session_minutes"),
    [
        (-60, 35),
        (0, 35),
        (10, 35),
        (35, 35),
        (36, 36),
        (90, 90),
        (23 * 60 + 55, 23 * 60 + 55),
        (23 * 60 + 56, 23 * 60 + 55),
        (7 * 24 * 60, 23 * 60 + 55),
    ],
)
def test_the_session_ends_with_the_hold_where_stripe_lets_it(hold_minutes: int, session_minutes: int) -> None:
    hold_ends_at = NOW + timedelta(minutes=hold_minutes)
    assert expires_clamp(hold_ends_at, NOW) == NOW + timedelta(minutes=session_minutes)


@given(seconds=st.integers(-(10**7), 10**7))
def test_the_session_always_ends_between_half_an_hour_and_a_day(seconds: int) -> None:
    left = expires_clamp(NOW + timedelta(seconds=seconds), NOW) - NOW
    assert timedelta(minutes=30) < SHORTEST <= left <= LONGEST < timedelta(hours=24)

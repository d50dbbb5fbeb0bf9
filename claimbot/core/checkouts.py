"""Until when may a Checkout Session be paid?"""

from datetime import datetime, timedelta

# Stripe takes 30 minutes to 24 hours by its own clock, ends excluded; clocks were seen 86 s apart.
SHORTEST = timedelta(minutes=35)
LONGEST = timedelta(hours=23, minutes=55)


def expires_clamp(hold_ends_at: datetime, now: datetime) -> datetime:
    """The session's end: the hold's end, moved to where Stripe accepts it.

    A hold that ends sooner is ended by the expire call, not by this time.
    """
    return min(max(hold_ends_at, now + SHORTEST), now + LONGEST)

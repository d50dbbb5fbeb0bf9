"""On which occasions does a drop write? What each is called for a brand, the most seen first."""

from collections.abc import Mapping
from types import MappingProxyType

from claimbot.core.texts import TextKey

# What most launches change.
USUAL: Mapping[TextKey, str] = MappingProxyType(
    {
        TextKey.HELD: "A unit is theirs",
        TextKey.WHICH_VARIANT: "They named no variant",
        TextKey.WAITLISTED: "Everything is taken",
        TextKey.PROMOTED: "A unit came back",
        TextKey.SOLD_OUT: "Nothing left, no waitlist",
        TextKey.NOT_OPEN_YET: "Too early",
        TextKey.PAID: "The money is here",
        TextKey.HOLD_ENDED: "The time ran out",
        TextKey.CLOSED: "Too late",
        TextKey.PAY_BUTTON: "The words on the pay button",
    }
)
RARE: Mapping[TextKey, str] = MappingProxyType(
    {
        TextKey.HELD_PARTIAL: "Fewer units than they wanted",
        TextKey.ALREADY_HELD: "The word again during a hold",
        TextKey.ALREADY_SOLD: "The word again after paying",
        TextKey.ALREADY_WAITLISTED: "The word again in line",
        TextKey.LIMIT_REACHED: "They have all that one may have",
        TextKey.PAUSED: "The drop is paused",
        TextKey.UNKNOWN_VARIANT: "A variant that there is not",
        TextKey.GRANTED: "On the early-access list",
        TextKey.FREE_GIVEN: "A free unit is theirs",
        TextKey.PASSED: "They gave it up",
        TextKey.PAYMENT_PENDING: "The money is on its way",
        TextKey.PAYMENT_FAILED: "The payment failed",
        TextKey.LATE_REFUNDED: "Money came too late and goes back",
        TextKey.CANCELLED: "You took it back",
        TextKey.LINE_LEFT: "You took them off the waitlist",
        TextKey.LINE_CLOSED: "It closed while they waited",
        TextKey.REFUNDED: "You send all their money back",
        TextKey.PART_REFUNDED: "You send some of their money back",
    }
)
OCCASIONS: Mapping[TextKey, str] = MappingProxyType({**USUAL, **RARE})
# About no drop: a brand words them once for all of its drops.
OF_THE_BRAND: Mapping[TextKey, str] = MappingProxyType(
    {
        TextKey.OPTED_OUT: "They wrote STOP",
        TextKey.OPTED_IN: "They wrote START",
        TextKey.HUMAN: "They want a person",
        TextKey.HELP: "They ask for help",
        TextKey.NOTHING_TO_PASS: "They pass, and have nothing",
    }
)

"""What do we say when nobody wrote something better? Each wording may be replaced by a brand or a drop.

Warm, short, one call to action, and true: the place, the time and the deadline are told as they are.
Sentences whose variables are unknown disappear (replies.render), so each sentence stands alone.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class TextKey(StrEnum):
    """The occasions on which we write; the names of outcomes where there is one."""

    HELD = "held"  # a unit is theirs for a while
    HELD_PARTIAL = "held_partial"  # fewer units than they wanted
    PROMOTED = "promoted"  # from the waitlist to a unit
    ALREADY_HELD = "already_held"  # the word again during a hold
    ALREADY_SOLD = "already_sold"  # the word again after paying
    WAITLISTED = "waitlisted"  # in line
    ALREADY_WAITLISTED = "already_waitlisted"  # the word again while in line
    SOLD_OUT = "sold_out"  # nothing left and no waitlist
    LIMIT_REACHED = "limit_reached"  # they have what one follower may have
    NOT_OPEN_YET = "not_open_yet"  # too early
    PAUSED = "paused"  # the brand stopped for a while
    CLOSED = "closed"  # too late
    WHICH_VARIANT = "which_variant"  # several variants and none named
    UNKNOWN_VARIANT = "unknown_variant"  # a variant we do not have
    GRANTED = "granted"  # on the early-access list
    FREE_GIVEN = "free_given"  # a free unit, nothing to pay
    PASSED = "passed"  # they gave it up
    NOTHING_TO_PASS = "nothing_to_pass"  # PASS without a claim
    OPTED_OUT = "opted_out"  # STOP
    OPTED_IN = "opted_in"  # START
    HUMAN = "human"  # a person will answer
    HELP = "help"  # who we are and what one may write
    PAID = "paid"  # the money is here
    PAYMENT_PENDING = "payment_pending"  # the money is on its way
    PAYMENT_FAILED = "payment_failed"  # the delayed payment failed
    HOLD_ENDED = "hold_ended"  # the time ran out
    LATE_REFUNDED = "late_refunded"  # money came too late and goes back
    CANCELLED = "cancelled"  # the brand took it back
    LINE_LEFT = "line_left"  # the brand took them out of the line
    REFUNDED = "refunded"  # the brand sends all their money back
    PART_REFUNDED = "part_refunded"  # the brand sends some of their money back
    LINE_CLOSED = "line_closed"  # the drop closed while they waited
    PAY_BUTTON = "pay_button"  # the words on the button


DEFAULT_TEXTS: Mapping[TextKey, str] = MappingProxyType(
    {
        TextKey.HELD: (
            "Hi {first_name}, it is yours! You are {place} of {stock}. {quantity} × {item} ({variant}) for"
            " {total} is held for {minutes} minutes from this message. Please pay by {deadline}."
            " Server time {time}."
        ),
        TextKey.HELD_PARTIAL: (
            "Hi {first_name}, some are yours! That is fewer than you asked for: {reason}."
            " {quantity} × {item} ({variant}) for {total} is held for {minutes} minutes from this message."
            " Please pay by {deadline}. Server time {time}."
        ),
        TextKey.PROMOTED: (
            "Good news, {first_name}: a unit came back and you are next! {quantity} × {item} ({variant}) for"
            " {total} is held for {minutes} minutes from this message. Please pay by {deadline}."
        ),
        TextKey.ALREADY_HELD: (
            "You already have it, {first_name}! {quantity} × {item} ({variant}) is held until {deadline},"
            " with the same link as before. Please pay {total} by then."
        ),
        TextKey.ALREADY_SOLD: (
            "You already have yours, {first_name}! {quantity} × {item} ({variant}) is yours,"
            " and there is nothing more to do."
        ),
        TextKey.WAITLISTED: (
            "Hi {first_name}, all of {item} ({variant}) is taken right now. You are number {waiting} on the"
            " waitlist. If a unit comes back within 24 hours, we write to you here,"
            " in line order."
            " To leave the line, write PASS."
            " Server time {time}."
        ),
        TextKey.ALREADY_WAITLISTED: (
            "You kept your place, {first_name}. You are number {waiting} on the waitlist for {item}"
            " ({variant}). To leave the line, write PASS."
        ),
        TextKey.SOLD_OUT: (
            "Sorry, {first_name}, that was close. All {stock} of {item} ({variant}) are taken."
            " You were number {place} in line. Server time {time}."
        ),
        TextKey.LIMIT_REACHED: (
            "You have all that one follower may have of {item}, {first_name}. Thank you for leaving some for"
            " the others! The limit: {reason}."
        ),
        TextKey.NOT_OPEN_YET: (
            "You are early, {first_name}! {item} is not open yet. It opens {opens_at}: write {word} again"
            " then. Server time {time}."
        ),
        TextKey.PAUSED: (
            "One moment, {first_name}! {item} is paused. Please write {word} again a little later."
        ),
        TextKey.CLOSED: "Sorry, {first_name}, this one is over. {item} is closed. Server time {time}.",
        TextKey.WHICH_VARIANT: "Which one would you like, {first_name}? {item} comes in: {choices}.",
        TextKey.UNKNOWN_VARIANT: "We do not have that one, {first_name}. {item} comes in: {choices}.",
        TextKey.GRANTED: (
            "You are on the list, {first_name}! You are number {place} on the early-access list for {item}."
        ),
        TextKey.FREE_GIVEN: (
            "Hi {first_name}, it is yours! {quantity} × {item} ({variant}), and there is nothing to pay."
            " You are {place} of {stock}. Server time {time}."
        ),
        TextKey.PASSED: (
            "Done, {first_name}, and thank you: {item} is free for the next person."
            " Changed your mind? Write {word} to join the end of the line."
        ),
        TextKey.NOTHING_TO_PASS: "There is nothing of yours to pass on right now, {first_name}.",
        TextKey.OPTED_OUT: "Done: you get no more messages here. To come back, write START.",
        TextKey.OPTED_IN: "Welcome back, {first_name}! To take part, write {words}. To end, write STOP.",
        TextKey.HUMAN: "Thank you, {first_name}. A person will read this and answer you here.",
        TextKey.HELP: (
            "I am an automatic assistant; write HUMAN for a person, STOP to end."
            " To take part, write {words}. To give up your place, write PASS."
        ),
        TextKey.PAID: (
            "Thank you, {first_name}! We have your {total}. {quantity} × {item} ({variant}) is yours."
        ),
        TextKey.PAYMENT_PENDING: (
            "Thank you, {first_name}! Your payment is on its way. {quantity} × {item} ({variant}) stays yours"
            " meanwhile."
        ),
        TextKey.PAYMENT_FAILED: (
            "Sorry, {first_name}, your payment did not go through. {item} ({variant}) could not be kept."
            " To try again, write {word}."
        ),
        TextKey.HOLD_ENDED: (
            "Time is up, {first_name}. {item} ({variant}) is no longer held for you, and you paid nothing."
            " To join the end of the line, write {word}."
        ),
        TextKey.LATE_REFUNDED: (
            "Sorry, {first_name}, your payment came after the hold had ended and nothing was left."
            " All of your {total} goes back to you. Your bank may need a few days."
        ),
        TextKey.CANCELLED: (
            "Sorry, {first_name}, we had to take this one back. {item} ({variant}) is no longer held for you,"
            " and you paid nothing. The reason: {reason}."
        ),
        TextKey.LINE_LEFT: (
            "Sorry, {first_name}, we had to take you off the waitlist for {item} ({variant})."
            " You paid nothing."
        ),
        TextKey.REFUNDED: (
            "Hello {first_name}, we send you all of your money back: {total}. {quantity} × {item} ({variant})"
            " is no longer yours. Your bank may need a few days."
        ),
        TextKey.PART_REFUNDED: (
            "Hello {first_name}, we send you {total} back. {quantity} × {item} ({variant}) stays yours."
            " Your bank may need a few days."
        ),
        TextKey.LINE_CLOSED: (
            "Sorry, {first_name}, {item} is closed now, and no unit came back while you were in line."
            " You paid nothing. Thank you for waiting."
        ),
        TextKey.PAY_BUTTON: "Pay now",
    }
)

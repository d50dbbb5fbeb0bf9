"""Why does a claim stand as it does? In words, for the brand."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from claimbot.core.claims import State
from claimbot.core.drops import Phase
from claimbot.core.followers import WINDOW_MARGIN
from claimbot.core.messages import Outcome
from claimbot.core.outbox import RowState, Work
from claimbot.db.progress import Progress
from claimbot.flows.browse import Case
from claimbot.web.admin.reasons import reason_words

STANDS_STILL = {
    Phase.NOT_OPEN_YET: "The drop is not open yet: the line stands still.",
    Phase.PAUSED: "The drop is paused: the line stands still.",
    Phase.CLOSED: "The drop is closed: no unit is offered any more.",
}


def why(case: Case) -> str:
    """One or two sentences."""
    return WORDS[case.row.claim.state](case)


def _waits(case: Case) -> str:
    claim, row = case.row.claim, case.row
    if case.phase in STANDS_STILL:
        return STANDS_STILL[case.phase]
    if row.opted_out_at is not None:
        return "They wrote STOP: nobody may write to them, so units go to the next."
    if row.window_expires_at is None or row.window_expires_at <= case.now + WINDOW_MARGIN:
        return "Their last message is about a day old: they cannot be told, so units go to the next."
    if case.free_units == 0:
        before = f" {case.ahead} wait before them." if case.ahead else ""
        return f"Every unit is taken.{before}"
    if case.free_units < claim.quantity and not case.drop.is_partial_allowed:
        return f"They want {claim.quantity} and {case.free_units} are free: the whole wish waits."
    if case.ahead:
        return f"{case.ahead} wait before them."
    return "It is their turn: a unit is offered in a moment."


def _holds(case: Case) -> str:
    if case.row.claim.told_at is not None:
        return "They were told and have not paid yet."
    return _untold(case.latest(Work.OFFER))


def _untold(offer: Progress | None) -> str:
    because = f": {reason_words(offer.reason)}" if offer is not None and offer.reason else ""
    states = {
        RowState.READY: f"Not told yet, our message waits to be sent{because}.",
        RowState.RUNNING: "Our message is being sent.",
        RowState.PARKED: f"Not told, because the account cannot send{because}.",
        RowState.DEAD: f"Not told, because our message could not be sent{because}.",
        RowState.DONE: "They were told.",
    }
    return states[offer.state] if offer is not None else "Not told yet."


def _ending(case: Case) -> str:
    expire = case.latest(Work.EXPIRE)
    wait = f" Stripe has not said so yet ({reason_words(expire.reason)})." if expire and expire.reason else ""
    why_now = reason_words(case.row.claim.ended_reason)
    why_now += f" ({case.row.cancel_note})" if case.row.cancel_note else ""
    return f"The hold ends: {why_now}. The unit goes on when its payment page is dead.{wait}"


def _sold(case: Case) -> str:
    refund = case.latest(Work.REFUND)
    if refund is not None and refund.state in (RowState.READY, RowState.RUNNING):
        return "Money is on its way back."
    if refund is not None and refund.state in (RowState.DEAD, RowState.PARKED):
        return f"Stripe did not send the money back: {reason_words(refund.reason)}."
    if case.row.claim.refunded_minor:
        return "Paid; a part of the money went back."
    return "Paid." if case.row.claim.paid_minor else "Given; there was nothing to pay."


def _unreachable(case: Case) -> str:
    offer = case.latest(Work.OFFER)
    return f"They could not be told: {reason_words(offer.reason if offer else 'unreachable')}."


def _expired(case: Case) -> str:
    return "They did not pay in time." if case.row.claim.told_at else "The hold ended."


def _taken_back(case: Case) -> str:
    note = case.row.cancel_note
    return f"Somebody of the brand took it back: {note}" if note else "Somebody of the brand took it back."


def _says(words: str) -> Callable[[Case], str]:
    return lambda _case: words


WORDS: Mapping[State, Callable[[Case], str]] = MappingProxyType(
    {
        State.WAITLISTED: _waits,
        State.HELD: _holds,
        State.EXPIRING: _ending,
        State.PENDING: _says("A delayed payment was begun: the unit is theirs until the bank answers."),
        State.SOLD: _sold,
        State.EXPIRED: _expired,
        State.PASSED: _says("They wrote PASS."),
        State.UNREACHABLE: _unreachable,
        State.CANCELLED: _taken_back,
        State.CLOSED: _says("The drop closed while they waited."),
        State.ERASED: _says("The person was erased."),
        State.REFUNDING: _says("Money came after the end, and no unit was free: all of it goes back."),
        State.REFUNDED: _says("All the money went back."),
        State.DISPUTED: _says("The buyer's bank took the money back."),
        State.GRANTED: _says("On the early-access list."),
    }
)

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        Outcome.SOLD_OUT: "Every unit was taken, and the drop keeps no waitlist.",
        Outcome.LIMIT_REACHED: "They had all that one follower may have.",
        Outcome.ALREADY_SOLD: "They had bought it already.",
        Outcome.NOT_OPEN_YET: "They wrote before the drop was open.",
        Outcome.PAUSED: "The drop was paused.",
        Outcome.CLOSED: "The drop was over.",
        Outcome.UNKNOWN_VARIANT: "They named a variant that there is not.",
        Outcome.OPTED_OUT: "They had written STOP before.",
    }
)

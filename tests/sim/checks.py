"""Which promises hold after every single step? Two looks at the ledger, one before and one after."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from claimbot.core.claims import COUNTED, LIVE, TABLE, WITH_UNIT, State
from claimbot.core.followers import WINDOW_MARGIN
from claimbot.core.outbox import SENDS_MAX
from claimbot.core.payments import SessionState
from tests.sim.stage import Stage

CLAIMS = (
    "SELECT id, drop_id, variant_id, lead_id, state, quantity, line, place, event_key,"
    " promoted_at IS NOT NULL, stripe_session_id FROM claims"
)
UNITS = "SELECT variant_id, unit_no, claim_id, state FROM units"
LEADS = "SELECT id, account_id, opted_out_at IS NULL, window_expires_at FROM leads"
SENDS = f"SELECT id FROM outbox WHERE sends > {SENDS_MAX}"


@dataclass(frozen=True, slots=True)
class Held:
    """A claim as it stood at one moment."""

    id: str
    drop_id: str
    variant_id: str
    lead_id: str
    state: State
    quantity: int
    line: int
    place: int
    event_key: str
    is_promoted: bool
    session_id: str


class Unit(NamedTuple):
    variant_id: str
    unit_no: int
    claim_id: str | None
    state: str


class Person(NamedTuple):
    id: str
    account_id: str
    has_not_stopped: bool
    window_ends: Any


@dataclass(frozen=True, slots=True)
class Look:
    claims: Mapping[str, Held]
    units: tuple[Unit, ...]
    people: tuple[Person, ...]
    reachable: frozenset[str]
    sent_too_often: tuple[str, ...]
    version: object = None

    def waiting(self, variant_id: str) -> list[Held]:
        found = (one for one in self.claims.values() if one.variant_id == variant_id)
        return [one for one in found if one.state is State.WAITLISTED]


NOTHING = Look({}, (), (), frozenset(), ())


def look_at(stage: Stage, before: Look = NOTHING) -> Look:
    """`before` is what was seen last: while nobody writes, only the time goes on."""
    version = stage.reader.version()
    if version is not None and version == before.version:
        return replace(before, reachable=_reachable(stage, before.people))
    ask = stage.reader.ask
    held = [_held(*row) for row in ask(CLAIMS)]
    people = tuple(Person(*row) for row in ask(LEADS))
    return Look(
        claims={one.id: one for one in held},
        units=tuple(Unit(*row) for row in ask(UNITS)),
        people=people,
        reachable=_reachable(stage, people),
        sent_too_often=tuple(row[0] for row in ask(SENDS)),
        version=version,
    )


def _reachable(stage: Stage, people: Iterable[Person]) -> frozenset[str]:
    until = stage.reader.moment(stage.clock() + WINDOW_MARGIN)
    return frozenset(
        one.id for one in people if one.has_not_stopped and one.window_ends and one.window_ends > until
    )


def _held(*row: Any) -> Held:
    words = list(row)
    words[4] = State(row[4])
    words[9] = bool(row[9])
    return Held(*words)


def breaches(stage: Stage, before: Look, after: Look) -> list[str]:
    """Every promise that this step broke, in one sentence each."""
    return [
        *_stock(after),
        *_tenant(stage, after),
        *_one_claim(stage, after),
        *_monotonic(before, after),
        *_line_order(before, after),
        *_fence(stage, after),
        *(f"I8 outbox {row_id} was sent more than twice" for row_id in after.sent_too_often),
    ]


def _stock(after: Look) -> Iterator[str]:
    owned = Counter(unit.claim_id for unit in after.units if unit.claim_id)
    for claim in after.claims.values():
        wanted = claim.quantity if claim.state in WITH_UNIT else 0
        if owned[claim.id] != wanted:
            yield f"I1 claim {claim.id} is {claim.state} and owns {owned[claim.id]} units of {wanted}"
    for unit in after.units:
        if unit.claim_id and (unit.claim_id not in after.claims or unit.state != "open"):
            yield f"I1 unit {unit.unit_no} is {unit.state} and with {unit.claim_id}"
    open_units = Counter(unit.variant_id for unit in after.units if unit.state == "open")
    taken: Counter[str] = Counter()
    for claim in after.claims.values():
        taken[claim.variant_id] += claim.quantity if claim.state in WITH_UNIT else 0
    for variant_id, count in taken.items():
        if count > open_units[variant_id]:
            yield f"I2 variant {variant_id} has {open_units[variant_id]} units, and {count} are promised"
    numbers = {(unit.variant_id, unit.unit_no) for unit in after.units}
    for claim in after.claims.values():
        if claim.state in WITH_UNIT and (claim.variant_id, claim.place) not in numbers:
            yield f"I2 claim {claim.id} was told unit {claim.place}, which does not exist"


def _tenant(stage: Stage, after: Look) -> Iterator[str]:
    account_of = {one.id: one.account_id for one in after.people}
    for claim in after.claims.values():
        if account_of[claim.lead_id] != stage.house_of(claim.drop_id).account.id:
            yield f"I7 claim {claim.id} is of a follower of another brand"


def _one_claim(stage: Stage, after: Look) -> Iterator[str]:
    live = Counter(one.lead_id for one in after.claims.values() if one.state in LIVE)
    for lead_id, count in live.items():
        if count > 1:
            yield f"I3 lead {lead_id} has {count} live claims"
    counted: Counter[str] = Counter()
    limits: dict[str, int] = {}
    for one in after.claims.values():
        counted[one.lead_id] += one.quantity if one.state in COUNTED else 0
        limits[one.lead_id] = stage.house_of(one.drop_id).drop.per_follower_limit
    for lead_id, count in counted.items():
        if count > limits[lead_id] and not _has_late_payment(stage, after, lead_id):
            yield f"I3 lead {lead_id} has {count} units"
    for key, count in Counter(one.event_key for one in after.claims.values()).items():
        if count > 1:
            yield f"I3 event {key} made {count} claims"


def _has_late_payment(stage: Stage, after: Look, lead_id: str) -> bool:
    """Money that came after the end of a claim buys its unit, whatever else its follower has by then."""
    theirs = [one for one in after.claims.values() if one.lead_id == lead_id]
    return any(one.id in stage.ended_once and one.state is State.SOLD for one in theirs)


def _later(state: State) -> frozenset[State]:
    """Every state that the table leads to from here, in any number of steps."""
    found = {state}
    while more := {to for (at, _event), to in TABLE.items() if at in found} - found:
        found |= more
    return frozenset(found)


LATER = {state: _later(state) for state in State}


def _monotonic(before: Look, after: Look) -> Iterator[str]:
    for claim_id, was in before.claims.items():
        now = after.claims.get(claim_id)
        if now is None:
            yield f"I12 claim {claim_id} is gone"
        elif now.state not in LATER[was.state]:
            yield f"I12 claim {claim_id} was {was.state} and is {now.state}"


def _line_order(before: Look, after: Look) -> Iterator[str]:
    both = before.reachable & after.reachable
    for claim in after.claims.values():
        was = before.claims.get(claim.id)
        still = _still_waiting(before, after, claim.variant_id)
        if was is not None and claim.is_promoted and not was.is_promoted:
            passed = [one.id for one in still if one.line < was.line and one.lead_id in both]
        elif was is None and claim.state in WITH_UNIT and not claim.is_promoted:
            passed = [one.id for one in still]
        else:
            continue
        if passed:
            yield f"I11 claim {claim.id} was served before {', '.join(passed)}"


def _still_waiting(before: Look, after: Look, variant_id: str) -> Iterable[Held]:
    now = {one.id for one in after.waiting(variant_id)}
    return [one for one in before.waiting(variant_id) if one.id in now]


def _fence(stage: Stage, after: Look) -> Iterator[str]:
    """The unit stays taken for as long as anybody can pay for it, and there is one way to pay."""
    payable = stage.stripe.list_ids(SessionState.OPEN)
    for session_id in payable:
        claim_id = stage.stripe.sessions[session_id].claim_id
        claim = after.claims.get(claim_id)
        if claim is None or claim.state not in WITH_UNIT:
            yield f"I4 session {session_id} can be paid although its claim {claim_id} owns nothing"
    by_claim = Counter(stage.stripe.sessions[one].claim_id for one in payable)
    for claim_id, count in by_claim.items():
        if count > 1:
            yield f"I4 claim {claim_id} can be paid in {count} sessions"

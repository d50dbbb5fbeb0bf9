"""Who gets a unit? The story of the claims of one transaction, in line order.

The gate proposed; here SQL disposes. A unit is taken by a conditional update; who loses it (the gate was
stale, or is down) takes another straight from the ledger, or joins the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from claimbot.core.claims import LIVE, Claim, State
from claimbot.core.drops import DropKind
from claimbot.core.followers import Lead
from claimbot.core.messages import Outcome
from claimbot.core.outbox import Priority, Work
from claimbot.core.texts import TextKey
from claimbot.db import claims, units
from claimbot.db.ids import new_id, new_token
from claimbot.flows.announce import announce
from claimbot.flows.promote import ComeBack, promote_free
from claimbot.flows.propose import Proposals
from claimbot.flows.round import Arrived, Round
from claimbot.stock.gate import Proposal

LINES_PER_MS = 1000
# Copies of one message arrive within seconds; a proposal older than this was for another day.
FRESH_MS = 10_000


Wisher = tuple[Arrived, Lead]


@dataclass(frozen=True, slots=True)
class Start:
    """How a claim begins."""

    state: State
    wanted: int
    units: tuple[int, ...] = ()


@dataclass
class Made:
    """A claim being made: `units` are the numbers it is to take."""

    one: Arrived
    lead: Lead
    claim: Claim
    wanted: int
    units: tuple[int, ...] = ()


@dataclass
class Desk:
    """Where the claims of one transaction are made."""

    this: Round
    proposals: Proposals
    standing: dict[tuple[str, str], list[Claim]]
    made: list[Made] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    """variant → how many wait for it."""
    to_line: list[tuple[Arrived, tuple[int, ...] | None]] = field(default_factory=list)
    """Units that were proposed to a newcomer although somebody waits; None means whatever is free."""

    def proposal_of(self, one: Arrived, lead: Lead) -> Proposal | None:
        """What the gate said, unless it spoke of a claim that stands: who buys again is in line."""
        found = self.proposals.of(one.event_key)
        if found is None or found.word != "already":
            return found
        mine = self.standing.get((one.drop.id, lead.id), [])
        return None if any(old.line == found.line for old in mine) else found

    def waiting_for(self, variant_id: str) -> int:
        if variant_id not in self.waiting:
            self.waiting[variant_id] = claims.count_waiting(self.this.tx, variant_id)
        return self.waiting[variant_id]


def claim(this: Round, arrived: Sequence[Arrived], proposals: Proposals) -> None:
    people = [(one, this.lead_of(one)) for one in arrived]
    known = [(one, lead) for one, lead in people if lead is not None]
    while known:
        known = _claim_once_each(this, known, proposals)


def _claim_once_each(this: Round, known: Sequence[Wisher], proposals: Proposals) -> list[Wisher]:
    """The first word of each person in each drop; returns the words that repeat it.

    A repeated word is answered by what became of the first, and that is certain only once it is written.
    """
    first = {(one.drop.id, lead.id): (one, lead) for one, lead in reversed(known)}
    # Who was written down a moment ago has no claim yet.
    may_have = [pair for pair, (_, lead) in first.items() if not lead.is_new or lead.id in this.claimants]
    this.claimants.update(lead_id for _, lead_id in first)
    desk = Desk(this, proposals, claims.list_standing(this.tx, may_have))
    mine = [(one, lead) for one, lead in known if first[one.drop.id, lead.id][0] is one]
    for one, lead in mine:
        _decide(desk, one, lead)
    _write(desk)
    for made in desk.made:
        _tell(desk, made)
    for one, numbers in desk.to_line:
        from_key = one.follower_key if numbers else ""
        come_back = ComeBack(one.drop, one.intent.variant_id, numbers, from_key)
        used = promote_free(this.tx, this.now, come_back, this.hints)
        if numbers:
            proposals.use(one.event_key, used)
    return [(one, lead) for one, lead in known if first[one.drop.id, lead.id][0] is not one]


def _decide(desk: Desk, one: Arrived, lead: Lead) -> None:
    if lead.opted_out_at is not None:
        desk.this.end(one, Outcome.OPTED_OUT, "wrote_stop_before")
        return
    mine = desk.standing.get((one.drop.id, lead.id), [])
    live = next((old for old in mine if old.state in (*LIVE, State.GRANTED)), None)
    if live is not None:
        _again(desk, one, live)
    elif one.drop.kind is DropKind.LIST:
        _make(desk, one, lead, Start(State.GRANTED, 1))
    else:
        _wish(desk, one, lead, mine)


def _again(desk: Desk, one: Arrived, live: Claim) -> None:
    """The word again: the same claim, the same link, the same deadline."""
    if live.state is State.WAITLISTED:
        ahead = claims.count_waiting(desk.this.tx, live.variant_id, live.line)
        desk.this.end(one, Outcome.ALREADY_WAITLISTED, claim_id=live.id)
        desk.this.say(
            one,
            TextKey.ALREADY_WAITLISTED,
            Priority.WAITLIST,
            claim_id=live.id,
            values={"waiting": str(ahead + 1)},
        )
    elif live.state is State.GRANTED:
        desk.this.end(one, Outcome.GRANTED, "before", live.id)
        desk.this.say(
            one, TextKey.GRANTED, Priority.WAITLIST, claim_id=live.id, values={"place": str(live.place)}
        )
    elif live.state is State.EXPIRING:
        desk.this.end(one, Outcome.ALREADY_HELD, "ending", live.id)
        desk.this.say(one, TextKey.HOLD_ENDED, Priority.REFUSAL, claim_id=live.id)
    else:
        desk.this.end(one, Outcome.ALREADY_HELD, claim_id=live.id)
        is_pending = live.state is State.PENDING
        text = TextKey.PAYMENT_PENDING if is_pending else TextKey.ALREADY_HELD
        desk.this.say(one, text, Priority.WINNER, claim_id=live.id, link=not is_pending)


def _wish(desk: Desk, one: Arrived, lead: Lead, mine: Sequence[Claim]) -> None:
    drop = one.drop
    left = drop.per_follower_limit - claims.counted_quantity(mine)
    if left <= 0:
        is_sold = any(old.state is State.SOLD for old in mine)
        outcome = Outcome.ALREADY_SOLD if is_sold and len(mine) == 1 else Outcome.LIMIT_REACHED
        desk.this.end(one, outcome, claim_id=mine[-1].id)
        text = TextKey.ALREADY_SOLD if outcome is Outcome.ALREADY_SOLD else TextKey.LIMIT_REACHED
        desk.this.say(one, text, Priority.REFUSAL, claim_id=mine[-1].id)
        return
    wanted = min(one.intent.quantity, left)
    proposal = desk.proposal_of(one, lead)
    proposed = _proposed(one, proposal, wanted)
    has_line = _is_behind_others(desk, one, proposal)
    if has_line and proposed != ():
        # Somebody waits although units are free: they come first, the newcomer joins the line.
        desk.to_line.append((one, proposed))
    if proposed == () or has_line:
        _join(desk, one, lead, wanted)
    else:
        _make(desk, one, lead, Start(State.HELD, wanted, proposed or ()))


def _is_behind_others(desk: Desk, one: Arrived, proposal: Proposal | None) -> bool:
    """Does somebody wait who came first? Who was proposed a unit before they came is not behind them."""
    variant_id = one.intent.variant_id
    if desk.waiting_for(variant_id) == 0 or proposal is None or not _is_fresh(desk, proposal):
        return desk.waiting_for(variant_id) > 0
    in_this_round = (made.claim for made in desk.made if made.claim.variant_id == variant_id)
    if any(other.state is State.WAITLISTED and other.line < proposal.line for other in in_this_round):
        return True
    return claims.count_waiting(desk.this.tx, variant_id, proposal.line) > 0


def _is_fresh(desk: Desk, proposal: Proposal) -> bool:
    """Was it made for this very message? A copy of it, delivered at the same time, may have asked first."""
    age_ms = int(desk.this.now.timestamp() * 1000) - proposal.line // LINES_PER_MS
    return proposal.word == "held" or (proposal.word == "already" and age_ms < FRESH_MS)


def _proposed(one: Arrived, proposal: Proposal | None, wanted: int) -> tuple[int, ...] | None:
    """The units that the gate proposes; () when it is full, None when SQL has to look for itself."""
    if proposal is None:
        return None
    if proposal.word == "full":
        return ()
    if proposal.variant_id != one.intent.variant_id:
        return None
    if len(proposal.units) < wanted and not one.drop.is_partial_allowed:
        return ()
    return proposal.units[:wanted]


def _join(desk: Desk, one: Arrived, lead: Lead, wanted: int) -> None:
    if not one.drop.is_waitlist_on:
        desk.this.end(one, Outcome.SOLD_OUT)
        desk.this.say(one, TextKey.SOLD_OUT, Priority.REFUSAL)
        return
    _make(desk, one, lead, Start(State.WAITLISTED, wanted))


def _make(desk: Desk, one: Arrived, lead: Lead, start: Start) -> None:
    """Note the claim in line order; it is written with the others at the end."""
    drop, state, numbers = one.drop, start.state, start.units
    variant_id = one.intent.variant_id or drop.variants[0].id
    is_free = state is State.HELD and drop.kind is DropKind.FREE
    made = Claim(
        id=new_id("clm"),
        brand_id=drop.brand_id,
        drop_id=drop.id,
        variant_id=variant_id,
        lead_id=lead.id,
        state=State.SOLD if is_free else state,
        quantity=len(numbers) or start.wanted,
        line=_line(desk, one, lead, state),
        place=numbers[0] if numbers else _place(desk, state, variant_id, drop.id),
        unit_price=drop.unit_price(drop.variant(variant_id)),
        livemode=one.book.brand.livemode,
        stripe_account=one.book.brand.stripe_account,
        token=new_token(),
        created_at=desk.this.now,
        paid_at=desk.this.now if is_free else None,
    )
    if numbers:
        desk.proposals.use(one.event_key, numbers)
    desk.standing.setdefault((drop.id, lead.id), []).append(made)
    desk.made.append(Made(one, lead, made, start.wanted, numbers))


def _line(desk: Desk, one: Arrived, lead: Lead, state: State) -> int:
    """The gate's number; without a gate the time, which is what the gate counts by.

    Who had a proposal before and now joins the line stands at its end: their old number is of another day.
    """
    proposal = desk.proposal_of(one, lead)
    waits = state is State.WAITLISTED
    if proposal is not None and not (waits and proposal.word == "already"):
        return proposal.line
    by_time = int(desk.this.now.timestamp() * 1000) * LINES_PER_MS + len(desk.made) % LINES_PER_MS
    return max(by_time, _end_of_line(desk, one.intent.variant_id) + 1) if waits else by_time


def _end_of_line(desk: Desk, variant_id: str) -> int:
    in_this_round = [made.claim.line for made in desk.made if made.claim.variant_id == variant_id]
    return max([claims.last_waiting_line(desk.this.tx, variant_id), *in_this_round])


def _place(desk: Desk, state: State, variant_id: str, drop_id: str) -> int:
    if state is State.WAITLISTED:
        desk.waiting[variant_id] = desk.waiting_for(variant_id) + 1
        return desk.waiting[variant_id]
    if state is State.GRANTED:
        before = claims.count_by_state(desk.this.tx, drop_id).get(State.GRANTED, 0)
        return before + 1 + sum(made.claim.state is State.GRANTED for made in desk.made)
    return 0


def _write(desk: Desk) -> None:
    tx = desk.this.tx
    claims.insert_claims(tx, [(made.claim, _origin(made.one)) for made in desk.made])
    takings = [units.Taking(made.claim.id, made.claim.variant_id, made.units) for made in desk.made]
    lost = {taking.claim_id for taking in units.take_units(tx, [one for one in takings if one.units])}
    for made in desk.made:
        if made.claim.state not in (State.HELD, State.SOLD) or (made.units and made.claim.id not in lost):
            continue
        if made.units:
            desk.this.hints.stale_drops.add(made.one.drop.id)
        _take_from_ledger(desk, made)
    _announce(desk)


def _announce(desk: Desk) -> None:
    """Only where somebody listens: the catalog knows, so that a claim of the others costs nothing."""
    by_brand: dict[str, list[str]] = {}
    for made in desk.made:
        if made.one.book.is_listening:
            by_brand.setdefault(made.claim.brand_id, []).append(made.claim.id)
    for brand_id, claim_ids in by_brand.items():
        announce(desk.this.tx, desk.this.now, brand_id, claim_ids)


def _origin(one: Arrived) -> claims.Origin:
    return claims.Origin(one.event_key, one.intent.keyword, one.event.source)


def _take_from_ledger(desk: Desk, made: Made) -> None:
    """The gate was wrong or is down: the ledger looks for free units itself."""
    tx, drop = desk.this.tx, made.one.drop
    made.units = units.take_any(tx, made.claim.id, made.claim.variant_id, made.wanted)
    is_enough = len(made.units) == made.wanted or (made.units and drop.is_partial_allowed)
    if is_enough:
        made.claim = replace(made.claim, quantity=len(made.units), place=made.units[0])
        claims.mark_values(tx, made.claim.id, quantity=made.claim.quantity, place=made.claim.place)
        return
    units.free_units(tx, [made.claim.id])
    claims.delete_unmade(tx, made.claim.id)
    made.units = ()
    if not drop.is_waitlist_on:
        made.claim = replace(made.claim, state=State.CLOSED)
        return
    state = State.WAITLISTED
    place = _place(desk, state, made.claim.variant_id, drop.id)
    line = _line(desk, made.one, made.lead, state)
    made.claim = replace(made.claim, state=state, quantity=made.wanted, line=line, place=place, paid_at=None)
    claims.insert_claims(tx, [(made.claim, _origin(made.one))])


def _tell(desk: Desk, made: Made) -> None:
    """Every claim ends its event and is answered, with a receipt."""
    one, this, claim_id = made.one, desk.this, made.claim.id
    values = {"place": str(made.claim.place)}
    match made.claim.state:
        case State.HELD:
            this.end(one, Outcome.HELD, claim_id=claim_id)
            _offer(this, made)
        case State.SOLD:
            this.end(one, Outcome.HELD, "free", claim_id)
            this.say(one, TextKey.FREE_GIVEN, Priority.WINNER, claim_id=claim_id, values=values)
        case State.GRANTED:
            this.end(one, Outcome.GRANTED, claim_id=claim_id)
            this.say(one, TextKey.GRANTED, Priority.WINNER, claim_id=claim_id, values=values)
        case State.WAITLISTED:
            this.end(one, Outcome.WAITLISTED, claim_id=claim_id)
            values = {"waiting": values["place"]}
            this.say(one, TextKey.WAITLISTED, Priority.WAITLIST, claim_id=claim_id, values=values)
        case _:
            this.end(one, Outcome.SOLD_OUT)
            this.say(one, TextKey.SOLD_OUT, Priority.REFUSAL)


def _offer(this: Round, made: Made) -> None:
    values = {"place": str(made.claim.place)}
    text = TextKey.HELD
    if made.claim.quantity < made.one.intent.quantity:
        text = TextKey.HELD_PARTIAL
        values["reason"] = _why_fewer(made)
    payload = {"text": text.value, "claim_id": made.claim.id, "values": values}
    this.write(made.one, Work.OFFER, Priority.WINNER, payload)


def _why_fewer(made: Made) -> str:
    if made.claim.quantity == made.wanted:
        return f"one follower may have {made.one.drop.per_follower_limit}"
    return f"only {made.claim.quantity} left"

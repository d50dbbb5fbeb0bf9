"""What do buyers and Stripe do? Payments in time and late, delayed ones, and the events that tell of them."""

from claimbot.core.errors import Outside
from claimbot.core.payments import SessionState
from claimbot.flows.checkout import ensure_session
from claimbot.flows.poll import ask_about_session
from claimbot.flows.settle import hear
from tests.sim.program import Step, one_of
from tests.sim.stage import Stage

SOLD = "SELECT stripe_session_id FROM claims WHERE state = 'sold' ORDER BY line, id"


def pay(stage: Stage, step: Step) -> None:
    session_id = one_of(stage.stripe.list_ids(SessionState.OPEN), step.pick)
    if session_id is not None:
        stage.stripe.pay(session_id)


def pay_delayed(stage: Stage, step: Step) -> None:
    session_id = one_of(stage.stripe.list_ids(SessionState.OPEN), step.pick)
    if session_id is not None:
        stage.stripe.pay(session_id, is_delayed=True)


def end_delayed(stage: Stage, step: Step) -> None:
    session_id = one_of(stage.stripe.list_delayed(), step.pick)
    if session_id is not None:
        stage.stripe.end_delayed(session_id, is_paid=step.more % 3 > 0)


def pay_late(stage: Stage, step: Step) -> None:
    """Against Stripe's own word, money comes for a session that has expired."""
    session_id = one_of(stage.stripe.list_ids(SessionState.EXPIRED), step.pick)
    if session_id is not None:
        stage.stripe.pay(session_id)


def payment_event(stage: Stage, step: Step) -> None:
    """One of Stripe's events: once, again later, under a second id, or never."""
    told = one_of(stage.stripe.undelivered, step.pick)
    if told is None:
        return
    how = step.more % 8
    if how == 0:
        stage.stripe.undelivered.remove(told)
        return
    try:
        hear(stage.parts, told.brand_id, told.event, "")
        if how == 1:
            hear(stage.parts, told.brand_id, stage.stripe.another_id(told.event), "")
    except Outside:
        return
    if how > 2 and told in stage.stripe.undelivered:
        stage.stripe.undelivered.remove(told)


def click(stage: Stage, step: Step) -> None:
    """A follower opens their pay link."""
    claim_id = one_of(_claim_ids(stage), step.pick)
    try:
        if claim_id is not None:
            ensure_session(stage.parts, claim_id)
    except Outside:
        return


def look(stage: Stage, step: Step) -> None:
    """A buyer came back from Stripe."""
    claim_id = one_of(_claim_ids(stage), step.pick)
    try:
        if claim_id is not None:
            ask_about_session(stage.parts, claim_id)
    except Outside:
        return


def _claim_ids(stage: Stage) -> list[str]:
    return [row[0] for row in stage.reader.ask("SELECT id FROM claims ORDER BY line, id")]


def give_back(stage: Stage, step: Step) -> None:
    """The brand sends money back in Stripe's dashboard."""
    paid = stage.stripe.list_ids(SessionState.COMPLETE_PAID)
    gone = {*stage.stripe.refunds, *stage.stripe.disputes}
    session_id = one_of([one for one in paid if one not in gone], step.pick)
    if session_id is not None:
        stage.stripe.give_back(session_id)


def dispute(stage: Stage, step: Step) -> None:
    """A buyer who has what they paid for wants their money back from their bank."""
    gone = {*stage.stripe.refunds, *stage.stripe.disputes}
    sold = [row[0] for row in stage.reader.ask(SOLD) if row[0] and row[0] not in gone]
    session_id = one_of(sold, step.pick)
    if session_id is not None:
        stage.stripe.dispute(session_id)


def end_dispute(stage: Stage, step: Step) -> None:
    undecided = [one for one, how in stage.stripe.disputes.items() if how == "open"]
    session_id = one_of(undecided, step.pick)
    if session_id is not None:
        stage.stripe.end_dispute(session_id, is_won=bool(step.more % 2))

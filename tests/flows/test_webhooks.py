"""A brand's own systems hear of its claims, and nobody waits for them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from claimbot.core.drops import DropKind
from claimbot.core.errors import LedgerUnavailable
from claimbot.core.money import Money
from claimbot.core.webhooks import AGE_MAX
from claimbot.db import rehearsals, webhooks
from claimbot.db.rehearsals import Rehearsal
from claimbot.failpoints import armed
from claimbot.flows import endpoints
from claimbot.flows.diagnose import Light, diagnose, diagnose_brand
from claimbot.flows.launch import close_drop
from claimbot.flows.notify import notify
from claimbot.flows.poll import ask_for_events
from claimbot.flows.verify import verify
from claimbot.webhooks import post
from tests.builders import make_brand
from tests.engine import Engine
from tests.flows.looks import claim_of, open_alerts, state_of
from tests.invariants import assert_invariants
from tests.webhooks.ears import call_by, deliver, in_state, listen, notices, signed_with
from tests.webhooks.receiver import URL, Receiver

PEOPLE = ("ana", "ben", "cleo", "dora")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "POST_SECONDS", 0.3)


def launch(engine: Engine, stock_units: int = len(PEOPLE), **changes: Any) -> None:
    """Everybody writes, and everybody gets a unit."""
    engine.drop(stock_units=stock_units, **changes)
    assert [engine.dm(who) for who in PEOPLE] == [200] * len(PEOPLE)


def end_holds(engine: Engine) -> None:
    engine.pass_time(minutes=20)
    engine.chore("holds")
    engine.work()
    engine.settle()
    engine.work()


def break_off() -> None:
    raise LedgerUnavailable("in the middle of it")


def test_a_claim_is_told_from_its_beginning_to_its_end(engine: Engine, receiver: Receiver) -> None:
    endpoint = listen(engine, receiver)
    engine.drop(stock_units=1)
    engine.dm("ana")
    engine.dm("ben")
    engine.work()
    end_holds(engine)
    engine.pay("ben")
    assert deliver(engine) == 5
    assert sorted(receiver.told()) == [
        ("claim.ended", "expired"),
        ("claim.held", ""),
        ("claim.held", ""),
        ("claim.sold", ""),
        ("claim.waiting", ""),
    ]
    first = receiver.calls[0]
    assert first.headers["webhook-signature"] == signed_with(endpoint.secrets[0], first.headers, first.body)
    assert_invariants(engine.parts)


def test_who_waits_in_vain_is_told_of_to_the_end(engine: Engine, receiver: Receiver) -> None:
    listen(engine, receiver)
    drop = engine.drop(stock_units=1)
    for who in ("ana", "ben", "cleo"):
        engine.dm(who)
    engine.dm("ben", "PASS")
    close_drop(engine.parts, "test", drop.id)

    deliver(engine)

    in_line = [one for one in receiver.told() if one != ("claim.held", "")]
    assert sorted(in_line) == [
        ("claim.ended", "closed"),
        ("claim.ended", "passed"),
        ("claim.waiting", ""),
        ("claim.waiting", ""),
    ]


def test_money_that_went_back_is_told(sqlite_engine: Engine, receiver: Receiver) -> None:
    listen(sqlite_engine, receiver)
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    sqlite_engine.pay("ana")
    claim = claim_of(sqlite_engine, "ana")
    gateway = sqlite_engine.parts.gateways.of(sqlite_engine.brand.id)
    assert gateway is not None
    gateway.refund(claim.payment_intent, claim.stripe_session_id, None, claim.id)
    sqlite_engine.settle()
    assert state_of(sqlite_engine, "ana") == "refunded"
    assert deliver(sqlite_engine) == 3
    assert receiver.told()[-1] == ("claim.ended", "refunded")


@pytest.mark.parametrize(
    ("kind", "told"), ((DropKind.FREE, ("claim.sold", "")), (DropKind.LIST, ("claim.granted", "")))
)
def test_what_costs_nothing_is_told_at_once(
    sqlite_engine: Engine, receiver: Receiver, kind: DropKind, told: tuple[str, str]
) -> None:
    listen(sqlite_engine, receiver)
    sqlite_engine.drop(kind=kind, price=Money(0, "EUR"))
    sqlite_engine.dm("ana")
    deliver(sqlite_engine)
    assert receiver.told() == [told]


def test_a_claim_of_a_brand_that_does_not_listen_looks_for_no_endpoint(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    asked: list[str] = []

    def note(*call: object) -> None:
        asked.extend(word for word in ("endpoints", "notices") if word in str(call[2]))

    engine = sqlite_engine.parts.ledger.engine
    event.listen(engine, "before_cursor_execute", note)
    assert sqlite_engine.dm("ana") == 200
    event.remove(engine, "before_cursor_execute", note)
    assert (state_of(sqlite_engine, "ana"), asked) == ("held", [])


def test_what_is_rolled_back_is_not_told(sqlite_engine: Engine, receiver: Receiver) -> None:
    listen(sqlite_engine, receiver)
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    before = notices(sqlite_engine)

    with armed("settle.settled", break_off):
        sqlite_engine.world.fault("stripe", "webhook_drop")
        sqlite_engine.pay("ana")
        with pytest.raises(LedgerUnavailable):
            ask_for_events(sqlite_engine.parts)
    assert (state_of(sqlite_engine, "ana"), notices(sqlite_engine)) == ("held", before)


def test_another_brand_hears_nothing(sqlite_engine: Engine, receiver: Receiver) -> None:
    call_by(sqlite_engine, receiver)
    other = make_brand(sqlite_engine.parts.ledger, "borealis")
    endpoints.add_endpoint(sqlite_engine.parts, "test", other, URL)
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    assert (deliver(sqlite_engine), notices(sqlite_engine)) == (0, [])


def test_a_rehearsal_is_told_to_nobody(sqlite_engine: Engine, receiver: Receiver) -> None:
    listen(sqlite_engine, receiver)
    copy = sqlite_engine.drop()
    played = Rehearsal(
        "reh_1", copy.brand_id, copy.id, copy.id, "asked", {}, sqlite_engine.clock(), report={}
    )
    with sqlite_engine.parts.ledger.begin() as tx:
        rehearsals.insert_rehearsal(tx, played)
    sqlite_engine.dm("ana")
    assert (state_of(sqlite_engine, "ana"), notices(sqlite_engine)) == ("held", [])


def test_an_endpoint_that_is_away_for_a_quarter_of_an_hour_is_told_of_until_it_is_back(
    engine: Engine, receiver: Receiver
) -> None:
    listen(engine, receiver)
    receiver.mode = "500"
    engine.drop()
    engine.dm("ana")
    told = []
    for _ in range(3):
        deliver(engine)
        engine.pass_time(minutes=6)
        engine.chore("webhooks")
        told.append(open_alerts(engine).count("webhook_away"))
    signs = [one.light for one in diagnose(engine.parts) if one.about == "alert webhook_away"]

    receiver.mode = "ok"
    engine.pass_time(minutes=10)
    deliver(engine)
    engine.chore("webhooks")

    assert (told, signs) == ([0, 0, 1], [Light.WARN])
    assert "webhook_away" not in open_alerts(engine)


@pytest.mark.matrix(50)
@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("mode", ("hang_up", "slow", "drip", "500", "redirect"))
def test_winners_are_told_while_an_endpoint_is_bad_and_it_hears_all_once_it_is_good(
    engine: Engine, receiver: Receiver, mode: str
) -> None:
    listen(engine, receiver)
    receiver.mode = mode
    launch(engine)
    assert deliver(engine) == 0
    engine.work()
    assert all(engine.heard(who) for who in PEOPLE)
    assert in_state(engine, "waiting") == len(PEOPLE)
    assert_invariants(engine.parts)
    seen, receiver.mode = len(receiver.calls), "ok"
    engine.pass_time(minutes=10)
    assert (deliver(engine), in_state(engine, "delivered")) == (len(PEOPLE), len(PEOPLE))
    assert len(set(receiver.ids()[seen:])) == len(receiver.ids()[seen:]) == len(PEOPLE)


@pytest.mark.matrix(50)
def test_a_name_that_begins_to_lead_inside_is_not_followed(engine: Engine, receiver: Receiver) -> None:
    """The address was public when it was added; later the name server says otherwise."""
    listen(engine, receiver)
    call_by(engine, receiver, resolve=lambda _host, _port: ("169.254.169.254",))
    engine.drop()
    engine.dm("ana")
    assert (deliver(engine), receiver.connections) == (0, 0)
    engine.work()
    assert engine.heard("ana")
    assert notices(engine) == [("claim.held", "waiting", "address_not_public")]
    call_by(engine, receiver)
    engine.pass_time(minutes=1)
    assert (deliver(engine), receiver.told()) == (1, [("claim.held", "")])


@pytest.mark.matrix(50)
@pytest.mark.usefixtures("short")
def test_who_answers_without_an_end_has_accepted(sqlite_engine: Engine, receiver: Receiver) -> None:
    listen(sqlite_engine, receiver)
    receiver.mode = "endless"
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    assert (deliver(sqlite_engine), in_state(sqlite_engine, "delivered")) == (1, 1)


def test_an_endpoint_that_is_away_rests_and_is_asked_with_one_notice_at_a_time(
    sqlite_engine: Engine, receiver: Receiver
) -> None:
    listen(sqlite_engine, receiver)
    receiver.mode = "500"
    launch(sqlite_engine)
    deliver(sqlite_engine)
    sqlite_engine.pass_time(seconds=14)
    deliver(sqlite_engine)
    assert len(receiver.calls) == 3
    sqlite_engine.pass_time(seconds=2)
    deliver(sqlite_engine)
    assert len(receiver.calls) == 4


def test_what_failed_while_it_was_away_comes_as_soon_as_one_is_accepted(
    sqlite_engine: Engine, receiver: Receiver
) -> None:
    """After two hours each of the four would wait half an hour more."""
    listen(sqlite_engine, receiver)
    receiver.mode = "500"
    launch(sqlite_engine, stock_units=5, kind=DropKind.FREE, price=Money(0, "EUR"))
    for _ in range(20):
        deliver(sqlite_engine)
        sqlite_engine.pass_time(minutes=6)
    receiver.mode = "ok"
    sqlite_engine.dm("eva")
    deliver(sqlite_engine)
    assert (in_state(sqlite_engine, "waiting"), in_state(sqlite_engine, "delivered")) == (0, 5)


def test_one_notice_that_is_not_welcome_does_not_keep_the_others(
    sqlite_engine: Engine, receiver: Receiver
) -> None:
    listen(sqlite_engine, receiver)
    sqlite_engine.drop(stock_units=4)
    sqlite_engine.dm("ana")
    [(unwelcome,)] = sqlite_engine.rows("SELECT id FROM notices")
    receiver.unwelcome.add(unwelcome)
    for who in PEOPLE[1:]:
        sqlite_engine.dm(who)
    assert deliver(sqlite_engine) == 3
    sqlite_engine.pass_time(seconds=10)
    deliver(sqlite_engine)
    assert (receiver.ids().count(unwelcome), in_state(sqlite_engine, "delivered")) == (2, 3)


def test_two_workers_do_not_call_one_endpoint_at_once(engine: Engine, receiver: Receiver) -> None:
    endpoint = listen(engine, receiver)
    engine.drop()
    engine.dm("ana")
    with engine.parts.ledger.begin() as tx:
        assert webhooks.lease(tx, engine.parts.sealer, endpoint.id, engine.clock())
    assert (notify(engine.parts, endpoint.id), receiver.calls) == (0, [])
    # That worker died: its lease ends, and the notice is still there.
    engine.pass_time(seconds=61)
    assert (deliver(engine), receiver.told()) == (1, [("claim.held", "")])


def test_a_notice_whose_answer_was_lost_comes_again_under_the_same_id(
    sqlite_engine: Engine, receiver: Receiver
) -> None:
    listen(sqlite_engine, receiver)
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    with armed("notify.answered", break_off), pytest.raises(LedgerUnavailable):
        deliver(sqlite_engine)
    sqlite_engine.pass_time(seconds=61)
    assert deliver(sqlite_engine) == 1
    assert (len(receiver.ids()), len(set(receiver.ids()))) == (2, 1)


@pytest.mark.matrix(50)
def test_what_could_not_be_told_for_a_day_is_given_up_aloud_and_may_be_sent_again(
    engine: Engine, receiver: Receiver
) -> None:
    listen(engine, receiver)
    receiver.mode = "500"
    engine.drop(kind=DropKind.FREE, price=Money(0, "EUR"))
    engine.dm("ana")
    engine.work()
    deliver(engine)
    engine.pass_time(hours=AGE_MAX / timedelta(hours=1) + 1)
    assert (engine.chore("webhooks"), engine.chore("webhooks")) == (1, 0)
    assert notices(engine) == [("claim.sold", "given_up", "http_500")]
    assert (open_alerts(engine).count("webhook"), deliver(engine)) == (1, 0)
    assert_invariants(engine.parts)
    signs = diagnose_brand(engine.parts, engine.brand, asks_platform=False)
    assert [one.text[:8] for one in signs if one.about == "webhook hooks.example"] == ["1 events"]
    receiver.mode = "ok"
    [(notice_id,)] = engine.rows("SELECT id FROM notices")
    endpoints.send_again(engine.parts, "test", engine.brand, notice_id)
    assert (deliver(engine), set(receiver.ids())) == (1, {notice_id})


def test_a_notice_that_nobody_looks_after_breaks_a_promise(engine: Engine, receiver: Receiver) -> None:
    listen(engine, receiver)
    engine.drop()
    engine.dm("ana")
    engine.work()
    engine.pass_time(hours=25)
    assert "notice" in str([one.breaches for one in verify(engine.parts, False) if not one.ok])
    engine.chore("webhooks")
    assert "notice" not in str([one.breaches for one in verify(engine.parts, False) if not one.ok])


def test_what_was_delivered_is_forgotten_after_a_week(sqlite_engine: Engine, receiver: Receiver) -> None:
    listen(sqlite_engine, receiver)
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    deliver(sqlite_engine)
    sqlite_engine.pass_time(days=6)
    sqlite_engine.chore("webhooks")
    assert in_state(sqlite_engine, "delivered") == 1
    sqlite_engine.pass_time(days=2)
    sqlite_engine.chore("webhooks")
    assert notices(sqlite_engine) == []

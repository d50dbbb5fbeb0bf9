"""Are messages that no webhook told found in the conversations, and received as fairly as the others?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from claimbot.core.messages import Inbound, Kind
from claimbot.db import alerts, brands
from claimbot.failpoints import armed
from claimbot.flows.catch_up import Look
from claimbot.flows.diagnose import Light, diagnose
from claimbot.flows.gaps import Heard, find_heard
from claimbot.flows.tokens import connect_account
from claimbot.sandbox.followers import igsid_of
from tests.channels.meta_server import MetaServer, Says, calling, serving
from tests.engine import Engine
from tests.flows.deliveries import message, post_events, post_meta
from tests.flows.looker import Looker, looking
from tests.flows.looks import open_alerts, outcome_of, outcomes, state_of
from tests.invariants import assert_invariants
from tests.sandbox.worlds import ACCOUNT, TOKEN

NEW = brands.NewAccount("", "instagram", "instagram_login", ACCOUNT, "aurora.studio", token=TOKEN)


@pytest.fixture
def looker(sqlite_engine: Engine) -> Looker:
    return looking(sqlite_engine)


def lose(engine: Engine, *names: str, words: str = "LAUNCH", **more: Any) -> None:
    """They write, and no webhook tells it."""
    engine.world.fault("graph", "webhook_drop", times=1_000)
    assert [engine.dm(who, words, **{"mid": f"mid.{who}", **more}) for who in names] == [0] * len(names)
    engine.world.http.delete("/api/faults")


def heard(engine: Engine) -> Heard:
    with engine.parts.ledger.reading() as tx:
        found = find_heard(tx, engine.account.id)
    assert found is not None
    return found


def test_who_is_found_late_comes_behind_those_who_were_told_a_place(engine: Engine) -> None:
    looker = looking(engine)
    engine.drop(stock_units=2)
    lose(engine, "late")
    engine.pass_time(seconds=10)
    assert [engine.dm(who) for who in ("ana", "ben", "cleo")] == [200] * 3
    engine.work()

    assert looker.wait(minutes=6) == 1
    engine.work()

    assert [state_of(engine, who) for who in ("ana", "ben", "cleo", "late")] == ["held"] * 2 + [
        "waitlisted"
    ] * 2
    line = engine.rows(
        "SELECT leads.external_id FROM claims JOIN leads ON leads.id = claims.lead_id"
        " WHERE claims.state = 'waitlisted' ORDER BY claims.line"
    )
    assert [row[0] for row in line] == [igsid_of("cleo"), igsid_of("late")]
    assert "2" in engine.heard("late")[0]
    assert_invariants(engine.parts)


def test_those_who_are_found_together_stand_in_the_order_in_which_they_wrote(engine: Engine) -> None:
    looker = looking(engine)
    engine.drop(stock_units=1)
    # The conversations come the other way round, the latest first.
    [(lose(engine, who), engine.pass_time(seconds=2)) for who in ("ana", "ben", "cleo")]

    assert looker.wait(minutes=6) == 3

    assert [state_of(engine, who) for who in ("ana", "ben", "cleo")] == ["held", "waitlisted", "waitlisted"]
    lines = engine.rows("SELECT leads.external_id FROM claims JOIN leads ON leads.id = lead_id ORDER BY line")
    assert [row[0] for row in lines] == [igsid_of(who) for who in ("ana", "ben", "cleo")]


def test_what_is_received_in_several_rounds_is_taken_oldest_first() -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    found = [
        Inbound("instagram", ACCOUNT, Kind.TEXT, name, "9", noon + timedelta(seconds=seconds))
        for name, seconds in (("last", 2), ("first", 0), ("second", 1))
    ]
    one = Look("acc_1", noon, noon, events={event.event_id: event for event in found})

    assert [event.event_id for event in one.take(2)] == ["first", "second"]


def test_more_than_a_page_is_read_and_each_is_found(looker: Looker, sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=3)
    names = [f"f{number:02d}" for number in range(55)]
    lose(sqlite_engine, *names)

    assert looker.wait(minutes=6) == 55

    assert outcomes(sqlite_engine) == {"held": 3, "waitlisted": 52}
    assert_invariants(sqlite_engine.parts)


def test_what_is_older_than_a_day_is_kept_and_not_answered(looker: Looker, sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=2)
    lose(sqlite_engine, "ana")
    sqlite_engine.pass_time(hours=24, minutes=1)

    assert looker.wait(minutes=1) == 1
    sqlite_engine.work()

    assert outcomes(sqlite_engine) == {"late": 1}
    assert sqlite_engine.heard("ana") == []


def test_what_was_written_before_the_account_was_ours_stays_unread(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=2)
    lose(sqlite_engine, "ana")
    sqlite_engine.pass_time(minutes=10)

    assert looking(sqlite_engine).wait(minutes=7) == 0
    assert sqlite_engine.rows("SELECT 1 FROM inbox") == []


def test_a_webhook_that_comes_later_is_a_duplicate(looker: Looker, sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=2)
    lose(sqlite_engine, "ana")
    assert looker.wait(minutes=6) == 1

    assert sqlite_engine.dm("ana", mid="mid.ana") == 200
    sqlite_engine.work()

    assert (outcomes(sqlite_engine), len(sqlite_engine.heard("ana"))) == ({"held": 1}, 1)


def test_what_is_young_is_left_to_its_webhook(looker: Looker, sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=2)
    assert looker.wait(minutes=5) == 0
    lose(sqlite_engine, "ana")
    sqlite_engine.pass_time(seconds=20)
    assert looker.look() == 0
    assert looker.wait(minutes=6) == 1


def test_our_own_messages_are_not_found(looker: Looker, sqlite_engine: Engine) -> None:
    """The words of a reply hold the keyword; and a person's answer from the app would pause the thread."""
    sqlite_engine.drop(stock_units=2)
    sqlite_engine.world.fault("graph", "echo_none", times=10)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    sqlite_engine.world.fault("graph", "webhook_drop")
    sqlite_engine.world.api("/echo", follower="ana", text="write LAUNCH to us")

    assert looker.wait(minutes=6) == 0
    assert sqlite_engine.rows("SELECT kind FROM inbox") == [("text",)]


@pytest.mark.parametrize("place", ["standby", "unsent"])
def test_what_the_ledger_knows_under_another_name_is_not_found(
    looker: Looker, sqlite_engine: Engine, place: str
) -> None:
    """Another app owns the thread, or the text was taken back: the conversation alone does not tell."""
    sqlite_engine.drop(stock_units=2)
    lose(sqlite_engine, "ana")
    told = {
        "standby": ("standby", message(sqlite_engine, "ana", "LAUNCH", "mid.ana")),
        "unsent": ("messaging", message(sqlite_engine, "ana", "", "mid.ana", is_deleted=True)),
    }
    where, event = told[place]
    assert (
        post_meta(sqlite_engine, {"object": "instagram", "entry": [{"id": ACCOUNT, where: [event]}]}) == 200
    )

    assert looker.wait(minutes=6) == 0
    assert sqlite_engine.states() == {}


def test_the_same_words_of_the_same_person_and_moment_are_one_message_whatever_its_id(engine: Engine) -> None:
    """That the ids are the same stands on no page of the platform's."""
    looker = looking(engine)
    engine.drop(stock_units=2)
    lose(engine, "ana")
    assert post_events(engine, message(engine, "ana", "LAUNCH", "another id")) == 200
    engine.work()
    engine.pass_time(seconds=5)
    lose(engine, "ana", mid="mid.later")

    assert looker.wait(minutes=6) == 1
    assert outcomes(engine) == {"held": 1, "already_held": 1}


def test_a_message_that_breaks_us_does_not_hold_up_the_others(looker: Looker, sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=5)
    lose(sqlite_engine, "ana", "ben", "cleo")
    # All three together, and then the first of them.
    faults = [ZeroDivisionError(), ZeroDivisionError()]

    def break_twice() -> None:
        if faults:
            raise faults.pop()

    with armed("receive.arrived", break_twice):
        assert looker.wait(minutes=6) == 2
    assert sqlite_engine.states() == {"held": 2}


def test_while_no_drop_is_open_nobody_looks_without_a_reason(looker: Looker, sqlite_engine: Engine) -> None:
    lose(sqlite_engine, "ana")
    assert looker.wait(minutes=12) == 0
    sqlite_engine.drop(stock_units=2)
    assert looker.wait(minutes=1) == 1


def test_after_the_engine_was_down_it_looks_also_without_a_drop(
    looker: Looker, sqlite_engine: Engine
) -> None:
    lose(sqlite_engine, "ana", words="hello")
    sqlite_engine.pass_time(hours=2)

    assert Looker(sqlite_engine).wait(minutes=1) == 1

    assert outcome_of(sqlite_engine, "ana") == "unmatched"


def test_an_account_that_was_parked_looks_when_it_works_again(engine: Engine) -> None:
    looker = looking(engine)
    engine.world.api("/tokens", account=ACCOUNT)
    lose(engine, "ana", words="hello")
    looker.wait(minutes=4)
    assert open_alerts(engine) == ["account"]
    assert heard(engine).is_parked

    engine.world.api("/tokens", account=ACCOUNT, revoked=False)
    connect_account(engine.parts, "a test", replace(NEW, brand_id=engine.brand.id))
    engine.parts.catalog(is_fresh=True)

    assert looker.wait(minutes=2) == 1
    assert (outcome_of(engine, "ana"), open_alerts(engine)) == ("unmatched", [])


def test_a_restored_ledger_takes_nothing_in_before_its_money_is_settled(
    looker: Looker, sqlite_engine: Engine
) -> None:
    """Stripe knows sessions that it does not: whoever is found might get a unit that somebody paid for."""
    sqlite_engine.drop(stock_units=2)
    lose(sqlite_engine, "ana")
    brand, ledger, now = sqlite_engine.brand, sqlite_engine.parts.ledger, sqlite_engine.clock()
    with ledger.begin() as tx:
        alerts.raise_alert(tx, alerts.Alert("restored", brand.id, "", brand.id), now)

    assert looker.wait(minutes=7) == 0
    with ledger.begin() as tx:
        alerts.clear_alert(tx, "restored", brand.id, now)
    assert looker.wait(minutes=1) == 1


def test_winners_are_told_before_anybody_looks(looker: Looker, sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=2)
    lose(sqlite_engine, "ana")
    sqlite_engine.dm("ben")

    assert looker.wait(minutes=6) == 0
    sqlite_engine.work()
    assert looker.wait(minutes=1) == 1


def test_an_account_with_a_secret_of_its_own_is_believed_too(looker: Looker, sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=2)
    lose(sqlite_engine, "ana")
    parts, account = sqlite_engine.parts, sqlite_engine.account
    sealed = parts.sealer.seal("a secret of its own", f"accounts/app_secret/{account.id}")
    with parts.ledger.begin() as tx:
        tx.exec_driver_sql("UPDATE accounts SET app_secret_sealed = ?", (sealed,))
    parts.catalog(is_fresh=True)

    assert looker.wait(minutes=6) == 1
    assert sqlite_engine.states() == {"held": 1}


def test_what_was_found_is_told_to_whoever_looks(looker: Looker, sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=2)
    lose(sqlite_engine, "ana")
    looker.wait(minutes=6)

    signs = {sign.text: sign.light for sign in diagnose(sqlite_engine.parts)}
    assert [light for text, light in signs.items() if text.startswith("1 messages that no webhook told")] == [
        Light.WARN
    ]
    assert ("lost_messages_found",) in sqlite_engine.rows("SELECT action FROM audit")


@pytest.fixture
def meta(looker: Looker) -> Iterator[MetaServer]:
    """A platform that says what the test tells it to; a drop is open, and a look is due."""
    engine = looker.engine
    engine.drop(stock_units=2)
    engine.pass_time(minutes=6)
    with serving() as server, calling(server.url) as http:
        engine.parts = replace(engine.parts, http=http)
        yield server


@pytest.mark.parametrize(
    ("says", "alert"),
    [
        (Says(400, {"error": {"code": 200}}), "conversations"),
        (Says(document={"data": [{"id": "t1"}]}), "conversations"),
        (Says(400, {"error": {"code": 190, "error_subcode": 463}}), "account"),
    ],
)
def test_what_cannot_be_read_is_for_a_person_and_asked_once(
    says: Says, alert: str, looker: Looker, meta: MetaServer
) -> None:
    meta.answers = [says]
    assert looker.look() == 0
    looker.engine.pass_time(minutes=2)
    assert looker.look() == 0
    assert (open_alerts(looker.engine), len(meta.asked)) == ([alert], 1)


def test_an_answer_that_is_too_much_is_asked_for_in_smaller_pages(looker: Looker, meta: MetaServer) -> None:
    meta.answers = [Says(500), Says(500), Says(document={"data": []})]
    assert looker.look() == 0
    looker.engine.pass_time(minutes=1)
    assert looker.look() == 0
    looker.engine.pass_time(minutes=1)
    assert looker.look() == 0
    assert [asked.query["limit"] for asked in meta.asked] == ["25", "12", "6"]
    assert looker.engine.clock() - heard(looker.engine).until < timedelta(minutes=3)


def test_a_platform_that_says_later_is_asked_later(looker: Looker, meta: MetaServer) -> None:
    meta.answers = [Says(400, {"error": {"code": 613}}, {"Retry-After": "300"}), Says(document={"data": []})]
    assert looker.look() == 0
    looker.engine.pass_time(minutes=2)
    assert looker.look() == 0
    assert len(meta.asked) == 1
    looker.engine.pass_time(minutes=4)
    assert looker.look() == 0
    assert (len(meta.asked), open_alerts(looker.engine)) == (2, [])


def test_an_account_is_asked_evenly_and_a_little_slower_than_it_allows(looker: Looker) -> None:
    """Two calls a second are allowed; a third within any second would cost a minute's rest."""
    parts, now = looker.engine.parts, looker.engine.clock()

    def may_ask_after(seconds: float) -> bool:
        at_that_moment = replace(parts, clock=lambda: now + timedelta(seconds=seconds))
        return looker.catch_up.may_ask(at_that_moment, "acc_evenly")

    assert [seconds for seconds in (0.0, 0.1, 0.5, 0.6, 0.7) if may_ask_after(seconds)] == [0.0, 0.6]

"""Is an account that the platform took us off subscribed again, and is a person told what to mend?"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from claimbot.channels.meta_account import NEEDED_FIELDS, WANTED_FIELDS
from claimbot.flows.diagnose import Light, diagnose
from claimbot.flows.health import find_health
from tests.channels.meta_server import MetaServer, Says, calling, serving
from tests.engine import Engine
from tests.flows.looker import looking
from tests.flows.looks import open_alerts
from tests.sandbox.worlds import ACCOUNT

ALL = WANTED_FIELDS["instagram_login"]
ACCEPTED = Says(document={"success": True})
TOKEN_EXPIRED = Says(400, {"error": {"code": 190, "error_subcode": 463}})
NOT_ALLOWED = Says(400, {"error": {"code": 200}})
TOO_OFTEN = Says(400, {"error": {"code": 613}})


def fields(*names: str) -> Says:
    return Says(document={"data": [{"id": "app", "subscribed_fields": list(names)}] if names else []})


@pytest.fixture
def meta(sqlite_engine: Engine) -> Iterator[MetaServer]:
    """A platform that says what the test tells it to; the engine has looked at its account once."""
    looking(sqlite_engine)
    with serving() as server, calling(server.url) as http:
        sqlite_engine.parts = replace(sqlite_engine.parts, http=http)
        yield server


def look(engine: Engine, meta: MetaServer, *answers: Says) -> Any:
    """The next time that it is due. All answers are asked for, and no more."""
    meta.answers, meta.asked = list(answers), []
    engine.pass_time(minutes=3)
    mended = engine.chore("fields")
    assert meta.answers == []
    return mended


def told(engine: Engine) -> list[str]:
    return [row[0] for row in engine.rows("SELECT text FROM alerts WHERE cleared_at IS NULL")]


def audited(engine: Engine) -> list[Any]:
    return engine.rows("SELECT action, actor FROM audit ORDER BY id")


def lights(engine: Engine) -> dict[str, Light]:
    return {sign.text: sign.light for sign in diagnose(engine.parts) if sign.about == "@aurora.studio"}


def test_an_account_that_nobody_had_subscribed_is_subscribed_without_an_alarm(engine: Engine) -> None:
    assert engine.chore("fields") == 1
    assert engine.world.get("/state")["subscribed"] == {ACCOUNT: list(ALL)}
    assert (open_alerts(engine), audited(engine)) == ([], [("account_subscribed", "claimbot")])


def test_an_account_that_was_unsubscribed_is_subscribed_again_and_everybody_sees_it(engine: Engine) -> None:
    looker = looking(engine)
    engine.world.world.platform.subscribe(ACCOUNT, ())

    assert looker.wait(minutes=3) == 0

    assert engine.world.get("/state")["subscribed"] == {ACCOUNT: list(ALL)}
    [text] = told(engine)
    assert "@aurora.studio was unsubscribed by the platform; subscribed again at" in text
    assert audited(engine)[1:] == [("account_subscribed", "claimbot")]
    health = find_health(engine.parts, engine.brand)
    assert [alert.kind for alert in health.alerts] == ["unsubscribed"]
    sign = "was unsubscribed by the platform; subscribed again 0 seconds ago"
    assert lights(engine)[sign] is Light.WARN
    assert sign in [one.text for one in health.brand]
    assert looker.wait(minutes=1) == 0
    assert open_alerts(engine) == []


def test_it_is_asked_every_three_minutes_and_not_more_often(sqlite_engine: Engine, meta: MetaServer) -> None:
    assert look(sqlite_engine, meta, fields(*ALL)) == 0
    sqlite_engine.pass_time(minutes=2)
    assert sqlite_engine.chore("fields") == 0
    assert len(meta.asked) == 1


def test_what_is_merely_nice_to_have_is_asked_for_once(sqlite_engine: Engine, meta: MetaServer) -> None:
    needed = fields(*NEEDED_FIELDS)
    assert look(sqlite_engine, meta, needed, ACCEPTED, needed) == 0
    assert look(sqlite_engine, meta, needed) == 0
    assert told(sqlite_engine) == []


def test_a_subscription_that_does_not_help_is_for_a_person(sqlite_engine: Engine, meta: MetaServer) -> None:
    assert look(sqlite_engine, meta, fields(), ACCEPTED, fields("comments")) == 0
    assert look(sqlite_engine, meta, fields("comments"), ACCEPTED, fields("comments")) == 0
    [text] = told(sqlite_engine)
    assert "although we subscribed; switch on in the app's webhooks: messages, messaging_postbacks" in text
    assert Light.RED in lights_without_asking(sqlite_engine).values()

    assert look(sqlite_engine, meta, fields(*ALL)) == 0
    assert told(sqlite_engine) == []
    [wanted] = sqlite_engine.rows("SELECT facts FROM marks WHERE name LIKE 'heard:%'")
    assert '"why": "unsubscribed"' in str(wanted[0])


def lights_without_asking(engine: Engine) -> dict[str, Light]:
    return {sign.text: sign.light for sign in find_health(engine.parts, engine.brand).brand}


@pytest.mark.parametrize("answers", [(NOT_ALLOWED,), (fields(), NOT_ALLOWED)], ids=["asking", "subscribing"])
def test_a_refusal_says_what_to_do_and_stops_no_message(
    answers: tuple[Says, ...], sqlite_engine: Engine, meta: MetaServer
) -> None:
    assert look(sqlite_engine, meta, *answers) == 0

    [text] = told(sqlite_engine)
    assert "does not let us subscribe @aurora.studio (permission_missing)" in text
    assert "connect it with: claimbot account connect" in text
    assert sqlite_engine.rows("SELECT state FROM accounts") == [("live",)]
    assert look(sqlite_engine, meta, fields(*ALL)) == 0
    assert told(sqlite_engine) == []


def test_a_token_that_is_worth_nothing_parks_the_account_which_is_then_left_alone(
    sqlite_engine: Engine, meta: MetaServer
) -> None:
    assert look(sqlite_engine, meta, TOKEN_EXPIRED) == 0

    assert open_alerts(sqlite_engine) == ["account"]
    assert sqlite_engine.rows("SELECT state, reason FROM accounts") == [("parked", "token_expired")]
    sqlite_engine.parts.catalog(is_fresh=True)
    assert look(sqlite_engine, meta) == 0


def test_a_platform_without_an_answer_is_asked_again(sqlite_engine: Engine, meta: MetaServer) -> None:
    assert look(sqlite_engine, meta, TOO_OFTEN) == 0
    assert told(sqlite_engine) == []
    assert look(sqlite_engine, meta, fields(*ALL)) == 0

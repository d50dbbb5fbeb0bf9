import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from claimbot.db.engine import Ledger
from claimbot.flows.books import compare
from tests.cli.conftest import Terminal
from tests.engine import Engine, running_engine
from tests.sandbox.worlds import ACCOUNT, APP_SECRET, TOKEN


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    with running_engine(on_sqlite, redis_url) as engine:
        yield engine


@pytest.fixture
def there(engine: Engine) -> Terminal:
    """A terminal beside the running engine."""
    settings = engine.parts.settings
    return Terminal(
        {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "ENCRYPTION_KEYS": settings.encryption_keys[0].get_secret_value(),
            "META_APP_SECRETS": APP_SECRET,
            "META_VERIFY_TOKEN": "the-verify-token",
            "META_GRAPH_URL": settings.meta_graph_url,
            "META_INSTAGRAM_URL": settings.meta_instagram_url,
            "STRIPE_API_URL": settings.stripe_api_url,
        }
    )


def connect(terminal: Terminal, token: str) -> int:
    words = ("account", "connect", "--brand", "aurora", "--external-id", ACCOUNT)
    return terminal.run(*words, ACCOUNT_TOKEN=token).exit_code


def test_an_account_is_connected_listed_and_well(there: Terminal) -> None:
    assert connect(there, TOKEN) == 0

    assert "aurora.studio" in there.ok("account", "list")
    assert "ok" in there.ok("account", "check")


def test_a_wrong_token_is_refused_before_it_is_kept(there: Terminal) -> None:
    assert connect(there, "another-token") == 2


def test_an_account_without_webhook_fields_is_not_well(there: Terminal) -> None:
    result = there.run("account", "check")

    assert result.exit_code == 1
    assert "messages" in result.output


def test_a_recorded_webhook_is_delivered_signed(engine: Engine, there: Terminal, tmp_path: Path) -> None:
    recorded = tmp_path / "hello.json"
    recorded.write_text(json.dumps({"object": "instagram", "entry": []}), "utf-8")

    said = there.ok("replay", str(recorded), "--url", f"{engine.parts.settings.public_url}/webhooks/meta")

    assert said.split()[-2:] == ["hello.json", "200"]


def test_a_webhook_signed_with_another_secret_is_reported(
    engine: Engine, there: Terminal, tmp_path: Path
) -> None:
    recorded = tmp_path / "hello.json"
    recorded.write_text("{}", "utf-8")
    url = f"{engine.parts.settings.public_url}/webhooks/meta"

    result = there.run("replay", str(recorded), "--url", url, META_APP_SECRETS="another secret")

    assert result.exit_code == 1
    assert "403" in result.stdout


def test_the_list_holds_who_wrote_and_one_person_can_be_erased(engine: Engine, there: Terminal) -> None:
    engine.drop(stock_units=1)
    engine.dm("ann")
    engine.work()
    ((lead_id,),) = engine.rows("SELECT id FROM leads")
    assert lead_id in there.ok("export", "leads", "--brand", "aurora", "--bom")

    said = there.ok("erase", "--brand", "aurora", lead_id, "--yes")

    assert "Stripe keeps its own record" in said
    assert engine.rows("SELECT count(*) FROM leads WHERE erased_at IS NULL") == [(0,)]


def test_erasing_asks_first(engine: Engine, there: Terminal) -> None:
    engine.drop(stock_units=1)
    engine.dm("ann")
    ((lead_id,),) = engine.rows("SELECT id FROM leads")

    assert there.run("erase", "--brand", "aurora", lead_id, typed="n\n").exit_code == 1
    assert engine.rows("SELECT count(*) FROM leads WHERE erased_at IS NULL") == [(1,)]


def test_a_lead_is_given_back_to_the_machine(engine: Engine, there: Terminal) -> None:
    engine.dm("ann", "HUMAN")
    ((lead_id,),) = engine.rows("SELECT id FROM leads WHERE human_until IS NOT NULL")

    there.ok("lead", "resume", lead_id)

    assert engine.rows("SELECT human_until FROM leads") == [(None,)]


def test_a_broken_promise_is_named_with_exit_1(engine: Engine, there: Terminal) -> None:
    drop = engine.drop(stock_units=2)
    engine.dm("ann")
    with engine.parts.ledger.begin() as tx:
        tx.exec_driver_sql("UPDATE units SET claim_id = NULL")

    result = there.run("verify")

    assert result.exit_code == 1
    assert "BROKEN" in result.stdout
    assert drop.variants[0].id in result.stdout or "clm_" in result.stdout


def test_sessions_that_a_restored_ledger_lost_are_ended_and_verify_says_so(
    engine: Engine, there: Terminal
) -> None:
    engine.drop(stock_units=1)
    engine.dm("ana")
    engine.work()
    with engine.parts.ledger.begin() as tx:
        tx.exec_driver_sql("DELETE FROM checkouts")

    said = there.ok("reconcile", "--restored", PUBLIC_URL=engine.parts.settings.public_url)

    assert "lost sessions ended: 1; refunded: 0; to be asked again: 0" in said
    assert engine.world.get("/state")["sessions"]["open"] == 0
    there.ok("reconcile", "--restored", PUBLIC_URL=engine.parts.settings.public_url)
    assert "1 sessions, 0 paid, all of them settled here" in there.ok("verify")


def test_verify_fails_when_stripe_knows_more(engine: Engine, there: Terminal) -> None:
    engine.drop(stock_units=1)
    engine.dm("ana")
    engine.work()
    with engine.parts.ledger.begin() as tx:
        tx.exec_driver_sql("DELETE FROM checkouts")
    compare(engine.parts, engine.brand.id)

    result = there.run("verify", "--json")

    [books] = [one for one in json.loads(result.stdout) if "books" in one["name"]]
    assert (result.exit_code, books["ok"]) == (1, False)

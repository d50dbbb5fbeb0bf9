"""The migrated tables are the tables of the code, however many upgrade at once."""

import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import claimbot
from claimbot.core.errors import LedgerUnavailable
from claimbot.db import migrate, steps
from claimbot.db.engine import Ledger, make_engine
from claimbot.db.webhook_tables import metadata
from tests.crowd import at_once, in_processes
from tests.db.shapes import shape
from tests.ledgers import Postgres, open_ledger, sqlite_url

# The chain is as long as the folder: a step that does not hang on the one before is no step.
STEPS = sorted(
    path.name[:4] for path in (Path(__file__).parents[2] / "migrations" / "versions").glob("0*.py")
)


@pytest.fixture
def empty(ledger: Ledger, request: pytest.FixtureRequest) -> Ledger:
    """A database without tables, of the same kind as `ledger`."""
    found: Ledger = request.getfixturevalue(f"empty_{ledger.engine.dialect.name}")
    return found


@pytest.fixture
def empty_sqlite(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(sqlite_url(tmp_path / "empty.sqlite")) as ledger:
        yield ledger


@pytest.fixture
def empty_postgresql(postgres: Postgres) -> Iterator[Ledger]:
    with open_ledger(postgres.create("empty")) as ledger:
        yield ledger
    postgres.drop("empty")


def upgrade_url(url: str) -> list[str]:
    """Runs in a process of its own."""
    ledger = Ledger(make_engine(url))
    try:
        return migrate.upgrade(ledger)
    finally:
        ledger.close()


def test_migrated_tables_are_the_tables_of_the_code(empty: Ledger, ledger: Ledger) -> None:
    metadata.create_all(empty.engine)
    assert shape(ledger) == shape(empty)


@pytest.mark.parametrize(
    ("table", "part", "name", "expected"),
    [
        ("claims", "checks", "ck_claims_quantity", "quantity"),
        ("claims", "indexes", "ix_claims_waiting", "waitlisted"),
        ("claims", "indexes", "uq_claims_one_live", "expiring"),
        ("units", "indexes", "ix_units_free", "claim_id IS NULL"),
        ("drops", "columns", None, "('hold_minutes', 'BIGINT()', False, \"'15'"),
    ],
)
def test_the_comparison_sees(ledger: Ledger, table: str, part: str, name: str | None, expected: str) -> None:
    found = shape(ledger)[table][part]
    assert expected in str(found if name is None else found[name])


def is_read_back(_one: object, name: str | None, *_: object) -> bool:
    """PostgreSQL writes an expression in its own way; the test of the shapes compares that index."""
    return name != "ix_leads_words"


def test_alembic_has_nothing_to_add(ledger: Ledger) -> None:
    with ledger.reading() as tx:
        context = MigrationContext.configure(tx, opts={"include_object": is_read_back})
        assert compare_metadata(context, metadata) == []


def test_all_steps_are_pending_on_an_empty_database(empty: Ledger) -> None:
    assert steps.pending(empty) == STEPS
    assert migrate.upgrade(empty) == STEPS
    assert steps.pending(empty) == []


def test_the_steps_are_the_chain_that_alembic_walks() -> None:
    config = Config()
    config.set_main_option("script_location", str(steps.find_migrations()))
    chain = ScriptDirectory.from_config(config).walk_revisions()

    assert steps.list_revisions() == [step.revision for step in chain][::-1]


def test_nothing_is_pending_when_the_tables_are_newer_than_the_code(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    assert steps.pending(ledger) == []


def test_an_upgrade_of_what_is_up_to_date_does_nothing(ledger: Ledger) -> None:
    assert migrate.upgrade(ledger.engine) == []


def test_a_step_that_fails_leaves_nothing_behind(empty: Ledger) -> None:
    with empty.begin() as tx:
        tx.execute(text("CREATE TABLE units (stranger TEXT)"))
    with pytest.raises(Exception, match="units"):
        migrate.upgrade(empty)
    assert list(shape(empty)) == ["units"]


def test_two_processes_upgrade_at_once(empty: Ledger) -> None:
    url = empty.engine.url.render_as_string(hide_password=False)
    assert sorted(in_processes(upgrade_url, [(url,), (url,)])) == [[], STEPS]


def test_eight_threads_upgrade_at_once(empty: Ledger) -> None:
    url = empty.engine.url.render_as_string(hide_password=False)
    assert sorted(at_once(8, lambda _: upgrade_url(url))) == [[]] * 7 + [STEPS]


def test_an_upgrade_does_not_wait_long_for_a_table(empty_postgresql: Ledger) -> None:
    with empty_postgresql.begin() as rival:
        # Whoever wants the same table waits until it is there, or is not.
        rival.execute(text("CREATE TABLE brands (id text)"))
        with pytest.raises(LedgerUnavailable):
            migrate.upgrade(empty_postgresql)
        rival.rollback()
    assert migrate.upgrade(empty_postgresql) == STEPS


def test_an_upgrade_prints_nothing_and_leaves_logging_alone(
    empty: Ledger, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (list(logging.root.handlers), logging.root.level, logging.getLogger("alembic").level)
    migrate.upgrade(empty)
    assert (list(logging.root.handlers), logging.root.level, logging.getLogger("alembic").level) == before
    assert capfd.readouterr() == ("", "")


def test_an_installed_package_brings_its_migrations(tmp_path: Path) -> None:
    package = Path(claimbot.__file__).parent
    shutil.copytree(package, tmp_path / "claimbot", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(steps.find_migrations(), tmp_path / "claimbot" / "migrations")
    code = "from claimbot.db.steps import find_migrations; print(find_migrations())"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    assert Path(found.stdout.strip()) == tmp_path / "claimbot" / "migrations"


def test_a_checkout_has_its_migrations_beside_the_package() -> None:
    assert steps.find_migrations() == Path(claimbot.__file__).parent.parent / "migrations"


def test_no_step_is_longer_than_a_screen() -> None:
    files = sorted((steps.find_migrations() / "versions").glob("*.py"))
    assert [file.name[:4] for file in files] == STEPS
    assert max(len(file.read_text().splitlines()) for file in files) <= 80

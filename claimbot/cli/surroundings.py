"""Where does a command find its settings? In the environment, in `.env`, in what `claimbot up` left."""

import json
import logging.config
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from claimbot.core.errors import LedgerUnavailable, Setup, StockUnavailable
from claimbot.db.steps import pending
from claimbot.parts import Parts, make_parts
from claimbot.settings import Settings

DATA_DIR = "data"
# Secrets that `up` made, and the addresses it last ran under.
SECRETS_FILE = "secrets.json"
ADDRESSES_FILE = "up.json"

OLD_TABLES = "the tables are not up to date: claimbot db upgrade"

# These write the address of every call, and an address may hold a token.
TALKATIVE = ("httpx", "httpcore", "stripe", "urllib3")


def given_values() -> dict[str, str]:
    """`.env` of the current folder, then the environment."""
    from_file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return {**from_file, **os.environ}


def find_values() -> dict[str, str]:
    """As given; what is missing comes from the data folder of `claimbot up`."""
    given = given_values()
    folder = Path(given.get("DATA_DIR") or DATA_DIR)
    left = {**read_left(folder / ADDRESSES_FILE), **read_left(folder / SECRETS_FILE)}
    return {**left, **{name: value for name, value in given.items() if value or name not in left}}


def read_left(path: Path) -> dict[str, str]:
    """Nothing when the file is not there. Raises Setup when it is no list of names and values."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise Setup([f"{path.name} in the data folder cannot be read: mend it, or remove it"]) from None
    return {str(name): str(value) for name, value in found.items()}


def find_settings() -> Settings:
    """Raises Setup with every fault at once."""
    return Settings.from_mapping(find_values())


@contextmanager
def opened_parts(takes_old_tables: bool = False) -> Iterator[Parts]:
    """For a command: every live connection, closed afterwards. Raises Setup when a migration is missing."""
    settings = find_settings()
    logging.config.dictConfig(log_config("WARNING" if settings.log_level == "INFO" else settings.log_level))
    parts = make_parts(settings)
    try:
        # What a silent ledger keeps from being done, the command itself says; `doctor` goes on without.
        with suppress(LedgerUnavailable):
            if not takes_old_tables and pending(parts.ledger):
                raise Setup([OLD_TABLES])
        yield parts
    finally:
        parts.close()


@contextmanager
def ready_parts() -> Iterator[Parts]:
    """For a process that runs on: refuses tables that are not up to date, and an unfit Redis."""
    settings = find_settings()
    logging.config.dictConfig(log_config(settings.log_level))
    parts = make_parts(settings)
    try:
        faults = faults_at_start(parts)
        if faults:
            raise Setup(faults)
        yield parts
    finally:
        parts.close()


def faults_at_start(parts: Parts) -> list[str]:
    """What is down now may come up later, and is no fault."""
    faults = []
    log = logging.getLogger("claimbot.start")
    try:
        if pending(parts.ledger):
            faults.append(OLD_TABLES)
    except LedgerUnavailable:
        log.warning("ledger_silent")
    try:
        unfit = parts.redis_faults()
        faults += unfit if parts.settings.environment == "production" else []
    except StockUnavailable:
        log.warning("redis_silent")
    return faults


def hand_on(values: Mapping[str, str]) -> None:
    """Processes that we start read their environment only."""
    os.environ.update({name: value for name, value in values.items() if name not in os.environ})


def log_config(level: str) -> dict[str, Any]:
    """One line for each event, on stderr; granian takes the same dictionary."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {"err": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "alembic": {"level": "WARNING"},
            "rq": {"level": "ERROR"},
            **{name: {"level": "WARNING"} for name in TALKATIVE},
        },
        "root": {"level": level, "handlers": ["err"]},
    }

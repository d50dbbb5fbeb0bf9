"""Who plays the rehearsals that a brand asks for? A process beside the sandbox, one after the other."""

import logging
import threading
import time
from dataclasses import asdict

import click
import httpx
from rich.console import Console
from rich.progress import Progress

from claimbot.cli.processes import die_with_parent
from claimbot.cli.storm import refuse_elsewhere, rehearse
from claimbot.cli.storm_crowd import Plan
from claimbot.cli.surroundings import find_settings, ready_parts
from claimbot.core.drops import Drop
from claimbot.core.errors import ClaimbotError, Outside
from claimbot.db import brands
from claimbot.db.rehearsals import Rehearsal
from claimbot.flows.rehearse import BEAT_SECONDS, beat, begin_next, end_rehearsal, give_up_interrupted
from claimbot.jobs import stopped_by_signals, where
from claimbot.parts import Parts

log = logging.getLogger("claimbot.rehearsals")

LOOK_SECONDS = 0.5
# More would only wait for each other on two cores.
THREADS = 4
NO_ACCOUNT = "The sandbox has no account of this brand: rehearse with the brand that “claimbot up” made."


class RehearsalLoop:
    """Looks for what was asked for, and says all the while that it is here."""

    def __init__(self, parts: Parts, sandbox_url: str) -> None:
        self._parts = parts
        self._sandbox_url = sandbox_url
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> bool:
        beaten_at = 0.0
        while not self._stopped.is_set():
            try:
                if time.monotonic() - beaten_at > BEAT_SECONDS:
                    beat(self._parts)
                    beaten_at = time.monotonic()
                if not play_next(self._parts, self._sandbox_url):
                    # There is one of us: what runs while we rest was interrupted.
                    give_up_interrupted(self._parts)
            except Outside as trouble:
                log.warning("rehearsals_wait %s", type(trouble).__name__)
            self._stopped.wait(LOOK_SECONDS)
        return True


def play_next(parts: Parts, sandbox_url: str) -> bool:
    """False when nothing was asked for."""
    found = begin_next(parts)
    if found is None:
        return False
    one, drop = found
    try:
        if not is_at_home(parts, sandbox_url, one.brand_id):
            end_rehearsal(parts, one, {}, NO_ACCOUNT)
            return True
        report = _play(parts, sandbox_url, one, drop)
    except (ClaimbotError, httpx.HTTPError) as trouble:
        log.warning("rehearsal_failed id=%s %s", one.id, where(trouble))
        end_rehearsal(parts, one, {}, "The sandbox stopped answering.")
        return True
    end_rehearsal(parts, one, report)
    return True


def _play(parts: Parts, sandbox_url: str, one: Rehearsal, drop: Drop) -> dict[str, object]:
    plan = Plan(
        followers=one.plan["followers"],
        threads=THREADS,
        duplicates=one.plan["duplicates"],
        batch=1,
        word=one.plan["word"],
        pay=one.plan["pay"],
        sandbox_url=sandbox_url,
        choices=tuple(one.plan["choices"]),
    )
    with Progress(console=Console(stderr=True), disable=True) as progress:
        return asdict(rehearse(parts, plan, drop, progress))


def is_at_home(parts: Parts, sandbox_url: str, brand_id: str) -> bool:
    """Do the sandbox's followers write to an account of this brand?"""
    with httpx.Client(base_url=sandbox_url, trust_env=False) as sandbox:
        first = str(sandbox.get("/api/accounts").json()[0]["external_id"])
    with parts.ledger.reading() as tx:
        known = brands.list_accounts(tx, parts.sealer, brand_id)
    return first in {account.external_id for account in known}


@click.command(epilog="Example: claimbot rehearsals --sandbox-url http://127.0.0.1:8001")
@click.option("--sandbox-url", default="", help="Default: this machine, PORT+1.")
def rehearsals(sandbox_url: str) -> None:
    """Play the rehearsals that the admin asks for, in the sandbox on this machine."""
    url = sandbox_url or f"http://127.0.0.1:{find_settings().port + 1}"
    refuse_elsewhere(url)
    die_with_parent()
    with ready_parts() as parts:
        loop = RehearsalLoop(parts, url.rstrip("/"))
        with stopped_by_signals(loop):
            loop.run()

"""How does everything run on one machine with one command? Redis, SQL, the engine, and a world to play in."""

import json
import logging.config
import signal
import threading
import time
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click
import httpx

from claimbot.cli import demo, processes
from claimbot.cli.local import held_folder, keep_secrets, refuse_taken_port, write_private
from claimbot.cli.processes import LOGS, Program, Supervisor, our
from claimbot.cli.shared import link_of
from claimbot.cli.surroundings import ADDRESSES_FILE, DATA_DIR, SECRETS_FILE, given_values, log_config
from claimbot.core.errors import ClaimbotError
from claimbot.db.migrate import upgrade
from claimbot.flows.invite import NewInvite, has_people, invite
from claimbot.parts import make_parts
from claimbot.settings import Settings
from claimbot.stock import server

# Two busy cores need about three; what is not there by then will not come.
READY_SECONDS = 60.0
ASK_SECONDS = 0.05
LOOK_SECONDS = 0.2
WORLD_FILE = "world.json"
LOOPBACK = "127.0.0.1"
# SQLite lets one write at a time, and waiting for it is not fair: measured in a storm of 300 on two busy
# cores, 32 senders take in 26 words a second, 12 take in 39, 4 take in 64.
SENDS_ON_SQLITE = "4"
FOLDER = click.Path(path_type=Path, file_okay=False)


class NotReady(ClaimbotError):
    """A process did not come up; the text names its log."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is decided before a start. `values` are the environment of all processes."""

    data_dir: Path
    has_sandbox: bool
    has_redis: bool
    values: Mapping[str, str]
    secrets: Mapping[str, str]
    settings: Settings

    @property
    def engine_url(self) -> str:
        return f"http://{LOOPBACK}:{self.settings.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{LOOPBACK}:{self.settings.port + 1}"


@click.command(epilog="Example: claimbot up --port 8000")
@click.option("--sandbox/--no-sandbox", "has_sandbox", default=True, help="A world on loopback, PORT+1.")
@click.option("--port", type=click.IntRange(1024, 65534), help="Of the web process; default PORT or 8000.")
@click.option("--data-dir", type=FOLDER, help="Default DATA_DIR or data.")
@click.option("--open/--no-open", "opens_browser", default=False, help="Open the phone page in a browser.")
@click.pass_context
def up(
    ctx: click.Context, has_sandbox: bool, port: int | None, data_dir: Path | None, opens_browser: bool
) -> None:
    """Run everything on this machine: Redis, SQLite, web, worker, clock, and a world to play in."""
    given = given_values()
    folder = (data_dir or Path(given.get("DATA_DIR") or DATA_DIR)).resolve()
    if port is not None:
        given["PORT"] = str(port)
    with held_folder(folder), stop_asked() as asked:
        plan = make_plan(folder, given, has_sandbox)
        supervisor = start(plan)
        try:
            wait_until_ready(plan, supervisor, asked)
            if not asked.is_set():
                greet(plan, opens_browser)
            stay(supervisor, asked)
        finally:
            click.echo("Stopping …")
            supervisor.stop()
    ctx.exit(0 if asked.is_set() else 1)


@contextmanager
def stop_asked() -> Iterator[threading.Event]:
    """Set by Ctrl-C, by SIGTERM and when the terminal goes away. Waited for in short steps only."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        # Setting it takes a lock that the interrupted main thread may hold right now.
        threading.Thread(target=asked.set).start()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield asked
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def make_plan(data_dir: Path, given: Mapping[str, str], has_sandbox: bool) -> Plan:
    """Raises Setup with every fault of the settings, and Refused when a port is taken."""
    secrets = keep_secrets(data_dir / SECRETS_FILE, given)
    has_redis = not any(given.get(name) for name in ("REDIS_URL", "STOCK_REDIS_URL"))
    addresses = {"REDIS_URL": server.url(data_dir)} if has_redis else {}
    settings = Settings.from_mapping({**secrets, **given, **addresses})
    if has_sandbox:
        addresses |= _sandbox_addresses(settings.port)
    if not given.get("DATABASE_URL") and not given.get("SENDS_IN_FLIGHT"):
        addresses["SENDS_IN_FLIGHT"] = SENDS_ON_SQLITE
    values = {**secrets, **given, **addresses, "DATA_DIR": str(data_dir), "PORT": str(settings.port)}
    settings = Settings.from_mapping(values)
    for port in (settings.port, settings.port + 1)[: 1 + has_sandbox]:
        refuse_taken_port(settings.host if port == settings.port else LOOPBACK, port)
    known = {name: values[name] for name in ("DATA_DIR", "PORT", *addresses)}
    write_private(data_dir / ADDRESSES_FILE, json.dumps(known, indent=2))
    return Plan(data_dir, has_sandbox, has_redis, values, secrets, settings)


def _sandbox_addresses(port: int) -> dict[str, str]:
    sandbox_url = f"http://{LOOPBACK}:{port + 1}"
    return {
        "META_GRAPH_URL": f"{sandbox_url}/graph",
        "META_INSTAGRAM_URL": f"{sandbox_url}/graph",
        "META_CHAT_URL": f"{sandbox_url}/m",
        "STRIPE_API_URL": f"{sandbox_url}/stripe",
    }


def start(plan: Plan) -> Supervisor:
    """Tables and the demo first, then every process at once."""
    logging.config.dictConfig(log_config("ERROR"))
    programs = [Program(name, our("claimbot.cli", name)) for name in ("web", "worker", "clock")]
    if plan.has_redis:
        binary, config = server.command(plan.data_dir)
        told = [binary, str(Path(config).relative_to(plan.data_dir))]
        programs.append(Program("redis", told, is_at_home=True))
    if plan.has_sandbox:
        programs += [_sandbox(plan), Program("rehearsals", our("claimbot.cli", "rehearsals"))]
    processes.write_config(plan.data_dir, programs)
    parts = make_parts(plan.settings)
    try:
        upgrade(parts.ledger)
        if plan.has_sandbox:
            demo.seed(parts, plan.secrets)
    finally:
        parts.close()
    return processes.start(plan.data_dir, plan.values, lambda sentence: click.echo(sentence, err=True))


def _sandbox(plan: Plan) -> Program:
    world = demo.world_config(plan.engine_url, plan.settings, plan.secrets)
    write_private(plan.data_dir / WORLD_FILE, json.dumps(world, indent=2))
    told = ("--config", WORLD_FILE, "--port", str(plan.settings.port + 1), "--data-dir", "world")
    return Program("sandbox", our("claimbot.sandbox", *told), is_at_home=True)


def wait_until_ready(plan: Plan, supervisor: Supervisor, asked: threading.Event) -> None:
    """Until every page answers, or somebody asks to stop. Raises NotReady."""
    pages = {"web": f"{plan.engine_url}/readyz"}
    if plan.has_sandbox:
        pages["sandbox"] = f"{plan.sandbox_url}/"
    ends_at = time.monotonic() + READY_SECONDS
    with httpx.Client(trust_env=False, timeout=2.0) as client:
        while pages and not asked.wait(ASK_SECONDS):
            supervisor.look()
            pages = {name: url for name, url in pages.items() if not _answers(client, url)}
            if time.monotonic() > ends_at or supervisor.has_given_up or not supervisor.is_running:
                name = next(iter(pages), "supervisord")
                raise NotReady(f"{name} did not start: see {plan.data_dir / LOGS / name}.log")
    if plan.has_sandbox and not asked.is_set():
        _subscribe(plan)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.HTTPError:
        return False


def _subscribe(plan: Plan) -> None:
    parts = make_parts(plan.settings)
    try:
        demo.subscribe(parts)
    finally:
        parts.close()


def greet(plan: Plan, opens_browser: bool) -> None:
    lines = [("Engine", f"{plan.engine_url}/admin/"), ("Health", f"{plan.engine_url}/readyz")]
    if plan.has_sandbox:
        login = f"{demo.EMAIL} / {plan.secrets['FIRST_LOGIN_PASSWORD']}"
        words = " or ".join(drop.word for drop in demo.DROPS)
        lines = [("Phone", f"{plan.sandbox_url}/   write {words}"), *lines, ("First login", login)]
    else:
        lines += _first_link(plan)
    lines += [("Logs", str(plan.data_dir / LOGS)), ("Stop", "Ctrl-C; everything is kept for the next time")]
    click.secho("claimbot is ready", bold=True)
    for name, text in lines:
        click.echo(f"  {name:<12} {text}")
    if opens_browser:
        webbrowser.open(plan.sandbox_url if plan.has_sandbox else plan.engine_url)


def _first_link(plan: Plan) -> list[tuple[str, str]]:
    """While nobody can sign in: a link for the first person, new with each start."""
    parts = make_parts(plan.settings)
    try:
        if has_people(parts):
            return []
        token = invite(parts, demo.ACTOR, NewInvite())
        return [("First login", f"{link_of(parts, token)}   works once, for a day")]
    finally:
        parts.close()


def stay(supervisor: Supervisor, asked: threading.Event) -> None:
    """Until somebody asks to stop, or supervisord is gone."""
    while supervisor.is_running and not asked.wait(LOOK_SECONDS):
        supervisor.look()
    if not asked.is_set():
        raise NotReady("supervisord ended by itself: see start.log and supervisord.log among the logs")

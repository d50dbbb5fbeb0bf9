"""How fast does a brand get a million leads as CSV, beside the database's own export of the same columns?"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psycopg

from claimbot.core.lead_filters import Wanted
from claimbot.flows.export import export_leads
from tests.bench.figures import Goal, Row, Sample
from tests.bench.fill import fill_claims, fill_inbox, fill_leads
from tests.bench.ground import Ground
from tests.bench.memory import peak_mib
from tests.bench.stand import Stand, running_stand
from tests.e2e.machine import command, environment

LEADS = 1_000_000
AT_LEAST = {"sqlite": 0.3, "postgresql": 0.5}
READ_BYTES = 1 << 20
TIMEOUT_SECONDS = 120.0
MB_PER_MIB = 1.048_576

# The columns of our list that stand in tables, for each lead with its claim.
SAME_COLUMNS = """
SELECT leads.id, 'aurora' AS brand, drops.name AS drop_name, accounts.channel, leads.username, leads.name,
  leads.email, leads.phone, 'yes' AS qualified, 'claimed' AS qualified_because, inbox.outcome, claims.state,
  claims.place, claims.quantity, variants.code, claims.paid_minor, claims.currency, claims.keyword,
  claims.source, leads.consent_marketing, leads.consent_at, leads.opted_out_at IS NOT NULL AS opted_out,
  leads.tags, leads.note, leads.first_seen_at, leads.last_seen_at, claims.told_at, claims.paid_at
FROM leads JOIN accounts ON accounts.id = leads.account_id JOIN claims ON claims.lead_id = leads.id
  JOIN drops ON drops.id = claims.drop_id JOIN variants ON variants.id = claims.variant_id
  JOIN inbox ON inbox.claim_id = claims.id AND inbox.lead_id = leads.id
"""


def rows(database: str) -> tuple[Row, ...]:
    theirs = {"sqlite": "sqlite3 -csv, the same columns", "postgresql": "COPY TO STDOUT, the same columns"}
    return (
        Row(
            f"export {database}",
            f"`claimbot export leads` of 1,000,000 leads, formula-safe ({database})",
            "rows/s",
            theirs[database],
            (
                Goal("ratio", at_least=AT_LEAST[database]),
                Goal("peak_mb", at_most=150),
                Goal("first_byte_ms", at_most=50),
            ),
        ),
    )


def play(ground: Ground, database: str) -> Iterator[Sample]:
    count = ground.pick(LEADS, 5_000)
    with ground.unpinned_with_postgres(), running_stand(ground, database, is_pinned=False) as stand:
        fill_leads(stand, count)
        (drop_id,) = fill_claims(stand, 1, count)
        fill_inbox(stand, drop_id, "OLD0", count)
        for _ in range(ground.rounds):
            floor = count / own_export_seconds(stand, count)
            ours = our_export(stand, count)
            parts = {"peak_mb": ours.peak_mb, "first_byte_ms": first_byte_ms(stand)}
            yield Sample(f"export {database}", count / ours.seconds, floor, parts)
        stand.check()


def own_export_seconds(stand: Stand, count: int) -> float:
    """The database writes every line, and we read them all and keep none."""
    began_at = time.perf_counter()
    lines = _by_cli(stand) if stand.parts.ledger.is_sqlite else _by_copy(stand)
    assert lines == count, f"{lines} lines for {count} leads"
    return time.perf_counter() - began_at


def _by_cli(stand: Stand) -> int:
    binary = shutil.which("sqlite3")
    if binary is None:
        raise FileNotFoundError("no sqlite3 on the PATH; install it, such as: apt-get install sqlite3")
    told = [binary, "-csv", "-readonly", str(stand.folder / "claimbot.db"), SAME_COLUMNS]
    with subprocess.Popen(told, stdout=subprocess.PIPE) as process:
        return _count_lines(_parts_of(process))


def _by_copy(stand: Stand) -> int:
    url = stand.parts.ledger.engine.url.set(drivername="postgresql")
    told = f"COPY ({SAME_COLUMNS}) TO STDOUT (FORMAT csv)"
    with (
        psycopg.connect(url.render_as_string(hide_password=False)) as line,
        line.cursor() as cursor,
        cursor.copy(told) as copy,
    ):
        return _count_lines(bytes(part) for part in copy)


def _count_lines(parts: Iterable[bytes]) -> int:
    return sum(part.count(b"\n") for part in parts)


def _parts_of(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    output = process.stdout
    assert output is not None  # it was asked for
    return iter(lambda: os.read(output.fileno(), READ_BYTES), b"")


@dataclass(frozen=True, slots=True)
class Exported:
    seconds: float
    peak_mb: float


def our_export(stand: Stand, count: int) -> Exported:
    """The command as a brand's operator types it, with its start."""
    told = command("export", "leads", "--brand", stand.brand.slug)
    began_at = time.perf_counter()
    process = subprocess.Popen(
        told, env=environment(**stand.values), cwd=stand.folder, stdout=subprocess.PIPE
    )
    lines, peak = 0, 0.0
    for part in _parts_of(process):
        lines += part.count(b"\n")
        # Asked again and again: what the system tells at the end counts us, before we became the command.
        peak = max(peak, peak_mib(process.pid))
    seconds = time.perf_counter() - began_at
    code = process.wait(TIMEOUT_SECONDS)
    assert (code, lines) == (0, count + 1), (code, lines)
    return Exported(seconds, peak * MB_PER_MIB)


def first_byte_ms(stand: Stand) -> float:
    began_at = time.perf_counter()
    pieces = export_leads(stand.parts, Wanted(stand.brand.id))
    next(pieces)
    return (time.perf_counter() - began_at) * 1000

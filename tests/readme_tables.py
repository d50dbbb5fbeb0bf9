"""What do README's tables say? `python -m tests.readme_tables` writes them from the code."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from claimbot.channels import CHANNELS
from claimbot.cli import COMMANDS
from claimbot.cli.storm_faults import FAULTS
from claimbot.core.claims import TABLE, WITH_UNIT, State
from claimbot.settings import Settings
from claimbot.stock import keys
from tests.bench.readme import speed_rows
from tests.bench.table import HEAD

README = Path(__file__).parents[1] / "README.md"

# Invariant, what it says, the test that shows it, and what it last showed.
PROMISES = (
    (
        "I1",
        "stock",
        "Every unit is sold, held or free, and belongs to at most one claim.",
        "tests/sim/test_sim.py",
        "30,000 random programs, 15 failed and pass now; each of 7 guards taken away: found within 5 seeds",
    ),
    (
        "I2",
        "oversell",
        "Never more sold than there are, at any moment.",
        "tests/races/test_units.py",
        "64 threads, 4 processes on 1, 7 and 100 units: 0 too many; without the rule: too many",
    ),
    (
        "I3",
        "one-claim",
        "One live claim per follower and drop; one effect per message.",
        "tests/races/test_claims.py",
        "64 identical deliveries, then 200 from 4 processes: 1 claim, 1 answer",
    ),
    (
        "I4",
        "paid-item",
        "A paid session is sold with a unit, or refunded.",
        "tests/flows/test_settle.py",
        "38 orders of events of 4 kinds: one end each; no webhook at all: all paid ones sold",
    ),
    (
        "I5",
        "durable-ack",
        "A 200 means that it is stored.",
        "tests/faults/test_one_machine.py",
        "50 power cuts, 600 messages acknowledged: 0 lost",
    ),
    (
        "I6",
        "money-truth",
        "Money that does not fit its offer sells nothing.",
        "tests/flows/test_settle.py",
        "0 sold",
    ),
    (
        "I7",
        "tenant",
        "Nothing of one brand is reached with another's secret.",
        "tests/web/test_hooks_meta.py",
        "22 forgeries: 22 refused, 0 rows",
    ),
    (
        "I8",
        "answered",
        "Every matched message has a reply or a recorded reason.",
        "tests/faults/test_network.py",
        "a lost answer: at most 2 sends, 1 with its echo",
    ),
    (
        "I9",
        "no-undersell",
        "No free unit while a reachable person waits.",
        "tests/faults/test_crashes.py",
        "a process that died with a unit in its hand: back within 90 s",
    ),
    (
        "I10",
        "drained",
        "No work is left undone without a reason.",
        "tests/faults/test_worker.py",
        "a killed worker's message: sent by another after 31 s, once",
    ),
    (
        "I11",
        "line-order",
        "People are promoted in the order in which they joined.",
        "tests/faults/test_flood.py",
        "20,000 messages of half an hour, 3 in 10 twice, out of order: 20,000 places in order",
    ),
    (
        "I12",
        "monotonic",
        "Late and reordered events change nothing.",
        "tests/flows/test_settle.py",
        "38 orders: one end each",
    ),
)


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def states() -> str:
    def rows() -> Iterator[tuple[str, ...]]:
        for state in State:
            steps = [f"{event} → {after}" for (before, event), after in TABLE.items() if before is state]
            yield f"`{state}`", "yes" if state in WITH_UNIT else "no", " · ".join(steps) or "(stays)"

    return table(("State", "Has a unit", "Event → next state"), rows())


def settings() -> str:
    def rows() -> Iterator[tuple[str, ...]]:
        for name, field in Settings.model_fields.items():
            yield f"`{name.upper()}`", _default(field), field.description or ""

    return table(("Setting", "Default", "Meaning"), rows())


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, tuple):
        value = ", ".join(str(one) for one in value)
    if isinstance(value, SecretStr) or value == "":
        return ""
    return f"`{value}`"


def promises() -> str:
    rows = ((number, name, words, f"`{test}`", last) for number, name, words, test, last in PROMISES)
    return table(("Invariant", "Name", "What it says", "Shown by", "Last measured"), rows)


def redis_keys() -> str:
    entries = re.findall(
        r"^(cb1\S+(?: and \S+)?)\s+(\S[^\n]*(?:\n {10,}\S[^\n]*)*)", keys.__doc__ or "", re.M
    )
    rows = ((f"`{key}`", " ".join(meaning.split())) for key, meaning in entries)
    return table(("Key", "Owner and shape"), rows)


def commands() -> str:
    rows = ((f"`claimbot {name}`", place.about) for name, place in COMMANDS.items())
    return table(("Command", "What it does"), rows)


def faults() -> str:
    def rows() -> Iterator[tuple[str, ...]]:
        for name, fault in FAULTS.items():
            lasts = f"{fault.seconds:.0f} s" if fault.seconds else ""
            yield f"`{name}`", fault.about, lasts

    return table(("Fault", "What breaks", "For"), rows())


def channel_names() -> set[str]:
    return {channel.name for channel in CHANNELS}


def speeds() -> str:
    return table(HEAD, speed_rows())


TABLES = {
    "states": states,
    "promises": promises,
    "settings": settings,
    "keys": redis_keys,
    "commands": commands,
    "faults": faults,
    "speed": speeds,
}


def written(readme: str) -> str:
    """README with every marked table made anew. A mark is `<!-- name -->`; the table ends at a blank line."""
    for name, make in TABLES.items():
        mark = f"<!-- {name} -->\n"
        before, _, after = readme.partition(mark)
        readme = before + mark + make() + "\n" + re.sub(r"\A(?:\|[^\n]*\n)*", "", after)
    return readme


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")

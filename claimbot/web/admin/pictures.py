"""What do the pictures of a board show? Their shapes in numbers; the page draws them as SVG."""

from dataclasses import dataclass

from claimbot.db.launches import Bar, Funnel, Pace

# The picture's own units; the page stretches it.
COLUMN_WIDTH = 10
GAP = 2
HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a column: `look` names its colour."""

    look: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    x: int
    width: int
    bar: Bar
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel. `width` is its part of the first, in hundredths."""

    name: str
    count: int
    width: float
    share: str


def columns(pace: Pace) -> tuple[Column, ...]:
    most = pace.most
    return tuple(
        Column(COLUMN_WIDTH * number, COLUMN_WIDTH - GAP, bar, _parts(bar, most))
        for number, bar in enumerate(pace.bars)
    )


def _parts(bar: Bar, most: int) -> tuple[Part, ...]:
    """From the ground up: who got something, who waits, everybody else."""
    ground = float(HEIGHT)
    found = []
    for look, count in (("got", bar.got), ("waits", bar.waits), ("others", bar.others)):
        height = round(HEIGHT * count / most, 2) if most else 0.0
        ground = round(ground - height, 2)
        if count:
            found.append(Part(look, ground, height))
    return tuple(found)


def steps_of(funnel: Funnel) -> tuple[Step, ...]:
    counted = (
        ("Wrote the word", funnel.wrote),
        ("Got a unit", funnel.held),
        ("Were told", funnel.told),
        ("Opened the payment page", funnel.opened),
        ("Paid", funnel.paid),
        ("Got their money back", funnel.refunded),
    )
    most = max(count for _, count in counted)
    return tuple(Step(name, count, _share(count, most), _of_first(count, funnel)) for name, count in counted)


def _share(count: int, most: int) -> float:
    return round(100 * count / most, 1) if most else 0.0


def _of_first(count: int, funnel: Funnel) -> str:
    return f"{100 * count / funnel.wrote:.0f} %" if funnel.wrote else "–"

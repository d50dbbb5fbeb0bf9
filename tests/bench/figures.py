"""What is a figure of the benchmark? A row with its goals, samples taken round by round, and a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """One bound. `of` is "ratio" (to the floor beside it), "figure", or the name of a part of the sample."""

    of: str
    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)

    @property
    def words(self) -> str:
        bound = f"≥ {self.at_least:,g}" if self.at_least is not None else f"≤ {self.at_most:,g}"
        return bound if self.of in ("ratio", "figure") else f"{self.of} {bound}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Without goals the figure is only told."""

    name: str
    what: str
    unit: str
    floor: str = ""
    """What is measured beside it; empty when the goal is a plain figure."""
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """What one round found for one row. `parts` are further figures, such as percentiles."""

    row: str
    figure: float
    floor: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return self.figure / self.floor if self.floor else None

    def value_of(self, name: str) -> float | None:
        if name == "ratio":
            return self.ratio
        return self.figure if name == "figure" else self.parts.get(name)


@dataclass(frozen=True, slots=True)
class Result:
    """A row with the medians of its samples."""

    row: Row
    samples: tuple[Sample, ...]
    trouble: str = ""
    """Why there are no figures; empty when there are."""

    @property
    def figure(self) -> float | None:
        return self.median_of("figure")

    @property
    def floor(self) -> float | None:
        floors = [one.floor for one in self.samples if one.floor is not None]
        return median(floors) if floors else None

    @property
    def ratio(self) -> float | None:
        """The median of the ratios of each round: the machine drifts from round to round."""
        return self.median_of("ratio")

    @property
    def spread(self) -> tuple[float, float] | None:
        """Least and most of what the first goal speaks of."""
        of = self.row.goals[0].of if self.row.goals else "figure"
        values = self._values(of)
        return (min(values), max(values)) if values else None

    @property
    def is_met(self) -> bool | None:
        """None: the row has no goal."""
        if not self.row.goals:
            return False if self.trouble else None
        found = [(goal, self.median_of(goal.of)) for goal in self.row.goals]
        return all(value is not None and goal.is_met(value) for goal, value in found)

    def median_of(self, name: str) -> float | None:
        values = self._values(name)
        return median(values) if values else None

    def _values(self, name: str) -> list[float]:
        found = (one.value_of(name) for one in self.samples)
        return [value for value in found if value is not None]

    def as_document(self) -> dict[str, Any]:
        names = sorted({name for one in self.samples for name in one.parts})
        return {
            "name": self.row.name,
            "what": self.row.what,
            "unit": self.row.unit,
            "floor_is": self.row.floor,
            "figure": self.figure,
            "floor": self.floor,
            "ratio": self.ratio,
            "spread": self.spread,
            "parts": {name: self.median_of(name) for name in names},
            "goals": [goal.words for goal in self.row.goals],
            "met": self.is_met,
            "rounds": len(self.samples),
            "trouble": self.trouble,
        }


def results_of(rows: Sequence[Row], samples: Sequence[Sample], trouble: str = "") -> list[Result]:
    """A result for every row: one without samples says so, and never disappears."""
    found = []
    for row in rows:
        mine = tuple(one for one in samples if one.row == row.name)
        found.append(Result(row, mine, "" if mine else trouble or "not measured"))
    return found

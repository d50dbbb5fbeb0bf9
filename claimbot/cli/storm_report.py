"""What came of a rehearsal? The table at its end, and the verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """Counts are of the word's drop since the storm began."""

    sent: int
    duplicates: int
    acknowledged: int
    refused: int
    """Posts that were delivered again and again, and never acknowledged."""
    delivered_again: int
    faults: list[str]
    untold: int
    """Messages that the platform does not tell us."""
    found: int
    """Those of them that were found in the conversations."""
    lost: int
    """Messages that should be stored and are not: must be none."""
    p50_ms: float
    p99_ms: float
    messages_per_second: float
    outcomes: dict[str, int]
    claims: dict[str, int]
    answered: int
    unanswered: int
    """Messages to followers that are stuck."""
    seconds_until_answered: float
    broken: list[str]

    @property
    def is_kept(self) -> bool:
        """Was every promise kept?"""
        return not (self.broken or self.lost or self.refused or self.unanswered)


def percentile(ordered: Sequence[float], percent: int) -> float:
    return round(ordered[min(len(ordered) * percent // 100, len(ordered) - 1)], 1)


def rows_of(report: Report) -> Iterator[tuple[str, object]]:
    yield "words sent", report.sent
    yield "of them duplicates", report.duplicates
    yield "posts answered 200", report.acknowledged
    yield "posts delivered again", report.delivered_again
    yield "posts never acknowledged", report.refused
    if report.untold:
        yield "messages that no webhook told", report.untold
        yield "of them found in conversations", report.found
    yield "acknowledged and lost", report.lost
    if report.faults:
        yield "faults", ", ".join(report.faults)
    yield "words per second", report.messages_per_second
    yield "acknowledged p50 / p99", f"{report.p50_ms} / {report.p99_ms} ms"
    for outcome, count in sorted(report.outcomes.items()):
        yield f"outcome {outcome}", count
    for state, count in sorted(report.claims.items()):
        yield f"claims {state}", count
    yield "messages sent back", report.answered
    yield "everybody answered after", f"{report.seconds_until_answered} s"
    yield "verdict", "; ".join(_broken(report)) or "every promise kept"


def _broken(report: Report) -> Iterator[str]:
    yield from report.broken
    if report.lost:
        what = "messages were not found" if report.untold else "acknowledged messages are not stored"
        yield f"I5 {report.lost} {what}"
    if report.refused:
        yield f"I5 {report.refused} posts were never acknowledged"
    if report.unanswered:
        yield f"I8 {report.unanswered} messages to followers are still not sent"

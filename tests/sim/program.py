"""What happens in a simulation? A seed is a list of steps; any of them can be left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")

# Hot, and not too short: coming to rest costs as much as twenty steps, and a crowd is there from the first.
STEPS_LEAST, STEPS_MOST = 20, 40
# A story passes a few dozen places; most of what matters is at the first ones.
PLACES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25)
BIG = 1_000_000

# What may happen, and how often.
WEIGHTS = {
    "write": 24,
    "comment": 4,
    "deliver": 5,
    "redeliver": 5,
    "work": 24,
    "chore": 14,
    "time": 10,
    "pay": 8,
    "pay_delayed": 2,
    "end_delayed": 3,
    "pay_late": 3,
    "event": 9,
    "echo": 4,
    "click": 4,
    "look": 2,
    "give_back": 2,
    "dispute": 2,
    "end_dispute": 2,
    "restock": 4,
    "pause": 0.5,
    "open": 3,
    "close": 0.2,
    "wipe": 1,
    "photograph": 2,
    "put_back": 3,
    "redis_down": 2,
    "sql_down": 1,
    "reconnect": 3,
    "restart": 1,
}
# These are stories of the engine: they can be cut, and calls in them can go wrong.
STORIES = (
    *("write", "comment", "deliver", "redeliver", "work", "chore", "event", "click", "look"),
    *("restock", "open"),
)
FAULTS = (
    "refused",
    "refused",
    "timeout",
    "timeout",
    "lost",
    "lost",
    "broken",
    "broken",
    "dead",
    "parked",
    "paced",
    "redis_lost",
    "commit_lost",
)


@dataclass(frozen=True, slots=True)
class Step:
    """`pick` and `more` choose among what there is; `fault` befalls its first call.

    `cut`: killed at the `at`-th place; met: `rivals` happen there; met_killed: both.
    """

    verb: str
    pick: int = 0
    more: int = 0
    fault: str = ""
    cut: str = ""
    at: int = 0
    rivals: tuple["Step", ...] = ()

    def __str__(self) -> str:
        words = [f"{self.verb}({self.pick % 1000}, {self.more % 1000})"]
        words += [f"fault={self.fault}"] if self.fault else []
        words += [f"{self.cut} at {self.at}"] if self.cut else []
        words += ["meets " + " + ".join(map(str, self.rivals))] if self.rivals else []
        return " ".join(words)


def one_of(found: Sequence[T], pick: int) -> T | None:
    """How steps choose: whatever there is, the same number means the same."""
    return found[pick % len(found)] if found else None


def make_program(seed: int) -> tuple[Step, ...]:
    dice = Random(seed)
    verbs = dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=dice.randint(STEPS_LEAST, STEPS_MOST))
    crowd = Step("crowd", dice.randrange(BIG), dice.randrange(BIG))
    return (crowd, *(_step(dice, verb) for verb in verbs))


def _step(dice: Random, verb: str, is_rival: bool = False) -> Step:
    pick, more = dice.randrange(BIG), dice.randrange(BIG)
    is_story = verb in STORIES
    fault = dice.choice(FAULTS) if is_story and dice.random() < 0.25 else ""
    if is_rival or not is_story or dice.random() >= 0.3:
        return Step(verb, pick, more, fault)
    cut = dice.choice(("killed", "met", "met", "met_killed"))
    at = dice.choice(PLACES)
    if cut == "killed":
        return Step(verb, pick, more, fault, cut, at)
    rivals = dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=dice.choice((1, 1, 2)))
    if verb == "work" and dice.random() < 0.6:
        # The lease is lost, and somebody else takes over.
        rivals, fault = ["time", "work"], fault or dice.choice(("", "paced", "refused", "lost"))
    return Step(verb, pick, more, fault, cut, at, tuple(_step(dice, one, is_rival=True) for one in rivals))


def minimise(program: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> tuple[Step, ...]:
    """The shortest program that we find that still fails: drop runs of steps, long ones first."""
    kept = list(program)
    size = max(1, len(kept) // 2)
    while True:
        start, has_shrunk = 0, False
        while start < len(kept):
            shorter = kept[:start] + kept[start + size :]
            if fails(shorter):
                kept, has_shrunk = shorter, True
            else:
                start += size
        if size == 1 and not has_shrunk:
            return tuple(kept)
        size = max(1, size // 2)

"""How long does it take to find the word of a drop, and what stands beside it, in one message?"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from claimbot.core.drops import Drop, DropKind, DropState, Variant
from claimbot.core.keywords import Keyword, Mode, Vocabulary
from claimbot.core.money import Money
from claimbot.core.wishes import read_wish
from tests.bench.cores import running_on
from tests.bench.figures import Goal, Row, Sample
from tests.bench.ground import Ground

FEW, MANY = 10, 100_000
# As followers write them; the word stands for {}.
USUAL = ("{}", "{} m", "{}!! M x2", "2 {} black", "Hi, I want the {} in M please 🙏")
LONG_CHARS = 1_000
MESSAGES = 2_000
# Most words may stand anywhere in a message, and some are bound to a place.
MODES = (Mode.WORD,) * 8 + (Mode.EXACT, Mode.STARTS)
# Words that are also found inside longer ones: a brand has a handful, or thousands when it knows no better.
HANDFUL, THOUSANDS = 10, 5_000
LETTERS = "abcdefghijklmnopqrstuvwxyz"

DROP = Drop(
    id="drp_1",
    brand_id="brd_1",
    name="Night Jacket",
    kind=DropKind.PAID,
    state=DropState.OPEN,
    price=Money(12_900, "EUR"),
    variants=tuple(Variant(f"var_{name}", name, name.title()) for name in ("S", "M", "L", "BLACK")),
)

ROWS = (
    Row(
        "keyword usual",
        "keyword, variant and quantity of a usual message, 100,000 keywords",
        "µs",
        goals=(Goal("figure", at_most=8),),
    ),
    Row("keyword long", "the same, 1,000 characters", "µs", goals=(Goal("figure", at_most=60),)),
    Row(
        "keyword flat",
        "the usual message: from 10 to 100,000 keywords",
        "µs",
        "with 10 keywords",
        (Goal("ratio", at_most=1.3),),
    ),
    Row("keyword inside", "the usual message, 5,000 of the words also found inside longer ones", "µs"),
    Row("keyword inside long", "the same, 1,000 characters", "µs"),
)


@dataclass(frozen=True, slots=True)
class Brand:
    vocabulary: Vocabulary
    usual: Sequence[str]
    long: Sequence[str]


def make_brand(count: int, chance: random.Random, inside: int = 0) -> Brand:
    """`inside` of the keywords are found inside longer words, too."""
    words = ["".join(chance.choices(LETTERS, k=chance.randint(5, 12))) for _ in range(count)]
    modes = [Mode.CONTAINS] * inside + [MODES[place % len(MODES)] for place in range(count - inside)]
    keywords = [Keyword("drp_1", *one) for one in zip(words, modes, strict=True)]
    usual = [USUAL[place % len(USUAL)].format(_cased(chance, words)) for place in range(MESSAGES)]
    long = [_long(chance, words) for _ in range(MESSAGES // 20)]
    return Brand(Vocabulary(keywords), usual, long)


def _cased(chance: random.Random, words: Sequence[str]) -> str:
    word = chance.choice(words)
    return chance.choice((word, word.upper(), word.title()))


def _long(chance: random.Random, words: Sequence[str]) -> str:
    """Talk of a thousand letters; the word and its size come last."""
    talk = " ".join("".join(chance.choices(LETTERS, k=chance.randint(2, 9))) for _ in range(LONG_CHARS // 3))
    end = f" {_cased(chance, words)} m x2"
    return talk[: LONG_CHARS - len(end)] + end


def play(ground: Ground) -> Iterator[Sample]:
    chance = random.Random(7)
    count, thousands = ground.pick(MANY, 1_000), ground.pick(THOUSANDS, 50)
    few, many = make_brand(FEW, chance, 1), make_brand(count, chance, HANDFUL)
    inside = make_brand(count, chance, thousands)
    with running_on(ground.cores.server):
        for _ in range(ground.rounds):
            of_few = microseconds(few.vocabulary, few.usual)
            of_many = microseconds(many.vocabulary, many.usual)
            yield Sample("keyword usual", of_many)
            yield Sample("keyword flat", of_many, of_few)
            yield Sample("keyword long", microseconds(many.vocabulary, many.long))
            yield Sample("keyword inside", microseconds(inside.vocabulary, inside.usual))
            yield Sample("keyword inside long", microseconds(inside.vocabulary, inside.long))


def microseconds(vocabulary: Vocabulary, messages: Sequence[str]) -> float:
    """Of the processor, for one message, on average over all of them."""
    began_at = time.process_time()
    for text in messages:
        match = vocabulary.match(text)
        if match is not None:
            read_wish(match.rest, DROP)
    return (time.process_time() - began_at) * 1e6 / len(messages)

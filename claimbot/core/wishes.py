"""Which variant and how many does a follower want, and how does a tapped choice carry it?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from claimbot.core.commands import Command
from claimbot.core.drops import Drop, Variant
from claimbot.core.keywords import tokens

WHICH_VARIANT = "which_variant"
UNKNOWN_VARIANT = "unknown_variant"

QUANTITY_MOST = 99
# A longer word is talk, not a mistyped size or colour.
CHOICE_CHARS = 15
# Every channel's payload takes this much; WhatsApp's button id is the shortest with 256.
PAYLOAD_BYTES = 200

_TIMES = re.compile(r"x(\d{1,9})|(\d{1,9})x")
# A bare number of four digits or more is a year or a postcode, not a quantity.
_BARE = re.compile(r"\d{1,3}")
_PICK = re.compile(r"cb1:pick:([A-Za-z0-9_-]{1,64}):([A-Za-z0-9._~%-]{0,120}):([1-9][0-9]?)")
_COMMAND_PREFIX = "cb1:cmd:"

# Words that are never a failed choice of a variant; written as `normalise` leaves them.
TALK = frozenset(
    """
    a an the one ones this that these it i im id ill ive me my we us you your is am are be do does can could
    would will
    want wants wanted need like love have get give take buy book in for of to with and or plus also at on by
    size colour color variant model number pcs pc pieces piece times x now asap today
    please pls plz thanks thank thx ty yes yeah yep yay ok okay sure hi hello hey hiya omg wow lol dm
    bitte danke ja hallo ich will mochte nehme den die das ein eine einen mal stuck grosse farbe in
    svp merci oui bonjour salut je veux voudrais le la les un une taille couleur stp
    por favor gracias si hola quiero el los las uno una talla talle color
    obrigado obrigada sim oi ola quero o os as um uma tamanho cor
    per favore grazie ciao voglio vorrei lo gli il taglia colore
    da pozhaluysta spasibo привет пожалуиста хочу спасибо да
    ください お願いします 欲しい 请 谢谢 我要 想要 للمقاس من فضلك اريد شكرا
    """.split()
)


@dataclass(frozen=True, slots=True)
class Wish:
    variant_id: str | None
    quantity: int
    problem: str = ""
    """Empty, which_variant (none or several were named) or unknown_variant (a choice we do not have)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a tap on a quick reply says. An empty `variant_code` leaves the variant open."""

    drop_id: str
    variant_code: str
    quantity: int


@dataclass(frozen=True, slots=True)
class _Named:
    """A variant found in the rest of a message; words `first` up to `last` name it."""

    variant_id: str
    first: int
    last: int
    is_talk: bool


def read_wish(rest: Sequence[str], drop: Drop) -> Wish:
    """Reads the words beside the keyword, in any order; they are normalised already."""
    spellings = _spellings(drop.variants)
    named = list(_named(tuple(rest), spellings))
    clear = [one for one in named if not one.is_talk] or named
    chosen = {one.variant_id for one in clear}
    taken = {index for one in clear for index in range(one.first, one.last)}
    left = [word for index, word in enumerate(rest) if index not in taken]
    if len(drop.variants) == 1:
        return Wish(drop.variants[0].id, _quantity(left))
    if len(chosen) == 1:
        return Wish(chosen.pop(), _quantity(left))
    # Where sizes are numbers, a bare number without a size is a size we do not have, not a quantity.
    countable = left if not _has_numbers(spellings) else [word for word in left if not _BARE.fullmatch(word)]
    is_failed = not chosen and _is_failed_choice(left, countable)
    return Wish(None, _quantity(countable), UNKNOWN_VARIANT if is_failed else WHICH_VARIANT)


@lru_cache(maxsize=1_024)
def _spellings(variants: tuple[Variant, ...]) -> Mapping[tuple[str, ...], str]:
    """Every spelling of every variant as words → variant id."""
    found: dict[tuple[str, ...], str] = {}
    for variant in variants:
        for spelling in (variant.code, variant.name, *variant.aliases):
            words = tokens(spelling)
            if words:
                found.setdefault(words, variant.id)
    return found


def _named(rest: tuple[str, ...], spellings: Mapping[tuple[str, ...], str]) -> Iterator[_Named]:
    """Variants from left to right, the longest spelling first: `navy blue` is not also `blue`."""
    longest = max(map(len, spellings), default=0)
    at = 0
    while at < len(rest):
        sizes = range(min(longest, len(rest) - at), 0, -1)
        size = next((size for size in sizes if rest[at : at + size] in spellings), 0)
        if size:
            words = rest[at : at + size]
            yield _Named(spellings[words], at, at + size, size == 1 and words[0] in TALK)
        at += size or 1


def _quantity(left: Sequence[str]) -> int:
    """x2 and 2x count before a bare 2; nothing means one."""
    for pattern in (_TIMES, _BARE):
        for word in left:
            if pattern.fullmatch(word):
                return min(max(int(word.strip("x")), 1), QUANTITY_MOST)
    return 1


def _has_numbers(spellings: Mapping[tuple[str, ...], str]) -> bool:
    """Are some variants called by a number, such as shoe sizes?"""
    return any(len(words) == 1 and words[0][0].isdigit() for words in spellings)


def _is_failed_choice(left: Sequence[str], countable: Sequence[str]) -> bool:
    """Exactly one short word that is neither talk nor a quantity: they meant a variant we do not have."""
    words = [word for word in left if word not in TALK and not _TIMES.fullmatch(word)]
    words = [word for word in words if not (word in countable and _BARE.fullmatch(word))]
    return len(words) == 1 and len(words[0]) <= CHOICE_CHARS


def make_choice(drop_id: str, variant_code: str, quantity: int) -> str:
    """The payload of a quick reply. Raises ValueError for what `read_choice` would not give back."""
    payload = f"cb1:pick:{drop_id}:{quote(variant_code, safe='')}:{quantity}"
    if len(payload) > PAYLOAD_BYTES or _PICK.fullmatch(payload) is None:
        raise ValueError("a choice needs our drop id, a short variant code and a quantity of 1 to 99")
    return payload


def read_choice(payload: str) -> Choice | None:
    """The choice in a payload; None when we did not make it in exactly this form."""
    found = _PICK.fullmatch(payload) if len(payload) <= PAYLOAD_BYTES else None
    if found is None:
        return None
    drop_id, code, quantity = found.groups()
    variant_code = unquote(code, errors="replace")
    if quote(variant_code, safe="") != code:
        return None
    return Choice(drop_id, variant_code, int(quantity))


def make_command(command: Command) -> str:
    """The payload of a button that acts as a typed command."""
    return f"{_COMMAND_PREFIX}{command}"


def read_command(payload: str) -> Command | None:
    word = payload.removeprefix(_COMMAND_PREFIX)
    return Command(word) if word != payload and word in set(Command) else None

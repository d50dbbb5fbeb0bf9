"""Which variant and how many does a follower want, and how does a tapped choice carry it?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
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
# More drops than are in use at a time; beyond this their spellings are read again.
SPELLINGS_KEPT = 1_024

_TIMES = re.compile(r"x(\d{1,9})|(\d{1,9})x")
# A bare number of four digits or more is a year or a postcode, not a quantity.
_BARE = re.compile(r"\d{1,3}")
# Every word that either of them takes begins so; `normalise` leaves no other digits.
_COUNT_BEGINS = frozenset("x0123456789")
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


class Wish(NamedTuple):
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
class Spellings:
    """How the variants of a drop may be called."""

    variants: Mapping[tuple[str, ...], str]
    """Words → variant id."""
    sizes: Mapping[str, tuple[int, ...]]
    """First word → of how many words its spellings are, the longest first."""


class _Named(NamedTuple):
    """A variant found in the rest of a message; words `first` up to `last` name it."""

    variant_id: str
    first: int
    last: int
    is_talk: bool


_READ: dict[int, tuple[tuple[Variant, ...], Spellings]] = {}


def read_wish(rest: Sequence[str], drop: Drop) -> Wish:
    """Reads the words beside the keyword, in any order; they are normalised already."""
    spellings = _spellings(drop.variants)
    named = _named(tuple(rest), spellings)
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


def _spellings(variants: tuple[Variant, ...]) -> Spellings:
    """Read once for each drop that is in use."""
    known = _READ.get(id(variants))
    # Variants are looked up by where they are in memory: to hash them all takes longer than to read a wish.
    if known is None or known[0] is not variants:
        if len(_READ) >= SPELLINGS_KEPT:
            _READ.clear()
        known = _READ[id(variants)] = (variants, _read_spellings(variants))
    return known[1]


def _read_spellings(variants: tuple[Variant, ...]) -> Spellings:
    found: dict[tuple[str, ...], str] = {}
    for variant in variants:
        for spelling in (variant.code, variant.name, *variant.aliases):
            words = tokens(spelling)
            if words:
                found.setdefault(words, variant.id)
    sizes: dict[str, tuple[int, ...]] = {}
    for first, *more in found:
        sizes[first] = tuple(sorted({*sizes.get(first, ()), 1 + len(more)}, reverse=True))
    return Spellings(found, sizes)


def _named(rest: tuple[str, ...], spellings: Spellings) -> list[_Named]:
    """Variants from left to right, the longest spelling first: `navy blue` is not also `blue`."""
    found: list[_Named] = []
    for at, word in enumerate(rest):
        if word in spellings.sizes and not (found and at < found[-1].last):
            found += _named_at(rest, at, spellings)
    return found


def _named_at(rest: tuple[str, ...], at: int, spellings: Spellings) -> list[_Named]:
    for size in spellings.sizes[rest[at]]:
        words = rest[at : at + size]
        variant_id = spellings.variants.get(words)
        if variant_id is not None:
            return [_Named(variant_id, at, at + size, size == 1 and words[0] in TALK)]
    return []


def _quantity(left: Sequence[str]) -> int:
    """x2 and 2x count before a bare 2; nothing means one."""
    counts = [word for word in left if word[:1] in _COUNT_BEGINS]
    for pattern in (_TIMES, _BARE) if counts else ():
        for word in counts:
            if pattern.fullmatch(word):
                return min(max(int(word.strip("x")), 1), QUANTITY_MOST)
    return 1


def _has_numbers(spellings: Spellings) -> bool:
    """Are some variants called by a number, such as shoe sizes?"""
    return any(len(words) == 1 and words[0][0].isdigit() for words in spellings.variants)


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

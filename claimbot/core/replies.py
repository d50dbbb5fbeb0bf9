"""How does a wording become a reply that reads naturally, whatever is unknown, and fits the channel?

Only `{name}` is a variable; values are put in once and are never read as templates.
"""

import re
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from claimbot.core.texts import DEFAULT_TEXTS, TextKey

# Instagram's limit for one message, the smallest of the channels.
TEXT_BYTES = 1_000
# Instagram and Messenger cut the words on a button here.
BUTTON_CHARS = 20
ELLIPSIS = "…"

VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "first_name": "The follower's first name, where the platform tells a real one.",
        "username": "The follower's name on the platform, without the @.",
        "item": "The name of the drop.",
        "variant": "The name of the variant; unknown where a drop has only one.",
        "quantity": "How many units this is about.",
        "price": "The price of one unit with its currency.",
        "total": "The price of all units with its currency.",
        "minutes": "How many minutes the hold lasts from this message.",
        "deadline": "When the hold ends, in the brand's time zone.",
        "place": "The follower's place in the line of everybody who wrote the word.",
        "stock": "How many units the drop has in all.",
        "waiting": "The follower's place on the waitlist, counted among those who still wait.",
        "link": "The address to pay at; most channels show it as a button instead.",
        "brand": "The brand's name.",
        "word": "The keyword that the follower wrote.",
        "words": "The keywords that are open now.",
        "time": "The server's time when this was decided, such as 12:00:03 UTC.",
        "choices": "The variants that are left.",
        "reason": "Why it is so, in a few words without a full stop.",
        "past_claims": "How many things the follower got from this brand before.",
        "opens_at": "When the drop opens, in the brand's time zone.",
    }
)

# Longer values are cut to this many bytes, so that the length of a reply can be promised when it is saved.
# A payment link is never cut; Checkout's run to some 450 bytes.
VALUE_BYTES: Mapping[str, int] = MappingProxyType(
    {
        "first_name": 60, "username": 32, "item": 120, "variant": 60, "quantity": 8, "price": 24, "total": 24,
        "minutes": 8, "deadline": 40, "place": 8, "stock": 8, "waiting": 8, "link": 450, "brand": 80,
        "word": 60, "words": 200, "time": 32, "choices": 300, "reason": 120, "past_claims": 8, "opens_at": 40,
    }
)  # fmt: skip
# Without these a sentence still makes sense; without any other variable it is left out.
VANISHING = frozenset({"first_name", "username", "variant"})

_SLOT = re.compile(r"\{([^{}]*)\}")
_SENTENCE_END = re.compile(r"""(?<=[.!?…؟।])(?=\s)|(?<=[.!?…]["”’)])(?=\s)|(?<=[。！？])|(?=\n)""")
_BRACKETS = re.compile(r"\s*\([^()]*\)")
_GONE = "\x00"
_SUFFIX = r"(?:['’]s\b|さん|様|さま|님|씨)?"
_GONE_AT_START = re.compile(rf"^([\s\"“(¡¿*]*)@?{_GONE}{_SUFFIX}[\s,:;、–—-]*")
_GONE_AFTER_COMMA = re.compile(rf"[,،、]\s*@?{_GONE}{_SUFFIX}(?=\s*(?:[,.!?:;…،、。！？؟]|$))")
_GONE_ELSEWHERE = re.compile(rf"\s*(?:\b(?:for|in size|in|size|colou?r)\s+)?@?{_GONE}{_SUFFIX}")
_BLANK_BEFORE_POINT = re.compile(r"\s+([,.;])(?=\s|$)")
_COMMAS = re.compile(r",(?:\s*,)+")
_URL = re.compile(r"https?://\S+")
# Controls, and the marks that turn the direction of the text after them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+"
)
_ZWJ = "\u200d"


def render(template: str, values: Mapping[str, str | None]) -> str:
    """The template with its values. What is missing, None or blank takes its part of a sentence along.

    May be empty when nothing is left to say.
    """
    known = {name: _clean(name, value) for name, value in values.items() if value is not None}
    known = {name: value for name, value in known.items() if value and name in VARIABLES}
    said: list[str] = []
    gap = ""
    for piece in _SENTENCE_END.split(_plain_slots(template)):
        body = piece.lstrip()
        gap += piece[: len(piece) - len(body)]
        sentence = _sentence(body, known)
        if sentence:
            said += (_one_gap(gap) if said else "", sentence)
            gap = ""
    return "".join(said)


def _plain_slots(template: str) -> str:
    """Every slot is a variable's name, or the unknown `_`; no other brace and no control is left."""
    parts = _SLOT.split(_UNSAFE.sub(lambda found: "\n" * found[0].count("\n"), template))
    slots = [f"{{{name}}}" if name in VARIABLES else "{_}" for name in parts[1::2]]
    texts = [text.replace("{", "").replace("}", "") for text in parts[::2]]
    return "".join(text + slot for text, slot in zip(texts, [*slots, ""], strict=True))


def _clean(name: str, value: str) -> str:
    """A value on one line, without controls or braces, not longer than it may be."""
    value = " ".join(_UNSAFE.sub(" ", value).split()).translate({ord("{"): "(", ord("}"): ")"})
    if name == "link":
        return value
    return fit(value.strip(" ,;"), VALUE_BYTES.get(name, 0))


def _one_gap(gap: str) -> str:
    """What stands between two sentences: a blank, a new line or an empty line, or nothing (Japanese)."""
    return "\n" * min(gap.count("\n"), 2) or gap[:1]


def _sentence(body: str, known: Mapping[str, str]) -> str:
    """One sentence with its values; empty when it cannot be said without what is unknown."""

    def is_gone(text: str) -> bool:
        return any(name not in known for name in _SLOT.findall(text))

    body = _BRACKETS.sub(lambda found: "" if is_gone(found[0]) else found[0], body)
    missing = {name for name in _SLOT.findall(body) if name not in known}
    if missing - VANISHING or ("variant" in missing and body.startswith("{variant}")):
        return ""
    if missing:
        body = _without_gone(_SLOT.sub(lambda found: found[0] if found[1] in known else _GONE, body))
    body = _COMMAS.sub(",", _BLANK_BEFORE_POINT.sub(r"\1", body))
    if not any(letter.isalnum() for letter in body):
        return ""
    return " ".join(_SLOT.sub(lambda found: known[found[1]], body).split())


def _without_gone(body: str) -> str:
    """Takes the marked names out, with the comma, the blank or the `for` that led to them."""
    start = _GONE_AT_START.match(body)
    if start is not None:
        body = start[1] + body[start.end() :][:1].upper() + body[start.end() + 1 :]
    return _GONE_ELSEWHERE.sub("", _GONE_AFTER_COMMA.sub("", body))


def compose(
    key: TextKey, wordings: Mapping[str, str], values: Mapping[str, str | None], limit_bytes: int = TEXT_BYTES
) -> str:
    """The reply for an occasion: the brand's own wording, or ours when nothing is left to say."""
    own = render(wordings.get(key, ""), values)
    return fit(own or render(DEFAULT_TEXTS[key], values), limit_bytes)


def template_faults(key: str, template: str, limit_bytes: int = TEXT_BYTES) -> list[str]:
    """One sentence for each thing that keeps this wording from being saved."""
    if key not in set(TextKey):
        return [f"There is no text “{key[:40]}”{_guess(key, list(TextKey))}"]
    if not template.strip():
        return [f"The text “{key}” is empty: write a sentence, or remove it to get the default."]
    faults = [
        _slot_fault(key, name) for name in dict.fromkeys(_SLOT.findall(template)) if name not in VARIABLES
    ]
    if any(brace in _SLOT.sub("", template) for brace in "{}"):
        faults.append(f"The text “{key}” has a brace without its partner: write variables as {{first_name}}.")
    if _UNSAFE.search(template.replace("\n", "").replace("\r", "")):
        faults.append(f"The text “{key}” has invisible control characters: type it anew.")
    longest = longest_bytes(template)
    if longest > limit_bytes:
        faults.append(f"The text “{key}” may become {longest} bytes long: at most {limit_bytes} can be sent.")
    if key == TextKey.PAY_BUTTON and (len(template) > BUTTON_CHARS or _SLOT.search(template)):
        faults.append(f"The words on the button are at most {BUTTON_CHARS} characters, without variables.")
    return faults


def _slot_fault(key: str, name: str) -> str:
    if re.fullmatch(r"\s*[A-Za-z_]+\s*", name) is None:
        return f"The text “{key}” has “{{{name[:40]}}}”: a variable is one name, such as {{first_name}}."
    return f"The text “{key}” uses the unknown variable {{{name[:40]}}}{_guess(name, list(VARIABLES))}"


def _guess(word: str, known: list[str]) -> str:
    near = get_close_matches(word.strip().casefold()[:40], known, n=1, cutoff=0.6)
    return f": did you mean “{near[0]}”?" if near else "."


def longest_bytes(template: str) -> int:
    """The length in UTF-8 when every variable has its longest value."""
    slots = _SLOT.findall(template)
    literal = _SLOT.sub("", template).encode(errors="replace")
    return len(literal) + sum(VALUE_BYTES.get(name, 0) for name in slots)


def fit(text: str, limit_bytes: int) -> str:
    """The text cut to `limit_bytes` of UTF-8, with …; never inside a letter, an emoji or an address."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit_bytes:
        return text
    room_bytes = limit_bytes - len(ELLIPSIS.encode())
    if room_bytes < 0:
        return ""
    kept = len(encoded[:room_bytes].decode(errors="ignore"))
    for address in _URL.finditer(text):
        if address.start() < kept < address.end():
            kept = address.start()
    while kept > 0 and _belongs_to_previous(text, kept):
        kept -= 1
    return text[:kept].rstrip() + ELLIPSIS


def _belongs_to_previous(text: str, index: int) -> bool:
    """Is this letter a mark, a skin tone or a part of a joined emoji?"""
    letter = text[index]
    is_skin_tone = "\U0001f3fb" <= letter <= "\U0001f3ff"
    return _ZWJ in (letter, text[index - 1]) or is_skin_tone or unicodedata.category(letter)[0] == "M"


# Not people: "The Sneaker Shop", "Official Anna".
_NOT_A_NAME = frozenset(
    "the official team shop store studio boutique real its im iam der die das la el los las le les".split()
)
_TITLES = frozenset("dr mr mrs ms miss prof sir sr sra herr frau mme".split())
_NAME = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def first_name(name: str) -> str:
    """“Ana” from “Ana Lima”; empty from emoji, handles, companies and whatever else is no name."""
    plain = unicodedata.normalize("NFKC", _UNSAFE.sub(" ", name[:200]).replace(_ZWJ, ""))
    words = [word.strip('"“”()*~|•·.,!♡ ') for word in plain.split()]
    words = [word for word in words if any(letter.isalnum() or letter in "@_" for letter in word)]
    words = [word for word in words if word.casefold() not in _TITLES]
    if not words or words[0].casefold() in _NOT_A_NAME:
        return ""
    found = "".join(letter for letter in words[0] if unicodedata.category(letter) not in {"So", "Sk", "Cn"})
    letters = "".join(letter for letter in found if unicodedata.category(letter)[0] != "M")
    is_name = 2 <= len(found) <= 30 and _NAME.fullmatch(letters) is not None
    return found if is_name else ""

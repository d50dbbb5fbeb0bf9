"""Which drop does a message ask for? Words are folded alike on both sides and looked up, never guessed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, NamedTuple

# Longer than any channel lets a person type a keyword; bounds the work per message (design §5).
TEXT_CHARS = 1_000
# Letters seen in one process; beyond this the memory of `_Folding` starts again.
FOLDED_LETTERS = 8_192
# So many words are looked for one by one: that is quicker than reading the message as numbers.
FEW_WORDS = 32
# Letters under which a word stands, the most first → the number that memoryview makes of them.
ANCHORS: Mapping[int, Literal["H", "I", "Q"]] = MappingProxyType({4: "Q", 2: "I", 1: "H"})

APOSTROPHES = "'’‘ʼ`´"
# Marks that people leave out when they type: Latin, Greek and Cyrillic accents, Hebrew and Arabic vowel
# points, emoji variants. The vowel signs of Devanagari, Thai or kana are part of the word and stay.
OMITTED_MARKS = (
    range(0x0300, 0x0370),
    range(0x0483, 0x048A),
    range(0x0591, 0x05C8),
    range(0x0610, 0x061B),
    range(0x064B, 0x0660),
    range(0x0670, 0x0671),
    range(0x06D6, 0x06EE),
    range(0x1AB0, 0x1B00),
    range(0x1DC0, 0x1E00),
    range(0x20D0, 0x2100),
    range(0xFE00, 0xFE30),
    range(0xE0100, 0xE01F0),
)
# Letters without a decomposition that people type plainly, and keyboard twins of Arabic and Persian.
PLAIN_LETTERS = {
    "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th",
    "ى": "ي", "ی": "ي", "ک": "ك", "ە": "ه", "ہ": "ه", "ھ": "ه", "ة": "ه", "ـ": "",
}  # fmt: skip
# Han, kana, Thai, Lao, Khmer and Burmese are written without blanks between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
_SCRIPT_BORDER = re.compile(f"(?<=[{_UNSPACED}])(?=[0-9a-z])|(?<=[0-9a-z])(?=[{_UNSPACED}])")
# l'été, dell'anno: the article is dropped, or its letter would be taken for a size.
_ELISION = re.compile(r"(?<![\w'])(?:[cdjlmnst]|qu|un|all|dall|dell|nell|sull)'(?=\w\w)")
_LONE_POINT = re.compile(r"(?<![0-9])\.|\.(?![0-9])")


class _Folding(dict[int, str]):
    """What becomes of one decomposed, case-folded letter; filled as letters are met."""

    def __missing__(self, codepoint: int) -> str:
        if len(self) >= FOLDED_LETTERS:
            self.clear()
        folded = self[codepoint] = _fold_letter(chr(codepoint))
        return folded


def _fold_letter(letter: str) -> str:
    if letter in PLAIN_LETTERS:
        return PLAIN_LETTERS[letter]
    if letter in APOSTROPHES:
        return "'"
    if letter in ".,":  # 8,5 and 8.5 are one size; other points become blanks in `_tidy`
        return "."
    category = unicodedata.category(letter)
    if category in {"Cf", "Me", "Cs"} or (category == "Mn" and _is_omitted(ord(letter))):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(letter))
    if category == "Cc":
        return " " if letter.isspace() else ""
    return letter if category[0] in "LMN" else " "


def _is_omitted(mark: int) -> bool:
    return any(mark in marks for marks in OMITTED_MARKS)


_FOLDING = _Folding()


def normalise(text: str) -> str:
    """The words of a message in one spelling, one blank apart. Normalising twice changes nothing."""
    text = text[:TEXT_CHARS]
    folded = (text.casefold() if text.isascii() else _decompose(text)).translate(_FOLDING)
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", folded)
    return " ".join(_tidy(folded[:TEXT_CHARS]).split())


def _decompose(text: str) -> str:
    """One case and one form for letters that can be written in several ways; at most four times as long."""
    decomposed = unicodedata.normalize("NFKD", text.replace("´", "'"))[: 4 * TEXT_CHARS].casefold()
    if unicodedata.is_normalized("NFKD", decomposed):
        return decomposed
    return unicodedata.normalize("NFKD", decomposed).casefold()


def _tidy(folded: str) -> str:
    """Settles what depends on the neighbours: apostrophes, decimal points, borders between scripts."""
    if "'" in folded:
        folded = _ELISION.sub("", folded).replace("'", "")
    if "." in folded:
        folded = _LONE_POINT.sub(" ", folded)
    if not folded.isascii() and _UNSPACED_LETTER.search(folded):
        folded = _SCRIPT_BORDER.sub(" ", folded)
    return folded


def tokens(text: str) -> tuple[str, ...]:
    return tuple(normalise(text).split())


class Mode(StrEnum):
    EXACT = "exact"  # the whole message
    WORD = "word"  # whole words, anywhere in the message
    STARTS = "starts"  # whole words, at the beginning
    CONTAINS = "contains"  # letters, anywhere, also inside a longer word


@dataclass(frozen=True, slots=True)
class Keyword:
    drop_id: str
    word: str
    mode: Mode = Mode.WORD


class Match(NamedTuple):
    drop_id: str
    rest: tuple[str, ...]
    """The normalised words left after the keyword was taken out."""
    keyword: str
    """As the brand wrote it."""


class _Hit(NamedTuple):
    """Where a keyword was found: words `first` up to `last` belong to it."""

    length: int
    first: int
    last: int
    keyword: Keyword


class _Phrases:
    """Keywords of whole words, looked up by their first word."""

    def __init__(self) -> None:
        self._keywords: dict[str, Keyword] = {}
        self._sizes: dict[str, tuple[int, ...]] = {}

    def add(self, phrase: str, keyword: Keyword) -> None:
        first, *more = phrase.split()
        self._keywords.setdefault(phrase, keyword)
        self._sizes[first] = tuple(sorted({*self._sizes.get(first, ()), 1 + len(more)}, reverse=True))

    def best(self, words: Sequence[str]) -> _Hit | None:
        """The longest phrase among the words, the earliest of those."""
        known = self._sizes.keys() & words
        best = None
        for first, word in enumerate(words) if known else ():
            if word in known:
                hit = self._longest(words, first)
                if hit is not None and (best is None or hit.length > best.length):
                    best = hit
        return best

    def at_first(self, words: Sequence[str]) -> _Hit | None:
        """The longest phrase with which the words begin."""
        return self._longest(words, 0) if words and words[0] in self._sizes else None

    def _longest(self, words: Sequence[str], first: int) -> _Hit | None:
        for size in self._sizes[words[first]]:
            phrase = " ".join(words[first : first + size])
            keyword = self._keywords.get(phrase)
            if keyword is not None:
                return _Hit(len(phrase), first, first + size, keyword)
        return None


class _Anywhere:
    """Keywords that are found anywhere, also inside longer words; thousands cost little more than a few.

    Each word stands under its first letters as one number; a message is read as such numbers too, at every
    offset, and only words whose number occurs are looked for.
    """

    def __init__(self, keywords: Mapping[str, Keyword]) -> None:
        self._keywords = keywords
        self._few = sorted(keywords, key=_longest_first) if len(keywords) <= FEW_WORDS else None
        self._anchored: dict[int, dict[int, list[str]]] = {}
        for word in keywords if self._few is None else ():
            units = _units(word)
            letters = next(size for size in ANCHORS if 2 * size <= len(units))
            anchor = next(iter(_numbers(units[: 2 * letters], letters)))
            self._anchored.setdefault(letters, {}).setdefault(anchor, []).append(word)

    def find(self, whole: str, longer_than: int) -> tuple[str, Keyword] | None:
        """The longest of them in the message, if it is longer than so many letters."""
        few = self._few
        for word in few if few is not None else sorted(self._candidates(whole), key=_longest_first):
            if len(word) <= longer_than:
                return None
            if word in whole:
                return word, self._keywords[word]
        return None

    def _candidates(self, whole: str) -> Iterator[str]:
        units = _units(whole)
        for letters, words in self._anchored.items():
            for offset in range(letters):
                for anchor in words.keys() & _numbers(units[2 * offset :], letters):
                    yield from words[anchor]


def _longest_first(word: str) -> tuple[int, str]:
    return (-len(word), word)


def _units(text: str) -> bytes:
    """Two bytes for each letter, four for the rare ones."""
    return text.encode("utf-16-le", "surrogatepass")


def _numbers(units: bytes, letters: int) -> Iterable[int]:
    """So many letters at a time as one number; what is left at the end is left out."""
    size = 2 * letters
    return memoryview(units[: len(units) // size * size]).cast(ANCHORS[letters])


class Vocabulary:
    """The keywords of one brand's live drops, built once. The longest match wins, then the earliest."""

    def __init__(self, keywords: Sequence[Keyword]) -> None:
        self._exact: dict[str, Keyword] = {}
        self._word, self._starts = _Phrases(), _Phrases()
        scanned: dict[str, Keyword] = {}
        for keyword in keywords:
            word = normalise(keyword.word)
            if not word:
                continue
            if keyword.mode is Mode.EXACT:
                self._exact.setdefault(word, keyword)
            elif keyword.mode is Mode.CONTAINS or _is_unspaced(keyword, word):
                scanned.setdefault(word, keyword)
            else:
                (self._word if keyword.mode is Mode.WORD else self._starts).add(word, keyword)
        self._anywhere = _Anywhere(scanned)

    def match(self, text: str) -> Match | None:
        """The drop that the message asks for; None when it holds no keyword."""
        whole = normalise(text)
        exact = self._exact.get(whole)
        if exact is not None:
            return Match(exact.drop_id, (), exact.word)
        words = whole.split()
        best = self._best(words)
        found = self._anywhere.find(whole, best.length if best else 0)
        if found is not None:
            word, keyword = found
            return Match(keyword.drop_id, _around(whole, whole.find(word), word), keyword.word)
        if best is None:
            return None
        rest = (*words[: best.first], *words[best.last :])
        return Match(best.keyword.drop_id, rest, best.keyword.word)

    def _best(self, words: Sequence[str]) -> _Hit | None:
        anywhere, at_first = self._word.best(words), self._starts.at_first(words)
        if anywhere is None or at_first is None:
            return anywhere or at_first
        # Of two that are as long the earlier one, and of two that begin alike the one of mode `word`.
        is_longer = at_first.length > anywhere.length
        is_earlier = at_first.length == anywhere.length and anywhere.first > 0
        return at_first if is_longer or is_earlier else anywhere


def _is_unspaced(keyword: Keyword, word: str) -> bool:
    """A word of a script without blanks is found anywhere: there are no word borders to look for."""
    return keyword.mode is Mode.WORD and _UNSPACED_LETTER.search(word) is not None


def _around(whole: str, at: int, word: str) -> tuple[str, ...]:
    """The words beside the found letters. The rest of a longer word is dropped with it (launch|ing)."""
    end = at + len(word)
    if _UNSPACED_LETTER.search(word) is None:
        at = whole.rfind(" ", 0, at) + 1
        end = (whole + " ").find(" ", end)
    return tuple(f"{whole[:at]} {whole[end:]}".split())


def clash(new_words: Iterable[str], taken: Mapping[str, str]) -> list[str]:
    """Why these words cannot be saved. `taken`: normalised word → name of the live drop that owns it."""
    faults: list[str] = []
    seen: set[str] = set()
    for word in new_words:
        normalised = normalise(word)
        if not normalised:
            faults.append(f"The keyword “{word}” has no letter or digit: write at least one.")
        elif normalised in taken:
            faults.append(f"“{word}” already belongs to the drop “{taken[normalised]}”: choose another word.")
        elif normalised in seen:
            faults.append(f"“{word}” is in the list twice: remove one of the two.")
        seen.add(normalised)
    return faults

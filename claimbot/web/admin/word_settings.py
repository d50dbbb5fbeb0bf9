"""Which words does a brand use? Its own commands beside STOP and HELP, and what it says by default."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.commands import DEFAULT_WORDS, Command
from claimbot.core.keywords import normalise
from claimbot.core.operators import Right
from claimbot.core.replies import BUTTON_CHARS, TEXT_BYTES, compose, longest_bytes, template_faults
from claimbot.core.texts import DEFAULT_TEXTS, TextKey
from claimbot.flows.configure import change_brand
from claimbot.parts import Parts
from claimbot.web.admin.drop_form import EMPTY, DropForm
from claimbot.web.admin.here import brand, needs, page, typed, visitor
from claimbot.web.admin.occasions import OCCASIONS, OF_THE_BRAND, RARE, USUAL
from claimbot.web.admin.preview import Bubble, bubbles

WORDS_MOST = 20
WORD_CHARS_MOST = 40
COMMANDS: Mapping[Command, str] = {
    Command.STOP: "Never write to me again",
    Command.START: "You may write to me again",
    Command.PASS: "Give my unit or my place to the next one",
    Command.HUMAN: "I want a person",
    Command.HELP: "What is this?",
}
TEXTS: Mapping[TextKey, str] = {**OF_THE_BRAND, **OCCASIONS}

Faults = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Words:
    """As they were typed: texts by key, and the words of each command divided by commas."""

    texts: Mapping[str, str]
    commands: Mapping[str, str]

    @property
    def kept_texts(self) -> dict[str, str]:
        """A text that is left empty, or is the default, is not kept."""
        usual = {key.value: text for key, text in DEFAULT_TEXTS.items()}
        return {key: text for key, text in self.texts.items() if text and text != usual[key]}

    @property
    def kept_commands(self) -> dict[str, tuple[str, ...]]:
        lists = {name: _list(text) for name, text in self.commands.items()}
        return {name: found for name, found in lists.items() if found}


def _list(text: str) -> tuple[str, ...]:
    lines = text.replace(",", "\n").splitlines()
    return tuple(dict.fromkeys(word.strip() for word in lines if word.strip()))


def add_word_settings(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/settings/words")
    @needs(Right.OWN)
    def word_settings(slug: str) -> ResponseReturnValue:
        return _page(parts, _known(), {})

    @routes.post("/<slug>/settings/words")
    @needs(Right.OWN)
    def set_words(slug: str) -> ResponseReturnValue:
        words = _typed()
        if typed("do") == "preview":
            return _page(parts, words, {})
        faults = {**_faults(words), **_taken(parts, words)}
        if faults:
            return _page(parts, words, faults), 422
        changed = replace(brand(), texts=words.kept_texts, command_words=words.kept_commands)
        change_brand(parts, visitor().actor, changed)
        return redirect(url_for("admin.word_settings", slug=slug, did="settings_kept"), 303)


def _known() -> Words:
    commands = {one.value: ", ".join(brand().command_words.get(one.value, ())) for one in Command}
    return Words({key.value: brand().texts.get(key.value, "") for key in TEXTS}, commands)


def _typed() -> Words:
    def told(name: str) -> str:
        return request.form.get(name, "").replace("\0", "").replace("\r\n", "\n").strip()

    texts = {**brand().texts, **{key.value: told(f"text-{key.value}") for key in TEXTS}}
    return Words(texts, {one.value: told(f"command-{one.value}") for one in Command})


def _faults(words: Words) -> Faults:
    found: Faults = {}
    for key, text in words.kept_texts.items():
        limit = BUTTON_CHARS if key == TextKey.PAY_BUTTON else TEXT_BYTES
        sentences = template_faults(key, text, limit)
        if sentences:
            found[f"text-{key}"] = sentences
    for name, kept in words.kept_commands.items():
        if len(kept) > WORDS_MOST or any(len(word) > WORD_CHARS_MOST for word in kept):
            found[f"command-{name}"] = [f"At most {WORDS_MOST} words of {WORD_CHARS_MOST} characters."]
    return found


def _taken(parts: Parts, words: Words) -> Faults:
    """A command is heard before any keyword: a drop with that word would never be claimed."""
    book = parts.catalog(is_fresh=True).brands[brand().id]
    owned = {normalise(word): book.drops[drop_id].name for drop_id, own in book.words.items() for word in own}
    return {
        f"command-{name}": [f"“{word}” is the word of {owned[normalise(word)]}: choose another."]
        for name, kept in words.kept_commands.items()
        for word in kept
        if normalise(word) in owned
    }


def _page(parts: Parts, words: Words, faults: Faults) -> str:
    return page(
        "word_settings.html",
        words=words,
        faults=faults,
        commands={command.value: text for command, text in COMMANDS.items()},
        usual={command.value: _usual(command) for command in Command},
        of_the_brand={key.value: text for key, text in OF_THE_BRAND.items()},
        usual_texts={key.value: text for key, text in USUAL.items()},
        rare_texts={key.value: text for key, text in RARE.items()},
        has_rare_faults=any(f"text-{key}" in faults for key in RARE),
        defaults={key.value: text for key, text in DEFAULT_TEXTS.items()},
        form=DropForm(),
        bubbles=_bubbles(parts, words),
    )


def _usual(command: Command) -> str:
    """What works already: English always, and the brand's own language."""
    known = [DEFAULT_WORDS[one] for one in ("en", brand().locale) if one in DEFAULT_WORDS]
    return ", ".join(dict.fromkeys(word for words in known for word in words[command]))


def _bubbles(parts: Parts, words: Words) -> list[Bubble]:
    """Each message as a follower would see it, in an example drop."""
    example = DropForm(
        {**EMPTY, **{f"text-{key}": text for key, text in words.texts.items() if key in OCCASIONS}}
    )
    plain = [_bubble(key, words.kept_texts) for key in OF_THE_BRAND]
    return [*bubbles(example, brand(), parts.clock()), *plain]


def _bubble(key: TextKey, texts: Mapping[str, str]) -> Bubble:
    text = compose(key, texts, {"brand": brand().name, "first_name": "Ana"})
    most = min(longest_bytes(texts.get(key) or DEFAULT_TEXTS[key]), TEXT_BYTES)
    return Bubble(OF_THE_BRAND[key], text, "", (), len(text.encode()), most)

"""Is STOP heard in every language, and only when the whole message says so?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbot.core.commands import DEFAULT_WORDS, Command, CommandBook
from claimbot.core.keywords import normalise
from tests.core.builders import few

MESSAGES: tuple[tuple[str, Command | None], ...] = (
    ("STOP", Command.STOP),
    ("stop", Command.STOP),
    ("Stop!", Command.STOP),
    ("  STOP.  ", Command.STOP),
    ("/stop", Command.STOP),
    ("“STOP”", Command.STOP),
    ("🛑 STOP 🛑", Command.STOP),
    ("STOP STOP STOP", Command.STOP),
    ("Stop! Stop!", Command.STOP),
    ("ＳＴＯＰ", Command.STOP),
    ("S\u200bTOP", Command.STOP),
    ("Stop all", Command.STOP),
    ("STOPALL", Command.STOP),
    ("Unsubscribe", Command.STOP),
    ("opt-out", Command.STOP),
    ("please stop", Command.STOP),
    ("Stop messaging me!!", Command.STOP),
    ("QUIT", Command.STOP),
    ("end", Command.STOP),
    ("ARRÊT", Command.STOP),
    ("arret", Command.STOP),
    ("Arrêtez", Command.STOP),
    ("me désabonner", Command.STOP),
    ("PARAR", Command.STOP),
    ("¡Alto!", Command.STOP),
    ("BAJA", Command.STOP),
    ("sair", Command.STOP),
    ("stopp", Command.STOP),
    ("Abmelden", Command.STOP),
    ("AUFHOREN", Command.STOP),
    ("Basta!", Command.STOP),
    ("START", Command.START),
    ("unstop", Command.START),
    ("opt in", Command.START),
    ("Démarrer", Command.START),
    ("começar", Command.START),
    ("pass", Command.PASS),
    ("I pass", Command.PASS),
    ("cancel", Command.PASS),
    ("No, thanks!", Command.PASS),
    ("nein danke", Command.PASS),
    ("non merci", Command.PASS),
    ("Não, obrigada", Command.PASS),
    ("HUMAN", Command.HUMAN),
    ("talk to a person", Command.HUMAN),
    ("Mitarbeiter", Command.HUMAN),
    ("operatore", Command.HUMAN),
    ("help", Command.HELP),
    ("Help?", Command.HELP),
    ("à l’aide", Command.HELP),
    ("¿Ayuda?", Command.HELP),
    ("we must STOP this", None),
    ("We have got to STOP this bill", None),
    ("STOP 12345", None),
    ("stop it", None),
    ("non-stop", None),
    ("bus stop", None),
    ("stopping by", None),
    ("don't stop", None),
    ("I need help with size M", None),
    ("fine", None),
    ("stop launch", None),
    ("launch", None),
    ("", None),
    ("?", None),
    ("🛑", None),
)


def test_a_command_is_the_whole_message() -> None:
    book = CommandBook()
    assert [(text, book.read(text)) for text, _ in MESSAGES] == list(MESSAGES)


def test_the_messages_are_more_than_sixty() -> None:
    assert len(MESSAGES) >= 60


@pytest.mark.parametrize("language", DEFAULT_WORDS)
def test_every_language_has_every_command(language: str) -> None:
    book = CommandBook((language,))
    words = DEFAULT_WORDS[language]
    heard = {command: {book.read(word) for word in words[command]} for command in Command}
    assert heard == {command: {command} for command in Command}


@pytest.mark.parametrize("language", DEFAULT_WORDS)
def test_english_stop_and_human_always_work(language: str) -> None:
    book = CommandBook((language,))
    assert [book.read("STOP"), book.read("HUMAN")] == [Command.STOP, Command.HUMAN]


def test_a_brand_speaks_only_its_languages() -> None:
    assert CommandBook(("de",)).read("arrêt") is None


def test_an_unknown_language_is_left_out() -> None:
    assert CommandBook(("xx",)).read("stop") is Command.STOP


def test_a_brand_adds_its_own_words() -> None:
    book = CommandBook((), {Command.STOP: ("Schluss jetzt", "🛑"), Command.HUMAN: ("concierge",)})
    assert [book.read("schluss JETZT!"), book.read("Concierge")] == [Command.STOP, Command.HUMAN]


def test_a_brand_cannot_take_stop_for_something_else() -> None:
    assert CommandBook((), {Command.HELP: ("stop",)}).read("stop") is Command.STOP


def test_where_languages_share_a_word_stop_comes_first() -> None:
    shared = [word for words in DEFAULT_WORDS.values() for word in words[Command.STOP]]
    assert {CommandBook().read(word) for word in shared} == {Command.STOP}


@few
@given(st.text(st.characters()))
def test_any_text_may_be_read(text: str) -> None:
    assert CommandBook(("en",)).read(text) == CommandBook(("en",)).read(normalise(text))

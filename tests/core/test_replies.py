"""Do replies read naturally whatever is unknown, and can nobody smuggle anything into them?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbot.core.replies import VALUE_BYTES, VARIABLES, compose, render
from claimbot.core.texts import DEFAULT_TEXTS, TextKey
from tests.core.builders import few

ANA: dict[str, str | None] = {"first_name": "Ana", "item": "Winter tee", "variant": "M", "brand": "North"}
NOBODY: dict[str, str | None] = {"first_name": None, "item": "Winter tee"}


@pytest.mark.parametrize(
    ("template", "with_name", "without"),
    [
        ("Hi {first_name}, it is yours!", "Hi Ana, it is yours!", "Hi, it is yours!"),
        ("Hi {first_name}! It is yours.", "Hi Ana! It is yours.", "Hi! It is yours."),
        ("Hi, {first_name}!", "Hi, Ana!", "Hi!"),
        ("Hi {first_name}", "Hi Ana", "Hi"),
        ("Hi {first_name} , you won", "Hi Ana, you won", "Hi, you won"),
        ("Hi @{username}, you won", "Hi @ana.l, you won", "Hi, you won"),
        ("{first_name}, you won", "Ana, you won", "You won"),
        ("{first_name} – you won", "Ana – you won", "You won"),
        ("{first_name}! You won.", "Ana! You won.", "You won."),
        ("“{first_name}, you won”", "“Ana, you won”", "“You won”"),
        ("Welcome back, {first_name}, you won", "Welcome back, Ana, you won", "Welcome back, you won"),
        ("Yes, {first_name} got it", "Yes, Ana got it", "Yes, got it"),
        ("Held for {first_name} until noon", "Held for Ana until noon", "Held until noon"),
        ("{first_name}'s tee is ready", "Ana's tee is ready", "Tee is ready"),
        ("Thanks {first_name} 🎉 see you", "Thanks Ana 🎉 see you", "Thanks 🎉 see you"),
        ("Bonjour {first_name} ! Gagné.", "Bonjour Ana ! Gagné.", "Bonjour ! Gagné."),
        ("{first_name}さん、当選です。", "Anaさん、当選です。", "当選です。"),
        ("مرحبا {first_name}، مبروك", "مرحبا Ana، مبروك", "مرحبا، مبروك"),
        ("Hi {first_name},\nyou won", "Hi Ana,\nyou won", "Hi,\nyou won"),
        ("Hi {first_name}!\n\n\n\nYou won", "Hi Ana!\n\nYou won", "Hi!\n\nYou won"),
        ("Tee ({variant}) is yours", "Tee (M) is yours", "Tee is yours"),
        ("Tee (size {variant}, for {first_name}) is yours", "Tee (size M, for Ana) is yours", "Tee is yours"),
        ("Tee in {variant} is yours", "Tee in M is yours", "Tee is yours"),
        ("Tee in size {variant}.", "Tee in size M.", "Tee."),
        ("Tee {variant} is yours", "Tee M is yours", "Tee is yours"),
        ("You won. {variant} is yours.", "You won. M is yours.", "You won."),
        ("You won. From {brand}, with love. Bye.", "You won. From North, with love. Bye.", "You won. Bye."),
        ("From {brand}. Bye", "From North. Bye", "Bye"),
        ("From {brand}.\nBye", "From North.\nBye", "Bye"),
        ("Hi.\n\nFrom {brand}. Bye", "Hi.\n\nFrom North. Bye", "Hi.\n\nBye"),
        ("Love ({brand})!", "Love (North)!", "Love!"),
        ("{brand}", "North", ""),
        ("Version 4.5 from {brand}", "Version 4.5 from North", ""),
        (
            "See https://n.example/a.b?c=1 now",
            "See https://n.example/a.b?c=1 now",
            "See https://n.example/a.b?c=1 now",
        ),
    ],
)
def test_a_wording_reads_naturally_with_and_without_its_values(
    template: str, with_name: str, without: str
) -> None:
    assert render(template, {**ANA, "username": "ana.l"}) == with_name
    assert render(template, {}) == without


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u200b", "\x00", " , ", "\n"])
def test_a_blank_value_is_an_unknown_one(nothing: str | None) -> None:
    assert render("Hi {first_name}, hello.", {"first_name": nothing}) == "Hi, hello."


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("{brand}", "(brand)"),
        ("{0.__class__}", "(0.__class__)"),
        ("a\nb", "a b"),
        ("a\r\n\r\nb", "a b"),
        ("a\x00b\x1b[31m", "a b [31m"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u2028b", "a b"),
        ("a\ud800b", "a b"),
        ("  a   b ", "a b"),
        ("%s %(brand)s $brand", "%s %(brand)s $brand"),
        (r"\1 \g<0>", r"\1 \g<0>"),
        ("👩‍🚀 tee", "👩‍🚀 tee"),
        ("می‌خواهم", "می‌خواهم"),
    ],
)
def test_a_value_is_text_and_nothing_else(value: str, shown: str) -> None:
    assert render("Get {item}!", {"item": value, "brand": "North"}) == f"Get {shown}!"


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("Hi {0.__class__}. Bye.", "Bye."),
        ("Hi {}. Bye.", "Bye."),
        ("Hi {first_name!r}. Bye.", "Bye."),
        ("Hi {first_name:>99999}. Bye.", "Bye."),
        ("Hi {{first_name}}. Bye.", "Hi Ana. Bye."),
        ("Hi {first_name. Bye.", "Hi first_name. Bye."),
        ("Hi }{. Bye.", "Hi. Bye."),
        ("Hi {nobody}. Bye.", "Bye."),
        ("Hi {secret}. Bye.", "Bye."),
    ],
)
def test_a_template_is_never_a_format_string(template: str, shown: str) -> None:
    assert render(template, {**ANA, "secret": "canary"}) == shown


@pytest.mark.parametrize("name", sorted(set(VARIABLES) - {"link"}))
def test_a_long_value_is_cut_to_its_promised_length(name: str) -> None:
    shown = render(f"{{{name}}}", {name: "ж" * 5_000})
    assert 0 < len(shown.encode()) <= VALUE_BYTES[name]


def test_a_link_is_never_cut() -> None:
    link = "https://pay.example/c/" + "a" * 600
    assert render("Pay: {link}", {"link": link}) == f"Pay: {link}"


def test_every_variable_has_a_meaning_and_a_length() -> None:
    assert set(VARIABLES) == set(VALUE_BYTES)


templates = st.lists(
    st.sampled_from(
        [
            *(f"{{{name}}}" for name in VARIABLES),
            "Hi",
            " ",
            ", ",
            "! ",
            ". ",
            "(",
            ")",
            "{",
            "}",
            "\n",
            "'s",
            "for ",
        ]
    )
).map("".join)
values = st.dictionaries(st.sampled_from(list(VARIABLES)), st.none() | st.text(st.characters(), max_size=20))


@few
@given(templates, values)
def test_no_brace_and_no_gap_is_ever_shown(template: str, known: dict[str, str | None]) -> None:
    shown = render(template, known)
    assert "{" not in shown
    assert "}" not in shown
    assert "  " not in shown
    assert "\n\n\n" not in shown
    assert shown == shown.strip()


@few
@given(templates)
def test_no_comma_is_left_alone(template: str) -> None:
    shown = render(template, {})
    assert "Hi ," not in shown
    assert " ," not in shown
    assert ",," not in shown


@few
@given(st.text(st.characters()), values)
def test_any_template_may_be_rendered(template: str, known: dict[str, str | None]) -> None:
    render(template, known).encode()


@pytest.mark.parametrize("key", TextKey)
def test_our_own_wordings_always_say_something(key: TextKey) -> None:
    shown = render(DEFAULT_TEXTS[key], {"item": "Winter tee"})
    assert len(shown) >= 7
    assert render(DEFAULT_TEXTS[key], {}) != ""


def test_a_brands_wording_comes_first() -> None:
    assert compose(TextKey.HUMAN, {"human": "A moment, {first_name}."}, ANA) == "A moment, Ana."


@pytest.mark.parametrize("own", [{}, {"human": ""}, {"human": "From {brand}."}])
def test_ours_is_said_when_nothing_is_left_of_the_brands(own: dict[str, str]) -> None:
    assert compose(TextKey.HUMAN, own, NOBODY) == "Thank you. A person will read this and answer you here."


def test_a_composed_reply_fits_its_channel() -> None:
    assert len(compose(TextKey.HELD, {"held": "ж" * 5_000}, ANA, limit_bytes=1_000).encode()) <= 1_000


def test_a_winner_is_told_the_whole_receipt() -> None:
    values: dict[str, str | None] = {
        **ANA, "quantity": "2", "total": "258.00 EUR", "place": "17", "stock": "50", "minutes": "15",
        "deadline": "12:15 UTC", "time": "12:00:03 UTC",
    }  # fmt: skip
    assert compose(TextKey.HELD, {}, values) == (
        "Hi Ana, it is yours! You are 17 of 50. 2 × Winter tee (M) for 258.00 EUR is held for 15 minutes"
        " from this message. Please pay by 12:15 UTC. Server time 12:00:03 UTC."
    )


def test_help_says_that_we_are_automatic() -> None:
    shown = compose(TextKey.HELP, {}, {})
    assert shown.startswith("I am an automatic assistant; write HUMAN for a person, STOP to end.")

"""Is a wrong wording refused when it is saved, is a long text cut well, and is a name a name?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claimbot.core.replies import BUTTON_CHARS, first_name, fit, template_faults
from claimbot.core.texts import DEFAULT_TEXTS, TextKey
from tests.core.builders import few

# Instagram's button template takes 640 characters; a wording with a pay button must fit it.
WITH_BUTTON = (TextKey.HELD, TextKey.HELD_PARTIAL, TextKey.PROMOTED, TextKey.ALREADY_HELD)


@pytest.mark.parametrize("key", TextKey)
def test_our_own_wordings_are_right(key: TextKey) -> None:
    assert template_faults(key, DEFAULT_TEXTS[key]) == []


@pytest.mark.parametrize("key", WITH_BUTTON)
def test_our_own_wordings_fit_beside_a_button(key: TextKey) -> None:
    assert template_faults(key, DEFAULT_TEXTS[key], limit_bytes=640) == []


def test_every_occasion_has_a_wording() -> None:
    assert set(DEFAULT_TEXTS) == set(TextKey)
    assert len(DEFAULT_TEXTS[TextKey.PAY_BUTTON]) <= BUTTON_CHARS


NOT_A_NAME = "a variable is one name, such as {first_name}."
ALONE = "The text “held” has a brace without its partner: write variables as {first_name}."
INVISIBLE = "The text “held” has invisible control characters: type it anew."
BUTTON = "The words on the button are at most 20 characters, without variables."


@pytest.mark.parametrize(
    ("key", "template", "fault"),
    [
        (
            "held",
            "{frist_name}",
            "The text “held” uses the unknown variable {frist_name}: did you mean “first_name”?",
        ),
        ("held", "Hi {Total}", "The text “held” uses the unknown variable {Total}: did you mean “total”?"),
        ("held", "Hi {zzz}", "The text “held” uses the unknown variable {zzz}."),
        ("held", "{0.__class__}", f"The text “held” has “{{0.__class__}}”: {NOT_A_NAME}"),
        ("held", "{item!r}", f"The text “held” has “{{item!r}}”: {NOT_A_NAME}"),
        ("held", "{item:>9}", f"The text “held” has “{{item:>9}}”: {NOT_A_NAME}"),
        ("held", "{}", f"The text “held” has “{{}}”: {NOT_A_NAME}"),
        ("held", "Hi {item", ALONE),
        ("held", "Hi }", ALONE),
        ("held", "{{item}}", ALONE),
        ("held", " \n", "The text “held” is empty: write a sentence, or remove it to get the default."),
        ("held", "a\x00b", INVISIBLE),
        ("held", "\u202eab", INVISIBLE),
        ("held", "x" * 1_001, "The text “held” may become 1001 bytes long: at most 1000 can be sent."),
        ("held", "ж" * 501, "The text “held” may become 1002 bytes long: at most 1000 can be sent."),
        (
            "paid",
            "x" * 881 + "{item}",
            "The text “paid” may become 1001 bytes long: at most 1000 can be sent.",
        ),
        ("pay_button", "Pay now for your unit", BUTTON),
        ("pay_button", "Pay {total}", BUTTON),
        ("helld", "Hi", "There is no text “helld”: did you mean “held”?"),
        ("zzz", "Hi", "There is no text “zzz”."),
    ],
)
def test_a_wrong_wording_is_refused_with_one_sentence(key: str, template: str, fault: str) -> None:
    assert template_faults(key, template) == [fault]


@pytest.mark.parametrize(
    "template", ["Hi {first_name}!\n\nPay {total}: {link}", "x" * 880 + "{item}", "🔥" * 250]
)
def test_a_right_wording_is_taken(template: str) -> None:
    assert template_faults("held", template) == []


@few
@given(st.text(st.characters()))
def test_any_wording_may_be_checked(template: str) -> None:
    assert all(fault.endswith((".", "?")) for fault in template_faults("held", template))


@pytest.mark.parametrize(
    ("text", "limit_bytes", "shown"),
    [
        ("hello", 5, "hello"),
        ("hello", 4, "h…"),
        ("hello world", 9, "hello…"),
        ("жжж", 6, "жжж"),
        ("жжж", 5, "ж…"),
        ("жжж", 4, "…"),
        ("", 0, ""),
        ("ab", 1, ""),
        ("hi 👩‍🚀 you", 12, "hi…"),
        ("hi 👍🏽 you", 12, "hi…"),
        ("हिन्दी", 10, "हि…"),
        ("e\u0301e\u0301e\u0301", 8, "e\u0301…"),
        ("pay https://p.example/c/abc now", 20, "pay…"),
        ("pay https://p.example/c/abc now", 31, "pay https://p.example/c/abc now"),
        ("pay https://p.example/c/abc now", 30, "pay https://p.example/c/abc…"),
    ],
)
def test_a_text_is_cut_between_letters_and_never_inside_an_address(
    text: str, limit_bytes: int, shown: str
) -> None:
    assert fit(text, limit_bytes) == shown


@few
@given(st.text(st.characters()), st.integers(0, 60))
def test_a_cut_text_fits(text: str, limit_bytes: int) -> None:
    assert len(fit(text, limit_bytes).encode(errors="replace")) <= limit_bytes


NAMES = (
    ("Ana Lima", "Ana"),
    ("  Ana   Lima ", "Ana"),
    ("Ana", "Ana"),
    ("Ana 🌸", "Ana"),
    ("🌸 Ana Lima 🌸", "Ana"),
    ("🌸Ana🌸", "Ana"),
    ("✨Ana✨ Lima", "Ana"),
    ("𝓐𝓷𝓪 𝓛𝓲𝓶𝓪", "Ana"),
    ("Ana-Maria Lima", "Ana-Maria"),
    ("D’Arcy Stone", "D’Arcy"),
    ("José María", "José"),
    ("Jose\u0301 Maria", "José"),
    ("Dr. Ana Lima", "Ana"),
    ("Frau Müller", "Müller"),
    ("Ana | photos", "Ana"),
    ("“Ana” Lima", "Ana"),
    ("Анна Каренина", "Анна"),
    ("Ελένη Π.", "Ελένη"),
    ("محمد علي", "محمد"),
    ("प्रिया शर्मा", "प्रिया"),
    ("田中太郎", "田中太郎"),
    ("김민지", "김민지"),
    ("สมชาย ใจดี", "สมชาย"),
    ("", ""),
    ("   ", ""),
    ("🌸🌸", ""),
    ("@ana", ""),
    ("@ana lima", ""),
    ("ana_lima", ""),
    ("ana.lima", ""),
    ("ana99", ""),
    ("A", ""),
    ("A. Lima", ""),
    ("12345", ""),
    ("The Sneaker Shop", ""),
    ("Official Ana", ""),
    ("https://win.example now", ""),
    ("a" * 31, ""),
    ("{first_name}", ""),
    ("<b>Ana</b>", ""),
    ("\u202eanA", "anA"),
    ("---", ""),
)


def test_a_first_name_is_taken_only_from_a_real_name() -> None:
    assert [(name, first_name(name)) for name, _ in NAMES] == list(NAMES)


@few
@given(st.text(st.characters()))
def test_any_name_is_safe_to_greet_with(name: str) -> None:
    found = first_name(name)
    assert found == "" or 2 <= len(found) <= 30
    assert not set(found) & set("{}<>@_/:,. \n")

"""Every line of a person's story says in plain words what happened, and why."""

from typing import Any

import pytest

from claimbot.channels import meta_errors
from claimbot.core.claims import ENDING, State
from claimbot.core.messages import Kind, Outcome
from claimbot.core.outbox import RowState, Work
from claimbot.core.texts import TextKey
from claimbot.db.people import Claimed, Payment, Reply, Word
from claimbot.flows.person import Moment, Step
from claimbot.payments import verdicts
from claimbot.web.admin.reasons import REASONS, reason_words
from claimbot.web.admin.story import KINDS, SENDING, WRITTEN, Line, line_of
from claimbot.web.admin.wording import source_words
from tests.builders import NOW


def line(kind: str, fact: Any) -> Line:
    return line_of(Moment(NOW, kind, fact))


def said(kind: Kind, outcome: Outcome, reason: str = "", drop: str = "") -> Line:
    return line("said", Word(NOW, kind, "", "dm", outcome, reason, drop))


def told(state: RowState, occasion: str = "", reason: str = "", kind: Work = Work.REPLY) -> Line:
    return line("told", Reply(NOW, None, kind, occasion, "", state, reason))


def heard(type: str, outcome: str, reason: str = "") -> Line:
    return line("money", Payment(NOW, type, outcome, reason))


def step(event: str, **changes: Any) -> Line:
    claim = {
        "id": "clm_1",
        "drop": "Night Jacket",
        "drop_id": "drp_1",
        "variant": "",
        "state": "held",
        "quantity": 1,
        "place": 7,
        "created_at": NOW,
        "promoted_at": None,
        "told_at": NOW,
        "hold_expires_at": NOW,
        "ended_at": NOW,
        "ended_reason": "",
        "cancel_note": "",
        "paid_at": NOW,
        "paid_minor": 12_900,
        "refunded_minor": 0,
        "currency": "EUR",
    }
    return line("claim", Step(event, Claimed(**{**claim, **changes})))


def in_words(one: Line) -> tuple[str, str, str]:
    return one.title, one.badge.words if one.badge else "", one.why


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (said(Kind.TEXT, Outcome.HELD, drop="Night Jacket"), ("Wrote · Night Jacket", "got a unit", "")),
        (
            said(Kind.ECHO, Outcome.IGNORED, "echo_of_a_person"),
            (
                "Your team wrote in the app",
                "",
                "a person of the brand wrote, so the machine is silent until you resume it",
            ),
        ),
        (said(Kind.READ, Outcome.IGNORED, "read"), ("Saw our message", "", "")),
        (
            said(Kind.REACTION, Outcome.IGNORED, "reaction"),
            ("Reacted to a message", "", "a reaction claims nothing"),
        ),
        (
            told(RowState.DONE, TextKey.HELD, "unknown_outcome"),
            ("We answered · A unit is theirs", "", ""),
        ),
        (
            told(RowState.DEAD, TextKey.PROMOTED, "window_closed"),
            (
                "Not sent · A unit came back",
                "",
                "24 hours after their last message nobody may write to them",
            ),
        ),
        (told(RowState.DONE, kind=Work.PERSONAL), ("We answered · Words of your team", "", "")),
        (
            heard("checkout.session.completed", "applied", "sold"),
            ("Stripe · The payment page was finished", "", "the unit is theirs"),
        ),
        (
            heard("checkout.session.expired", "ignored", "expired"),
            (
                "Stripe · The payment page closed",
                "",
                "nothing changed, for the claim was “time ran out” already",
            ),
        ),
        (
            heard("charge.refunded", "applied", "sold"),
            ("Stripe · Money went back", "", "a part of the money; the claim stays as it is"),
        ),
        (
            heard("refund.created", "applied", "refunded"),
            ("Stripe · News of a refund", "", "all the money is back with them"),
        ),
        (
            heard("checkout.session.completed", "review", "other_amount"),
            (
                "Stripe · The payment page was finished",
                "",
                "somebody must look at it in Stripe: it is another amount than was offered",
            ),
        ),
        (
            heard("invoice.paid", "ignored", "not_ours"),
            ("Stripe · News of a payment", "", "it is about no claim of ours"),
        ),
        (step("claimed"), ("Claim · 1 × Night Jacket", "", "number 7")),
        (step("paid", variant="Large"), ("Paid · 1 × Night Jacket (Large)", "", "129.00 EUR")),
        (
            step("paid", refunded_minor=900),
            ("Paid · 1 × Night Jacket", "", "129.00 EUR, of which 9.00 EUR went back"),
        ),
        (
            step("ended", state="expired", ended_reason="hold_ended"),
            ("Claim ended · 1 × Night Jacket", "time ran out", "the time ran out"),
        ),
        (
            step("ended", state="cancelled", ended_reason="cancel", cancel_note="a reseller"),
            ("Claim ended · 1 × Night Jacket", "taken back", "the brand took it back: a reseller"),
        ),
    ],
)
def test_a_line_says_what_happened_and_why(one: Line, words: tuple[str, str, str]) -> None:
    assert in_words(one) == words


def test_everything_that_may_happen_has_words() -> None:
    assert set(KINDS) == set(Kind)
    assert set(SENDING) == set(RowState)
    assert set(WRITTEN) == set(TextKey)


@pytest.mark.parametrize(
    "reason",
    sorted(
        {
            *meta_errors.REASONS.values(),
            *meta_errors.ACCOUNT_WIDE,
            *(reason for _, reason in verdicts.BY_STATUS.values()),
            *(reason for _, reason in verdicts.BY_CODE.values()),
            *ENDING,
        }
    ),
)
def test_a_reason_is_worded(reason: str) -> None:
    assert reason in REASONS


def test_a_reason_with_a_number_behind_it_names_it() -> None:
    assert reason_words("refused:1234") == "the platform refused it with its number 1234"
    assert reason_words("bad_parameter:line_items").endswith("asks of it: line items")


def test_a_reason_of_a_later_version_is_shown_as_it_is() -> None:
    assert reason_words("sun_too_hot") == "sun too hot"


def test_an_ended_claim_of_every_state_is_worded() -> None:
    badges = [step("ended", state=state.value).badge for state in State]
    assert all(badge is not None and "_" not in badge.words for badge in badges)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("dm", "a message"),
        ("story:17", "a story"),
        ("ref:summer", "the link summer"),
        ("moon:1", "moon:1"),
        ("", ""),
    ],
)
def test_where_somebody_came_from_is_worded(source: str, words: str) -> None:
    assert source_words(source) == words

"""Who is qualified, and what a spreadsheet gets to read."""

import csv
import io
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from claimbot.core.leads import (
    BOM,
    COLUMNS,
    LeadFacts,
    LeadRow,
    QualifyRule,
    csv_line,
    describe,
    qualified,
    safe_cell,
)
from tests.lead_file import cells

WINNER = LeadFacts(
    wrote_keyword=True,
    is_reachable=True,
    has_paid=True,
    has_claimed=True,
    is_waiting=True,
    has_email=True,
    has_consented=True,
    follows_account=True,
)
EVERYTHING = QualifyRule(email_known=True, consent_given=True, follows_account=True)
NOTHING = QualifyRule(False, False, False, False)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            QualifyRule(),
            "A lead is qualified when they wrote the word, can be reached, have not opted out "
            "and claimed or wait or paid.",
        ),
        (
            EVERYTHING,
            "A lead is qualified when they wrote the word, can be reached, have not opted out, "
            "claimed or wait or paid, left an e-mail address, agreed to marketing and follow the account.",
        ),
        (replace(NOTHING, email_known=True), "A lead is qualified when they left an e-mail address."),
        (NOTHING, "Every lead is qualified."),
    ],
    ids=["default", "everything", "one", "none"],
)
def test_a_rule_is_said_in_one_sentence(rule: QualifyRule, sentence: str) -> None:
    assert describe(rule) == sentence


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        (WINNER, "paid"),
        (replace(WINNER, has_paid=False), "claimed"),
        (replace(WINNER, has_paid=False, has_claimed=False), "waits"),
    ],
)
def test_a_qualified_lead_says_the_best_reason(facts: LeadFacts, because: str) -> None:
    assert qualified(facts, EVERYTHING) == (True, because)


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        (replace(WINNER, wrote_keyword=False), "did not write the word"),
        (replace(WINNER, is_reachable=False), "cannot be reached"),
        (replace(WINNER, has_opted_out=True), "opted out"),
        (
            replace(WINNER, has_paid=False, has_claimed=False, is_waiting=False),
            "neither claimed nor waits nor paid",
        ),
        (replace(WINNER, has_email=False), "no e-mail known"),
        (replace(WINNER, has_consented=False), "no consent given"),
        (replace(WINNER, follows_account=False), "does not follow the account"),
        (LeadFacts(), "did not write the word"),
    ],
)
def test_a_lead_that_is_not_qualified_says_what_is_missing_first(facts: LeadFacts, because: str) -> None:
    assert qualified(facts, EVERYTHING) == (False, because)


@pytest.mark.parametrize("missing", ["has_email", "has_consented", "follows_account"])
def test_the_default_rule_asks_for_nothing_optional(missing: str) -> None:
    assert qualified(replace(WINNER, **{missing: False}), QualifyRule()) == (True, "paid")


@pytest.mark.parametrize(
    ("facts", "because"), [(LeadFacts(), "meets the rule"), (LeadFacts(wrote_keyword=True), "wrote the word")]
)
def test_a_rule_that_asks_for_nothing_takes_everybody(facts: LeadFacts, because: str) -> None:
    assert qualified(facts, NOTHING) == (True, because)


def test_the_columns_are_the_contract_and_the_fields_follow_them() -> None:
    contract = (
        "lead_id, brand, drop, channel, username, name, email, phone, qualified, qualified_because, outcome,"
        " claim_state, place, quantity, variant, paid_minor, currency, keyword, source, consent_marketing,"
        " consent_at, opted_out, tags, note, first_seen_at, last_seen_at, told_at, paid_at"
    )
    assert ", ".join(COLUMNS) == contract
    assert tuple(field.name for field in fields(LeadRow)) == COLUMNS


SEEN = datetime(2026, 11, 22, 3, 4, 5, 999_999, tzinfo=UTC)
ROW = LeadRow(
    lead_id="led_ana",
    brand="Aurora",
    drop="Dusk lamp",
    channel="instagram",
    username="ana.lima",
    name="Ana Lima",
    email="ana@example.com",
    phone="+351900000001",
    qualified=True,
    qualified_because="paid",
    outcome="held",
    claim_state="sold",
    place=3,
    quantity=0,
    variant="M",
    paid_minor=1_000_000_000_000,
    currency="EUR",
    keyword="LAUNCH",
    source="dm",
    consent_marketing=False,
    consent_at=SEEN,
    opted_out=False,
    tags="vip;press",
    note="calls back",
    first_seen_at=SEEN.astimezone(timezone(timedelta(hours=-5))),
    last_seen_at=SEEN,
    told_at=None,
    paid_at=SEEN,
)


WRITTEN = {
    "lead_id": "led_ana",
    "brand": "Aurora",
    "drop": "Dusk lamp",
    "channel": "instagram",
    "username": "ana.lima",
    "name": "Ana Lima",
    "email": "ana@example.com",
    "phone": "'+351900000001",
    "qualified": "yes",
    "qualified_because": "paid",
    "outcome": "held",
    "claim_state": "sold",
    "place": "3",
    "quantity": "0",
    "variant": "M",
    "paid_minor": "1000000000000",
    "currency": "EUR",
    "keyword": "LAUNCH",
    "source": "dm",
    "consent_marketing": "no",
    "consent_at": "2026-11-22T03:04:05Z",
    "opted_out": "no",
    "tags": "vip;press",
    "note": "calls back",
    "first_seen_at": "2026-11-22T03:04:05Z",
    "last_seen_at": "2026-11-22T03:04:05Z",
    "told_at": "",
    "paid_at": "2026-11-22T03:04:05Z",
}


def test_a_row_is_written_cell_by_cell() -> None:
    assert dict(zip(COLUMNS, cells(ROW), strict=True)) == WRITTEN


def test_what_is_not_known_is_an_empty_cell() -> None:
    written = dict(zip(COLUMNS, cells(LeadRow("led_bo", "Aurora")), strict=True))
    known = {name: cell for name, cell in written.items() if cell}
    assert known == {"lead_id": "led_bo", "brand": "Aurora", "qualified": "no", "opted_out": "no"}


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+351900000001",
        "-2",
        "@ana",
        "\t=1",
        "\r=1",
        "\n=1",
        "\0=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠ana",
        " =1+1",
        "\u00a0=1+1",
        "\ufeff=1+1",
        "\u200b@ana",
        " \t",
        "17841400000000017",
        "123456789012",
        "0171555",
        "00",
        "1e5",
        "12E30",
        "1.5e3",
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_or_change_is_marked_as_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ana",
        "a=b",
        "ana@example.com",
        " Ana",
        " ",
        "0",
        "7",
        "12345678901",
        "1 + 1",
        "12 drops",
        "3e",
        "led_17841400000000017",
        "2026-11-22T03:04:05Z",
        "'quoted'",
        "\N{WAVING HAND SIGN}",
    ],
)
def test_every_other_cell_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


def test_a_negative_number_is_no_formula() -> None:
    assert cells(replace(ROW, place=-1))[COLUMNS.index("place")] == "'-1"


def read_back(written: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written, newline=""), strict=True))


@pytest.mark.parametrize(
    ("line", "written"),
    [
        (["a", "b"], "a,b\r\n"),
        (["a,b", "c"], '"a,b",c\r\n'),
        (['say "hi"', ""], '"say ""hi""",\r\n'),
        (["two\nlines", "x"], '"two\nlines",x\r\n'),
        (["a\rb", "x"], '"a\rb",x\r\n'),
        ([""], '""\r\n'),
        (list(COLUMNS), ",".join(COLUMNS) + "\r\n"),
    ],
)
def test_a_line_is_written_by_rfc_4180(line: list[str], written: str) -> None:
    assert csv_line(line) == written
    assert read_back(written) == [line]


def test_the_mark_before_the_file_is_utf_8() -> None:
    assert BOM.encode() == b"\xef\xbb\xbf"

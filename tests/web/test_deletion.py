"""Meta asks to forget somebody: only Meta may, it happens once, and the result can be looked up."""

import base64
import hashlib
import hmac
import json
import re

import pytest

from claimbot.db import brands
from tests.builders import make_account, make_lead, make_sealer
from tests.pages import Answer
from tests.sandbox.worlds import APP_SECRET
from tests.web.doors import AURORA, Doors

ASK, LEFT = "/webhooks/meta/deletion", "/webhooks/meta/deauthorize"


def signed(user_id: object, secret: str = APP_SECRET, **more: object) -> str:
    payload = {"algorithm": "HMAC-SHA256", "issued_at": 1773510000, "user_id": user_id, **more}
    encoded = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=")
    signature = hmac.digest(secret.encode(), encoded, hashlib.sha256)
    return f"{base64.urlsafe_b64encode(signature).decode().rstrip('=')}.{encoded.decode()}"


def ask(doors: Doors, value: str, path: str = ASK) -> Answer:
    return doors.browser.post(path, data={"signed_request": value})


def token_of(doors: Doors) -> str:
    with doors.ledger.reading() as tx:
        account = brands.find_account(tx, make_sealer(), doors.account.id)
    assert account is not None
    return account.token


def test_the_account_of_its_owner_is_disconnected(doors: Doors) -> None:
    answer = ask(doors, signed(AURORA))

    told = json.loads(answer.text)
    assert answer.status == 200
    assert re.fullmatch("[0-9a-f]{32}", told["confirmation_code"])
    assert told["url"] == f"{doors.parts.settings.own_url}/deletion/{told['confirmation_code']}"
    assert token_of(doors) == ""
    page = doors.browser.get(f"/deletion/{told['confirmation_code']}").shown
    assert "Accounts disconnected: 1. People erased: 0." in page.text


def test_a_person_who_wrote_is_erased(doors: Doors) -> None:
    lead = make_lead(doors.ledger, doors.account, "9010", name="Canary")

    ask(doors, signed("9010"))

    ((name, erased_at),) = doors.rows("SELECT name, erased_at FROM leads WHERE id = :id", id=lead.id)
    assert name == "" and erased_at is not None


def test_the_same_request_again_is_one(doors: Doors) -> None:
    value = signed(AURORA)

    answers = [ask(doors, value).text for _ in range(2)]

    assert answers[0] == answers[1]
    assert doors.rows("SELECT count(*) FROM audit WHERE action = 'deletion_asked'") == [(1,)]


def test_nothing_found_is_an_alert_for_a_person(doors: Doors) -> None:
    assert ask(doors, signed("4711")).status == 200
    assert doors.rows("SELECT kind FROM alerts") == [("deletion",)]


def test_the_secret_of_one_account_speaks_for_that_account_only(doors: Doors) -> None:
    own = make_account(doors.ledger, doors.other_brand, "17841400000000909", app_secret="its own secret")

    ask(doors, signed(AURORA, "its own secret"))
    ask(doors, signed(own.external_id))
    assert token_of(doors) != ""

    ask(doors, signed(own.external_id, "its own secret"))
    assert doors.rows("SELECT state FROM accounts WHERE id = :id", id=own.id) == [("parked",)]


def test_an_app_that_was_taken_away_forgets_its_token(doors: Doors) -> None:
    assert ask(doors, signed(AURORA), LEFT).status == 200
    assert token_of(doors) == ""


@pytest.mark.parametrize("path", [ASK, LEFT])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "x.y",
        signed(AURORA, "another secret"),
        signed(AURORA)[:-2],
        signed(AURORA, algorithm="none"),
        signed(17841400000000101),
        signed(""),
        signed("x" * 65),
    ],
)
def test_what_meta_did_not_sign_changes_nothing(sqlite_doors: Doors, path: str, value: str) -> None:
    before = sqlite_doors.contents()

    answer = ask(sqlite_doors, value, path)

    assert answer.status == 400
    assert sqlite_doors.contents() == before


def test_a_code_that_nobody_got_leads_nowhere(sqlite_doors: Doors) -> None:
    assert sqlite_doors.browser.get(f"/deletion/{'0' * 32}").status == 404

"""Is only Meta believed, and does everything that it says end well?"""

import hashlib
import hmac
import io
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from redis import Redis

from claimbot.channels.signing import sign_meta
from claimbot.db import brands
from claimbot.flows.spool import drain_spool
from claimbot.flows.take_in import LastHeard
from claimbot.parts import make_parts
from claimbot.stock.spool import Spool
from tests.builders import NOW, make_account, make_drop
from tests.channels.people import AURORA, BOREAL
from tests.engine import settings_for
from tests.web.doors import NOBODY, SECRET, Doors, as_body, dead_ledger, hello

BODY = as_body(hello())
GOOD = sign_meta(BODY, SECRET)
SHA1 = hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest()

FORGERIES: dict[str, dict[str, str]] = {
    "no header": {},
    "empty": {"X-Hub-Signature-256": ""},
    "only the prefix": {"X-Hub-Signature-256": "sha256="},
    "no prefix": {"X-Hub-Signature-256": GOOD.removeprefix("sha256=")},
    "another prefix": {"X-Hub-Signature-256": GOOD.replace("sha256", "sha512")},
    "the old header": {"X-Hub-Signature": f"sha1={SHA1}"},
    "the old form in the new header": {"X-Hub-Signature-256": f"sha1={SHA1}"},
    "the right one in the old header": {"X-Hub-Signature": GOOD},
    "the right one in Stripe's header": {"Stripe-Signature": GOOD},
    "one digit changed": {"X-Hub-Signature-256": GOOD[:-1] + "x"},
    "one digit less": {"X-Hub-Signature-256": GOOD[:-1]},
    "one digit more": {"X-Hub-Signature-256": GOOD + "0"},
    "upper case": {"X-Hub-Signature-256": GOOD.upper()},
    "twice": {"X-Hub-Signature-256": f"{GOOD},{GOOD}"},
    "of another body": {"X-Hub-Signature-256": sign_meta(b"{}", SECRET)},
    "of the same JSON with other blanks": {"X-Hub-Signature-256": sign_meta(BODY + b" ", SECRET)},
    "with another secret": {"X-Hub-Signature-256": sign_meta(BODY, "boreal-app-secret")},
    "with the verify token": {"X-Hub-Signature-256": sign_meta(BODY, "the-verify-token")},
    "with nothing": {"X-Hub-Signature-256": "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()},
    "zeros": {"X-Hub-Signature-256": "sha256=" + "0" * 64},
    "letters beyond ASCII": {"X-Hub-Signature-256": "sha256=" + "é" * 64},
    "very long": {"X-Hub-Signature-256": "sha256=" + "0" * 20_000},
}


@pytest.mark.matrix(1)
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_delivery_is_refused_and_leaves_nothing(sqlite_doors: Doors, name: str) -> None:
    before = sqlite_doors.counted()

    answer = sqlite_doors.post_hook(BODY, FORGERIES[name])

    assert (answer.status, answer.text) == (403, "not allowed\n")
    assert sqlite_doors.counted() == before
    assert sqlite_doors.parts.spool.depth() == (0, 0)


def test_a_signed_delivery_is_stored_and_answered(doors: Doors) -> None:
    make_drop(doors.ledger, doors.brand)

    answer = doors.hook(BODY)

    assert (answer.status, answer.text) == (200, "ok\n")
    assert doors.outcomes() == [("held", "")]
    assert doors.rows("SELECT state FROM claims") == [("held",)]


def test_the_same_delivery_again_changes_nothing(doors: Doors) -> None:
    make_drop(doors.ledger, doors.brand)
    doors.hook(BODY)
    before = doors.counted()

    assert doors.hook(BODY).status == 200
    assert doors.counted() == before


def test_a_body_over_four_megabytes_is_refused_before_it_is_read(sqlite_doors: Doors) -> None:
    client = sqlite_doors.browser.client
    unread = io.BytesIO(b"x")
    told = {"CONTENT_LENGTH": str(4 * 1024 * 1024 + 1)}

    answer = client.post("/webhooks/meta", input_stream=unread, environ_overrides=told)

    assert answer.status_code == 413
    assert unread.tell() == 0


def test_a_body_without_a_length_may_not_grow_over_four_megabytes(sqlite_doors: Doors) -> None:
    endless = io.BytesIO(b"x" * (5 * 1024 * 1024))

    answer = sqlite_doors.browser.client.post(
        "/webhooks/meta", input_stream=endless, environ_overrides={"wsgi.input_terminated": True}
    )

    assert answer.status_code == 413


def test_the_handshake_returns_the_challenge_as_plain_text(sqlite_doors: Doors) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "the-verify-token"}

    answer = sqlite_doors.browser.get("/webhooks/meta", query_string=asked)

    assert (answer.status, answer.text) == (200, "1158201444")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "changes",
    [
        {"hub.verify_token": "another"},
        {"hub.verify_token": ""},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": "<script>alert(1)</script>"},
        {"hub.challenge": ""},
        {"hub.challenge": "x" * 65},
    ],
)
def test_a_wrong_handshake_is_refused_without_an_echo(sqlite_doors: Doors, changes: dict[str, str]) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158", "hub.verify_token": "the-verify-token"}

    answer = sqlite_doors.browser.get("/webhooks/meta", query_string={**asked, **changes})

    assert (answer.status, answer.text) == (403, "not allowed\n")


class TestSecretsOfTheirOwn:
    """Carmine and its twin have an app of their own; Aurora and Borealis use the deployment's."""

    OWN = "17841478000000003"
    TWIN = "17841478000000004"

    @pytest.fixture(autouse=True)
    def connect(self, doors: Doors) -> None:
        make_account(doors.ledger, doors.brand, self.OWN, app_secret="secret-of-carmine")
        make_account(doors.ledger, doors.other_brand, self.TWIN, app_secret="secret-of-carmine")

    @pytest.mark.parametrize("account", [OWN, TWIN])
    def test_their_own_secret_signs_for_every_account_that_has_it(self, doors: Doors, account: str) -> None:
        assert doors.hook(as_body(hello(account)), "secret-of-carmine").status == 200
        assert doors.outcomes() == [("unmatched", "")]

    @pytest.mark.matrix(2)
    @pytest.mark.parametrize(("account", "secret"), [(OWN, SECRET), (AURORA, "secret-of-carmine")])
    def test_a_true_signature_of_somebody_else_is_quarantined(
        self, doors: Doors, account: str, secret: str
    ) -> None:
        answer = doors.hook(as_body(hello(account)), secret)

        assert answer.status == 200
        assert doors.outcomes() == [("quarantined", "wrong_secret")]
        assert doors.rows("SELECT count(*) FROM leads") == [(0,)]
        assert doors.rows("SELECT kind FROM alerts") == [("quarantine",)]
        assert doors.rows("SELECT count(*) FROM accounts WHERE last_event_at IS NOT NULL") == [(0,)]

    def test_a_secret_that_is_also_the_deployments_signs_for_both(self, doors: Doors) -> None:
        make_account(doors.ledger, doors.brand, "17841478000000005", app_secret=SECRET)

        doors.hook(as_body(hello("17841478000000005", "mid.1")))
        doors.hook(as_body(hello(AURORA, "mid.2")))

        assert doors.outcomes() == [("unmatched", ""), ("unmatched", "")]


def test_an_unknown_account_is_quarantined(doors: Doors) -> None:
    assert doors.hook(as_body(hello("17841499999999999"))).status == 200
    assert doors.outcomes() == [("quarantined", "unknown_account")]


def test_a_delivery_is_noted_as_heard_for_its_account_only(doors: Doors) -> None:
    doors.hook(BODY)

    assert (heard_at(doors, doors.account.id), heard_at(doors, doors.other_account.id)) == (NOW, None)


@pytest.mark.parametrize(("later_seconds", "is_noted"), [(4.9, False), (5.1, True)])
def test_an_account_is_noted_as_heard_at_most_every_five_seconds(
    doors: Doors, later_seconds: float, is_noted: bool
) -> None:
    seconds = [100.0]
    last_heard = LastHeard(doors.parts, lambda: seconds[0])
    last_heard.note([doors.account.id])
    doors.hands.at = NOW + timedelta(seconds=later_seconds)
    seconds[0] += later_seconds

    last_heard.note([doors.account.id])

    assert (heard_at(doors, doors.account.id) == doors.hands.at) is is_noted


def heard_at(doors: Doors, account_id: str) -> datetime | None:
    with doors.ledger.reading() as tx:
        found = brands.find_account(tx, doors.parts.sealer, account_id)
    assert found is not None
    return found.last_event_at


class TestSqlIsDown:
    def test_the_raw_body_waits_in_the_spool_and_is_received_later(self, doors: Doors) -> None:
        make_drop(doors.ledger, doors.brand)
        doors.parts.catalog(is_fresh=True)

        answer = doors.without_sql().hook(BODY)

        assert answer.status == 200
        assert [one.body for one in doors.parts.spool.read(10)] == [BODY]
        assert drain_spool(doors.parts) == 1
        assert doors.outcomes() == [("held", "")]

    def test_the_spool_remembers_whose_secret_signed(self, doors: Doors) -> None:
        make_account(doors.ledger, doors.brand, "17841478000000003", app_secret="secret-of-carmine")
        doors.parts.catalog(is_fresh=True)

        doors.without_sql().hook(as_body(hello(AURORA)), "secret-of-carmine")
        drain_spool(doors.parts)

        assert doors.outcomes() == [("quarantined", "wrong_secret")]

    def test_a_process_that_never_saw_an_account_believes_the_deployments_secret(
        self, sqlite_doors: Doors, redis_url: str
    ) -> None:
        parts = make_parts(settings_for(dead_ledger(), redis_url), sqlite_doors.hands)
        blank = replace(sqlite_doors, parts=parts)

        assert blank.hook(BODY).status == 200
        assert blank.hook(BODY, "secret-of-carmine").status == 403
        assert parts.spool.depth()[0] == 1

    def test_without_redis_too_nobody_says_that_it_was_stored(self, sqlite_doors: Doors) -> None:
        settings = settings_for(dead_ledger(), f"redis://{NOBODY}")
        dead = replace(sqlite_doors, parts=make_parts(settings, sqlite_doors.hands))

        answer = dead.hook(BODY)

        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1

    def test_a_full_spool_asks_meta_to_come_again(self, sqlite_doors: Doors, redis_client: Redis) -> None:
        sqlite_doors.parts.catalog(is_fresh=True)
        full = replace(sqlite_doors.without_sql().parts, spool=Spool(redis_client, max_entries=1))
        doors = replace(sqlite_doors, parts=full)

        statuses = [doors.hook(as_body(hello(mid=mid))) for mid in ("mid.1", "mid.2")]

        assert [one.status for one in statuses] == [200, 503]
        assert statuses[1].headers["Retry-After"] == "30"


def test_redis_alone_may_be_down(doors: Doors) -> None:
    make_drop(doors.ledger, doors.brand)
    settings = settings_for(doors.ledger, f"redis://{NOBODY}")
    without_redis = replace(doors, parts=make_parts(settings, doors.hands))

    assert without_redis.hook(BODY).status == 200
    assert doors.outcomes() == [("held", "")]


def test_two_brands_in_one_delivery_get_their_own(doors: Doors) -> None:
    make_drop(doors.ledger, doors.brand)
    make_drop(doors.ledger, doors.other_brand)
    both = hello(AURORA, "mid.a")
    both["entry"] += hello(BOREAL, "mid.b")["entry"]

    assert doors.hook(as_body(both)).status == 200
    owners = doors.rows("SELECT DISTINCT brand_id FROM claims")
    assert sorted(owners) == sorted([(doors.brand.id,), (doors.other_brand.id,)])

"""An owner sets up the brand: its account, its keys, its words. Secrets go in and never come out."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from claimbot.app import create_app
from claimbot.core.texts import TextKey
from claimbot.db import audit, brands
from claimbot.db.engine import Ledger
from claimbot.web.admin.word_settings import TEXTS
from tests.builders import make_sealer
from tests.engine import Engine, running_engine
from tests.pages import Answer, CheckingClient
from tests.sandbox.worlds import KEY, PAGE_ID, PAGE_TOKEN, TOKEN, WEBHOOK_SECRET
from tests.web.admin.desk import OWNER, PASSWORD_HASH, Desk, try_in

SETTINGS = "/admin/aurora/settings"
INSTAGRAM = f"{SETTINGS}/instagram"
STRIPE = f"{SETTINGS}/stripe"
WORDS = f"{SETTINGS}/words"
AUDIT = f"{SETTINGS}/audit"


@pytest.fixture
def engine(on_sqlite: Ledger, redis_url: str) -> Iterator[Engine]:
    """The real doors, and the platform and Stripe of the sandbox."""
    with running_engine(on_sqlite, redis_url) as running:
        with on_sqlite.begin() as tx:
            operator_id = brands.insert_operator(tx, OWNER, PASSWORD_HASH, running.clock())
            brands.insert_membership(tx, operator_id, running.brand.id, "owner")
        yield running


@pytest.fixture
def browser(engine: Engine) -> CheckingClient:
    client = CheckingClient(create_app(engine.parts).test_client())
    assert try_in(client, OWNER).status == 303
    return client


def send(browser: CheckingClient, page: str, action: str, **fields: str) -> Answer:
    answer = browser.send(browser.get(page).shown, action, **fields)
    return browser.get(answer.location) if answer.status == 303 else answer


def only_account(browser: CheckingClient, step: str) -> str:
    """Where the step of the first account is sent."""
    forms = [one.action for one in browser.get(INSTAGRAM).shown.forms if one.action.endswith(f"/{step}")]
    return forms[0]


class TestInstagram:
    def test_a_token_is_asked_whose_it_is(self, engine: Engine, browser: CheckingClient) -> None:
        answer = send(
            browser,
            INSTAGRAM,
            f"{INSTAGRAM}/connect",
            variant="page",
            page_id=PAGE_ID,
            token=f" {PAGE_TOKEN} ",
        )

        assert "The account is connected and subscribed." in answer.shown.text
        assert "@borealis.demo connected" in answer.shown.text
        assert engine.rows("SELECT count(*) FROM accounts WHERE state = 'live'") == [(2,)]

    def test_a_new_token_of_a_known_account_takes_the_place_of_the_old(
        self, engine: Engine, browser: CheckingClient
    ) -> None:
        answer = send(browser, INSTAGRAM, f"{INSTAGRAM}/connect", token=TOKEN)

        assert "59 days left" in answer.shown.text or "60 days left" in answer.shown.text
        assert engine.rows("SELECT count(*) FROM accounts") == [(1,)]

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"token": ""}, "Paste the token."),
            ({"token": "wrong-canary"}, "The platform does not take this token"),
            ({"token": "two words"}, "The platform does not take this token"),
            ({"token": PAGE_TOKEN, "variant": "page"}, "Write the id of the Page"),
        ],
    )
    def test_a_wrong_one_is_refused_and_not_repeated(
        self, engine: Engine, browser: CheckingClient, form: dict[str, str], words: str
    ) -> None:
        answer = send(browser, INSTAGRAM, f"{INSTAGRAM}/connect", **form)

        assert answer.status == 422
        assert words in answer.shown.text
        assert "canary" not in answer.text
        assert engine.rows("SELECT count(*) FROM accounts") == [(1,)]

    def test_it_is_tried_out_and_subscribed(self, engine: Engine, browser: CheckingClient) -> None:
        tried = send(browser, INSTAGRAM, only_account(browser, "try"))
        subscribed = send(browser, INSTAGRAM, only_account(browser, "subscribe"))

        assert "The platform says webhook fields are missing" in tried.shown.text
        assert "The platform says well" in subscribed.shown.text
        assert "messages, messaging_postbacks" in subscribed.shown.text
        assert engine.rows("SELECT action FROM audit ORDER BY id DESC LIMIT 1") == [("account_subscribed",)]

    def test_the_audit_says_what_the_platform_did_not_send(
        self, engine: Engine, browser: CheckingClient
    ) -> None:
        facts = {"brand_id": engine.brand.id, "missing": ["comments"]}
        with engine.parts.ledger.begin() as tx:
            audit.insert_line(tx, "claimbot", "account_subscribed", "acc_1", now=engine.clock(), **facts)

        shown = browser.get(AUDIT).shown

        assert "the platform did not send us until then: comments" in shown.text

    def test_a_disconnected_one_forgets_its_token(self, engine: Engine, browser: CheckingClient) -> None:
        answer = send(browser, INSTAGRAM, only_account(browser, "disconnect"))

        assert "its token is forgotten" in answer.shown.text
        assert "@aurora.studio disconnected" in answer.shown.text
        with engine.parts.ledger.reading() as tx:
            account = brands.find_account(tx, make_sealer(), engine.account.id)
        assert account is not None and (account.token, account.is_live) == ("", False)

    def test_what_waited_is_sent_when_it_is_connected_again(
        self, engine: Engine, browser: CheckingClient
    ) -> None:
        engine.drop()
        send(browser, INSTAGRAM, only_account(browser, "disconnect"))
        engine.dm("ana")
        engine.work()
        assert engine.heard("ana") == []

        send(browser, INSTAGRAM, f"{INSTAGRAM}/connect", token=TOKEN)
        engine.work()

        assert len(engine.heard("ana")) == 1

    def test_a_token_is_never_shown(self, browser: CheckingClient) -> None:
        assert TOKEN not in browser.get(INSTAGRAM).text


class TestStripe:
    def test_keys_are_kept_and_never_shown(self, engine: Engine, browser: CheckingClient) -> None:
        answer = send(
            browser, STRIPE, STRIPE, secret_key="rk_test_canary", webhook_secrets="whsec_one, whsec_two"
        )

        assert "The keys are kept." in answer.shown.text
        assert "test Nobody pays real money" in answer.shown.text
        assert "A restricted key. 2 webhook secrets." in answer.shown.text
        assert not re.search("canary|whsec_(one|two)", answer.text)
        with engine.parts.ledger.reading() as tx:
            kept = brands.find_payment_keys(tx, make_sealer(), engine.brand.id)
        assert kept is not None and kept.webhook_secrets == ("whsec_one", "whsec_two")

    def test_what_is_left_empty_stays(self, engine: Engine, browser: CheckingClient) -> None:
        send(browser, STRIPE, STRIPE, webhook_secrets="whsec_new")

        with engine.parts.ledger.reading() as tx:
            kept = brands.find_payment_keys(tx, make_sealer(), engine.brand.id)
        assert kept is not None and (kept.secret_key, kept.webhook_secrets) == (KEY, ("whsec_new",))

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"secret_key": "pk_test_canary"}, "must begin with sk_live_"),
            ({"webhook_secrets": "canary"}, "must begin with whsec_"),
            ({"account": "canary"}, "It begins with acct_."),
        ],
    )
    def test_wrong_ones_are_refused(self, browser: CheckingClient, form: dict[str, str], words: str) -> None:
        answer = send(browser, STRIPE, STRIPE, **form)

        assert answer.status == 422
        assert words in answer.shown.text

    def test_stripe_is_asked_whether_they_work(self, browser: CheckingClient) -> None:
        right = send(browser, STRIPE, f"{STRIPE}/try")
        send(browser, STRIPE, STRIPE, secret_key="sk_test_unknown")
        wrong = send(browser, STRIPE, f"{STRIPE}/try")

        assert "Stripe takes this key." in right.shown.text
        assert "Stripe does not take this key" in wrong.shown.text

    def test_the_secrets_of_the_brand_are_on_no_page(self, browser: CheckingClient) -> None:
        pages = [
            browser.get(page).text for page in (SETTINGS, STRIPE, INSTAGRAM, AUDIT, "/admin/aurora/health")
        ]
        assert not [page for page in pages if KEY in page or WEBHOOK_SECRET in page]


class TestBrand:
    def test_it_is_changed_and_the_audit_says_what(self, each_desk: Desk) -> None:
        browser = each_desk.sign_in()

        answer = send(
            browser, SETTINGS, SETTINGS, name="Aurora Nord", timezone="Asia/Tokyo", retention_days="90"
        )

        assert "Kept." in answer.shown.text
        assert each_desk.doors.rows(
            "SELECT name, timezone, retention_days FROM brands WHERE slug = 'aurora'"
        ) == [("Aurora Nord", "Asia/Tokyo", 90)]
        assert "name, timezone, retention_days" in browser.get(AUDIT).shown.text

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"name": ""}, "How do followers know the brand?"),
            ({"timezone": "Mars"}, "There is no such zone"),
            ({"retention_days": "0"}, "Write a whole number."),
            ({"retention_days": "3651"}, "Write a whole number from 1 to 3650."),
            ({"retention_days": "soon"}, "Write a whole number."),
            ({"locale": "xx"}, "Not a valid choice."),
        ],
    )
    def test_what_cannot_be_is_told_beside_its_field(
        self, desk: Desk, form: dict[str, str], words: str
    ) -> None:
        answer = send(desk.sign_in(), SETTINGS, SETTINGS, **form)

        assert answer.status == 422
        assert words in answer.shown.text

    def test_nothing_changed_is_nothing_done(self, desk: Desk) -> None:
        send(desk.sign_in(), SETTINGS, SETTINGS)
        assert desk.audited() == ["signed_in"]


class TestWords:
    def test_every_occasion_can_be_worded(self) -> None:
        assert set(TEXTS) == set(TextKey)

    def test_texts_and_commands_are_kept_and_used(self, engine: Engine, browser: CheckingClient) -> None:
        fields = {"text-help": "Ask {brand} anything.", "command-help": "what, who are you"}

        answer = send(browser, WORDS, WORDS, **fields)
        engine.parts.catalog(is_fresh=True)
        engine.dm("ana", "Who are you?")
        engine.work()

        assert "Kept." in answer.shown.text
        assert engine.heard("ana") == ["Ask Aurora anything."]

    def test_a_preview_keeps_nothing_and_shows_the_length(self, desk: Desk) -> None:
        browser = desk.sign_in()
        answer = send(browser, WORDS, WORDS, **{"text-held": "Yours, {first_name}!", "do": "preview"})

        assert "Yours, Ana!" in answer.shown.text
        assert "11 of 1000 bytes" in answer.shown.text
        assert desk.audited() == ["signed_in"]

    @pytest.mark.parametrize(
        ("field", "typed", "words"),
        [
            ("text-held", "Hi {nobody}", "nobody"),
            ("text-held", "Hi {first_name", "brace without its partner"),
            ("command-stop", "LAUNCH", "is the word of Night Jacket: choose another."),
            ("command-stop", "x" * 41, "At most 20 words of 40 characters."),
        ],
    )
    def test_what_cannot_be_is_refused(self, desk: Desk, field: str, typed: str, words: str) -> None:
        desk.drop()
        answer = send(desk.sign_in(), WORDS, WORDS, **{field: typed})

        assert answer.status == 422
        assert words in answer.shown.text
        assert typed in answer.text

    def test_an_empty_text_is_ours_again(self, desk: Desk) -> None:
        browser = desk.sign_in()
        send(browser, WORDS, WORDS, **{"text-held": "Yours!"})
        send(browser, WORDS, WORDS, **{"text-held": ""})

        assert "Yours!" not in browser.get(WORDS).text


class TestAudit:
    def test_it_says_who_did_what_and_when(self, each_desk: Desk) -> None:
        browser = each_desk.sign_in()
        send(browser, SETTINGS, SETTINGS, name="Aurora Nord")

        page = browser.get(AUDIT).shown

        assert f"Brand changed {OWNER} 14 Mar 2026, 19:00 CET" in page.text
        assert f"Signed in {OWNER}" in page.text

    def test_it_is_filtered_and_paged(self, each_desk: Desk) -> None:
        browser = each_desk.sign_in()
        with each_desk.doors.ledger.begin() as tx:
            for number in range(60):
                at = each_desk.doors.hands.at + timedelta(seconds=number)
                audit.insert_line(
                    tx, "cli:ann", "drop_created", f"made {number}", now=at, brand_id=each_desk.brand.id
                )
        first = browser.get(f"{AUDIT}?action=drop_created").shown
        (older,) = [link for link in first.links() if "before=" in link]
        second = browser.get(older).shown

        assert (first.text.count("Drop created"), second.text.count("made ")) == (51, 10)
        assert "Signed in" not in first.text.partition("About More")[2]

    def test_nothing_of_another_brand_is_told(self, desk: Desk) -> None:
        with desk.doors.ledger.begin() as tx:
            now = desk.doors.hands.at
            audit.insert_line(
                tx, "cli:ann", "drop_opened", "canary", now=now, brand_id=desk.doors.other_brand.id
            )

        assert "canary" not in desk.sign_in().get(AUDIT).text

    def test_a_change_by_hand_is_found(self, each_desk: Desk) -> None:
        browser = each_desk.sign_in()
        whole = send(browser, AUDIT, f"{AUDIT}/check")
        with each_desk.doors.ledger.begin() as tx:
            tx.exec_driver_sql("UPDATE audit SET actor = 'operator:nobody'")
        broken = send(browser, AUDIT, f"{AUDIT}/check")

        assert "The record is whole" in whole.shown.text
        assert "The record was changed by hand" in broken.shown.text

    @pytest.mark.parametrize("before", ["x", "-1", "9" * 19])
    def test_a_page_that_cannot_be_is_not_there(self, desk: Desk, before: str) -> None:
        assert desk.sign_in().get(f"{AUDIT}?before={before}").status == 404

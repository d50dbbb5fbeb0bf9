"""A brand changes a drop, makes it again, or throws a draft away; what was promised to somebody stays."""

from datetime import UTC, datetime, timedelta

import pytest

from claimbot.core.claims import State
from claimbot.core.drops import Drop, DropKind, DropState, Variant
from claimbot.core.money import Money
from claimbot.core.payments import CheckoutOptions
from claimbot.db import drops, units
from claimbot.db.inbox import Arrival, Ending, insert_events
from claimbot.flows.verify import verify
from tests.builders import NOW, make_claim, make_drop, make_lead, told
from tests.pages import Answer, CheckingClient
from tests.web.admin.desk import NEW_DROP, Desk

DROPS, NEW = "/admin/aurora/drops", "/admin/aurora/drops/new"


def path_of(drop: Drop) -> str:
    return f"{DROPS}/{drop.id}/edit"


def change(browser: CheckingClient, drop: Drop, **typed: str) -> Answer:
    return browser.send(browser.get(path_of(drop)).shown, path_of(drop), do="save", **typed)


def now_is(desk: Desk, drop: Drop) -> Drop:
    with desk.doors.ledger.reading() as tx:
        found = drops.find_drop(tx, drop.id)
    assert found is not None
    return found


def words_of(desk: Desk, drop: Drop) -> list[str]:
    with desk.doors.ledger.reading() as tx:
        return [keyword.word for keyword in drops.list_keywords_of(tx, drop.id)]


def sizes() -> list[Variant]:
    small = Variant("var_small", "S", "Small", ("little",), Money(9_900, "EUR"))
    return [small, Variant("var_large", "L", "Large")]


class TestChanging:
    def test_a_form_that_is_saved_as_it_was_shown_changes_nothing(self, each_desk: Desk) -> None:
        opens_at = datetime(2026, 10, 25, 1, 30, 15, tzinfo=UTC)  # the second 02:30 of that night
        options = CheckoutOptions(True, ("DE", "AT"), True, True, True)
        more = {"texts": {"held": "Yours!"}, "image_url": "https://pictures.example/a.jpg"}
        drop = each_desk.drop(variants=sizes(), opens_at=opens_at, options=options, **more)

        change(each_desk.sign_in(), drop)

        after = now_is(each_desk, drop)
        assert after.version == drop.version + 1
        same = {name: getattr(drop, name) for name in Drop.__dataclass_fields__ if name != "version"}
        assert {name: getattr(after, name) for name in same} == same
        assert words_of(each_desk, drop) == ["LAUNCH"]

    def test_a_draft_changes_in_every_part(self, each_desk: Desk) -> None:
        drop = each_desk.drop(state=DropState.DRAFT, stock_units=3)
        typed = {"name": "Day Jacket", "kind": "free", "price": "", "words": "day, jacket", "stock-0": "7"}

        change(each_desk.sign_in(), drop, **typed)

        after = now_is(each_desk, drop)
        assert (after.name, after.kind, after.price.minor) == ("Day Jacket", DropKind.FREE, 0)
        assert words_of(each_desk, drop) == ["day", "jacket"]
        with each_desk.doors.ledger.reading() as tx:
            assert units.count_stock(tx, after.variants[0].id).free == 7
        assert after.state is DropState.DRAFT

    def test_an_open_drop_keeps_what_its_holds_rest_on(self, each_desk: Desk) -> None:
        drop = each_desk.drop(variants=sizes(), stock_units=4)
        lead = make_lead(each_desk.doors.ledger, each_desk.doors.account)
        claim = make_claim(each_desk.doors.ledger, drop, lead, **told(10))
        forged = {"price": "1.00", "kind": "free", "rows": "1", "code-0": "X", "stock-0": "9"}

        answer = change(each_desk.sign_in(), drop, hold_minutes="30", limit="2", words="LAUNCH, go", **forged)

        after = now_is(each_desk, drop)
        assert answer.location.endswith("did=changed")
        assert (after.hold_minutes, after.per_follower_limit) == (30, 2)
        assert (after.kind, after.price, after.variants) == (drop.kind, drop.price, drop.variants)
        assert words_of(each_desk, drop) == ["LAUNCH", "go"]
        assert each_desk.doors.rows("SELECT price_minor FROM claims")[0][0] == claim.unit_price.minor
        assert [one for one in verify(each_desk.doors.parts) if not one.ok] == []

    def test_a_smaller_limit_takes_nothing_from_who_has_more(self, each_desk: Desk) -> None:
        drop = each_desk.drop(per_follower_limit=3)
        lead = make_lead(each_desk.doors.ledger, each_desk.doors.account)
        make_claim(each_desk.doors.ledger, drop, lead, State.HELD, quantity=3, **told(10))

        change(each_desk.sign_in(), drop, limit="1")

        assert now_is(each_desk, drop).per_follower_limit == 1
        assert [one for one in verify(each_desk.doors.parts) if not one.ok] == []

    def test_the_open_form_shows_what_is_fixed_and_no_field_for_it(self, desk: Desk) -> None:
        drop = desk.drop()
        shown = desk.sign_in().get(path_of(drop)).shown

        assert "Fixed since it was opened" in shown.text and "129.00 EUR" in shown.text
        assert {"price", "kind", "stock-0"}.isdisjoint(shown.form(path_of(drop)).fields)

    def test_who_saves_an_old_page_is_told_and_keeps_what_they_typed(self, desk: Desk) -> None:
        drop = desk.drop()
        browser = desk.sign_in()
        old = browser.get(path_of(drop)).shown
        change(browser, drop, hold_minutes="20")

        answer = browser.send(old, path_of(drop), do="save", name="Mine")

        assert (answer.status, now_is(desk, drop).hold_minutes) == (409, 20)
        assert "This drop was changed meanwhile" in answer.shown.text
        assert answer.shown.form(path_of(drop)).fields["name"] == "Mine"
        assert browser.send(answer.shown, path_of(drop), do="save").status == 303

    def test_a_new_opening_time_serves_the_line_first(self, each_desk: Desk) -> None:
        drop = each_desk.drop(opens_at=NOW + timedelta(hours=2), stock_units=1)
        lead = make_lead(each_desk.doors.ledger, each_desk.doors.account)
        make_claim(each_desk.doors.ledger, drop, lead, State.WAITLISTED)

        change(each_desk.sign_in(), drop, opens_at="")

        assert each_desk.doors.rows("SELECT state FROM claims") == [("held",)]

    def test_a_fault_stands_beside_its_field_and_nothing_is_saved(self, desk: Desk) -> None:
        drop = desk.drop()
        answer = change(desk.sign_in(), drop, hold_minutes="0", shipping="DE, Narnia", words="")

        assert (answer.status, now_is(desk, drop)) == (422, drop)
        for sentence in ("A hold lasts 1 to 1380 minutes", "“NARNIA” is no country", "has no keyword"):
            assert sentence in answer.shown.text

    def test_the_audit_names_what_changed_and_quotes_no_text(self, desk: Desk) -> None:
        drop = desk.drop()
        change(desk.sign_in(), drop, limit="2", **{"text-held": "A secret wording"})

        (facts,) = desk.doors.rows("SELECT facts FROM audit WHERE action = 'drop_changed'")[0]
        assert "per_follower_limit" in str(facts) and "texts" in str(facts)
        assert "secret" not in str(facts)

    def test_its_own_words_do_not_clash_with_themselves(self, desk: Desk) -> None:
        drop, other = desk.drop(words=("LAUNCH",)), desk.drop(words=("SHOES",), name="Aurora Shoes")
        browser = desk.sign_in()

        own, taken = change(browser, drop, words="launch, more"), change(browser, drop, words="shoes")

        assert (own.status, taken.status) == (303, 422)
        assert f"“shoes” already belongs to the drop “{other.name}”" in taken.shown.text


class TestWordsAtOnce:
    def test_the_preview_names_the_drop_that_has_the_word(self, desk: Desk) -> None:
        desk.drop(words=("LAUNCH",), name="Aurora Tee")
        browser = desk.sign_in()

        answer = browser.send(browser.get(NEW).shown, NEW, do="preview", words="Launch")

        assert answer.status == 200
        assert "“Launch” already belongs to the drop “Aurora Tee”" in answer.shown.text
        assert "Not saved yet" not in answer.shown.text


class TestCopying:
    def test_a_copy_has_everything_but_the_times(self, each_desk: Desk) -> None:
        drop = each_desk.drop(variants=sizes(), hold_minutes=42, opens_at=NOW, state=DropState.CLOSED)
        browser = each_desk.sign_in()
        page = browser.get(f"{NEW}?like={drop.id}").shown

        answer = browser.send(page, NEW, do="save")

        made = answer.location.rpartition("/")[2].partition("?")[0]
        with each_desk.doors.ledger.reading() as tx:
            copy = drops.find_drop(tx, made)
        assert copy is not None
        assert (copy.name, copy.hold_minutes, copy.opens_at) == ("Night Jacket (copy)", 42, None)
        kept = [(one.code, one.name, one.aliases, one.price) for one in drop.variants]
        assert [(one.code, one.name, one.aliases, one.price) for one in copy.variants] == kept
        assert copy.state is DropState.DRAFT

    def test_a_copy_of_a_live_drop_says_at_once_that_its_word_is_taken(self, desk: Desk) -> None:
        drop = desk.drop()
        page = desk.sign_in().get(f"{NEW}?like={drop.id}").shown
        assert "“LAUNCH” already belongs to the drop “Night Jacket”" in page.text
        assert "Not saved yet" not in page.text

    def test_a_copy_of_another_brands_drop_does_not_exist(self, desk: Desk) -> None:
        theirs = make_drop(desk.doors.ledger, desk.doors.other_brand)
        assert desk.sign_in().get(f"{NEW}?like={theirs.id}").status == 404

    def test_a_new_drop_is_in_the_currency_of_the_last(self, desk: Desk) -> None:
        desk.drop(price=Money(5_000, "JPY"))
        assert desk.sign_in().get(NEW).shown.form(NEW).fields["currency"] == "JPY"


class TestDeleting:
    def test_a_draft_goes_with_everything_of_it(self, each_desk: Desk) -> None:
        drop = each_desk.drop(state=DropState.DRAFT)
        browser = each_desk.sign_in()

        answer = browser.send(browser.get(f"{DROPS}/{drop.id}").shown, f"{DROPS}/{drop.id}/delete")

        assert "The draft is deleted." in browser.get(answer.location).shown.text
        counts = [
            each_desk.doors.rows(f"SELECT count(*) FROM {name}")[0][0]
            for name in ("drops", "units", "keywords")
        ]
        assert counts == [0, 0, 0]

    @pytest.mark.parametrize("state", [DropState.OPEN, DropState.PAUSED, DropState.CLOSED])
    def test_what_was_open_stays_in_the_books(self, desk: Desk, state: DropState) -> None:
        drop, draft = desk.drop(state=state), desk.drop(state=DropState.DRAFT, words=("other",))
        browser = desk.sign_in()
        page = browser.get(f"{DROPS}/{draft.id}").shown
        fields = page.form(f"{DROPS}/{draft.id}/delete").fields

        answer = browser.post(f"{DROPS}/{drop.id}/delete", data=fields)

        assert (answer.status, now_is(desk, drop)) == (409, drop)
        assert "Only a draft can be deleted" in answer.shown.text

    def test_what_somebody_wrote_about_stays(self, each_desk: Desk) -> None:
        drop = each_desk.drop(state=DropState.DRAFT)
        with each_desk.doors.ledger.begin() as tx:
            arrival = Arrival("key", "key", NOW, "text", brand_id=each_desk.brand.id)
            insert_events(tx, [(arrival, Ending("key", "not_open_yet", drop_id=drop.id))])
        browser = each_desk.sign_in()

        answer = browser.send(browser.get(f"{DROPS}/{drop.id}").shown, f"{DROPS}/{drop.id}/delete")

        assert answer.status == 409
        assert "Somebody wrote about this draft already" in answer.shown.text


class TestCheckout:
    def test_what_the_buyer_is_asked_for_reaches_the_drop(self, desk: Desk) -> None:
        browser = desk.sign_in()
        ticks = {"collect_phone": "yes", "promotion_codes": "yes", "marketing_consent": "yes"}

        browser.send(browser.get(NEW).shown, NEW, **{**NEW_DROP, **ticks, "shipping": "eu, ch", "do": "save"})

        with desk.doors.ledger.reading() as tx:
            options = drops.list_drops(tx, desk.brand.id)[0].options
        assert (options.collect_phone, options.promotion_codes, options.marketing_consent) == (
            True,
            True,
            True,
        )
        assert options.automatic_tax is False
        assert len(options.shipping_countries) == 28 and {"DE", "FR", "CH"} <= set(options.shipping_countries)

    def test_a_picture_is_shown_on_the_phone_and_the_policy_lets_it(self, desk: Desk) -> None:
        browser = desk.sign_in()
        url = "https://pictures.example/a.jpg"

        answer = browser.send(browser.get(NEW).shown, NEW, do="preview", image_url=url)

        assert url in [one["src"] for one in answer.shown.all("img")]
        assert "img-src 'self' https:;" in answer.headers["Content-Security-Policy"]

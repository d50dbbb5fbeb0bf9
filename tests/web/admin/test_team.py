"""People come in by a link of their own, get a role in a brand, and leave; the last owner stays."""

import re

import pytest

from claimbot.app import create_app
from claimbot.db.engine import Ledger
from claimbot.flows.invite import NewInvite, forget_second_factor, invite
from claimbot.parts import make_parts
from claimbot.web.admin.brands import slug_of
from tests.engine import settings_for
from tests.pages import Answer, CheckingClient
from tests.web.admin.desk import BOTH, EDITOR, OWNER, STRANGER, VIEWER, Desk, token_of, try_in

PEOPLE = "/admin/aurora/settings/people"
NEW = "lantern otter seven brooms"
ANN = "ann@aurora.test"
PASSWORDS = {"new_password": NEW, "repeated": NEW}


def invited(desk: Desk, email: str = ANN, role: str = "editor") -> str:
    """The path of the link that an owner gets to send."""
    browser = desk.sign_in()
    answer = browser.send(browser.get(PEOPLE).shown, f"{PEOPLE}/invite", email=email, role=role)
    assert answer.status == 200, answer.text
    (path,) = re.findall(r'value="http[^"]*?(/admin/join/[0-9a-z]{26})"', answer.text)
    return str(path)


def join(desk: Desk, path: str, **more: str) -> tuple[CheckingClient, Answer]:
    browser = desk.browser()
    return browser, browser.send(browser.get(path).shown, path, **{**PASSWORDS, **more})


def change(desk: Desk, browser: CheckingClient, email: str, step: str, **form: str) -> Answer:
    ((operator_id,),) = desk.doors.rows("SELECT id FROM operators WHERE email = :email", email=email)
    path = f"{PEOPLE}/{operator_id}/{step}"
    return browser.post(path, data={"form_token": token_of(browser), **form})


class TestInvitation:
    def test_a_new_person_chooses_a_password_and_is_in(self, each_desk: Desk) -> None:
        path = invited(each_desk)

        browser, answer = join(each_desk, path)

        assert answer.status == 303
        assert browser.get("/admin/").location == "/admin/aurora/drops"
        assert browser.get("/admin/aurora/drops/new").status == 200
        assert browser.get(PEOPLE).status == 403
        assert try_in(each_desk.browser(), ANN, NEW).status == 303
        assert [one for one in each_desk.audited() if one != "signed_in"] == ["invited", "joined"]

    def test_a_link_works_once(self, each_desk: Desk) -> None:
        path = invited(each_desk)
        page = each_desk.browser().get(path).shown
        join(each_desk, path)

        assert each_desk.browser().send(page, path, **PASSWORDS).status == 404
        assert each_desk.browser().get(path).shown.heading == "This link has ended"

    def test_a_link_ends_after_a_week(self, desk: Desk) -> None:
        path = invited(desk)
        desk.pass_time(days=7)
        assert desk.browser().get(path).status == 404

    def test_a_link_is_taken_back(self, each_desk: Desk) -> None:
        path = invited(each_desk)
        browser = each_desk.sign_in()
        page = browser.get(PEOPLE).shown
        (revoke,) = [form.action for form in page.forms if form.action.endswith("/revoke")]

        browser.send(page, revoke)

        assert each_desk.browser().get(path).status == 404
        assert browser.send(page, revoke).status == 404
        assert each_desk.audited()[-1] == "invitation_revoked"

    def test_a_new_link_for_the_same_person_ends_the_old_one(self, desk: Desk) -> None:
        old, new = invited(desk), invited(desk, ANN.upper())
        assert [desk.browser().get(path).status for path in (old, new)] == [404, 200]

    def test_it_is_for_one_address(self, desk: Desk) -> None:
        browser, _ = join(desk, invited(desk), email="somebody@else.test")
        assert ANN in browser.get("/admin/me").shown.text

    def test_somebody_known_signs_in_and_gets_one_brand_more(self, each_desk: Desk) -> None:
        path = invited(each_desk, STRANGER, "viewer")
        browser = each_desk.browser()
        led_to = browser.get(path).shown.links()[-1]

        back = try_in(browser, STRANGER, path=led_to)
        answer = browser.send(browser.get(back.location).shown, path)

        assert back.location == path
        assert "You have joined" in browser.get(answer.location).shown.text
        assert browser.get("/admin/aurora/drops").status == 200
        assert browser.get("/admin/aurora/drops/new").status == 403
        assert browser.get("/admin/borealis/settings/people").status == 200

    def test_the_link_of_somebody_known_gives_nobody_a_password(self, desk: Desk) -> None:
        path = invited(desk, STRANGER)
        token = desk.browser().get(invited(desk)).shown.forms[0].fields["form_token"]

        answer = desk.browser().post(path, data={**PASSWORDS, "form_token": token})

        assert answer.status == 403
        assert try_in(desk.browser(), STRANGER).status == 303

    def test_the_link_of_somebody_else_gives_no_brand(self, desk: Desk) -> None:
        path = invited(desk, STRANGER)
        stranger, editor = desk.sign_in(STRANGER), desk.sign_in(EDITOR)
        token = stranger.get(path).shown.forms[0].fields["form_token"]

        assert editor.post(path, data={"form_token": token}).status == 403
        assert stranger.get(path).status == 200

    @pytest.mark.parametrize(
        ("email", "words"),
        [
            ("", "Whom do you invite?"),
            ("no address", "This is no e-mail address."),
            (EDITOR, "They work here already."),
        ],
    )
    def test_a_wrong_address_is_refused(self, desk: Desk, email: str, words: str) -> None:
        browser = desk.sign_in()
        answer = browser.send(browser.get(PEOPLE).shown, f"{PEOPLE}/invite", email=email)

        assert answer.status == 422
        assert words in answer.shown.text

    def test_an_easy_password_is_refused(self, desk: Desk) -> None:
        _, answer = join(desk, invited(desk), new_password="Aurora2026!!!", repeated="Aurora2026!!!")

        assert answer.status == 422
        assert "This is guessed too easily." in answer.shown.text

    def test_only_a_hash_of_the_link_is_kept(self, desk: Desk) -> None:
        path = invited(desk)
        assert path.rpartition("/")[2] not in str(desk.doors.contents())


class TestLinkOfATerminal:
    def test_the_first_person_owns_what_the_terminal_made(self, each_desk: Desk) -> None:
        with each_desk.doors.ledger.begin() as tx:
            tx.exec_driver_sql("DELETE FROM memberships")
            tx.exec_driver_sql("DELETE FROM operators")
        path = f"/admin/join/{invite(each_desk.doors.parts, 'test', NewInvite())}"

        browser, answer = join(each_desk, path, email="first@brand.test")

        assert answer.status == 303
        assert browser.get("/admin/").location == "/admin/aurora/drops"
        assert browser.get("/admin/borealis/settings").status == 200
        assert each_desk.browser().get(path).status == 404

    def test_without_a_brand_the_first_person_makes_one(self, on_sqlite: Ledger, redis_url: str) -> None:
        parts = make_parts(settings_for(on_sqlite, redis_url))
        browser = CheckingClient(create_app(parts).test_client())
        path = f"/admin/join/{invite(parts, 'test', NewInvite())}"

        browser.send(browser.get(path).shown, path, **PASSWORDS, email="first@brand.test")
        led_to = browser.get("/admin/").location
        made = browser.send(browser.get(led_to).shown, led_to, name="Aurora", timezone="UTC", locale="en")
        parts.close()

        assert (led_to, made.location) == ("/admin/brands/new", "/admin/aurora/drops?did=brand_made")

    def test_it_is_worth_nothing_once_somebody_is_there(self, desk: Desk) -> None:
        path = f"/admin/join/{invite(desk.doors.parts, 'test', NewInvite())}"
        assert desk.browser().get(path).status == 404

    def test_a_new_password_ends_every_session(self, each_desk: Desk) -> None:
        browser = each_desk.sign_in()
        path = f"/admin/join/{invite(each_desk.doors.parts, 'test', NewInvite(email=OWNER))}"

        _, answer = join(each_desk, path)

        assert answer.location == "/admin/login?did=password_set"
        assert browser.get("/admin/me").status == 303
        assert try_in(each_desk.browser(), OWNER).status == 401
        assert try_in(each_desk.browser(), OWNER, NEW).status == 303

    def test_a_lost_phone_is_forgotten(self, desk: Desk) -> None:
        with desk.doors.ledger.begin() as tx:
            tx.exec_driver_sql("UPDATE operators SET totp_sealed = 'sealed'")
        ((operator_id,),) = desk.doors.rows("SELECT id FROM operators WHERE email = :email", email=OWNER)

        forget_second_factor(desk.doors.parts, "cli:test", operator_id)

        assert try_in(desk.browser(), OWNER).status == 303
        assert "second_factor_removed" in desk.audited()


class TestRoles:
    def test_a_new_role_works_with_the_next_click(self, each_desk: Desk) -> None:
        owner, editor = each_desk.sign_in(), each_desk.sign_in(EDITOR)

        answer = change(each_desk, owner, EDITOR, "role", role="viewer")

        assert "The role is changed." in owner.get(answer.location).shown.text
        assert editor.get("/admin/aurora/drops/new").status == 403
        assert each_desk.audited()[-1] == "role_changed"

    def test_whoever_is_removed_sees_nothing_any_more(self, each_desk: Desk) -> None:
        owner, viewer = each_desk.sign_in(), each_desk.sign_in(VIEWER)

        change(each_desk, owner, VIEWER, "remove")

        assert viewer.get("/admin/aurora/drops").status == 404
        assert VIEWER not in owner.get(PEOPLE).shown.text
        assert each_desk.audited()[-1] == "colleague_removed"

    @pytest.mark.parametrize(("step", "form"), [("remove", {}), ("role", {"role": "editor"})])
    def test_the_last_owner_stays(self, each_desk: Desk, step: str, form: dict[str, str]) -> None:
        owner = each_desk.sign_in()
        assert change(each_desk, owner, BOTH, "remove").status == 303

        answer = change(each_desk, owner, OWNER, step, **form)

        assert answer.status == 409
        assert "A brand needs an owner" in answer.shown.text
        assert owner.get(PEOPLE).status == 200

    def test_an_owner_may_go_when_another_stays(self, desk: Desk) -> None:
        owner = desk.sign_in()
        answer = change(desk, owner, OWNER, "role", role="viewer")

        assert owner.get(answer.location).status == 200
        assert owner.get(PEOPLE).status == 403

    def test_a_role_that_is_none_is_refused(self, desk: Desk) -> None:
        assert change(desk, desk.sign_in(), EDITOR, "role", role="king").status == 400


class TestNewBrand:
    def make(self, browser: CheckingClient, **form: str) -> Answer:
        typed = {"name": "Café Nord", "timezone": "Europe/Oslo", "locale": "de", **form}
        return browser.send(browser.get("/admin/brands/new").shown, "/admin/brands/new", **typed)

    def test_an_owner_makes_another_one_and_owns_it(self, each_desk: Desk) -> None:
        browser = each_desk.sign_in()

        answer = self.make(browser)

        assert answer.location == "/admin/cafe-nord/drops?did=brand_made"
        assert browser.get("/admin/cafe-nord/settings/people").status == 200
        assert each_desk.doors.rows("SELECT timezone, locale FROM brands WHERE slug = 'cafe-nord'") == [
            ("Europe/Oslo", "de")
        ]

    def test_others_do_not(self, desk: Desk) -> None:
        browser = desk.sign_in(EDITOR)
        form = {"form_token": token_of(browser), "name": "Mine", "timezone": "UTC", "locale": "en"}

        assert browser.get("/admin/brands/new").status == 404
        assert browser.post("/admin/brands/new", data=form).status == 404

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"name": ""}, "How do followers know the brand?"),
            ({"name": "✨"}, "Use small letters, digits and dashes"),
            ({"name": "Aurora"}, "There is a brand aurora already"),
            ({"timezone": "Mars"}, "There is no such zone"),
            ({"locale": "xx"}, "Not a valid choice."),
        ],
    )
    def test_what_cannot_be_is_told_beside_its_field(
        self, desk: Desk, form: dict[str, str], words: str
    ) -> None:
        answer = self.make(desk.sign_in(), **form)

        assert answer.status == 422
        assert words in answer.shown.text

    @pytest.mark.parametrize(
        ("name", "slug"),
        [("Café Nord", "cafe-nord"), (" A & B ", "a-b"), ("x" * 60, "x" * 40), ("✨", "")],
    )
    def test_its_addresses_are_made_from_its_name(self, name: str, slug: str) -> None:
        assert slug_of(name) == slug

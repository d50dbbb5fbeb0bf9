"""What may a brand do about one person: write, remember, erase?"""

import pytest

from claimbot.core.outbox import Priority, Work
from claimbot.flows import write
from tests.builders import NOW, make_lead, take_work
from tests.pages import Answer
from tests.web.admin.desk import EDITOR, VIEWER, Desk, token_of

LEADS = "/admin/aurora/leads"


def put(desk: Desk, **known: object) -> str:
    return make_lead(desk.doors.ledger, desk.doors.account, username="ana.lima", **known).id


def send(desk: Desk, lead_id: str, step: str, **typed: str) -> Answer:
    browser = desk.sign_in(EDITOR)
    path = f"{LEADS}/{lead_id}"
    return browser.send(browser.get(path).shown, f"{path}/{step}", **typed)


class TestWriting:
    def test_a_message_goes_out_once_and_silences_the_machine(self, each_desk: Desk) -> None:
        lead_id = put(each_desk)
        browser, path = each_desk.sign_in(EDITOR), f"{LEADS}/{lead_id}"
        form = browser.get(path).shown

        first = browser.send(form, f"{path}/write", words="Size M is back for you, Ana.")
        browser.send(form, f"{path}/write", words="Size M is back for you, Ana.")

        page = browser.get(first.location).shown
        (row,) = take_work(each_desk.doors.ledger)
        assert (row.kind, row.payload) == (Work.PERSONAL, {"words": "Size M is back for you, Ana."})
        assert "Your message goes out" in page.text and "Words of your team" in page.text
        assert "a person answers, the machine is silent" in page.text
        assert "lead_written_to" in each_desk.audited()

    def test_the_text_is_kept_in_no_log_of_what_was_done(self, desk: Desk) -> None:
        send(desk, put(desk), "write", words="canary")
        assert "canary" not in str(desk.doors.rows("SELECT * FROM audit"))

    @pytest.mark.parametrize(
        ("known", "words", "sentence"),
        [
            ({"opted_out_at": NOW}, "Hi", write.STOPPED),
            ({"window_expires_at": NOW}, "Hi", write.CLOSED),
            ({}, "  ", "There is nothing to send"),
            ({}, "ä" * 501, "at most 1000 bytes"),
        ],
    )
    def test_what_may_not_be_sent_is_refused_with_the_reason(
        self, desk: Desk, known: dict[str, object], words: str, sentence: str
    ) -> None:
        lead_id = put(desk, **known)
        browser = desk.sign_in(EDITOR)
        form = {"form_token": token_of(browser), "words": words, "once": "1"}

        refused = browser.post(f"{LEADS}/{lead_id}/write", data=form)

        assert refused.status == 409 and sentence in refused.shown.text
        assert words.strip() in refused.text
        assert take_work(desk.doors.ledger) == []

    def test_a_closed_window_is_told_instead_of_a_field(self, desk: Desk) -> None:
        page = desk.sign_in(EDITOR).get(f"{LEADS}/{put(desk, window_expires_at=NOW)}").shown
        assert write.CLOSED in page.text and not [form for form in page.forms if "/write" in form.action]

    def test_a_person_who_waits_goes_before_the_line(self) -> None:
        assert Priority.PROMOTED < Priority.PERSON < Priority.WAITLIST


class TestRemembering:
    def test_tags_and_note_are_kept_and_found_again(self, each_desk: Desk) -> None:
        lead_id = put(each_desk)
        answer = send(each_desk, lead_id, "describe", tags=" vip,  first  buyer,vip,", note="Called twice.")

        browser = each_desk.sign_in(VIEWER)
        page = browser.get(answer.location.partition("?")[0]).shown
        assert "vip, first buyer" in page.text and "Called twice." in page.text
        assert lead_id in browser.get(f"{LEADS}?tag=first%20buyer").text
        assert lead_id not in browser.get(f"{LEADS}?tag=first").text
        assert "Called twice" not in str(each_desk.doors.rows("SELECT * FROM audit"))

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ({"tags": ",".join(f"t{number}" for number in range(21))}, "at most 20"),
            ({"tags": "x" * 41}, "at most 40 letters"),
            ({"tags": "", "note": "n" * 2_001}, "at most 2000"),
        ],
    )
    def test_too_much_is_refused_and_stays_typed(
        self, desk: Desk, typed: dict[str, str], sentence: str
    ) -> None:
        refused = send(desk, put(desk), "describe", **typed)
        assert refused.status == 409 and sentence in refused.shown.text
        assert max(typed.values(), key=len) in refused.text

    def test_who_is_erased_is_remembered_no_more(self, desk: Desk) -> None:
        lead_id = put(desk, erased_at=NOW)
        browser = desk.sign_in(EDITOR)
        form = {"form_token": token_of(browser), "tags": "vip", "note": ""}
        assert browser.post(f"{LEADS}/{lead_id}/describe", data=form).status == 409


class TestRule:
    def test_a_rule_is_changed_in_words_and_counts_at_once(self, each_desk: Desk) -> None:
        drop = each_desk.drop()
        browser = each_desk.sign_in(EDITOR)
        path = f"/admin/aurora/drops/{drop.id}/rule"
        form = {"form_token": token_of(browser), "email_known": "yes", "consent_given": "yes"}

        listed = browser.get(browser.post(path, data=form).location).shown

        assert "qualified when they left an e-mail address and agreed to marketing" in listed.text
        assert "The rule is changed" in listed.text
        assert "rule_changed" in each_desk.audited()
        assert browser.get(path).shown.form(path).fields.keys() >= {"email_known", "consent_given"}

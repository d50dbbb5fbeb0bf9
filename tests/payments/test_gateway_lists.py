"""Looking for what was lost: the sessions of a claim, the events of a time."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from claimbot.core.errors import PaymentsUnavailable
from claimbot.core.messages import Verdict
from claimbot.core.payments import NewsKind
from claimbot.payments.gateway import EVENT_TYPES, PAGES_MOST, Gateway
from claimbot.payments.results import SessionsFound
from tests.payments.builders import NOW, make_error, make_event, make_paid, make_session
from tests.payments.loopback import Says, ScriptedStripe


def page(*rows: Any, has_more: bool = False) -> Says:
    return Says(body={"object": "list", "data": list(rows), "has_more": has_more})


OTHERS = make_session(id="cs_other", client_reference_id="clm_bo", metadata={"claim_id": "clm_bo"})
BY_LINK = make_session(id="cs_link", payment_link="plink_1")
NO_MARKS = make_session(id="cs_bare", metadata={})


def test_the_sessions_of_a_claim_are_picked_from_all_pages(
    gateway: Gateway, stripe_says: ScriptedStripe
) -> None:
    stripe_says.says(page(OTHERS, make_paid(), BY_LINK, has_more=True), page(NO_MARKS, 7, {}))
    found = gateway.find_by_claim("clm_ana", NOW)
    assert found.verdict is Verdict.DONE
    assert [news.session_id for news in found.sessions] == ["cs_test_ana", "cs_bare"]
    assert parse_qs(stripe_says.asked[1].query)["starting_after"] == ["cs_link"]


def test_what_was_found_before_a_failure_is_kept_but_not_called_complete(
    gateway: Gateway, stripe_says: ScriptedStripe
) -> None:
    stripe_says.says(page(make_paid(), has_more=True), Says(429, make_error(), {"Retry-After": "3"}))
    found = gateway.find_by_claim("clm_ana", NOW)
    assert (found.verdict, found.reason, found.retry_after_seconds) == (Verdict.RETRY, "rate_limited", 3.0)
    assert len(found.sessions) == 1


def test_a_list_without_end_is_left_after_so_many_pages(
    gateway: Gateway, stripe_says: ScriptedStripe
) -> None:
    stripe_says.says(page(OTHERS, has_more=True))
    assert gateway.find_by_claim("clm_ana", NOW) == SessionsFound(Verdict.RETRY, (), "too_many_pages")
    assert len(stripe_says.asked) == PAGES_MOST


def an_event(event_id: str, **changes: Any) -> dict[str, Any]:
    return make_event("checkout.session.completed", make_paid(), **{"id": event_id, **changes})


def test_events_after_a_known_one_come_oldest_first(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(
        page(an_event("evt_3"), an_event("evt_2"), has_more=True), page(an_event("evt_5"), an_event("evt_4"))
    )
    events = list(gateway.events_since(NOW, "evt_1"))
    asked = [parse_qs(one.query) for one in stripe_says.asked]
    assert [event.event_id for event in events] == ["evt_2", "evt_3", "evt_4", "evt_5"]
    assert [query["ending_before"] for query in asked] == [["evt_1"], ["evt_3"]]
    assert "created[gte]" not in asked[0]


def test_events_by_time_walk_back_from_the_newest(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(page(an_event("evt_3"), an_event("evt_2"), has_more=True), page(an_event("evt_1")))
    events = list(gateway.events_since(NOW))
    asked = [parse_qs(one.query) for one in stripe_says.asked]
    assert [event.event_id for event in events] == ["evt_3", "evt_2", "evt_1"]
    assert asked[0]["created[gte]"] == ["1795348800"]
    assert asked[1]["starting_after"] == ["evt_2"]


def test_only_events_about_money_are_asked_for(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(page())
    assert list(gateway.events_since(NOW)) == []
    query = parse_qs(stripe_says.asked[0].query)
    assert [query[f"types[{place}]"][0] for place in range(len(EVENT_TYPES))] == list(EVENT_TYPES)


def test_an_unreadable_event_does_not_stop_the_poll(gateway: Gateway, stripe_says: ScriptedStripe) -> None:
    stripe_says.says(page(an_event("evt_bad", data={"object": {"id": "cs_1"}}), {"id": 7}, an_event("evt_1")))
    events = list(gateway.events_since(NOW))
    assert [(event.event_id, event.kind) for event in events] == [
        ("evt_bad", NewsKind.OTHER),
        ("evt_1", NewsKind.SESSION),
    ]


@pytest.mark.parametrize("says", [Says(401, make_error()), Says(500, make_error()), Says(200, b"[]")])
def test_events_that_cannot_be_listed_are_an_outside_error(
    gateway: Gateway, stripe_says: ScriptedStripe, says: Says
) -> None:
    stripe_says.says(says)
    with pytest.raises(PaymentsUnavailable):
        list(gateway.events_since(NOW))

"""What becomes of a public comment, and of an answer to a story?"""

import pytest

from claimbot.core.drops import DropKind
from claimbot.core.money import Money
from claimbot.sandbox.followers import Comment, igsid_of
from tests.engine import Engine
from tests.flows.deliveries import post_comment, seconds_ago
from tests.flows.looks import claim_of, lead_of, outcome_of, outcomes, rows_of, state_of
from tests.sandbox.worlds import ACCOUNT


def comment(engine: Engine, who: str, text: str = "LAUNCH", **more: object) -> str:
    return str(engine.world.api("/comment", follower=who, text=text, retry=False, **more)["comment_id"])


def pay_by_text(engine: Engine, who: str) -> None:
    """A private reply has no button: its link stands in the text."""
    session_id = engine.heard(who)[-1].rpartition("/pay/")[2].split()[0]
    engine.world.api(f"/stripe/sessions/{session_id}/pay")
    engine.settle()


def test_a_comment_is_answered_once_in_private_with_the_link(engine: Engine) -> None:
    engine.drop()
    comment(engine, "ana")
    engine.work()
    assert [one["note"] for one in engine.world.phone("ana")] == ["comment"]
    pay_by_text(engine, "ana")
    assert state_of(engine, "ana") == "sold"


def test_a_comment_that_waits_hears_its_place(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=0)
    comment(sqlite_engine, "ana")
    sqlite_engine.work()
    assert "You are number 1 on the waitlist" in sqlite_engine.heard("ana")[0]


def test_a_commenter_who_never_wrote_cannot_be_promoted(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    comment(sqlite_engine, "ben")
    sqlite_engine.dm("cleo")
    sqlite_engine.work()
    sqlite_engine.dm("ana", "PASS")
    sqlite_engine.work()
    assert (state_of(sqlite_engine, "ben"), state_of(sqlite_engine, "cleo")) == ("waitlisted", "held")


def test_a_commenter_who_writes_then_keeps_the_place(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    comment(sqlite_engine, "ben")
    sqlite_engine.dm("cleo")
    sqlite_engine.dm("ben")
    sqlite_engine.work()
    assert outcome_of(sqlite_engine, "ben") == "already_waitlisted"
    sqlite_engine.dm("ana", "PASS")
    sqlite_engine.work()
    assert (state_of(sqlite_engine, "ben"), state_of(sqlite_engine, "cleo")) == ("held", "waitlisted")


def test_the_private_reply_joins_the_comment_to_the_dm(engine: Engine) -> None:
    engine.drop()
    made = Comment("c-1", ACCOUNT, "ana", "m-1", "LAUNCH", live=False, at_seconds=seconds_ago(engine))
    engine.world.world.followers.keep_comment(made)
    post_comment(engine, {"id": "c-1", "from": {"id": "999", "username": "ana"}, "text": "LAUNCH"})
    engine.work()
    engine.dm("ana")
    assert outcome_of(engine, "ana") == "already_held"
    assert engine.states() == {"held": 1}


def test_the_same_comment_again_has_one_effect(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    first = comment(sqlite_engine, "ana", envelope="flat")
    comment(sqlite_engine, "ana", comment_id=first)
    sqlite_engine.work()
    assert outcomes(sqlite_engine) == {"held": 1}
    assert len(sqlite_engine.world.phone("ana")) == 1


def test_a_comment_that_does_not_name_its_author_is_noted(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    assert post_comment(sqlite_engine, {"id": "c-1", "text": "LAUNCH"}) == 200
    assert sqlite_engine.outcomes() == {"ignored": 1}
    assert (sqlite_engine.states(), sqlite_engine.work()) == ({}, 0)


@pytest.mark.parametrize("author", [{"id": ACCOUNT}, {"id": "77", "self_ig_scoped_id": "88"}])
def test_our_own_comment_claims_nothing(sqlite_engine: Engine, author: dict[str, str]) -> None:
    sqlite_engine.drop()
    post_comment(sqlite_engine, {"id": "c-1", "text": "Write LAUNCH", "from": author})
    assert (sqlite_engine.states(), sqlite_engine.outcomes()) == ({}, {"ignored": 1})


def test_a_live_comment_claims_as_well(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    comment(sqlite_engine, "ana", live=True, media="555")
    sqlite_engine.work()
    assert state_of(sqlite_engine, "ana") == "held"
    assert lead_of(sqlite_engine, "ana", "source") == "live:555"
    assert len(sqlite_engine.heard("ana")) == 1


def test_small_talk_in_comments_is_never_answered(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    comment(sqlite_engine, "ana", "so pretty!")
    comment(sqlite_engine, "ben", "STOP")
    assert outcomes(sqlite_engine) == {"unmatched": 2}
    assert sqlite_engine.work() == 0
    assert lead_of(sqlite_engine, "ben", "opted_out_at") is None


def test_the_comment_of_somebody_who_wrote_stop_is_not_answered(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana", "STOP")
    sqlite_engine.work()
    comment(sqlite_engine, "ana")
    assert outcome_of(sqlite_engine, "ana") == "opted_out:wrote_stop_before"
    assert (sqlite_engine.states(), sqlite_engine.work()) == ({}, 0)


def test_a_private_reply_with_a_lost_answer_is_never_sent_again(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(kind=DropKind.FREE, price=Money(0, "EUR"))
    sqlite_engine.world.fault("graph", "echo_none")
    sqlite_engine.world.fault("graph", "error_500_after_accept")
    comment(sqlite_engine, "ana")
    sqlite_engine.work()
    sqlite_engine.pass_time(seconds=61)
    sqlite_engine.work()
    assert rows_of(sqlite_engine, "reply") == [("dead", "unknown_outcome", 1)]
    assert len(sqlite_engine.heard("ana")) == 1


def test_payment_news_reaches_a_commenter_only_after_they_wrote(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    comment(sqlite_engine, "ana")
    sqlite_engine.work()
    pay_by_text(sqlite_engine, "ana")
    sqlite_engine.work()
    assert rows_of(sqlite_engine, "reply") == [("dead", "window_closed", 0)]
    assert state_of(sqlite_engine, "ana") == "sold"


def test_an_answer_to_a_story_claims_and_tells_its_source(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana", story="178")
    assert claim_of(sqlite_engine, "ana").state == "held"
    assert sqlite_engine.rows("SELECT source FROM claims") == [("story:178",)]
    assert lead_of(sqlite_engine, "ana", "external_id") == igsid_of("ana")

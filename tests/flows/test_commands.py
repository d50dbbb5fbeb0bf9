"""What happens to messages that are no claim: commands, talk, pictures, echoes?"""

import pytest

from claimbot.flows.deliver import deliver, take
from claimbot.sandbox.followers import igsid_of
from tests.engine import Engine
from tests.flows.deliveries import about, from_brand, message, post_events, post_meta, seconds_ago
from tests.flows.looks import lead_of, open_alerts, outcome_of, outcomes, rows_of, state_of, taken_units
from tests.sandbox.worlds import ACCOUNT


def inbox_reasons(engine: Engine) -> list[tuple[str, str]]:
    return [tuple(row) for row in engine.rows("SELECT outcome, reason FROM inbox ORDER BY received_at, kind")]


def end_sessions(engine: Engine) -> None:
    """Only what is most urgent: the sessions end, and nobody is written to yet."""
    for row in take(engine.parts, 1):
        deliver(engine.parts, row)


def test_stop_is_confirmed_once_and_then_there_is_silence(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    for_ana = ["STOP", "stop!", "LAUNCH", "hello"]
    assert [sqlite_engine.dm("ana", words) for words in for_ana] == [200] * 4
    sqlite_engine.work()
    assert len(sqlite_engine.heard("ana")) == 1
    assert "you get no more messages" in sqlite_engine.heard("ana")[0]
    assert outcomes(sqlite_engine) == {"opted_out": 4}
    assert sqlite_engine.states() == {}


@pytest.mark.parametrize("words", ["we must STOP this", "stop LAUNCH please", "no STOPPING me, LAUNCH"])
def test_stop_inside_a_sentence_is_not_stop(sqlite_engine: Engine, words: str) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana", words)
    assert lead_of(sqlite_engine, "ana", "opted_out_at") is None


def test_stop_drops_what_was_not_sent_and_leaves_the_line(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.dm("ana")
    engine.dm("ben")
    engine.dm("ben", "STOP")
    engine.work()
    assert state_of(engine, "ben") == "passed"
    assert len(engine.heard("ben")) == 1
    assert ("dead", "opted_out", 0) in rows_of(engine, "reply")


def test_stop_before_the_offer_was_sent_gives_the_unit_to_the_next(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.dm("ana")
    engine.dm("ben")
    engine.dm("ana", "STOP")
    engine.work()
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("passed", "held")
    assert len(engine.heard("ana")) == 1


def test_stop_between_the_promotion_and_its_offer_gives_the_unit_on(engine: Engine) -> None:
    engine.drop(stock_units=1)
    assert [engine.dm(who) for who in ("ana", "ben", "cleo")] == [200] * 3
    engine.work()
    engine.dm("ana", "PASS")
    end_sessions(engine)
    assert state_of(engine, "ben") == "held"
    engine.dm("ben", "STOP")
    engine.work()
    assert (state_of(engine, "ben"), state_of(engine, "cleo")) == ("passed", "held")


def test_stop_during_a_hold_keeps_it_to_its_end(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    sqlite_engine.dm("ana", "STOP")
    sqlite_engine.work()
    assert state_of(sqlite_engine, "ana") == "held"
    sqlite_engine.pass_time(minutes=17)
    sqlite_engine.chore("holds")
    sqlite_engine.work()
    assert state_of(sqlite_engine, "ana") == "expired"
    assert len(sqlite_engine.heard("ana")) == 2


def test_who_wrote_stop_is_passed_over_in_the_line(engine: Engine) -> None:
    engine.drop(stock_units=1)
    assert [engine.dm(who) for who in ("ana", "ben", "cleo")] == [200] * 3
    engine.work()
    engine.dm("ben", "STOP")
    engine.dm("ana", "PASS")
    engine.work()
    assert (state_of(engine, "ben"), state_of(engine, "cleo")) == ("passed", "held")


def test_start_brings_the_follower_back(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana", "STOP")
    sqlite_engine.dm("ana", "START")
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    assert "Welcome back" in " ".join(sqlite_engine.heard("ana"))
    assert state_of(sqlite_engine, "ana") == "held"


def test_pass_of_a_hold_that_was_told_ends_its_session_first(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.dm("ana")
    engine.dm("ben")
    engine.work()
    engine.dm("ana", "PASS")
    assert (state_of(engine, "ana"), taken_units(engine)) == ("expiring", [1])
    engine.work()
    assert (state_of(engine, "ana"), state_of(engine, "ben")) == ("passed", "held")
    assert engine.world.get("/state")["sessions"]["expired"] == 1
    assert "thank you" in engine.heard("ana")[-1]


def test_pass_before_the_hold_was_told_sends_no_offer(engine: Engine) -> None:
    engine.drop(stock_units=1)
    engine.dm("ana")
    engine.dm("ana", "PASS")
    assert (state_of(engine, "ana"), taken_units(engine)) == ("passed", [])
    engine.work()
    assert len(engine.heard("ana")) == 1


def test_pass_in_line_lets_the_next_move_up(sqlite_engine: Engine) -> None:
    sqlite_engine.drop(stock_units=1)
    assert [sqlite_engine.dm(who) for who in ("ana", "ben", "cleo")] == [200] * 3
    sqlite_engine.dm("ben", "PASS")
    sqlite_engine.dm("cleo")
    sqlite_engine.work()
    assert state_of(sqlite_engine, "ben") == "passed"
    assert "You are number 1" in sqlite_engine.heard("cleo")[-1]


def test_pass_with_nothing_to_pass_says_so(sqlite_engine: Engine) -> None:
    sqlite_engine.dm("ana", "PASS")
    sqlite_engine.work()
    assert outcome_of(sqlite_engine, "ana") == "passed:nothing_to_pass"
    assert "nothing of yours" in sqlite_engine.heard("ana")[0]


def test_pass_after_paying_gives_nothing_away(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana")
    sqlite_engine.work()
    sqlite_engine.pay("ana")
    sqlite_engine.dm("ana", "PASS")
    assert outcome_of(sqlite_engine, "ana") == "passed:nothing_to_pass"
    assert state_of(sqlite_engine, "ana") == "sold"


def test_human_silences_help_but_not_claims(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    for_ana = ["HUMAN", "human", "where is my parcel", "LAUNCH"]
    assert [sqlite_engine.dm("ana", words) for words in for_ana] == [200] * 4
    sqlite_engine.work()
    said = sqlite_engine.heard("ana")
    assert len(said) == 2
    assert any("A person will read this" in words for words in said)
    assert outcomes(sqlite_engine) == {"human": 3, "held": 1}


def test_what_a_person_of_the_brand_writes_pauses_the_help(sqlite_engine: Engine) -> None:
    sqlite_engine.dm("ana", "hello")
    sqlite_engine.work()
    sqlite_engine.world.api("/echo", follower="ana", text="Hi Ana, Mia here")
    sqlite_engine.pass_time(hours=25)
    sqlite_engine.dm("ana", "hello again")
    assert outcome_of(sqlite_engine, "ana") == "human:a_person_answers"
    assert sqlite_engine.work() == 0


def test_start_ends_the_pause_of_a_person(sqlite_engine: Engine) -> None:
    sqlite_engine.dm("ana", "HUMAN")
    sqlite_engine.dm("ana", "START")
    assert lead_of(sqlite_engine, "ana", "human_until") is None


@pytest.mark.parametrize("fault", ["echo_duplicate", "echo_before_answer", "echo_late"])
def test_the_echo_of_our_own_message_is_not_a_person(sqlite_engine: Engine, fault: str) -> None:
    sqlite_engine.drop()
    sqlite_engine.world.fault("graph", fault, times=2, delay_seconds=0.2)
    sqlite_engine.dm("ana", "HELP")
    sqlite_engine.dm("ben")
    sqlite_engine.work()
    sqlite_engine.settle()
    assert lead_of(sqlite_engine, "ana", "human_until") is None
    assert lead_of(sqlite_engine, "ben", "human_until") is None
    assert "ignored" in sqlite_engine.outcomes()
    assert [row[0] for row in rows_of(sqlite_engine, "reply")] == ["done"]


def test_the_echo_of_a_send_that_was_given_up_is_not_a_person(sqlite_engine: Engine) -> None:
    sqlite_engine.world.fault("graph", "echo_none", times=2)
    sqlite_engine.world.fault("graph", "code_1_after_accept", times=2)
    sqlite_engine.dm("ana", "HELP")
    assert [sqlite_engine.work(), sqlite_engine.pass_time(seconds=61), sqlite_engine.work()] == [1, None, 1]
    sqlite_engine.pass_time(seconds=61)
    sqlite_engine.work()
    said = sqlite_engine.world.phone("ana")[-1]
    echo = {"mid": said["mid"], "text": said["text"], "is_echo": True}
    post_events(sqlite_engine, from_brand(sqlite_engine, "ana", message=echo))
    assert rows_of(sqlite_engine, "reply") == [("dead", "unknown_outcome", 2)]
    assert lead_of(sqlite_engine, "ana", "human_until") is None


def test_help_is_answered_each_time_with_the_open_words(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    sqlite_engine.dm("ana", "HELP")
    sqlite_engine.dm("ana", "help me")
    sqlite_engine.work()
    assert len(sqlite_engine.heard("ana")) == 2
    assert "write LAUNCH" in sqlite_engine.heard("ana")[0]


def test_talk_is_helped_once_a_day(sqlite_engine: Engine) -> None:
    assert [sqlite_engine.dm("ana", words) for words in ("hi", "what is this", "??")] == [200] * 3
    sqlite_engine.work()
    assert len(sqlite_engine.heard("ana")) == 1
    assert outcome_of(sqlite_engine, "ana") == "unmatched:helped_within_24_hours"
    sqlite_engine.pass_time(hours=24, minutes=1)
    sqlite_engine.dm("ana", "hi")
    sqlite_engine.work()
    assert len(sqlite_engine.heard("ana")) == 2


def test_talk_in_one_delivery_is_helped_once(sqlite_engine: Engine) -> None:
    written = [message(sqlite_engine, "ana", words, f"mid-{words}") for words in ("hi", "ho", "hm")]
    post_events(sqlite_engine, *written)
    assert len(rows_of(sqlite_engine, "reply")) == 1


def test_a_picture_is_answered_with_help(sqlite_engine: Engine) -> None:
    picture = {
        "mid": "mid-1",
        "attachments": [{"type": "image", "payload": {"url": "https://cdn.example/1"}}],
    }
    post_events(sqlite_engine, about(sqlite_engine, "ana", message=picture))
    assert outcome_of(sqlite_engine, "ana") == "unmatched:attachment"
    assert len(rows_of(sqlite_engine, "reply")) == 1


def test_a_story_mention_makes_a_lead_and_no_claim(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    story = [{"type": "story_mention", "payload": {"url": "https://cdn.example/2"}}]
    mention = {"mid": "mid-1", "text": "LAUNCH", "attachments": story}
    post_events(sqlite_engine, about(sqlite_engine, "ana", message=mention))
    assert outcome_of(sqlite_engine, "ana") == "unmatched:story_mention"
    assert (sqlite_engine.states(), rows_of(sqlite_engine, "reply")) == ({}, [])


def test_an_unsent_message_leaves_no_text(engine: Engine) -> None:
    engine.dm("ana", "my secret word", mid="mid-1")
    engine.world.api("/followers/ana/unsend", mid="mid-1")
    assert engine.rows("SELECT text, raw FROM inbox WHERE event_id = 'mid-1'") == [("", "")]
    assert outcomes(engine) == {"unmatched": 1, "unsent": 1}


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"message_edit": {"mid": "mid-0", "text": "LAUNCH", "num_edit": 1}}, "edit"),
        ({"reaction": {"mid": "mid-0", "action": "react", "reaction": "love"}}, "reaction"),
        ({"read": {"mid": "mid-0"}}, "read"),
        ({"message": {"mid": "mid-1", "text": "LAUNCH", "is_self": True, "is_echo": True}}, "self"),
    ],
)
def test_what_is_no_new_message_claims_nothing(
    sqlite_engine: Engine, what: dict[str, object], reason: str
) -> None:
    sqlite_engine.drop()
    post_events(sqlite_engine, about(sqlite_engine, "ana", **what))
    assert inbox_reasons(sqlite_engine) == [("ignored", reason)]
    assert (sqlite_engine.states(), sqlite_engine.work()) == ({}, 0)


def test_an_echo_with_the_keyword_claims_nothing(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    echo = {"mid": "mid-1", "text": "Write LAUNCH to take part", "is_echo": True}
    post_events(sqlite_engine, from_brand(sqlite_engine, "ana", message=echo))
    assert (sqlite_engine.states(), sqlite_engine.work()) == ({}, 0)


def test_a_message_of_the_account_to_itself_claims_nothing(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    own = {
        **about(sqlite_engine, "ana", message={"mid": "mid-1", "text": "LAUNCH"}),
        "sender": {"id": ACCOUNT},
    }
    post_events(sqlite_engine, own)
    assert (sqlite_engine.states(), sqlite_engine.outcomes()) == ({}, {"ignored": 1})


def test_a_copy_for_another_app_claims_nothing_and_the_message_itself_does(sqlite_engine: Engine) -> None:
    sqlite_engine.drop()
    written = message(sqlite_engine, "ana", "LAUNCH", "mid-1")
    entry = {"id": ACCOUNT, "time": int(seconds_ago(sqlite_engine) * 1000), "standby": [written]}
    post_meta(sqlite_engine, {"object": "instagram", "entry": [entry]})
    assert sqlite_engine.states() == {}
    post_events(sqlite_engine, written)
    assert sqlite_engine.states() == {"held": 1}


def test_the_dashboards_test_button_alarms_nobody(sqlite_engine: Engine) -> None:
    event = {"sender": {"id": "12334"}, "recipient": {"id": "23245"}, "timestamp": "1527459824"}
    event["message"] = {"mid": "random_mid", "text": "random_text"}
    status = post_meta(sqlite_engine, {"object": "instagram", "entry": [{"id": "0", "messaging": [event]}]})
    assert (status, inbox_reasons(sqlite_engine)) == (200, [("ignored", "test")])
    assert open_alerts(sqlite_engine) == []


def test_a_message_for_an_unknown_account_is_kept_aside(sqlite_engine: Engine) -> None:
    stray = {**message(sqlite_engine, "ana", "LAUNCH", "mid-1"), "recipient": {"id": "555"}}
    envelope = {"object": "instagram", "entry": [{"id": "555", "time": 1, "messaging": [stray]}]}
    assert post_meta(sqlite_engine, envelope) == 200
    assert inbox_reasons(sqlite_engine) == [("quarantined", "unknown_account")]
    assert igsid_of("ana") not in str(sqlite_engine.rows("SELECT * FROM leads"))

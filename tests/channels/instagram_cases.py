"""Which payload means what? One row for each file of payloads/instagram."""

from datetime import datetime
from typing import Any

from claimbot.core.messages import Inbound, Kind
from tests.channels.people import ANA, AURORA, BEN, BOREAL, CLEO, SENT_AT, later

MEDIA = "17900000000000055"
LONG_MID = (
    "aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQxNDc4MDAwMDAwMDAxOjM0MDI4MjM2Njg0MTcxMDMwMTI0NDI1OTAw"
    "MDAwMDAwMDAwMTozMjA4NDYxMTEyMjIzMzM0NDQ1NTU2NjY3Nzc4ODg5OTkZD"
)
TAKES_ANA = f":{ANA}:1795168800000"


def dm(kind: Kind, event_id: str, text: str = "", **rest: Any) -> Inbound:
    """A message of Ana to Aurora, but for what is said."""
    facts = {"account_external_id": AURORA, "follower_external_id": ANA, "sent_at": SENT_AT, **rest}
    return Inbound(channel="instagram", kind=kind, event_id=event_id, text=text, **facts)


def launch(event_id: str, **rest: Any) -> Inbound:
    return dm(Kind.TEXT, event_id, "LAUNCH", **rest)


def said(number: int, sent_at: datetime = SENT_AT, **rest: Any) -> Inbound:
    """A comment of Cleo under Aurora's picture, but for what is said."""
    comment_id = f"181000000000000{number:02}"
    facts = {
        "kind": Kind.COMMENT,
        "text": "LAUNCH",
        "follower_external_id": CLEO,
        "username": "cleo.k",
        "source": f"comment:{MEDIA}",
        **rest,
    }
    return Inbound("instagram", AURORA, event_id=comment_id, comment_id=comment_id, sent_at=sent_at, **facts)


MESSAGES = {
    "hello": [launch(LONG_MID)],
    "non_ascii": [dm(Kind.TEXT, "mid.nonascii", "läunch 🚀 обувь")],
    "inline_reply": [dm(Kind.TEXT, "mid.inline", "LAUNCH m")],
    "duplicate": [launch("mid.twice"), launch("mid.twice")],
    "other_account": [launch("mid.other", account_external_id=BOREAL)],
    "story_reply": [dm(Kind.STORY_REPLY, "mid.story", "launch!!", source="story:18000000000000071")],
    "story_mention": [dm(Kind.STORY_MENTION, "mid.mention")],
    "like": [dm(Kind.ATTACHMENT, "mid.like")],
    "image": [dm(Kind.ATTACHMENT, "mid.image")],
    "share": [dm(Kind.ATTACHMENT, "mid.share", sent_at=later(5_000))],
    "fallback_payload_is_text": [dm(Kind.ATTACHMENT, "mid.fallback")],
    "unsupported_type": [dm(Kind.ATTACHMENT, "mid.unsup")],
    "unsupported": [dm(Kind.ATTACHMENT, "mid.unsupported")],
    "quick_reply": [dm(Kind.QUICK_REPLY, "mid.tap", "Medium", payload="variant:clm_a1:m")],
    "postback": [dm(Kind.POSTBACK, "mid.postback", "Join the drop", payload="word:launch")],
    "postback_with_ref": [
        dm(
            Kind.POSTBACK,
            "mid.icebreaker",
            "What is new?",
            payload="word:launch",
            ref="bio-link",
            source="ref:bio-link",
        )
    ],
    "postback_without_mid": [dm(Kind.POSTBACK, f"postback:{TAKES_ANA}", "Join", payload="word:launch")],
    "referral": [dm(Kind.REFERRAL, f"referral:launch{TAKES_ANA}", ref="launch", source="ref:launch")],
    "ad": [launch("mid.ad", ref="spring", source="ad:2380000000001")],
    "product": [launch("mid.product")],
    "message_as_change": [launch("mid.change")],
}

NEVER_ACTED_ON = {
    "echo": [dm(Kind.ECHO, "mid.echo", "You are in: LAUNCH", about_id="mid.echo", ignored="echo")],
    "echo_of_inbox": [
        dm(
            Kind.ECHO,
            "mid.inbox",
            "Hi, Mia here",
            about_id="mid.inbox",
            payload="1217981644879628",
            ignored="echo",
        )
    ],
    "story_mention_echo": [dm(Kind.ECHO, "mid.mention.echo", about_id="mid.mention.echo", ignored="echo")],
    "own_without_flag": [dm(Kind.ECHO, "mid.noflag", "LAUNCH", about_id="mid.noflag", ignored="echo")],
    "self": [
        dm(Kind.ECHO, "mid.self", "LAUNCH", about_id="mid.self", ignored="self", follower_external_id=None)
    ],
    "self_postback": [
        dm(
            Kind.POSTBACK,
            "mid.selfpostback",
            "Join",
            payload="word:launch",
            ignored="self",
            follower_external_id=AURORA,
        )
    ],
    "edit": [dm(Kind.EDIT, f"edit:mid.edited{TAKES_ANA}", "LAUNCH", about_id="mid.edited", ignored="edit")],
    "reaction": [dm(Kind.REACTION, f"reaction:mid.echo{TAKES_ANA}", about_id="mid.echo", ignored="reaction")],
    "seen": [dm(Kind.READ, f"read:mid.echo{TAKES_ANA}", about_id="mid.echo", ignored="read")],
    "handover": [dm(Kind.HANDOVER, f"handover:{TAKES_ANA}", ignored="handover")],
    "optin": [dm(Kind.OTHER, f"optin:{TAKES_ANA}", ignored="optin")],
    "group": [launch("mid.group", ignored="group")],
    "standby": [dm(Kind.STANDBY, "standby:mid.standby", "LAUNCH", ignored="standby")],
    "standby_postback": [dm(Kind.STANDBY, "standby:mid.sbpost", "Join", ignored="standby")],
    "standby_echo": [dm(Kind.ECHO, "mid.sbecho", "Hi", about_id="mid.sbecho", ignored="echo")],
    "unknown_event": [dm(Kind.OTHER, f"unknown:{TAKES_ANA}", ignored="unknown")],
    "empty_message": [dm(Kind.OTHER, "mid.empty", ignored="unknown")],
}

TAKEN_BACK = {
    "unsend": [dm(Kind.UNSEND, "unsend:mid.regret", about_id="mid.regret")],
    "unsend_own": [dm(Kind.UNSEND, "unsend:mid.ownregret", about_id="mid.ownregret")],
    "standby_unsend": [dm(Kind.UNSEND, "unsend:mid.sbregret", about_id="mid.sbregret")],
}

COMMENTS = {
    "comment_changes_comment_id": [said(1)],
    "comment_changes_id": [said(2)],
    "comment_flat": [said(3, follower_external_id=None)],
    "comment_flat_comment_id": [said(4)],
    "comment_minimal": [said(5, follower_external_id=None, username=None, source="comment")],
    "comment_empty_text": [said(6, text="")],
    "comment_self": [said(7, follower_external_id="33", username="aurora", ignored="self")],
    "comment_by_account": [said(8, follower_external_id=AURORA, username="aurora", ignored="self")],
    "live_comment": [said(10, kind=Kind.LIVE_COMMENT, source=f"live:{MEDIA}")],
    "live_comment_minimal": [
        said(11, kind=Kind.LIVE_COMMENT, source="live", follower_external_id=None, username=None)
    ],
    "mention": [
        dm(
            Kind.OTHER,
            "mention:18100000000000012",
            about_id="18100000000000012",
            ignored="mention",
            follower_external_id=None,
        )
    ],
}

TESTS_OF_THE_DASHBOARD = {
    "dashboard_message": [
        dm(
            Kind.TEXT,
            "random_mid",
            "random_text",
            account_external_id="0",
            follower_external_id="12334",
            ignored="test",
        )
    ],
    "dashboard_entry_zero": [
        dm(
            Kind.TEXT,
            "random_mid",
            "random_text",
            account_external_id="0",
            follower_external_id="12334",
            ignored="test",
        )
    ],
    "dashboard_comment": [
        dm(
            Kind.COMMENT,
            "123456789",
            "This is an example.",
            account_external_id="0",
            follower_external_id=None,
            comment_id="123456789",
            source="comment",
            ignored="test",
        )
    ],
}

BATCHES = {
    "array": [launch("mid.array1"), launch("mid.array2", follower_external_id=BEN)],
    "two_accounts": [
        launch("mid.a1"),
        launch("mid.b1", account_external_id=BOREAL, follower_external_id=BEN, sent_at=later(1)),
        dm(
            Kind.TEXT,
            "mid.b2",
            "PASS",
            account_external_id=BOREAL,
            follower_external_id=CLEO,
            sent_at=later(2),
        ),
    ],
    "everything_in_one_entry": [
        launch("mid.mix", sent_at=later(1)),
        dm(Kind.STANDBY, "standby:mid.mixstandby", "LAUNCH", ignored="standby", sent_at=later(2)),
        said(13, later(3)),
        said(14, later(4), kind=Kind.LIVE_COMMENT, source=f"live:{MEDIA}"),
    ],
    "reordered": [
        launch("mid.first", sent_at=later(100)),
        launch("mid.second", sent_at=later(900), follower_external_id=BEN),
    ],
    "no_entries": [],
}

TIMES_AND_IDS = {
    "numbers_as_ids": [launch("mid.numbers")],
    "seconds": [launch("mid.seconds")],
    "seconds_as_text": [launch("mid.secondstext")],
    "iso_time": [launch("mid.iso")],
    "time_from_entry": [launch("mid.notime")],
    "implausible_time": [launch("mid.five", sent_at=None)],
    "surrogate_and_nul": [
        dm(Kind.TEXT, "mid.odd", "LAU\ufffdNCH!"),
        launch("mid.even", follower_external_id=BEN),
    ],
}

READ_WHOLE = {
    **MESSAGES,
    **NEVER_ACTED_ON,
    **TAKEN_BACK,
    **COMMENTS,
    **TESTS_OF_THE_DASHBOARD,
    **BATCHES,
    **TIMES_AND_IDS,
}

# Deliveries with broken pieces: what is read, and why the rest is kept aside.
READ_IN_PART: dict[str, tuple[list[str], list[tuple[str, str | None]]]] = {
    "comment_without_id": (["18100000000000009"], [("no_comment_id", AURORA)]),
    "entry_missing": ([], [("no_entries", None)]),
    "other_object": ([], [("other_object", None)]),
    "unsend_of_nothing": ([], [("unsend_of_nothing", AURORA)]),
    "no_sender": (["mid.known"], [("no_sender", AURORA)]),
    "broken_neighbours": (
        ["mid.whole"],
        [
            ("no_account", None),
            ("no_account", None),
            ("not_an_object", AURORA),
            ("not_an_object", AURORA),
            ("not_an_object", AURORA),
            ("not_an_object", AURORA),
            ("nothing_known", AURORA),
        ],
    ),
    "too_long_id": (["mid.fine"], [("id_too_long", AURORA)]),
}

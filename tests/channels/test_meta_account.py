"""Do we see whether an account is well, and can we keep it so?"""

import pytest

from claimbot.channels.base import AccountHealth, NewToken
from claimbot.channels.http import MetaHttp
from claimbot.channels.instagram import Instagram
from claimbot.core.messages import Profile, SendingAccount, SendResult, Verdict
from tests.channels.meta_server import MetaServer, Says
from tests.channels.people import ANA, AURORA, BOREAL, BY_LOGIN, BY_PAGE

LOGIN_FIELDS = ["messages", "messaging_postbacks", "messaging_referral", "message_edit"]
LOGIN_FIELDS += ["messaging_handover", "standby", "comments", "live_comments"]
PAGE_FIELDS = ["messages", "messaging_postbacks", "messaging_referrals", "message_edits"]
PAGE_FIELDS += ["messaging_handovers", "standby"]

ME = Says(document={"id": "55", "user_id": AURORA, "username": "aurora"})
PAGE = Says(
    document={"id": BY_PAGE.page_id, "instagram_business_account": {"id": AURORA, "username": "aurora"}}
)
EXPIRED = Says(400, {"error": {"code": 190, "error_subcode": 463}})


def subscribed(*fields: str) -> Says:
    return Says(document={"data": [{"id": "app", "subscribed_fields": list(fields)}]})


def test_a_well_account_by_login_is_seen_as_such(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [ME, subscribed(*LOGIN_FIELDS)]

    health = Instagram().check(http, BY_LOGIN)

    assert health == AccountHealth(True, "", AURORA, "aurora", tuple(LOGIN_FIELDS))
    assert [asked.path for asked in meta.asked] == [
        "/instagram/v25.0/me",
        "/instagram/v25.0/me/subscribed_apps",
    ]
    assert meta.asked[0].query == {"fields": "user_id,username"}


def test_a_well_account_by_page_is_asked_for_under_its_page(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [PAGE, subscribed(*PAGE_FIELDS)]

    assert Instagram().check(http, BY_PAGE).ok
    assert [asked.path for asked in meta.asked] == [
        "/graph/v25.0/104500000000001",
        "/graph/v25.0/104500000000001/subscribed_apps",
    ]


def test_an_answer_inside_a_list_is_read_too(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [Says(document={"data": [{"user_id": int(AURORA)}]}), subscribed(*LOGIN_FIELDS)]

    assert Instagram().check(http, BY_LOGIN).ok


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([EXPIRED], "token_expired"),
        ([ME, EXPIRED], "token_expired"),
        ([ME, subscribed("comments")], "fields_missing"),
        ([ME, Says(document={"data": "odd"})], "fields_missing"),
        ([ME, Says(document={"data": [5, {"subscribed_fields": [1]}, {}]})], "fields_missing"),
        ([Says(document={"id": "55", "user_id": BOREAL}), subscribed(*LOGIN_FIELDS)], "other_account"),
        ([Says(document={}), subscribed(*LOGIN_FIELDS)], "page_not_linked"),
    ],
)
def test_an_account_that_is_not_well_says_why(
    answers: list[Says], reason: str, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = list(answers)

    health = Instagram().check(http, BY_LOGIN)

    assert (health.ok, health.reason) == (False, reason)


def test_a_field_that_is_only_wanted_is_named_but_is_no_fault(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [ME, subscribed("messages", "messaging_postbacks")]

    health = Instagram().check(http, BY_LOGIN)

    assert health.ok
    assert health.missing_fields == tuple(LOGIN_FIELDS[2:])


@pytest.mark.parametrize(
    ("account", "path", "fields"),
    [
        (BY_LOGIN, "/instagram/v25.0/me/subscribed_apps", LOGIN_FIELDS),
        (BY_PAGE, "/graph/v25.0/104500000000001/subscribed_apps", PAGE_FIELDS),
    ],
)
def test_subscribing_asks_for_the_fields_of_the_variant(
    account: SendingAccount, path: str, fields: list[str], meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [Says(document={"success": True})]

    assert Instagram().subscribe(http, account) == SendResult(Verdict.DONE)
    assert (meta.asked[0].method, meta.asked[0].path) == ("POST", path)
    assert meta.asked[0].query == {"subscribed_fields": ",".join(fields)}


@pytest.mark.parametrize(
    ("says", "result"),
    [
        (Says(document={"success": False}), SendResult(Verdict.DEAD, reason="not_subscribed")),
        (EXPIRED, SendResult(Verdict.PARKED, reason="token_expired")),
    ],
)
def test_a_refused_subscription_says_why(
    says: Says, result: SendResult, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [says]

    assert Instagram().subscribe(http, BY_LOGIN) == result


def test_a_token_is_renewed_for_its_sixty_days(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [
        Says(document={"access_token": "IGAAnext", "token_type": "bearer", "expires_in": 5183944})
    ]

    renewed = Instagram().refresh_token(http, BY_LOGIN)

    assert renewed == NewToken("IGAAnext", 5183944)
    assert "IGAAnext" not in repr(renewed)
    assert meta.asked[0].path == "/instagram/refresh_access_token"
    assert meta.asked[0].query == {"grant_type": "ig_refresh_token", "access_token": "IGAAtoken"}


@pytest.mark.parametrize(
    ("says", "result"),
    [
        (EXPIRED, SendResult(Verdict.PARKED, reason="token_expired")),
        (Says(document={"access_token": "x"}), SendResult(Verdict.UNKNOWN, reason="no_token")),
        (Says(document={"expires_in": 5}), SendResult(Verdict.UNKNOWN, reason="no_token")),
        (
            Says(document={"access_token": "x", "expires_in": True}),
            SendResult(Verdict.UNKNOWN, reason="no_token"),
        ),
    ],
)
def test_a_token_that_is_not_renewed_says_why(
    says: Says, result: SendResult, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [says]

    assert Instagram().refresh_token(http, BY_LOGIN) == result


def test_a_page_token_has_no_end(meta: MetaServer, http: MetaHttp) -> None:
    assert Instagram().refresh_token(http, BY_PAGE) == SendResult(Verdict.DONE, reason="never_expires")
    assert meta.asked == []


@pytest.mark.parametrize(
    ("document", "profile"),
    [
        (
            {"name": "Ana Lima", "username": "ana.l", "is_user_follow_business": True},
            Profile("Ana Lima", "ana.l", True),
        ),
        ({"name": None, "is_user_follow_business": "yes"}, Profile()),
    ],
)
def test_a_profile_is_what_the_platform_tells(
    document: object, profile: Profile, meta: MetaServer, http: MetaHttp
) -> None:
    meta.answers = [Says(document=document)]

    assert Instagram().profile(http, BY_LOGIN, ANA) == profile
    assert meta.asked[0].path == f"/instagram/v25.0/{ANA}"
    assert meta.asked[0].query == {"fields": "name,username,is_user_follow_business"}


def test_a_profile_without_consent_is_refused_and_parks_nothing(meta: MetaServer, http: MetaHttp) -> None:
    meta.answers = [Says(400, {"error": {"code": 230}})]

    assert Instagram().profile(http, BY_LOGIN, "../me") == SendResult(Verdict.DEAD, reason="consent_missing")
    assert meta.asked[0].path == "/instagram/v25.0/..%2Fme"

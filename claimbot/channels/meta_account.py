"""Is a connected Instagram account well, and what may we know of those who write to it?

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/get-started
https://developers.facebook.com/docs/messenger-platform/instagram/features/user-profile
https://developers.facebook.com/docs/instagram-platform/webhooks (subscribed_apps)
"""

from collections.abc import Mapping
from urllib.parse import quote

from claimbot.channels.base import AccountHealth, NewToken, Subscription
from claimbot.channels.http import Call, MetaHttp
from claimbot.channels.meta_parse import part, text_of
from claimbot.core.messages import Profile, SendingAccount, SendResult, Verdict

PROFILE_FIELDS = "name,username,is_user_follow_business"

# Without these no word and no tap arrives.
NEEDED_FIELDS = ("messages", "messaging_postbacks")

# What we ask for. The names differ between the variants. On a Page the comments of its Instagram account
# are switched on for the whole app, in the dashboard: a Page refuses those names.
WANTED_FIELDS = {
    "instagram_login": (
        *NEEDED_FIELDS,
        "messaging_referral",
        "message_edit",
        "messaging_handover",
        "standby",
        "comments",
        "live_comments",
    ),
    "page": (*NEEDED_FIELDS, "messaging_referrals", "message_edits", "messaging_handovers", "standby"),
}


def node_of(account: SendingAccount) -> str:
    """Where the account's calls go. On a Page it is the Page: Meta refuses the Instagram id with code 3."""
    return quote(account.page_id, safe="") if account.variant == "page" else "me"


def read_profile(http: MetaHttp, account: SendingAccount, follower_external_id: str) -> Profile | SendResult:
    """Only readable for those who wrote or tapped; a commenter's is refused until then."""
    path = f"/{quote(follower_external_id, safe='')}"
    answer = http.ask(account, Call("GET", path, {"fields": PROFILE_FIELDS}))
    if isinstance(answer, SendResult):
        return answer
    follows = answer.get("is_user_follow_business")
    return Profile(
        text_of(answer, "name"), text_of(answer, "username"), follows if isinstance(follows, bool) else None
    )


def check_account(http: MetaHttp, account: SendingAccount) -> AccountHealth:
    """Token, id and subscribed fields, in two calls."""
    me = _who_am_i(http, account)
    if isinstance(me, SendResult):
        return AccountHealth(False, me.reason)
    external_id, username = str(me.get("user_id") or me.get("id") or ""), text_of(me, "username")
    fields = _ask_for_fields(http, account)
    if isinstance(fields, SendResult):
        return AccountHealth(False, fields.reason, external_id, username)
    found = _compare(account, fields)
    reason = _complaint(account, external_id, found)
    return AccountHealth(not reason, reason, external_id, username, fields, found.missing)


def read_subscription(http: MetaHttp, account: SendingAccount) -> Subscription | SendResult:
    """In one call."""
    fields = _ask_for_fields(http, account)
    return fields if isinstance(fields, SendResult) else _compare(account, fields)


def subscribe_account(http: MetaHttp, account: SendingAccount) -> SendResult:
    """Asks for the fields; asking again changes nothing, and mends what an hour of failures took away."""
    fields = ",".join(WANTED_FIELDS[_variant(account)])
    answer = http.ask(
        account, Call("POST", f"/{node_of(account)}/subscribed_apps", {"subscribed_fields": fields})
    )
    if isinstance(answer, SendResult):
        return answer
    is_done = answer.get("success") is True
    return SendResult(Verdict.DONE) if is_done else SendResult(Verdict.DEAD, reason="not_subscribed")


def renew_token(http: MetaHttp, account: SendingAccount) -> NewToken | SendResult:
    """Sixty more days. Refused for a token younger than a day; a Page's token does not end."""
    if account.variant == "page":
        return SendResult(Verdict.DONE, reason="never_expires")
    query = {"grant_type": "ig_refresh_token", "access_token": account.token}
    answer = http.ask(account, Call("GET", "/refresh_access_token", query, is_versioned=False))
    if isinstance(answer, SendResult):
        return answer
    token, seconds = text_of(answer, "access_token"), answer.get("expires_in")
    if not token or isinstance(seconds, bool) or not isinstance(seconds, int) or seconds <= 0:
        return SendResult(Verdict.UNKNOWN, reason="no_token")
    return NewToken(token, seconds)


def _who_am_i(http: MetaHttp, account: SendingAccount) -> Mapping[str, object] | SendResult:
    """The Instagram account behind the token. `user_id` is what webhooks name, `id` is not."""
    if account.variant == "page":
        fields = {"fields": "instagram_business_account{id,username}"}
        answer = http.ask(account, Call("GET", f"/{node_of(account)}", fields))
        return answer if isinstance(answer, SendResult) else part(answer, "instagram_business_account")
    answer = http.ask(account, Call("GET", "/me", {"fields": "user_id,username"}))
    if isinstance(answer, SendResult):
        return answer
    rows = answer.get("data")
    # Meta's page prints the answer inside a list; deliveries show it bare.
    return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else answer


def _complaint(account: SendingAccount, external_id: str, found: Subscription) -> str:
    if external_id != account.external_id:
        return "other_account" if external_id else "page_not_linked"
    return "fields_missing" if found.is_deaf else ""


def _ask_for_fields(http: MetaHttp, account: SendingAccount) -> tuple[str, ...] | SendResult:
    answer = http.ask(account, Call("GET", f"/{node_of(account)}/subscribed_apps"))
    return answer if isinstance(answer, SendResult) else _subscribed_fields(answer)


def _compare(account: SendingAccount, fields: tuple[str, ...]) -> Subscription:
    missing = tuple(name for name in WANTED_FIELDS[_variant(account)] if name not in fields)
    return Subscription(missing, is_deaf=bool(set(missing) & set(NEEDED_FIELDS)))


def _subscribed_fields(answer: Mapping[str, object]) -> tuple[str, ...]:
    rows = answer.get("data")
    apps = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    lists = [app["subscribed_fields"] for app in apps if isinstance(app.get("subscribed_fields"), list)]
    return tuple(dict.fromkeys(name for found in lists for name in found if isinstance(name, str)))


def _variant(account: SendingAccount) -> str:
    return "page" if account.variant == "page" else "instagram_login"

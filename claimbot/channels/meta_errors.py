"""What does a refusal by Meta mean for us?

https://developers.facebook.com/docs/graph-api/guides/error-handling
https://developers.facebook.com/docs/messenger-platform/error-codes
https://developers.facebook.com/docs/graph-api/overview/rate-limiting
Meta decides by code and subcode; the HTTP status counts only from 500 on and where there is no JSON.
"""

import json
import math
from collections.abc import Mapping

from claimbot.channels.meta_parse import part, text_of
from claimbot.core.messages import SendResult, Verdict

# Reasons that stop every send of the account until a person mends it.
TOKEN_EXPIRED = "token_expired"
TOKEN_REVOKED = "token_revoked"
APP_REMOVED = "app_removed"
CHECKPOINT = "account_checkpoint"
PERMISSION_MISSING = "permission_missing"
ROLE_MISSING = "role_missing"
PAGE_NOT_LINKED = "page_not_linked"
MESSAGES_ACCESS_OFF = "messages_access_off"
ACCOUNT_RESTRICTED = "account_restricted"
TOKEN_MALFORMED = "token_malformed"

# Reasons that end one message.
WINDOW_CLOSED = "window_closed"
UNREACHABLE = "unreachable"
COMMENT_NOT_ELIGIBLE = "comment_not_eligible"
THREAD_ELSEWHERE = "thread_owned_elsewhere"
BAD_CONTENT = "bad_content"
CONSENT_MISSING = "consent_missing"
GONE = "gone"

RATE_LIMITED = "rate_limited"
OUTCOME_UNKNOWN = "platform_error"

# (code, subcode) → reason; a row with None speaks for every other subcode of its code.
REASONS: dict[tuple[int, int | None], str] = {
    (10, 2018278): WINDOW_CLOSED,
    (10, 2534022): WINDOW_CLOSED,
    (10, 2018065): WINDOW_CLOSED,
    # The same subcode means "cannot be reached" under 200 and 551.
    (10, 1545041): WINDOW_CLOSED,
    (10, 2018108): UNREACHABLE,
    (551, None): UNREACHABLE,
    (200, 1545041): UNREACHABLE,
    (100, 2018001): UNREACHABLE,
    (100, 2534014): UNREACHABLE,
    (100, 2534025): COMMENT_NOT_ELIGIBLE,
    (10900, None): COMMENT_NOT_ELIGIBLE,
    (2018300, None): THREAD_ELSEWHERE,
    (10, 2018300): THREAD_ELSEWHERE,
    (100, 2018300): THREAD_ELSEWHERE,
    (200, 2018300): THREAD_ELSEWHERE,
    (100, 2534037): THREAD_ELSEWHERE,
    # Codes 100 with 2534015, 2018008, 2018109, 2534068, and every 100 we do not know: our request was wrong.
    (100, None): BAD_CONTENT,
    (2534068, None): BAD_CONTENT,
    (230, None): CONSENT_MISSING,
    (9000001, None): GONE,
    (102, None): TOKEN_REVOKED,
    (190, None): TOKEN_REVOKED,
    (190, 458): APP_REMOVED,
    (190, 459): CHECKPOINT,
    (190, 464): CHECKPOINT,
    (190, 463): TOKEN_EXPIRED,
    (1, 99): PERMISSION_MISSING,
    (3, None): PERMISSION_MISSING,
    (10, None): PERMISSION_MISSING,
    (100, 33): PERMISSION_MISSING,
    (9010, None): PERMISSION_MISSING,
    (100, 2534013): PAGE_NOT_LINKED,
    (10, 2534077): CHECKPOINT,
    (200, 2534041): MESSAGES_ACCESS_OFF,
    (368, None): ACCOUNT_RESTRICTED,
    (10, 1893063): ACCOUNT_RESTRICTED,
    (100, 2534029): ACCOUNT_RESTRICTED,
    (613, 2018338): ACCOUNT_RESTRICTED,
    # "May have been sent" is in Meta's own words for 1/1357046.
    (1, None): OUTCOME_UNKNOWN,
    (2, None): OUTCOME_UNKNOWN,
    **{(code, None): PERMISSION_MISSING for code in range(200, 230)},
    **{(code, None): PERMISSION_MISSING for code in range(231, 300)},
    **{(code, None): RATE_LIMITED for code in (4, 17, 32, 341, 613, 80001, 80002, 80006, 80008)},
}

# The reasons that park every send of the account.
ACCOUNT_WIDE = frozenset(
    {
        TOKEN_EXPIRED,
        TOKEN_REVOKED,
        TOKEN_MALFORMED,
        APP_REMOVED,
        CHECKPOINT,
        PERMISSION_MISSING,
        ROLE_MISSING,
        PAGE_NOT_LINKED,
        MESSAGES_ACCESS_OFF,
        ACCOUNT_RESTRICTED,
    }
)

# Those of them that say that the token itself is worth nothing: no call with it can succeed.
OF_THE_TOKEN = frozenset({TOKEN_EXPIRED, TOKEN_REVOKED, TOKEN_MALFORMED, APP_REMOVED, CHECKPOINT})

# Meta's bans last an hour at most; a larger number would be a mistake that stops a launch.
RETRY_AFTER_SECONDS_MAX = 86_400.0


def refusal(status: int, error: Mapping[str, object], headers: Mapping[str, str]) -> SendResult:
    """What the error object of an answer means."""
    if status >= 500:
        return SendResult(Verdict.UNKNOWN, reason=OUTCOME_UNKNOWN)
    code, subcode = _number(error, "code"), _number(error, "error_subcode")
    if code == 100 and _is_role_trap(error):
        return SendResult(Verdict.PARKED, reason=ROLE_MISSING)
    reason = REASONS.get((code, subcode)) or REASONS.get((code, None))
    if reason is None and (error.get("is_transient") is True):
        reason = OUTCOME_UNKNOWN
    if reason is None and status == 429:
        reason = RATE_LIMITED
    if reason is None:
        return SendResult(Verdict.DEAD, reason=f"refused:{code}")
    wait_seconds = retry_after_seconds(headers) if reason == RATE_LIMITED else None
    return SendResult(_verdict(reason), reason=reason, retry_after_seconds=wait_seconds)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """How long to be silent: Retry-After in seconds, or the minutes of the business-use-case header."""
    waits = [_seconds(headers.get("retry-after", "")), 60.0 * _minutes_to_regain(headers)]
    longest = max(waits)
    return min(longest, RETRY_AFTER_SECONDS_MAX) if longest > 0 else None


def _verdict(reason: str) -> Verdict:
    if reason in ACCOUNT_WIDE:
        return Verdict.PARKED
    return {RATE_LIMITED: Verdict.RETRY, OUTCOME_UNKNOWN: Verdict.UNKNOWN}.get(reason, Verdict.DEAD)


def _is_role_trap(error: Mapping[str, object]) -> bool:
    """Every call right after a good login is refused so when the account has no role on the app."""
    is_instagram = error.get("type") == "IGApiException"
    return is_instagram and text_of(error, "message").startswith("Unsupported request - method type")


def _number(error: Mapping[str, object], key: str) -> int:
    """0 where there is none: Meta has no code 0."""
    found = error.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 10**9 else 0


def _minutes_to_regain(headers: Mapping[str, str]) -> float:
    """The longest wait in {"<account>": [{"estimated_time_to_regain_access": minutes}]}."""
    try:
        usage = json.loads(headers.get("x-business-use-case-usage", "{}"))
    except ValueError:
        return 0.0
    rows = [
        row for found in part({"usage": usage}, "usage").values() if isinstance(found, list) for row in found
    ]
    waits = [row.get("estimated_time_to_regain_access") for row in rows if isinstance(row, dict)]
    return max(
        (float(wait) for wait in waits if isinstance(wait, int | float) and 0 < wait < 10**6), default=0.0
    )


def _seconds(text: str) -> float:
    """The other form of Retry-After, a date, is not used by Meta and counts as none."""
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0

"""How does the Graph say no? One constant for each refusal (facts: error classes of the Graph API)."""

import hashlib
from typing import Any

from claimbot.sandbox.shelf import Json


class GraphRefusal(Exception):
    """An answer that is not 200. `trace` makes the body differ as real ones do."""

    def __init__(
        self, message: str, code: int, subcode: int = 0, kind: str = "OAuthException", status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.subcode = subcode
        self.kind = kind
        self.status = status
        self.headers: dict[str, str] = {}

    @property
    def verdict(self) -> str:
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code)

    def body(self) -> Json:
        error: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.status >= 500:
            error["is_transient"] = True
        error["fbtrace_id"] = "A" + hashlib.sha256(self.verdict.encode()).hexdigest()[:22]
        return {"error": error}


def bad_token() -> GraphRefusal:
    return GraphRefusal("Invalid OAuth access token - Cannot parse access token", 190)


def expired_token() -> GraphRefusal:
    return GraphRefusal("Error validating access token: Session has expired", 190, 463)


def revoked_token() -> GraphRefusal:
    return GraphRefusal("Error validating access token: The user has not authorized application", 190, 458)


def no_capability() -> GraphRefusal:
    return GraphRefusal("(#3) Application does not have the capability to make this API call.", 3)


def other_node() -> GraphRefusal:
    return GraphRefusal(
        "Unsupported request. Object does not exist or cannot be loaded due to missing permissions",
        100,
        33,
        "IGApiException",
    )


def unknown_path() -> GraphRefusal:
    return GraphRefusal("Unknown path components", 2500)


def window_closed() -> GraphRefusal:
    return GraphRefusal(
        "(#10) This message is sent outside of allowed window.", 10, 2534022, "IGApiException"
    )


def window_closed_messenger() -> GraphRefusal:
    return GraphRefusal("(#10) This message is sent outside of allowed window.", 10, 2018278)


def comment_not_eligible() -> GraphRefusal:
    return GraphRefusal("The comment is invalid for a private reply", 100, 2534025, "IGApiException")


def no_matching_person() -> GraphRefusal:
    return GraphRefusal("The requested user cannot be found.", 100, 2534014, "IGApiException")


def blocked() -> GraphRefusal:
    return GraphRefusal("(#551) This person isn't available right now.", 551, 1545041)


def no_consent() -> GraphRefusal:
    return GraphRefusal("(#230) User consent is required to access user profile", 230)


def bad_content(message: str, subcode: int = 0) -> GraphRefusal:
    return GraphRefusal(f"(#100) {message}", 100, subcode, "IGApiException")


def too_fast(account_id: str, regain_minutes: int) -> GraphRefusal:
    refusal = GraphRefusal("(#613) Calls to this api have exceeded the rate limit.", 613)
    refusal.headers["X-Business-Use-Case-Usage"] = (
        f'{{"{account_id}":[{{"type":"instagram","call_count":100,"total_cputime":12,"total_time":18,'
        f'"estimated_time_to_regain_access":{regain_minutes}}}]}}'
    )
    return refusal


def server_error() -> GraphRefusal:
    return GraphRefusal("An unexpected error has occurred. Please retry your request later.", 2, status=500)


def may_have_gone() -> GraphRefusal:
    return GraphRefusal(
        "An unknown error occurred. The message may have been sent; retrying may send it twice.", 1, 1357046
    )

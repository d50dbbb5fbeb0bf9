"""What can go wrong, whose fault it is, and whether to try again.

    ClaimbotError
    ├── Theirs             the sender's fault: answer 4xx, never retry
    │   ├── BadSignature       403
    │   └── BadPayload         quarantined with a reason, 200
    ├── Outside            a provider is down or busy: carries retry_after_seconds
    │   ├── StockUnavailable   Redis did not answer in its budget
    │   ├── LedgerUnavailable  SQL did not answer
    │   └── PaymentsUnavailable  Stripe did not answer, or said "later"
    ├── Ours               a bug: 500 and an alarm
    │   └── IllegalTransition  an event that is not in the table of states
    ├── Refused            a person asked for something the rules forbid: say why, change nothing
    └── Setup              refuse to start: lists all faults at once

Texts are constant: no secret, nothing computed from a secret, no message body.
"""

from collections.abc import Iterable


class ClaimbotError(Exception):
    """The root of everything this package raises on purpose."""


class Theirs(ClaimbotError):
    """The sender's fault: never worth a retry."""


class BadSignature(Theirs):
    """The signature is missing, malformed or made with another secret."""


class BadPayload(Theirs):
    """A verified sender sent something that cannot be read; `reason` is one constant word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Outside(ClaimbotError):
    """A provider is down or busy; try again after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float = 2.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class StockUnavailable(Outside):
    """Redis did not answer within its budget."""


class LedgerUnavailable(Outside):
    """SQL did not answer, or could not store."""


class PaymentsUnavailable(Outside):
    """Stripe did not answer, or told us to come back later: the outcome may be unknown."""


class Ours(ClaimbotError):
    """A bug of ours."""


class IllegalTransition(Ours):
    """An event that the table of states does not allow; nothing was changed."""


class Refused(ClaimbotError):
    """What was asked for is against the rules; the text says what to do instead."""


class Setup(ClaimbotError):
    """claimbot cannot start; `faults` holds one sentence for each fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))

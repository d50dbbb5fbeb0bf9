"""Do the words for what comes in and goes out fit together?"""

from dataclasses import FrozenInstanceError

import pytest

from claimbot.core.messages import (
    Delivery,
    Inbound,
    Kind,
    Outcome,
    Reply,
    SendingAccount,
    SendResult,
    Verdict,
)
from claimbot.core.texts import TextKey

NOT_TOLD = {Outcome.UNMATCHED, Outcome.LATE, Outcome.IGNORED, Outcome.UNSENT, Outcome.QUARANTINED}


def test_a_token_is_never_shown() -> None:
    account = SendingAccount("acc_1", "instagram", "page", "178414", "1002", "EAA-canary")
    assert "canary" not in f"{account!r} {account}"


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - NOT_TOLD))
def test_every_outcome_that_a_follower_hears_has_a_wording(outcome: Outcome) -> None:
    assert outcome.value in {key.value for key in TextKey}


def test_an_inbound_message_cannot_be_changed() -> None:
    message = Inbound("instagram", "178414", Kind.TEXT, "mid_1", "igsid_1", None)
    with pytest.raises(FrozenInstanceError):
        message.text = "other"  # type: ignore[misc]  # this is what must fail


def test_values_begin_empty_and_share_nothing() -> None:
    assert Delivery("instagram").events == ()
    assert Reply("Hi!").choices == ()
    assert SendResult(Verdict.DONE).retry_after_seconds is None

"""Why did something happen, or not? The ledger's single words, said in full."""

from collections.abc import Mapping
from types import MappingProxyType

# What was done with a message of theirs.
OF_MESSAGES: Mapping[str, str] = {
    "wrote_stop_before": "they wrote STOP before",
    "a_person_answers": "a person answers them, the machine is silent",
    "helped_within_24_hours": "got the help text less than a day ago",
    "echo": "the platform repeats what we wrote",
    "echo_of_a_person": "a person of the brand wrote, so the machine is silent until you resume it",
    "older_than_24_hours": "it came a day after it was written",
    "no_sender": "the platform does not say who wrote",
    "nothing_to_pass": "they had nothing to give up",
    "before": "they had it before",
    "ending": "their hold was ending just then",
    "free": "there was nothing to pay",
    "self": "the account wrote to itself",
    "group": "it stands in a group, where nobody can be answered alone",
    "standby": "another app answers this conversation",
    "handover": "the conversation went to another app, or came back",
    "mention": "only a name was mentioned",
    "test": "a test of the platform",
    "unknown": "a kind of message that we do not know",
    "edit": "a changed message claims nothing",
    "reaction": "a reaction claims nothing",
    "read": "they saw our message",
    "comment": "a comment without a keyword",
    "live_comment": "a comment without a keyword",
    "story_mention": "a mention claims nothing",
    "referral": "the link carried no keyword",
    "quick_reply": "the choice is not offered any more",
    "postback": "the button is not offered any more",
    "attachment": "there are no words in it",
}

# Why a message of ours was not sent, or not yet.
OF_SENDING: Mapping[str, str] = {
    "paced": "others are sent first, as fast as the platform allows",
    "opted_out": "they wrote STOP",
    "too_old": "could not be sent for a day",
    "no_longer_held": "the hold had ended before it could be sent",
    "window_closed": "24 hours after their last message nobody may write to them",
    "unknown_outcome": "sent, but the platform did not confirm it",
    "no_account": "the account is not connected any more",
    "no_lead": "the person is not known any more",
    "token_renewed": "the account was just connected again",
    "erased": "the person was erased",
    "link_too_long": "the link is too long for a message",
    "not_connected": "no connection could be made",
    "timeout": "no answer came in time",
    "connection_lost": "the connection broke off",
    "no_message_id": "the platform's answer could not be read",
    "rate_limited": "too much was asked at once; it is tried again",
    "platform_error": "the platform had an error of its own",
    "token_expired": "the account's token has ended",
    "token_revoked": "the account's token was taken back",
    "token_malformed": "the account's token is damaged",
    "app_removed": "the app was removed from the account",
    "account_checkpoint": "the platform asks the account's owner to sign in there",
    "permission_missing": "a permission is missing",
    "role_missing": "the account has no role in the app",
    "page_not_linked": "the account is not linked to its page",
    "messages_access_off": "the account does not let apps read its messages",
    "account_restricted": "the account is restricted",
    "unreachable": "could not be reached",
    "comment_not_eligible": "this comment cannot be answered in private",
    "thread_owned_elsewhere": "another app answers this conversation",
    "bad_content": "the platform does not take its content",
    "consent_missing": "they did not allow messages",
    "gone": "the person is not there any more",
}

# What Stripe answered, or what its news meant.
OF_MONEY: Mapping[str, str] = {
    "no_stripe_key": "no Stripe key was given",
    "stripe_unreachable": "Stripe does not answer",
    "stripe_busy": "Stripe has too much to do",
    "stripe_refused": "Stripe refuses",
    "key_refused": "Stripe does not take the key",
    "bad_request": "Stripe does not take the request",
    "declined": "the payment was declined",
    "not_found": "Stripe does not know it",
    "in_flight": "the same is being done already",
    "server_error": "Stripe had an error of its own",
    "lock_timeout": "Stripe has too much to do",
    "unreadable_answer": "Stripe's answer could not be read",
    "tls_failed": "no safe connection could be made",
    "key_reused": "it is asked anew",
    "expires_at_refused": "it is asked anew",
    "balance_insufficient": "the Stripe balance is too small",
    "amount_too_small": "the amount is too small for Stripe",
    "amount_too_large": "the amount is too large for Stripe",
    "already_refunded": "the money had gone back already",
    "charge_disputed": "the buyer's bank has asked for the money",
    "url_invalid": "Stripe does not take our address",
    "nothing_was_paid": "nothing was paid",
    "refund_failed": "the money did not go back: send it in Stripe",
    "other_mode": "it is of Stripe's other mode, test or live",
    "recovered_session": "it was paid on a page that Stripe made by itself",
    "other_claim": "it names another claim",
    "other_account": "it came to another Stripe account",
    "other_currency": "it is in another currency than was offered",
    "other_amount": "it is another amount than was offered",
}

# Why a system of the brand did not hear of it.
OF_WEBHOOKS: Mapping[str, str] = {
    "address_not_public": "the name leads to a private network, and only public addresses are called",
    "no_address": "the name leads nowhere",
    "not_called": "the address was paused for a day",
    "removed": "the address was removed",
}

# Why a claim ended.
OF_CLAIMS: Mapping[str, str] = {
    "hold_ended": "the time ran out",
    "pass": "they gave it up",
    "cancel": "the brand took it back",
    "drop_closed": "the drop closed while they waited",
    "erase": "the person was erased",
}

REASONS: Mapping[str, str] = MappingProxyType(
    {**OF_MESSAGES, **OF_SENDING, **OF_MONEY, **OF_WEBHOOKS, **OF_CLAIMS}
)

# Reasons that name something behind a colon.
WITH_MORE: Mapping[str, str] = MappingProxyType(
    {
        "refused": "the platform refused it with its number {}",
        "bad_parameter": "Stripe does not take what the drop asks of it: {}",
    }
)


def reason_words(reason: str) -> str:
    """A reason that we do not know yet is shown as it is, with blanks."""
    word, _, more = reason.partition(":")
    if word in WITH_MORE:
        return WITH_MORE[word].format(more.replace("_", " "))
    return REASONS.get(reason) or reason.replace("_", " ").replace(":", ": ")

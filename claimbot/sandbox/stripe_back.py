"""How does money go back? By a refund that we ask for, or by a dispute that the buyer's bank opens."""

from typing import Any

from claimbot.sandbox.shelf import Json
from claimbot.sandbox.stripe_bank import Bank, NotNow
from claimbot.sandbox.stripe_errors import (
    already_refunded,
    disputed,
    invalid_param,
    missing,
    missing_param,
    nothing_charged,
    refund_too_large,
)
from claimbot.sandbox.stripe_objects import make_dispute, make_refund

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def refund(bank: Bank, params: Json) -> Json:
    """Raises StripeRefusal. The faults refund_pending and refund_failed decide how it ends."""
    if params.get("reason", REASONS[0]) not in REASONS:
        raise invalid_param(
            "Invalid reason: must be one of duplicate, fraudulent, requested_by_customer", "reason"
        )
    with bank.lock:
        charge = _charge(bank, params)
        left = charge["amount"] - charge["amount_refunded"]
        if left == 0:
            raise already_refunded(charge["id"])
        if charge["disputed"]:
            raise disputed(charge["id"])
        amount = params.get("amount", left)
        if amount < 1:
            raise invalid_param("Invalid positive integer", "amount", "parameter_invalid_integer")
        if amount > left:
            raise refund_too_large()
        made = make_refund(charge, {**params, "amount": amount}, _status(bank), bank.now())
        _keep(bank, "refunds", made)
        if made["status"] != "failed":
            charge = _give_back(bank, charge, amount)
        bank.events.tell("refund.created", made)
        if made["status"] == "succeeded":
            bank.events.tell("charge.refunded", charge)
        if made["status"] == "failed":
            bank.events.tell("refund.failed", made)
        return made


def settle_refund(bank: Bank, refund_id: str, success: bool) -> Json:
    """A pending refund arrives, or fails later."""
    with bank.lock:
        made = bank.refunds.get(refund_id)
        if made is None:
            raise missing("refund", refund_id, "id")
        if made["status"] != "pending":
            raise NotNow(made["status"])
        charge = bank.charges[made["charge"]]
        ended = {**made, "status": "succeeded" if success else "failed"}
        if not success:
            ended["failure_reason"] = "expired_or_canceled_card"
            charge = _give_back(bank, charge, -made["amount"])
        _keep(bank, "refunds", ended)
        bank.events.tell("refund.updated", ended, {"status": "pending"})
        bank.events.tell("charge.refunded" if success else "refund.failed", charge if success else ended)
        return ended


def dispute(bank: Bank, session_id: str, won: bool | None) -> Json:
    """Opens a dispute of the session's payment; with `won` it is closed as well."""
    with bank.lock:
        charge = _charge(bank, {"payment_intent": bank.get(session_id).session["payment_intent"]})
        known = next((one for one in bank.disputes.values() if one["charge"] == charge["id"]), None)
        if known is None:
            known = make_dispute(charge, bank.now())
            bank.keep_charge({**charge, "disputed": True})
            _keep(bank, "disputes", known)
            bank.events.tell("charge.dispute.created", known)
        if won is not None:
            known = {**known, "status": "won" if won else "lost"}
            _keep(bank, "disputes", known)
            bank.events.tell("charge.dispute.closed", known)
        return known


def _status(bank: Bank) -> str:
    fault = bank.ground.faults.take("stripe", "refund_pending", "refund_failed")
    return fault.fault.removeprefix("refund_") if fault else "succeeded"


def _charge(bank: Bank, params: Json) -> Json:
    intent_id, charge_id = params.get("payment_intent"), params.get("charge")
    if not intent_id and not charge_id:
        raise missing_param("payment_intent")
    if charge_id:
        charge = bank.charges.get(charge_id)
        if charge is None:
            raise missing("charge", charge_id, "charge")
        return charge
    intent = bank.intents.get(str(intent_id))
    if intent is None:
        raise missing("payment_intent", str(intent_id), "payment_intent")
    if intent["status"] != "succeeded":
        raise nothing_charged(intent["id"])
    return bank.charges[intent["latest_charge"]]


def _give_back(bank: Bank, charge: Json, amount: int) -> Json:
    refunded = charge["amount_refunded"] + amount
    return bank.keep_charge({**charge, "amount_refunded": refunded, "refunded": refunded == charge["amount"]})


def _keep(bank: Bank, kind: str, made: Json) -> None:
    kept: dict[str, Any] = getattr(bank, kind)
    kept[made["id"]] = made
    bank.ground.shelf.put(f"{kind}:{bank.account_id}", made["id"], made)

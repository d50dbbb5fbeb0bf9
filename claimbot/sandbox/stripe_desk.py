"""How is a buyer driven over HTTP? Pay, decline, settle a delayed payment, refund, dispute."""

from dataclasses import replace

from flask import Blueprint
from flask.typing import ResponseReturnValue

from claimbot.sandbox import asked
from claimbot.sandbox.asked import BadRequest
from claimbot.sandbox.shelf import Json
from claimbot.sandbox.stripe_back import dispute, refund, settle_refund
from claimbot.sandbox.stripe_bank import Bank, NotNow
from claimbot.sandbox.stripe_errors import StripeRefusal
from claimbot.sandbox.stripe_objects import Buyer
from claimbot.sandbox.world import World


class NoSuchSession(Exception):
    """Answered with 404."""


def stripe_desk_routes(world: World) -> Blueprint:
    routes = Blueprint("stripe_desk", __name__, url_prefix="/api/stripe")
    desk = StripeDesk(world)
    for method, rule, view in (
        ("GET", "/sessions", desk.sessions),
        ("GET", "/sessions/<session_id>", desk.session),
        ("POST", "/sessions/<session_id>/pay", desk.pay),
        ("POST", "/sessions/<session_id>/decline", desk.decline),
        ("POST", "/sessions/<session_id>/settle_delayed", desk.settle_delayed),
        ("POST", "/sessions/<session_id>/refund", desk.refund),
        ("POST", "/sessions/<session_id>/dispute", desk.dispute),
        ("POST", "/refunds/<refund_id>/settle", desk.settle_refund),
        ("GET", "/refunds", desk.refunds),
        ("GET", "/events", desk.events),
    ):
        routes.add_url_rule(rule, view_func=view, methods=[method])
    routes.register_error_handler(NoSuchSession, lambda _: ({"error": "no_such_session"}, 404))
    routes.register_error_handler(NotNow, _not_now)
    routes.register_error_handler(StripeRefusal, _refused)
    return routes


def _not_now(wrong: NotNow) -> ResponseReturnValue:
    return {"error": "not_now", "status": wrong.status}, 409


def _refused(wrong: StripeRefusal) -> ResponseReturnValue:
    return wrong.body(), wrong.status


def bank_of(world: World, session_id: str) -> Bank:
    for bank in world.banks.values():
        if bank.find(session_id) is not None:
            return bank
    raise NoSuchSession(session_id)


class StripeDesk:
    def __init__(self, world: World) -> None:
        self._world = world

    def sessions(self) -> ResponseReturnValue:
        """Newest first, over all accounts."""
        found = [record.session for bank in self._world.banks.values() for record in bank.newest()]
        return sorted(found, key=lambda session: -session["created"])

    def session(self, session_id: str) -> ResponseReturnValue:
        return bank_of(self._world, session_id).get(session_id).session

    def pay(self, session_id: str) -> ResponseReturnValue:
        told = asked.body()
        plain = Buyer()
        buyer = replace(
            plain,
            email=asked.text(told, "email", plain.email),
            name=asked.text(told, "name", plain.name),
            phone=asked.text(told, "phone", plain.phone),
            marketing=asked.flag(told, "marketing"),
            discount_minor=int(asked.number(told, "discount_minor", 0)),
        )
        bank = bank_of(self._world, session_id)
        bank.pay(session_id, buyer, asked.flag(told, "delayed"))
        return self._now(bank, session_id)

    def decline(self, session_id: str) -> ResponseReturnValue:
        bank = bank_of(self._world, session_id)
        bank.decline(session_id)
        return self._now(bank, session_id)

    def settle_delayed(self, session_id: str) -> ResponseReturnValue:
        bank = bank_of(self._world, session_id)
        bank.settle_delayed(session_id, asked.flag(asked.body(), "success", True))
        return self._now(bank, session_id)

    def refund(self, session_id: str) -> ResponseReturnValue:
        """The brand refunds by hand, in Stripe's own pages."""
        told = asked.body()
        bank = bank_of(self._world, session_id)
        params: Json = {"payment_intent": self._intent_of(bank, session_id)}
        if "amount" in told:
            params["amount"] = int(asked.number(told, "amount", 0))
        return refund(bank, params)

    def dispute(self, session_id: str) -> ResponseReturnValue:
        told = asked.body()
        bank = bank_of(self._world, session_id)
        self._intent_of(bank, session_id)
        return dispute(bank, session_id, asked.flag(told, "won") if "won" in told else None)

    def settle_refund(self, refund_id: str) -> ResponseReturnValue:
        success = asked.flag(asked.body(), "success", True)
        for bank in self._world.banks.values():
            if refund_id in bank.refunds:
                return settle_refund(bank, refund_id, success)
        raise BadRequest("unknown_refund")

    def refunds(self) -> ResponseReturnValue:
        return [one for bank in self._world.banks.values() for one in list(bank.refunds.values())]

    def events(self) -> ResponseReturnValue:
        """Newest first; `delivered` says whether the engine took it."""
        return [
            {"id": event["id"], "type": event["type"], "delivered": bank.events.is_delivered(event["id"])}
            for bank in self._world.banks.values()
            for event in bank.events.listed()
        ]

    def _now(self, bank: Bank, session_id: str) -> Json:
        return bank.get(session_id).session

    def _intent_of(self, bank: Bank, session_id: str) -> str:
        session = bank.get(session_id).session
        if session["payment_intent"] is None or session["payment_status"] == "unpaid":
            raise NotNow(f"{session['status']}/{session['payment_status']}")
        return str(session["payment_intent"])

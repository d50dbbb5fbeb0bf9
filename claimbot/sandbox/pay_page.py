"""What does the buyer see? A hosted checkout: pay, a declined card, a delayed bank payment, back."""

import contextlib
from concurrent.futures import TimeoutError as TooLong

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.sandbox.stripe_bank import Bank, NotNow, Record
from claimbot.sandbox.stripe_desk import NoSuchSession, bank_of
from claimbot.sandbox.stripe_objects import Buyer
from claimbot.sandbox.world import World

# So long does Checkout hold the buyer for the answer to checkout.session.completed (Stripe documentation).
REDIRECT_WAIT_SECONDS = 10.0
SHORT_TEXT_CHARS = 120

# As Stripe counts them (Stripe documentation, "Supported currencies").
ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())


def written(minor: int, currency: str) -> str:
    digits = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, rest = divmod(minor, 10**digits)
    return f"{whole}{f'.{rest:0{digits}d}' if digits else ''} {currency.upper()}"


def pay_routes(world: World) -> Blueprint:
    routes = Blueprint("pay", __name__)
    routes.register_error_handler(NoSuchSession, lambda _: (render_template("sandbox/gone.html"), 404))

    @routes.get("/pay/<session_id>")
    def page(session_id: str) -> ResponseReturnValue:
        bank = bank_of(world, session_id)
        return _show(bank.get(session_id), declined="declined" in request.args)

    @routes.post("/pay/<session_id>")
    def act(session_id: str) -> ResponseReturnValue:
        bank = bank_of(world, session_id)
        try:
            if request.form.get("act") == "decline":
                bank.decline(session_id)
                return redirect(url_for("pay.page", session_id=session_id, declined=1), 303)
            return _pay(bank, session_id)
        except NotNow:
            return _show(bank.get(session_id)), 409

    return routes


def _pay(bank: Bank, session_id: str) -> ResponseReturnValue:
    told = bank.pay(session_id, _buyer(), delayed=request.form.get("act") == "delayed")
    with contextlib.suppress(TooLong):
        told.result(REDIRECT_WAIT_SECONDS)
    success_url = str(bank.get(session_id).session["success_url"])
    return redirect(success_url.replace("{CHECKOUT_SESSION_ID}", session_id), 303)


def _buyer() -> Buyer:
    plain = Buyer()
    return Buyer(
        email=request.form.get("email", "").strip()[:SHORT_TEXT_CHARS] or plain.email,
        name=request.form.get("name", "").strip()[:SHORT_TEXT_CHARS] or plain.name,
        phone=request.form.get("phone", "").strip()[:SHORT_TEXT_CHARS],
        marketing=request.form.get("marketing") == "yes",
    )


def _show(record: Record, declined: bool = False) -> str:
    session = record.session
    currency = session["currency"]
    lines = [
        {
            "name": line["description"],
            "quantity": line["quantity"],
            "each": written(line["price"]["unit_amount"], currency),
            "amount": written(line["amount_subtotal"], currency),
        }
        for line in record.lines
    ]
    template = "sandbox/pay.html" if session["status"] == "open" else "sandbox/paid.html"
    return render_template(
        template,
        session=session,
        lines=lines,
        image=record.image,
        subtotal=written(session["amount_subtotal"], currency),
        total=written(session["amount_total"], currency),
        declined=declined,
        asks_consent=(session["consent_collection"] or {}).get("promotions") == "auto",
        submit_note=(session["custom_text"]["submit"] or {}).get("message", ""),
    )

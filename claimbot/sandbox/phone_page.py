"""What does a person with a browser see? One page: a phone, its people, and the levers outside."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.sandbox.phone_api import PhoneApi
from claimbot.sandbox.world import World

# Who holds the phone when nobody was chosen.
FIRST_FOLLOWER = "ana"

# The levers that are worth a button; every other fault can be asked for over HTTP.
GRAPH_BUTTONS = (
    ("rate_613", "Rate limit"),
    ("error_500", "Server error"),
    ("timeout_after_accept", "Accept, then hang"),
    ("code_1_after_accept", "Accept, then deny"),
    ("token_190", "Token expired"),
    ("blocked_551", "Person gone"),
    ("echo_none", "No echo"),
    ("wrong_signature", "Wrong signature"),
)
STRIPE_BUTTONS = (
    ("error_500", "Server error"),
    ("timeout_after_accept", "Accept, then hang"),
    ("rate_429", "Rate limit"),
    ("webhook_drop", "Lose an event"),
    ("webhook_duplicate", "Event twice"),
    ("paid_at_expire", "Paid while expiring"),
    ("refund_pending", "Slow refund"),
)
JUMPS = (
    (60, "+1 minute"),
    (600, "+10 minutes"),
    (3600, "+1 hour"),
    (86_400, "+1 day"),
)


def phone_page_routes(world: World) -> Blueprint:
    routes = Blueprint("phone_page", __name__)
    api = PhoneApi(world)

    @routes.get("/")
    def phone() -> ResponseReturnValue:
        me = request.args.get("follower") or FIRST_FOLLOWER
        return render_template(
            "sandbox/phone.html",
            me=me,
            draft=request.args.get("ref", ""),
            thread=[bubble.public() for bubble in world.followers.phone(me)],
            status=request.args.get("status", "200"),
            accounts=world.config.accounts,
            engine_url=world.config.engine_url,
            graph_buttons=GRAPH_BUTTONS,
            stripe_buttons=STRIPE_BUTTONS,
            jumps=JUMPS,
        )

    @routes.get("/m/<account>")
    def chat(account: str) -> ResponseReturnValue:
        """As ig.me does: the chat with the account, and the word that the link brought. Whose phone it is
        the phone knows."""
        return redirect(url_for("phone_page.phone", ref=request.args.get("ref")), 303)

    @routes.post("/")
    def write() -> ResponseReturnValue:
        """What the script does by the API, for a browser without one: a message, or a tap on a choice."""
        told = request.form
        written = {name: told[name] for name in ("follower", "text", "payload") if told.get(name)}
        _, status = api.say({**written, "postback": told.get("postback") == "yes"})
        return redirect(url_for("phone_page.phone", follower=written.get("follower"), status=status), 303)

    return routes

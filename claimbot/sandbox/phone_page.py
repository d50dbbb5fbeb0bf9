"""What does a person with a browser see? One page: a phone, its people, and the levers outside."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from claimbot.sandbox.world import World

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

    @routes.get("/")
    def phone() -> ResponseReturnValue:
        return render_template(
            "sandbox/phone.html",
            accounts=world.config.accounts,
            engine_url=world.config.engine_url,
            graph_buttons=GRAPH_BUTTONS,
            stripe_buttons=STRIPE_BUTTONS,
            jumps=JUMPS,
        )

    return routes

"""Would a launch work now? In words and colours."""

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.errors import Refused
from claimbot.core.operators import Right
from claimbot.flows.health import clear_alert, find_health
from claimbot.flows.try_again import try_again
from claimbot.parts import Parts
from claimbot.web.admin.here import brand, needs, page, visitor


def add_health(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/health")
    def health(slug: str) -> ResponseReturnValue:
        return page("health.html", health=find_health(parts, brand()))

    @routes.post("/<slug>/health")
    @needs(Right.LOOK)
    def ask_platform(slug: str) -> ResponseReturnValue:
        return page("health.html", health=find_health(parts, brand(), asks_platform=True))

    @routes.post("/<slug>/health/try-again")
    def try_parked_again(slug: str) -> ResponseReturnValue:
        try_again(parts, visitor().actor, brand())
        return redirect(url_for("admin.health", slug=slug, did="tried_again"), 303)

    @routes.post("/<slug>/alerts/<alert_id>/clear")
    def clear(slug: str, alert_id: str) -> ResponseReturnValue:
        try:
            clear_alert(parts, visitor().actor, brand().id, alert_id)
        except Refused:
            abort(404)
        return redirect(url_for("admin.health", slug=slug, did="cleared"), 303)

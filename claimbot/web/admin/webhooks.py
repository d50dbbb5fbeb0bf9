"""Where do the brand's own systems hear of leads and sales, and what became of each event?"""

from collections.abc import Callable, Mapping

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import StringField

from claimbot.core.errors import Refused
from claimbot.core.operators import Right
from claimbot.core.webhooks import (
    ENDPOINTS_MOST,
    FAILURES_MOST,
    Endpoint,
    EndpointState,
    Happening,
    Notice,
    NoticeState,
)
from claimbot.flows import endpoints
from claimbot.parts import Parts
from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.fields import AdminForm, needed
from claimbot.web.admin.here import brand, needs, page, visitor
from claimbot.web.admin.wording import Badge

EVENTS: Mapping[Happening, str] = {
    Happening.WAITING: "nothing is free: somebody joined the line",
    Happening.HELD: "a unit is kept for somebody",
    Happening.GRANTED: "somebody is on an early-access list",
    Happening.SOLD: "paid, or a free unit given",
    Happening.ENDED: "without a sale, or the money went back; the reason says why",
}
NOTICES: Mapping[str, Badge] = {
    NoticeState.WAITING: Badge("on its way", "wait"),
    NoticeState.DELIVERED: Badge("delivered", "good"),
    NoticeState.GIVEN_UP: Badge("given up", "bad"),
}

Change = Callable[[Parts, str, Endpoint], Endpoint]


class EndpointForm(AdminForm):
    url = StringField("Address", [needed("Where is your system called?")])


def add_webhooks(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/settings/webhooks")
    @needs(Right.OWN)
    def webhooks(slug: str) -> ResponseReturnValue:
        return _page(parts)

    @routes.post("/<slug>/settings/webhooks/add")
    @needs(Right.OWN)
    @needs_password_again
    def add_webhook(slug: str) -> ResponseReturnValue:
        form = EndpointForm.typed()
        if form.validate():
            try:
                made = endpoints.add_endpoint(parts, visitor().actor, brand(), form.url.data or "")
                return _page(parts, shown=made)
            except Refused as refused:
                form.blame("url", f"{refused}")
        return _page(parts, form), 422

    @routes.post("/<slug>/settings/webhooks/<endpoint_id>/rotate")
    @needs(Right.OWN)
    @needs_password_again
    def rotate_webhook(slug: str, endpoint_id: str) -> ResponseReturnValue:
        return _page(parts, shown=_changed(parts, endpoint_id, endpoints.rotate))

    @routes.post("/<slug>/settings/webhooks/<endpoint_id>/remove")
    @needs(Right.OWN)
    @needs_password_again
    def remove_webhook(slug: str, endpoint_id: str) -> ResponseReturnValue:
        _changed(parts, endpoint_id, endpoints.remove)
        return _see("webhook_removed")

    _add_everyday(routes, parts)


def _add_everyday(routes: Blueprint, parts: Parts) -> None:
    """What can be taken back."""

    @routes.post("/<slug>/settings/webhooks/<endpoint_id>/pause")
    @needs(Right.OWN)
    def pause_webhook(slug: str, endpoint_id: str) -> ResponseReturnValue:
        _changed(parts, endpoint_id, endpoints.pause)
        return _see("webhook_paused")

    @routes.post("/<slug>/settings/webhooks/<endpoint_id>/resume")
    @needs(Right.OWN)
    def resume_webhook(slug: str, endpoint_id: str) -> ResponseReturnValue:
        _changed(parts, endpoint_id, endpoints.resume)
        return _see("webhook_resumed")

    @routes.post("/<slug>/settings/webhooks/<endpoint_id>/try")
    @needs(Right.OWN)
    def try_webhook(slug: str, endpoint_id: str) -> ResponseReturnValue:
        _changed(parts, endpoint_id, endpoints.send_test)
        return _see("webhook_tested")

    @routes.post("/<slug>/settings/webhooks/events/<notice_id>/again")
    @needs(Right.OWN)
    def send_notice_again(slug: str, notice_id: str) -> ResponseReturnValue:
        try:
            endpoints.send_again(parts, visitor().actor, brand(), notice_id)
        except Refused:
            abort(404)
        return _see("notice_again")


def _changed(parts: Parts, endpoint_id: str, change: Change) -> Endpoint:
    """Of this brand, and not removed by a colleague a moment ago."""
    mine = endpoints.find_endpoint(parts, brand().id, endpoint_id) or abort(404)
    try:
        return change(parts, visitor().actor, mine)
    except Refused:
        abort(404)


def _see(did: str) -> ResponseReturnValue:
    return redirect(url_for("admin.webhooks", slug=brand().slug, did=did), 303)


def badge_of_endpoint(endpoint: Endpoint) -> Badge:
    if endpoint.state is EndpointState.PAUSED:
        return Badge("paused", "wait")
    is_away = endpoint.failures >= FAILURES_MOST
    return Badge("does not accept events", "bad") if is_away else Badge("on", "good")


def badge_of_notice(notice: Notice) -> Badge:
    is_refused = notice.state is NoticeState.WAITING and notice.attempts > 0
    return Badge("not accepted yet", "wait") if is_refused else NOTICES[notice.state]


def _page(parts: Parts, form: EndpointForm | None = None, *, shown: Endpoint | None = None) -> str:
    """`shown`: its secret is on this page, and on no other."""
    form = form or EndpointForm()
    found = endpoints.find_listening(parts, brand().id)
    return page(
        "webhooks.html",
        backlogs=found.backlogs,
        notices=found.notices,
        urls={one.endpoint.id: one.endpoint.url for one in found.backlogs},
        badge_of_endpoint=badge_of_endpoint,
        badge_of_notice=badge_of_notice,
        events={one.value: words for one, words in EVENTS.items()},
        has_room=len(found.backlogs) < ENDPOINTS_MOST,
        most=ENDPOINTS_MOST,
        shown=shown,
        url="" if shown else form.url.data or "",
        faults=form.faults,
    )

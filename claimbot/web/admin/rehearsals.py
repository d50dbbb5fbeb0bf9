"""How does a brand rehearse a launch, and what came out?"""

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.drops import Drop
from claimbot.core.errors import Refused
from claimbot.core.operators import Right
from claimbot.db.rehearsals import Rehearsal
from claimbot.flows.board import find_drop
from claimbot.flows.rehearse import (
    Wish,
    ask_rehearsal,
    find_rehearsal,
    is_possible,
    list_rehearsals,
    wish_faults,
)
from claimbot.parts import Parts
from claimbot.web.admin.here import brand, needs, page, visitor
from claimbot.web.admin.wording import Badge

# name → label, usual value
FIELDS = {
    "followers": ("Followers who write", "200"),
    "stock_units": ("Units of each variant", "20"),
    "duplicates": ("Percent of messages that come twice", "30"),
    "pay": ("Percent of the winners who pay", "50"),
}
STATES = {
    "asked": Badge("waits to begin", "wait"),
    "running": Badge("is being played", "wait"),
    "done": Badge("played", "good"),
    "failed": Badge("did not work", "bad"),
}


def add_rehearsals(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/drops/<drop_id>/rehearse")
    @needs(Right.CHANGE)
    def plan_rehearsal(slug: str, drop_id: str) -> ResponseReturnValue:
        usual = {name: value for name, (_, value) in FIELDS.items()}
        return _form_page(parts, _mine(parts, drop_id), usual, {})

    @routes.post("/<slug>/drops/<drop_id>/rehearse")
    def rehearse(slug: str, drop_id: str) -> ResponseReturnValue:
        drop = _mine(parts, drop_id)
        told = {name: request.form.get(name, "").strip() for name in FIELDS}
        wish = Wish(**{name: _number(typed) for name, typed in told.items()})
        faults = {name: [sentence] for name, sentence in wish_faults(wish).items()}
        if faults:
            return _form_page(parts, drop, told, faults), 422
        try:
            asked = ask_rehearsal(parts, visitor().actor, drop, wish)
        except Refused as refused:
            return _form_page(parts, drop, told, {"": [str(refused)]}), 409
        return redirect(url_for("admin.look_at_rehearsal", slug=slug, rehearsal_id=asked.id), 303)

    @routes.get("/<slug>/rehearsals/<rehearsal_id>")
    def look_at_rehearsal(slug: str, rehearsal_id: str) -> ResponseReturnValue:
        found = find_rehearsal(parts, brand().id, rehearsal_id) or abort(404)
        return _rehearsal_page(parts, found)


def _mine(parts: Parts, drop_id: str) -> Drop:
    return find_drop(parts, brand().id, drop_id) or abort(404)


def _number(typed: str) -> int:
    """-1 for what is no number: no field takes it."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else -1


def _form_page(parts: Parts, drop: Drop, told: dict[str, str], faults: dict[str, list[str]]) -> str:
    return page(
        "rehearse.html",
        drop=drop,
        fields=FIELDS,
        told=told,
        faults=faults,
        is_possible=is_possible(parts),
        earlier=list_rehearsals(parts, drop.id),
        states=STATES,
    )


def _rehearsal_page(parts: Parts, found: Rehearsal) -> str:
    return page(
        "rehearsal.html",
        one=found,
        drop=_mine(parts, found.drop_id),
        copy=_mine(parts, found.copy_id),
        state=STATES[found.state],
        is_over=found.state in ("done", "failed"),
    )

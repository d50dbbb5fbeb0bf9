"""How does a brand watch its drops and steer them?"""

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.drops import STOCK_UNITS_MOST, Drop
from claimbot.core.errors import Refused
from claimbot.db.launches import SPANS
from claimbot.flows import launch
from claimbot.flows.board import find_board, find_drop, list_lines
from claimbot.flows.edit import delete_draft
from claimbot.parts import Parts
from claimbot.web.admin.drop_check import Faults
from claimbot.web.admin.here import asked, brand, page, typed, visitor
from claimbot.web.admin.pictures import columns, steps_of

STEPS = {"open": launch.open_drop, "pause": launch.pause_drop, "close": launch.close_drop}
DONE = {"open": "opened", "pause": "paused", "close": "closed"}


def add_drops(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/drops")
    def list_drops(slug: str) -> ResponseReturnValue:
        return page("drops.html", lines=list_lines(parts, brand().id))

    @routes.get("/<slug>/drops/<drop_id>")
    def look_at_drop(slug: str, drop_id: str) -> ResponseReturnValue:
        return _drop_page(parts, drop_id)

    @routes.post("/<slug>/drops/<drop_id>/<any(open, pause, close):step>")
    def step_drop(slug: str, drop_id: str, step: str) -> ResponseReturnValue:
        drop = _mine(parts, drop_id)
        try:
            STEPS[step](parts, visitor().actor, drop.id)
        except Refused as refused:
            return _drop_page(parts, drop.id, {"step": [str(refused)]}), 409
        return see_drop(drop, DONE[step])

    @routes.post("/<slug>/drops/<drop_id>/delete")
    def delete_drop(slug: str, drop_id: str) -> ResponseReturnValue:
        drop = _mine(parts, drop_id)
        try:
            delete_draft(parts, visitor().actor, drop.id)
        except Refused as refused:
            return _drop_page(parts, drop.id, {"step": [str(refused)]}), 409
        return redirect(url_for("admin.list_drops", slug=slug, did="deleted"), 303)

    @routes.post("/<slug>/drops/<drop_id>/variants/<variant_id>/restock")
    def restock(slug: str, drop_id: str, variant_id: str) -> ResponseReturnValue:
        drop = _mine(parts, drop_id)
        if variant_id not in {variant.id for variant in drop.variants}:
            abort(404)
        fault = _restock(parts, variant_id, typed("stock_units").strip())
        if fault:
            return _drop_page(parts, drop.id, {variant_id: [fault]}), 409
        return see_drop(drop, "restocked")


def _mine(parts: Parts, drop_id: str) -> Drop:
    return find_drop(parts, brand().id, drop_id) or abort(404)


def see_drop(drop: Drop, did: str) -> ResponseReturnValue:
    return redirect(url_for("admin.look_at_drop", slug=brand().slug, drop_id=drop.id, did=did), 303)


def _restock(parts: Parts, variant_id: str, stock_units: str) -> str:
    """Why not; empty when it was done."""
    if not (stock_units.isascii() and stock_units.isdigit() and len(stock_units) < 10):
        return "Write a whole number."
    if int(stock_units) > STOCK_UNITS_MOST:
        return f"At most {STOCK_UNITS_MOST} units."
    try:
        launch.restock(parts, visitor().actor, variant_id, int(stock_units))
    except Refused as refused:
        return str(refused)
    return ""


def _drop_page(parts: Parts, drop_id: str, faults: Faults | None = None) -> str:
    span = asked("span")
    board = find_board(parts, brand().id, drop_id, span) or abort(404)
    return page(
        "drop.html",
        board=board,
        spans=tuple(SPANS),
        span=span if span in SPANS else "",
        columns=columns(board.pace) if board.pace else (),
        steps_taken=steps_of(board.funnel),
        line=board.line,
        drop=board.drop,
        faults=faults or {},
        typed_stock=typed("stock_units"),
    )

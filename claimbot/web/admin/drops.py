"""How does a brand make a drop, watch it and steer it?"""

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.drops import STOCK_UNITS_MOST, Drop, DropKind, LinkMode
from claimbot.core.errors import Refused
from claimbot.core.keywords import Mode
from claimbot.core.operators import Right
from claimbot.core.texts import DEFAULT_TEXTS
from claimbot.flows import launch
from claimbot.flows.board import find_board, find_drop, list_lines
from claimbot.parts import Parts
from claimbot.web.admin.drop_form import TEXTS, DropForm, Faults, check_drop, read_form
from claimbot.web.admin.here import brand, needs, page, typed, visitor
from claimbot.web.admin.preview import bubbles

STEPS = {"open": launch.open_drop, "pause": launch.pause_drop, "close": launch.close_drop}
DONE = {"open": "opened", "pause": "paused", "close": "closed"}


def add_drops(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/drops")
    def list_drops(slug: str) -> ResponseReturnValue:
        return page("drops.html", lines=list_lines(parts, brand().id))

    @routes.get("/<slug>/drops/new")
    @needs(Right.CHANGE)
    def new_drop(slug: str) -> ResponseReturnValue:
        return _form_page(parts, DropForm(), {})

    @routes.post("/<slug>/drops/new")
    def make_drop(slug: str) -> ResponseReturnValue:
        form = read_form(request.form)
        match typed("do"):
            case "preview":
                return _form_page(parts, form, {})
            case "more":
                return _form_page(parts, form.with_more_rows(), {})
            case _:
                return _make(parts, form, is_opened=typed("do") == "open")

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
        return _see_drop(drop, DONE[step])

    @routes.post("/<slug>/drops/<drop_id>/variants/<variant_id>/restock")
    def restock(slug: str, drop_id: str, variant_id: str) -> ResponseReturnValue:
        drop = _mine(parts, drop_id)
        if variant_id not in {variant.id for variant in drop.variants}:
            abort(404)
        fault = _restock(parts, variant_id, typed("stock_units").strip())
        if fault:
            return _drop_page(parts, drop.id, {variant_id: [fault]}), 409
        return _see_drop(drop, "restocked")


def _mine(parts: Parts, drop_id: str) -> Drop:
    return find_drop(parts, brand().id, drop_id) or abort(404)


def _see_drop(drop: Drop, did: str) -> ResponseReturnValue:
    return redirect(url_for("admin.look_at_drop", slug=brand().slug, drop_id=drop.id, did=did), 303)


def _make(parts: Parts, form: DropForm, is_opened: bool) -> ResponseReturnValue:
    checked = check_drop(form, brand())
    if checked.new is None:
        return _form_page(parts, form, checked.faults), 422
    try:
        drop = launch.create_drop(parts, visitor().actor, checked.new)
    except Refused as refused:
        # Only the ledger knows which words other drops own; all else was looked at before.
        return _form_page(parts, form, {"words": str(refused).splitlines()}), 422
    if is_opened:
        launch.open_drop(parts, visitor().actor, drop.id)
    return _see_drop(drop, "opened" if is_opened else "made")


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


def _form_page(parts: Parts, form: DropForm, faults: Faults) -> str:
    defaults: dict[str, str] = {key.value: text for key, text in DEFAULT_TEXTS.items()}
    defaults |= brand().texts
    return page(
        "drop_form.html",
        form=form,
        faults=faults,
        bubbles=bubbles(form, brand(), parts.clock()),
        kinds=KINDS,
        modes=MODES,
        link_modes=LINK_MODES,
        texts=TEXTS,
        defaults=defaults,
        has_text_faults=any(name.startswith("text-") for name in faults),
    )


def _drop_page(parts: Parts, drop_id: str, faults: Faults | None = None) -> str:
    board = find_board(parts, brand().id, drop_id) or abort(404)
    return page(
        "drop.html",
        board=board,
        line=board.line,
        drop=board.drop,
        faults=faults or {},
        typed_stock=typed("stock_units"),
    )


KINDS = {
    DropKind.PAID.value: "Paid: a checkout link",
    DropKind.FREE.value: "Free: given away",
    DropKind.LIST.value: "Early-access list: no units",
}
MODES = {
    Mode.WORD.value: "the word, anywhere in the message",
    Mode.EXACT.value: "the whole message",
    Mode.STARTS.value: "the beginning of the message",
    Mode.CONTAINS.value: "the letters, also inside a longer word",
}
LINK_MODES = {
    LinkMode.AUTO.value: "Stripe when it is quick, else our page",
    LinkMode.DIRECT.value: "always Stripe",
    LinkMode.PAY_LINK.value: "always our page first",
}

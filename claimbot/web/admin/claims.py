"""Who claimed what, and why does each claim stand as it does? Take one back, move it, send money back."""

from collections.abc import Callable
from functools import partial

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.claims import State
from claimbot.core.errors import Refused
from claimbot.core.money import read_amount
from claimbot.core.operators import Right
from claimbot.db.claim_rows import Wanted
from claimbot.flows import browse
from claimbot.flows.board import list_names
from claimbot.flows.cancel import CANCELLED, NOTE_CHARS_MOST, cancel_claim
from claimbot.flows.give_back import ask_refund
from claimbot.flows.move import move_claim
from claimbot.parts import Parts
from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.here import asked, brand, needs, page, typed, visitor
from claimbot.web.admin.lead_filter import SEARCH_CHARS_MOST, read_place, write_place
from claimbot.web.admin.why import REFUSED, why
from claimbot.web.admin.wording import STATES

CANCELLABLE = (State.WAITLISTED, State.HELD)


def add_claims(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/claims")
    def list_claims(slug: str) -> ResponseReturnValue:
        return _list_page(parts)

    @routes.get("/<slug>/claims/refused")
    def list_refused(slug: str) -> ResponseReturnValue:
        return _refused_page(parts)

    @routes.get("/<slug>/claims/<claim_id>")
    def look_at_claim(slug: str, claim_id: str) -> ResponseReturnValue:
        return _claim_page(_mine(parts, claim_id))

    @routes.post("/<slug>/claims/<claim_id>/cancel")
    def take_claim_back(slug: str, claim_id: str) -> ResponseReturnValue:
        _mine(parts, claim_id)
        note = " ".join(typed("note").split())
        step = partial(cancel_claim, parts, _actor(), claim_id, note)
        return _try(parts, claim_id, CANCELLED, step)

    @routes.post("/<slug>/claims/<claim_id>/move")
    def move_to_variant(slug: str, claim_id: str) -> ResponseReturnValue:
        _mine(parts, claim_id)
        wanted = typed("variant")
        return _try(parts, claim_id, "claim_moved", lambda: move_claim(parts, _actor(), claim_id, wanted))

    @routes.post("/<slug>/claims/<claim_id>/refund")
    @needs(Right.OWN)
    @needs_password_again
    def refund_claim(slug: str, claim_id: str) -> ResponseReturnValue:
        opened = _mine(parts, claim_id)
        amount = read_amount(typed("amount"), opened.case.row.claim.unit_price.currency)
        if amount is None and typed("amount").strip():
            return _claim_page(opened, "Write an amount like 12.50, or nothing for all that is left."), 422
        return _try(parts, claim_id, "refund_asked", lambda: ask_refund(parts, _actor(), claim_id, amount))


def _actor() -> str:
    return visitor().actor


def _mine(parts: Parts, claim_id: str) -> browse.Opened:
    return browse.find_claim(parts, brand().id, claim_id) or abort(404)


def _try(parts: Parts, claim_id: str, did: str, step: Callable[[], None]) -> ResponseReturnValue:
    try:
        step()
    except Refused as refused:
        return _claim_page(_mine(parts, claim_id), str(refused)), 409
    return redirect(url_for("admin.look_at_claim", slug=brand().slug, claim_id=claim_id, did=did), 303)


def _list_page(parts: Parts) -> str:
    names = list_names(parts, brand().id)
    drop_id, state = asked("drop"), asked("state")
    if drop_id and drop_id not in names:
        abort(404)
    search = asked("search")[:SEARCH_CHARS_MOST]
    state = state if state in set(State) else ""
    wanted = Wanted(brand().id, drop_id or None, state or None, search.removeprefix("@") or None)
    listed = browse.list_claims(parts, wanted, read_place(asked("after")))
    filters = {"search": search, "drop": drop_id, "state": state}
    words = {name: value for name, value in filters.items() if value}
    return page(
        "claims.html",
        cases=listed.cases,
        why=why,
        drops=names,
        states=STATES,
        wanted=filters,
        words=words,
        next_place=write_place(listed.before) if listed.before else "",
        is_first=not asked("after"),
    )


def _refused_page(parts: Parts) -> str:
    names = list_names(parts, brand().id)
    drop_id = asked("drop") or next(iter(names), "")
    if drop_id and drop_id not in names:
        abort(404)
    found = browse.list_refused(parts, drop_id, read_place(asked("after")))
    return page(
        "claims_refused.html",
        rows=found.rows,
        refused=REFUSED,
        drops=names,
        drop_id=drop_id,
        next_place=write_place(found.before) if found.before else "",
        is_first=not asked("after"),
    )


def _claim_page(opened: browse.Opened, fault: str = "") -> str:
    claim = opened.case.row.claim
    return page(
        "claim.html",
        case=opened.case,
        row=opened.case.row,
        claim=claim,
        drop=opened.case.drop,
        others=opened.others,
        stays=opened.stays,
        their_page=opened.page_url if claim.state is not State.ERASED else "",
        why=why(opened.case),
        may_cancel=claim.state in CANCELLABLE,
        may_refund=claim.state is State.SOLD,
        fault=fault,
        typed_amount=typed("amount"),
        typed_note=typed("note"),
        note_chars=NOTE_CHARS_MOST,
    )

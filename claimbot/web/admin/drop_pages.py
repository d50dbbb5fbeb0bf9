"""How does a brand make a drop, or change one? One form for both, with what followers will see beside it."""

from dataclasses import dataclass, field

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.drops import DropKind, LinkMode
from claimbot.core.errors import Refused
from claimbot.core.keywords import Mode
from claimbot.core.operators import Right
from claimbot.core.replies import VARIABLES
from claimbot.core.texts import DEFAULT_TEXTS
from claimbot.flows import edit, launch
from claimbot.parts import Parts
from claimbot.web.admin.drop_check import Faults, check_drop
from claimbot.web.admin.drop_form import EMPTY, DropForm, form_of, read_form
from claimbot.web.admin.drops import see_drop
from claimbot.web.admin.here import asked, brand, needs, page, typed, visitor
from claimbot.web.admin.occasions import RARE, USUAL
from claimbot.web.admin.preview import bubbles
from claimbot.web.headers import allow_any_picture

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


@dataclass(frozen=True, slots=True)
class Shown:
    """What the form's page shows. `known` is the drop that is being changed."""

    form: DropForm
    known: edit.Known | None = None
    faults: Faults = field(default_factory=dict)
    is_refused: bool = False


def add_drop_pages(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/drops/new")
    @needs(Right.CHANGE)
    def new_drop(slug: str) -> ResponseReturnValue:
        form = _first_form(parts)
        return _page(parts, Shown(form, None, _taken_words(parts, form, None)))

    @routes.post("/<slug>/drops/new")
    def make_drop(slug: str) -> ResponseReturnValue:
        form = read_form(request.form)
        return _not_yet(parts, form, None) or _make(parts, form, is_opened=typed("do") == "open")

    @routes.get("/<slug>/drops/<drop_id>/edit")
    @needs(Right.CHANGE)
    def edit_drop(slug: str, drop_id: str) -> ResponseReturnValue:
        known = _known(parts, drop_id)
        return _page(parts, Shown(form_of(known, brand().timezone), known))

    @routes.post("/<slug>/drops/<drop_id>/edit")
    def change_drop(slug: str, drop_id: str) -> ResponseReturnValue:
        known = _known(parts, drop_id)
        form = read_form(request.form)
        return _not_yet(parts, form, known) or _change(parts, form, known)


def _known(parts: Parts, drop_id: str) -> edit.Known:
    return edit.find_known(parts, brand().id, drop_id) or abort(404)


def _first_form(parts: Parts) -> DropForm:
    """Empty, or filled in like another drop of this brand that is to be made again."""
    if asked("like"):
        like = form_of(_known(parts, asked("like")), brand().timezone)
        return like.with_fields(name=f"{like['name']} (copy)", opens_at="", closes_at="", version="")
    usual = edit.find_usual_currency(parts, brand().id)
    return DropForm().with_fields(currency=usual or EMPTY["currency"])


def _not_yet(parts: Parts, form: DropForm, known: edit.Known | None) -> str | None:
    """The same page again, for who wants to see more and save later."""
    match typed("do"):
        case "preview":
            return _page(parts, Shown(form, known, _taken_words(parts, form, known)))
        case "more":
            return _page(parts, Shown(form.with_more_rows(), known))
        case _:
            return None


def _taken_words(parts: Parts, form: DropForm, known: edit.Known | None) -> Faults:
    taken = edit.find_clashes(parts, brand().id, known.drop.id if known else "", form.words)
    return {"words": taken} if taken else {}


def _make(parts: Parts, form: DropForm, is_opened: bool) -> ResponseReturnValue:
    checked = check_drop(form, brand())
    faults = {**_taken_words(parts, form, None), **checked.faults}
    if checked.new is None or faults:
        return _page(parts, Shown(form, None, faults, is_refused=True)), 422
    try:
        drop = launch.create_drop(parts, visitor().actor, checked.new)
    except Refused as refused:
        # Somebody took a word since we looked.
        return _page(parts, Shown(form, None, {"words": str(refused).splitlines()}, is_refused=True)), 422
    if is_opened:
        launch.open_drop(parts, visitor().actor, drop.id)
    return see_drop(drop, "opened" if is_opened else "made")


def _change(parts: Parts, form: DropForm, known: edit.Known) -> ResponseReturnValue:
    checked = check_drop(form, brand(), known)
    faults = {**_taken_words(parts, form, known), **checked.faults}
    if checked.new is None or faults:
        return _page(parts, Shown(form, known, faults, is_refused=True)), 422
    version = form["version"]
    change = edit.Change(known.drop.id, int(version) if version.isdecimal() else 0, checked.new)
    try:
        drop = edit.change_drop(parts, visitor().actor, change)
    except Refused as refused:
        fresh = form.with_fields(version=str(_known(parts, known.drop.id).drop.version))
        again = f"{refused} What you typed is still here: save again to keep it."
        return _page(parts, Shown(fresh, known, {"version": [again]}, is_refused=True)), 409
    return see_drop(drop, "changed")


def _page(parts: Parts, shown: Shown) -> str:
    allow_any_picture()
    defaults: dict[str, str] = {key.value: text for key, text in DEFAULT_TEXTS.items()}
    defaults |= brand().texts
    form, known, faults = shown.form, shown.known, shown.faults
    slug = brand().slug
    change = url_for("admin.change_drop", slug=slug, drop_id=known.drop.id) if known else ""
    return page(
        "drop_form.html",
        form=form,
        drop=known.drop if known else None,
        is_locked=known is not None and not known.is_draft,
        action=change or url_for("admin.make_drop", slug=slug),
        faults=faults,
        is_refused=shown.is_refused,
        bubbles=bubbles(form, brand(), parts.clock()),
        kinds=KINDS,
        modes=MODES,
        link_modes=LINK_MODES,
        text_groups=(("What most launches change", USUAL), ("All other occasions", RARE)),
        variables=VARIABLES,
        defaults=defaults,
    )

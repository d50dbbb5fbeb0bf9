"""Who wrote to the brand, what became of each, and how does the list get into a file?"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.errors import Refused
from claimbot.core.leads import QualifyRule, describe
from claimbot.core.messages import Outcome
from claimbot.core.operators import Right
from claimbot.flows.board import find_rule, list_names
from claimbot.flows.download import end_download, find_download, start_download
from claimbot.flows.show import count_leads, list_channels, show_leads
from claimbot.parts import Parts
from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.here import asked, brand, needs, page, typed, visitor
from claimbot.web.admin.lead_filter import Asked, read_asked, read_spot, write_spot
from claimbot.web.admin.wording import OUTCOMES, STATES, Badge

# The others never become a line of the list.
SHOWN_OUTCOMES = [
    word for word in OUTCOMES if word not in (Outcome.IGNORED, Outcome.UNSENT, Outcome.QUARANTINED)
]


def add_leads(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/leads")
    def list_leads(slug: str) -> ResponseReturnValue:
        return _list_page(parts, read_asked(request.args))

    @routes.post("/<slug>/leads.csv")
    @needs(Right.CHANGE)
    @needs_password_again
    def download_leads(slug: str) -> ResponseReturnValue:
        wanted = _mine(parts, read_asked(request.form))
        try:
            return _csv(parts, wanted)
        except Refused as refusal:
            return _list_page(parts, wanted, str(refusal)), 409


def _mine(parts: Parts, wanted: Asked) -> Asked:
    """Another brand's drop does not exist."""
    if wanted.drop and wanted.drop not in list_names(parts, brand().id):
        abort(404)
    return wanted


def _list_page(parts: Parts, wanted: Asked, refusal: str = "") -> str:
    _mine(parts, wanted)
    asked_for, order = wanted.wanted(brand()), wanted.order(brand())
    shown = show_leads(parts, asked_for, read_spot(asked("after"), order), order)
    is_whole = shown.after is None and not asked("after")
    rule = find_rule(parts, wanted.drop) if wanted.drop else QualifyRule()
    return page(
        "leads.html",
        wanted=wanted,
        faults=[refusal] if refusal else wanted.faults,
        rows=shown.rows,
        count=len(shown.rows) if is_whole else count_leads(parts, asked_for),
        running=find_download(parts, brand().id),
        drops=list_names(parts, brand().id),
        channels=[(name, name.capitalize()) for name in list_channels(parts, brand().id)],
        outcomes=_words(OUTCOMES, SHOWN_OUTCOMES),
        states=_words(STATES, STATES),
        rule=describe(rule),
        next_page=_next(wanted.words, write_spot(shown.after)) if shown.after else "",
        is_first=not asked("after"),
        all_page=url_for("admin.list_leads", slug=brand().slug),
        heads=wanted.heads(brand()),
        orders=wanted.orders(brand()),
    )


def _words(table: Mapping[str, Badge], shown: Iterable[str]) -> list[tuple[str, str]]:
    return [(str(word), table[word].words) for word in shown]


def _next(words: Mapping[str, str], after: str) -> str:
    return f"{url_for('admin.list_leads', slug=brand().slug)}?{urlencode({**words, 'after': after})}"


def _csv(parts: Parts, wanted: Asked) -> Response:
    brand_id = brand().id
    kept = {name: word for name, word in wanted.filters.items() if name not in ("search", "tag")}
    with_bom = typed("for_programs") != "yes"
    pieces = start_download(parts, visitor().actor, wanted.wanted(brand()), kept, with_bom)
    response = Response(pieces, mimetype="text/csv")
    name = f"{brand().slug}-leads-{parts.clock():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.call_on_close(lambda: end_download(parts, brand_id))
    return response

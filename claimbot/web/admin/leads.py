"""Who wrote to the brand, and what became of each?"""

import threading
from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.errors import Refused
from claimbot.core.leads import QualifyRule, describe
from claimbot.core.operators import Right
from claimbot.flows.board import find_rule, list_names
from claimbot.flows.erase import erase
from claimbot.flows.export import export_leads, show_leads
from claimbot.flows.mend import resume_lead
from claimbot.flows.person import Story, find_story, note_export, pause_lead
from claimbot.parts import Parts
from claimbot.web.admin.here import asked, brand, needs, page, typed, visitor
from claimbot.web.admin.lead_filter import Asked, read_place, write_place

STEPS = {"pause": pause_lead, "resume": resume_lead}
DONE = {"pause": "bot_paused", "resume": "bot_resumed"}


class Downloads:
    """One at a time for each brand and process: a list of a million is work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[str] = set()

    def begin(self, brand_id: str) -> bool:
        with self._lock:
            if brand_id in self._running:
                return False
            self._running.add(brand_id)
            return True

    def end(self, brand_id: str) -> None:
        with self._lock:
            self._running.discard(brand_id)


def add_leads(routes: Blueprint, parts: Parts) -> None:
    downloads = Downloads()

    @routes.get("/<slug>/leads")
    def list_leads(slug: str) -> ResponseReturnValue:
        wanted = Asked(asked("search"), asked("drop"), asked("outcome"), asked("qualified"))
        return _list_page(parts, wanted)

    @routes.post("/<slug>/leads.csv")
    def download_leads(slug: str) -> ResponseReturnValue:
        wanted = Asked(typed("search"), typed("drop"), typed("outcome"), typed("qualified"))
        if wanted.drop and wanted.drop not in list_names(parts, brand().id):
            abort(404)
        if not downloads.begin(brand().id):
            return _list_page(parts, wanted, "A download of this brand is still running: wait for it."), 409
        return _csv(parts, wanted, downloads)

    @routes.get("/<slug>/leads/<lead_id>")
    def person(slug: str, lead_id: str) -> ResponseReturnValue:
        return page("person.html", story=_mine(parts, lead_id))

    @routes.post("/<slug>/leads/<lead_id>/<any(pause, resume):step>")
    def step_lead(slug: str, lead_id: str, step: str) -> ResponseReturnValue:
        _mine(parts, lead_id)
        try:
            STEPS[step](parts, visitor().actor, lead_id)
        except Refused:
            abort(404)
        return redirect(url_for("admin.person", slug=slug, lead_id=lead_id, did=DONE[step]), 303)

    @routes.post("/<slug>/leads/<lead_id>/erase")
    @needs(Right.OWN)
    def erase_person(slug: str, lead_id: str) -> ResponseReturnValue:
        _mine(parts, lead_id)
        erase(parts, visitor().actor, lead_id)
        return redirect(url_for("admin.person", slug=slug, lead_id=lead_id, did="erased"), 303)


def _mine(parts: Parts, lead_id: str) -> Story:
    return find_story(parts, brand().id, lead_id) or abort(404)


def _list_page(parts: Parts, wanted: Asked, wrong: str = "") -> str:
    names = list_names(parts, brand().id)
    if wanted.drop and wanted.drop not in names:
        abort(404)
    shown = show_leads(parts, brand().id, wanted.wanted, read_place(asked("after")))
    rule = find_rule(parts, wanted.drop) if wanted.drop else QualifyRule()
    return page(
        "leads.html",
        wanted=wanted,
        wrong=wrong,
        rows=shown.rows,
        drops=names,
        rule=describe(rule),
        next_page=_next(wanted.words, write_place(shown.before)) if shown.before else "",
        is_first=not asked("after"),
    )


def _next(words: Mapping[str, str], after: str) -> str:
    return f"{url_for('admin.list_leads', slug=brand().slug)}?{urlencode({**words, 'after': after})}"


def _csv(parts: Parts, wanted: Asked, downloads: Downloads) -> Response:
    brand_id = brand().id
    try:
        filters = {name: word for name, word in wanted.words.items() if name != "search"}
        note_export(parts, visitor().actor, brand_id, filters)
        pieces = export_leads(parts, brand_id, wanted.wanted, with_bom=True)
    except BaseException:
        downloads.end(brand_id)
        raise
    response = Response(pieces, mimetype="text/csv")
    name = f"{brand().slug}-leads-{parts.clock():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.call_on_close(lambda: downloads.end(brand_id))
    return response

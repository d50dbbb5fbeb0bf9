"""Who did what in this brand, and when?"""

from flask import Blueprint, abort, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.operators import Right
from claimbot.flows.history import find_break, find_history, list_actions
from claimbot.parts import Parts
from claimbot.web.admin.here import asked, brand, needs, page
from claimbot.web.admin.wording import action_words, fact_words

NUMBER_DIGITS = 18


def add_audit(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/settings/audit")
    @needs(Right.OWN)
    def audit(slug: str) -> ResponseReturnValue:
        return _page(parts)

    @routes.post("/<slug>/settings/audit/check")
    @needs(Right.OWN)
    def check_audit(slug: str) -> ResponseReturnValue:
        broken_at = find_break(parts)
        verdict = "whole" if broken_at is None else "broken"
        return _page(parts, verdict)


def _page(parts: Parts, verdict: str = "") -> str:
    before = asked("before") or "0"
    if not (before.isascii() and before.isdigit() and len(before) <= NUMBER_DIGITS):
        abort(404)
    action = asked("action")
    history = find_history(parts, brand(), int(before), action)
    older = ""
    if history.next_before:
        older = url_for("admin.audit", slug=brand().slug, before=history.next_before, action=action or None)
    return page(
        "audit.html",
        history=history,
        older=older,
        is_first=before == "0",
        action=action,
        actions={one: action_words(one) for one in list_actions(parts, brand())},
        action_words=action_words,
        fact_words=fact_words,
        verdict=verdict,
    )

"""What makes a lead of a drop qualified? Told in words, and changed word by word."""

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.leads import WISHES, QualifyRule, describe
from claimbot.core.operators import Right
from claimbot.flows.board import find_rule, list_names
from claimbot.flows.qualify import change_rule
from claimbot.parts import Parts
from claimbot.web.admin.here import brand, needs, page, visitor


def add_lead_rule(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/drops/<drop_id>/rule")
    @needs(Right.CHANGE)
    def show_rule(slug: str, drop_id: str) -> ResponseReturnValue:
        name = _name(parts, drop_id)
        rule = find_rule(parts, drop_id)
        return page(
            "lead_rule.html", drop_id=drop_id, name=name, rule=rule, words=describe(rule), wishes=WISHES
        )

    @routes.post("/<slug>/drops/<drop_id>/rule")
    def save_rule(slug: str, drop_id: str) -> ResponseReturnValue:
        _name(parts, drop_id)
        rule = QualifyRule(**{wish: request.form.get(wish) == "yes" for wish in WISHES})
        change_rule(parts, visitor().actor, drop_id, rule)
        return redirect(url_for("admin.list_leads", slug=slug, drop=drop_id, did="rule_changed"), 303)


def _name(parts: Parts, drop_id: str) -> str:
    """Another brand's drop does not exist."""
    return list_names(parts, brand().id).get(drop_id) or abort(404)

"""What is known of one person, and what may be done about them?"""

import secrets
from collections.abc import Mapping
from types import MappingProxyType

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from claimbot.core.errors import Refused
from claimbot.core.operators import Right
from claimbot.flows.describe import describe_lead
from claimbot.flows.erase import erase
from claimbot.flows.mend import resume_lead
from claimbot.flows.person import Story, find_story, pause_lead
from claimbot.flows.write import Words, write_to
from claimbot.parts import Parts
from claimbot.web.admin.again import needs_password_again
from claimbot.web.admin.here import brand, may, needs, page, typed, visitor
from claimbot.web.admin.story import line_of

# What a form carries so that sending it twice sends one message.
ONCE_CHARS = 40
NOTHING: Mapping[str, list[str]] = MappingProxyType({})
STEPS = {"pause": pause_lead, "resume": resume_lead}
DONE = {"pause": "bot_paused", "resume": "bot_resumed"}


def add_person(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/leads/<lead_id>")
    def person(slug: str, lead_id: str) -> ResponseReturnValue:
        return _page(parts, lead_id)

    @routes.post("/<slug>/leads/<lead_id>/write")
    def write_to_person(slug: str, lead_id: str) -> ResponseReturnValue:
        _mine(parts, lead_id)
        words = Words(typed("words"), typed("once")[:ONCE_CHARS])
        try:
            write_to(parts, visitor().actor, lead_id, words)
        except Refused as refusal:
            return _page(parts, lead_id, {"words": [str(refusal)]}), 409
        return _back(slug, lead_id, "written")

    @routes.post("/<slug>/leads/<lead_id>/describe")
    def describe_person(slug: str, lead_id: str) -> ResponseReturnValue:
        _mine(parts, lead_id)
        try:
            describe_lead(parts, visitor().actor, lead_id, typed("tags"), typed("note"))
        except Refused as refusal:
            return _page(parts, lead_id, {"describe": [str(refusal)]}), 409
        return _back(slug, lead_id, "described")

    @routes.post("/<slug>/leads/<lead_id>/<any(pause, resume):step>")
    def step_lead(slug: str, lead_id: str, step: str) -> ResponseReturnValue:
        _mine(parts, lead_id)
        try:
            STEPS[step](parts, visitor().actor, lead_id)
        except Refused:
            abort(404)
        return _back(slug, lead_id, DONE[step])

    @routes.post("/<slug>/leads/<lead_id>/erase")
    @needs(Right.OWN)
    @needs_password_again
    def erase_person(slug: str, lead_id: str) -> ResponseReturnValue:
        _mine(parts, lead_id)
        erase(parts, visitor().actor, lead_id)
        return _back(slug, lead_id, "erased")


def _mine(parts: Parts, lead_id: str) -> Story:
    return find_story(parts, brand().id, lead_id) or abort(404)


def _page(parts: Parts, lead_id: str, faults: Mapping[str, list[str]] = NOTHING) -> str:
    """After a refusal the fields keep what was typed."""
    story = _mine(parts, lead_id)
    who = story.person
    return page(
        "person.html",
        story=story,
        lines=[line_of(one) for one in story.moments],
        faults=faults,
        once=secrets.token_urlsafe(12),
        words=typed("words"),
        tags=typed("tags") if "describe" in faults else ", ".join(who.tags),
        note=typed("note") if "describe" in faults else who.note,
        may_write=story.may_write and may("change"),
    )


def _back(slug: str, lead_id: str, did: str) -> ResponseReturnValue:
    return redirect(url_for("admin.person", slug=slug, lead_id=lead_id, did=did), 303)

"""How does one more brand come in?"""

import re
from zoneinfo import available_timezones

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectField, StringField

from claimbot.core.brands import NAME_CHARS_MOST, Brand, brand_faults
from claimbot.core.commands import DEFAULT_WORDS
from claimbot.core.errors import Refused
from claimbot.core.keywords import normalise
from claimbot.flows.team import found_brand, may_found
from claimbot.parts import Parts
from claimbot.web.admin.fields import AdminForm, at_most, choices, needed
from claimbot.web.admin.here import page, visitor

NAMES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
    "pt": "Português",
    "nl": "Nederlands",
}
# Whose commands (STOP, HELP …) we know.
LANGUAGES = {word: NAMES.get(word, word) for word in DEFAULT_WORDS}


class BrandForm(AdminForm):
    name = StringField("Name", [needed("How do followers know the brand?"), at_most(NAME_CHARS_MOST)])
    timezone = StringField("Time zone", [needed("Where is the brand at home?")], default="UTC")
    locale = SelectField("Language", choices=choices(LANGUAGES), default="en")


def add_brands(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/brands/new")
    def new_brand() -> ResponseReturnValue:
        return _page(parts, BrandForm())

    @routes.post("/brands/new")
    def make_brand() -> ResponseReturnValue:
        if not may_found(parts, visitor()):
            abort(404)
        form = BrandForm.typed()
        new = Brand(
            "",
            slug_of(form.name.data or ""),
            form.name.data or "",
            form.timezone.data or "",
            form.locale.data,
            livemode=False,
        )
        if form.validate():
            for name, words in brand_faults(new).items():
                form.blame("name" if name == "slug" else name, f"{words[0].upper()}{words[1:]}.")
        if form.faults:
            return _page(parts, form), 422
        try:
            made = found_brand(parts, visitor(), new)
        except Refused as refused:
            form.blame("name", f"{refused}.")
            return _page(parts, form), 422
        return redirect(url_for("admin.list_drops", slug=made.slug, did="brand_made"), 303)


def slug_of(name: str) -> str:
    """`Café Nord` → `cafe-nord`: what stands in the addresses."""
    return re.sub(r"[^a-z0-9]+", "-", normalise(name)).strip("-")[:40].rstrip("-")


def _page(parts: Parts, form: BrandForm) -> str:
    if not may_found(parts, visitor()):
        abort(404)
    return page(
        "brand_form.html",
        form=form,
        languages=LANGUAGES,
        faults=form.faults,
        zones=sorted(available_timezones()),
    )

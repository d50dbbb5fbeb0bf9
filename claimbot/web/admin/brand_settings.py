"""What does an owner set for the whole brand? Name, zone, language, how long leads are kept."""

from dataclasses import replace
from zoneinfo import available_timezones

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import IntegerField

from claimbot.core.brands import brand_faults
from claimbot.core.operators import Right
from claimbot.flows.configure import change_brand
from claimbot.parts import Parts
from claimbot.web.admin.brands import LANGUAGES, BrandForm
from claimbot.web.admin.fields import needed
from claimbot.web.admin.here import brand, needs, page, visitor


class SettingsForm(BrandForm):
    retention_days = IntegerField("Days", [needed("Write a whole number.")])


def add_brand_settings(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/<slug>/settings")
    @needs(Right.OWN)
    def brand_settings(slug: str) -> ResponseReturnValue:
        return _page(SettingsForm(obj=brand()))

    @routes.post("/<slug>/settings")
    @needs(Right.OWN)
    def set_brand(slug: str) -> ResponseReturnValue:
        form = SettingsForm.typed()
        if form.validate():
            changed = replace(brand(), **{name: form[name].data for name in form.data})
            for name, words in brand_faults(changed).items():
                form.blame(name, f"{words[0].upper()}{words[1:]}.")
            if not form.faults:
                change_brand(parts, visitor().actor, changed)
                return redirect(url_for("admin.brand_settings", slug=slug, did="settings_kept"), 303)
        return _page(form), 422


def _page(form: SettingsForm) -> str:
    return page(
        "brand_settings.html",
        form=form,
        faults=form.faults,
        languages=LANGUAGES,
        zones=sorted(available_timezones()),
    )

"""Who works at the brand's desk in a test? An owner, an editor, a viewer, and a stranger of another brand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.security import generate_password_hash

from claimbot.app import create_app
from claimbot.core.brands import Brand
from claimbot.core.drops import Drop
from claimbot.db import brands
from tests.builders import NOW, make_drop
from tests.pages import Answer, CheckingClient
from tests.web.doors import Doors

PASSWORD = "a long sentence for tests"
# Cheap to look at; the real ones are slow on purpose.
PASSWORD_HASH = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")
OWNER, EDITOR, VIEWER = "owner@aurora.test", "editor@aurora.test", "viewer@aurora.test"
STRANGER, BOTH = "owner@borealis.test", "both@agency.test"
LOGIN = "/admin/login"

NEW_DROP = {
    "name": "Night Jacket",
    "price": "129.00",
    "currency": "EUR",
    "words": "LAUNCH",
    "stock-0": "20",
}


@dataclass
class Desk:
    """The doors, with people who may sign in."""

    doors: Doors

    @cached_property
    def app(self) -> Flask:
        return create_app(self.doors.parts)

    @property
    def brand(self) -> Brand:
        return self.doors.brand

    def browser(self) -> CheckingClient:
        """A new one: nobody is signed in."""
        return CheckingClient(self.app.test_client())

    def sign_in(self, email: str = OWNER) -> CheckingClient:
        browser = self.browser()
        assert try_in(browser, email).status == 303
        return browser

    def pass_time(self, **span: float) -> None:
        self.doors.hands.at += timedelta(**span)

    def drop(self, **changes: Any) -> Drop:
        return make_drop(self.doors.ledger, self.brand, **changes)

    def audited(self) -> list[str]:
        """What was done, oldest first."""
        return [row[0] for row in self.doors.rows("SELECT action FROM audit ORDER BY id")]

    def admin_rules(self) -> list[Rule]:
        return [rule for rule in self.app.url_map.iter_rules() if rule.rule.startswith("/admin/")]

    def path(self, rule: Rule, ids: Mapping[str, str]) -> str:
        with self.app.test_request_context():
            wanted = {name: ids[name] for name in rule.arguments}
            built = rule.build(wanted)
            assert built is not None
            return str(built[1])


def open_desk(doors: Doors) -> Desk:
    own, other = doors.brand.id, doors.other_brand.id
    people = {
        OWNER: {own: "owner"},
        EDITOR: {own: "editor"},
        VIEWER: {own: "viewer"},
        STRANGER: {other: "owner"},
        BOTH: {own: "owner", other: "viewer"},
    }
    with doors.ledger.begin() as tx:
        for email, roles in people.items():
            operator_id = brands.insert_operator(tx, email, PASSWORD_HASH, NOW)
            for brand_id, role in roles.items():
                brands.insert_membership(tx, operator_id, brand_id, role)
    return Desk(doors)


def try_in(browser: CheckingClient, email: str, password: str = PASSWORD, path: str = LOGIN) -> Answer:
    """Type it into the sign-in page."""
    return browser.send(browser.get(path).shown, LOGIN, email=email, password=password)


def token_of(browser: CheckingClient) -> str:
    """What the forms of this browser carry."""
    return browser.get("/admin/me").shown.form("/admin/logout").fields["form_token"]

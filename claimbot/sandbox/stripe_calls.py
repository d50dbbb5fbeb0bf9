"""Which call of Stripe's API does what with which parameters? One row for each."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from claimbot.sandbox.shelf import Json
from claimbot.sandbox.stripe_back import refund
from claimbot.sandbox.stripe_bank import Bank, Record
from claimbot.sandbox.stripe_errors import missing, unknown_param
from claimbot.sandbox.stripe_lists import created_filter, page
from claimbot.sandbox.stripe_objects import make_account
from claimbot.sandbox.stripe_params import (
    EVENT_LIST,
    EXPAND,
    PAGE,
    REFUND,
    REFUND_LIST,
    SESSION,
    SESSION_LIST,
)

Ids = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    method: str
    path: re.Pattern[str]
    spec: dict[str, Any]
    run: Callable[[Bank, Json, Ids], Json]
    needs_pay_url: bool = False


def _call(method: str, template: str, spec: dict[str, Any], run: Callable[[Bank, Json, Ids], Json]) -> Call:
    path = re.compile(template.replace("{id}", r"([A-Za-z0-9_]{1,255})"))
    return Call(f"{method} {template}", method, path, spec, run, needs_pay_url=run is _create)


def find_call(calls: tuple[Call, ...], method: str, path: str) -> tuple[Call, Ids] | None:
    for call in calls:
        found = call.path.fullmatch(path)
        if found and call.method == method:
            return call, found.groups()
    return None


def shown(bank: Bank, record: Record, params: Json) -> Json:
    """The session as the API gives it, with what was asked to be expanded."""
    session = record.session
    for name in params.get("expand", []):
        if name == "line_items":
            url = f"/v1/checkout/sessions/{session['id']}/line_items"
            session = {**session, "line_items": page(record.lines, {"limit": 100}, url)}
        elif name in ("payment_intent", "payment_intent.latest_charge"):
            session = {**session, "payment_intent": _whole_intent(bank, session["payment_intent"], name)}
        else:
            raise unknown_param(f"expand[{name}]")
    return session


def _whole_intent(bank: Bank, told: Any, name: str) -> Any:
    intent = bank.intents.get(told) if isinstance(told, str) else told
    if isinstance(intent, dict) and name.endswith("latest_charge"):
        charge = bank.charges.get(str(intent["latest_charge"]), intent["latest_charge"])
        intent = {**intent, "latest_charge": charge}
    return intent


def _create(bank: Bank, params: Json, ids: Ids) -> Json:
    pay_url = params.pop("pay_url")
    return shown(bank, bank.create(params, pay_url), params)


def _retrieve(bank: Bank, params: Json, ids: Ids) -> Json:
    return shown(bank, bank.get(ids[0]), params)


def _expire(bank: Bank, params: Json, ids: Ids) -> Json:
    return shown(bank, bank.expire(ids[0]), params)


def _lines(bank: Bank, params: Json, ids: Ids) -> Json:
    url = f"/v1/checkout/sessions/{ids[0]}/line_items"
    return page(bank.get(ids[0]).lines, params, url)


def _sessions(bank: Bank, params: Json, ids: Ids) -> Json:
    fits = created_filter(params.get("created"))
    email = params.get("customer_details", {}).get("email")
    plain = {name: params[name] for name in ("status", "payment_intent", "customer") if name in params}
    made = [
        record.session
        for record in bank.newest()
        if fits(record.session)
        and all(record.session[name] == wanted for name, wanted in plain.items())
        and email in (None, (record.session["customer_details"] or {}).get("email"))
    ]
    return page(made, params, "/v1/checkout/sessions")


def _refund(bank: Bank, params: Json, ids: Ids) -> Json:
    return refund(bank, params)


def _refunds(bank: Bank, params: Json, ids: Ids) -> Json:
    fits = created_filter(params.get("created"))
    plain = {name: params[name] for name in ("charge", "payment_intent") if name in params}
    with bank.lock:
        newest = list(reversed(bank.refunds.values()))
    made = [one for one in newest if fits(one) and all(one[name] == wanted for name, wanted in plain.items())]
    return page(made, params, "/v1/refunds")


def _one(kind: str, what: str) -> Callable[[Bank, Json, Ids], Json]:
    def find(bank: Bank, params: Json, ids: Ids) -> Json:
        made: dict[str, Json] = getattr(bank, kind)
        if ids[0] not in made:
            raise missing(what, ids[0], "id")
        return made[ids[0]]

    return find


def _intent(bank: Bank, params: Json, ids: Ids) -> Json:
    found = _one("intents", "payment_intent")(bank, params, ids)
    wants_charge = "latest_charge" in params.get("expand", [])
    whole = _whole_intent(bank, found, "latest_charge" if wants_charge else "")
    return dict(whole)


def _events(bank: Bank, params: Json, ids: Ids) -> Json:
    fits = created_filter(params.get("created"))
    types = params.get("types") or ([params["type"]] if "type" in params else [])
    wanted = params.get("delivery_success")
    made = [
        event
        for event in bank.events.listed()
        if fits(event)
        and (not types or event["type"] in types)
        and wanted in (None, bank.events.is_delivered(event["id"]))
    ]
    return page(made, params, "/v1/events")


def _event(bank: Bank, params: Json, ids: Ids) -> Json:
    found = bank.events.find(ids[0])
    if found is None:
        raise missing("event", ids[0], "id")
    return found


def _account(bank: Bank, params: Json, ids: Ids) -> Json:
    return make_account(bank.account_id)


CALLS = (
    _call("POST", "/v1/checkout/sessions", SESSION, _create),
    _call("GET", "/v1/checkout/sessions", SESSION_LIST, _sessions),
    _call("GET", "/v1/checkout/sessions/{id}", EXPAND, _retrieve),
    _call("POST", "/v1/checkout/sessions/{id}/expire", EXPAND, _expire),
    _call("GET", "/v1/checkout/sessions/{id}/line_items", PAGE, _lines),
    _call("POST", "/v1/refunds", REFUND, _refund),
    _call("GET", "/v1/refunds", REFUND_LIST, _refunds),
    _call("GET", "/v1/refunds/{id}", EXPAND, _one("refunds", "refund")),
    _call("GET", "/v1/payment_intents/{id}", EXPAND, _intent),
    _call("GET", "/v1/charges/{id}", EXPAND, _one("charges", "charge")),
    _call("GET", "/v1/disputes/{id}", EXPAND, _one("disputes", "dispute")),
    _call("GET", "/v1/events", EVENT_LIST, _events),
    _call("GET", "/v1/events/{id}", EXPAND, _event),
    _call("GET", "/v1/account", EXPAND, _account),
)

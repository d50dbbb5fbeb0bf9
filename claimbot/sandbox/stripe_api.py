"""Which calls of Stripe's API does the fake Stripe answer, and in which order are they refused?

Key, then rate, then faults, then idempotency, then parameters, then the state of things.
"""

import base64
import binascii
import json
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from claimbot.sandbox.faults import Fault
from claimbot.sandbox.shelf import Json
from claimbot.sandbox.stripe_bank import Bank
from claimbot.sandbox.stripe_calls import CALLS, Call, find_call
from claimbot.sandbox.stripe_errors import (
    StripeRefusal,
    bad_key,
    invalid_param,
    kept,
    locked,
    no_key,
    server_error,
    too_fast,
    unknown_path,
)
from claimbot.sandbox.stripe_events import API_VERSION
from claimbot.sandbox.stripe_forms import read_form
from claimbot.sandbox.stripe_ids import make_id
from claimbot.sandbox.stripe_limits import Kept, fingerprint
from claimbot.sandbox.stripe_params import read_params
from claimbot.sandbox.wire import drop_connection, hang
from claimbot.sandbox.world import World

KEY_CHARS = 255
UNHEARD_FAULTS = ("reset", "black_hole")
BEFORE_FAULTS = (*UNHEARD_FAULTS, "rate_429", "lock_timeout_429")
AFTER_FAULTS = ("timeout_after_accept", "error_500_after_accept")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that passed the doorman."""

    world: World
    bank: Bank
    call: Call
    path: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer before it goes out; `kept` tells an idempotency key whether to remember it."""

    status: int
    body: str
    headers: dict[str, str]
    is_kept: bool = True
    after: Fault | None = None


def stripe_routes(world: World) -> Blueprint:
    routes = Blueprint("stripe", __name__)

    @routes.route("/stripe/v1/<path:rest>", methods=["GET", "POST", "DELETE"])
    def stripe(rest: str) -> ResponseReturnValue:
        try:
            return _answer(world, f"/v1/{rest}")
        except StripeRefusal as refusal:
            return _respond(_refused(refusal))

    return routes


def _answer(world: World, path: str) -> Response:
    bank = _bank(world)
    found = find_call(CALLS, request.method, path)
    if found is None:
        raise unknown_path(request.method, path)
    asked = Asked(world, bank, found[0], path, found[1])
    if world.config.stripe_rate_limit and not world.rates.take(
        bank.account_id, asked.call.name, world.ground.clock.seconds()
    ):
        raise too_fast()
    fault = world.ground.faults.take("stripe", *BEFORE_FAULTS)
    if fault is not None and fault.fault in UNHEARD_FAULTS:
        hang(world.ground.stopped, fault.delay_seconds)
        return drop_connection(request)
    if fault is not None:
        raise too_fast() if fault.fault == "rate_429" else locked()
    said = _once(asked)
    if said.after is not None and said.after.fault == "timeout_after_accept":
        hang(world.ground.stopped, said.after.delay_seconds)
        return drop_connection(request)
    return _respond(said)


def _bank(world: World) -> Bank:
    word = request.headers.get("Authorization", "")
    scheme, _, told = word.partition(" ")
    if scheme.lower() == "basic":
        try:
            told = base64.b64decode(told).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            raise bad_key() from None
    elif scheme.lower() != "bearer":
        raise no_key()
    bank = world.banks.get(told.strip())
    if bank is None:
        raise bad_key()
    return bank


def _once(asked: Asked) -> Said:
    """Runs the call, or repeats the answer that its idempotency key already has."""
    key = request.headers.get("Idempotency-Key", "")
    if request.method != "POST" or not key:
        return _run(asked)
    if len(key) > KEY_CHARS:
        raise invalid_param("Idempotency-Key must be at most 255 characters.", "")
    world, account = asked.world, asked.bank.account_id
    mark = fingerprint(request.method, asked.path, request.get_data())
    now = world.ground.clock.seconds()
    known = world.idempotency.begin(account, key, mark, now)
    if known is not None:
        return Said(known.status, known.body, {"Idempotent-Replayed": "true", "Idempotency-Key": key})
    said: Said | None = None
    try:
        said = _run(asked)
    finally:
        remembered = Kept(mark, said.status, said.body, now) if said is not None and said.is_kept else None
        world.idempotency.end(account, key, remembered)
    return replace(said, headers={**said.headers, "Idempotency-Key": key})


def _run(asked: Asked) -> Said:
    faults = asked.world.ground.faults
    slow = faults.take("stripe", "slow")
    if slow is not None:
        hang(asked.world.ground.stopped, slow.delay_seconds)
    try:
        params = _params(asked.call)
        if faults.take("stripe", "error_500"):
            raise server_error()
        made = asked.call.run(asked.bank, params, asked.ids)
    except StripeRefusal as refusal:
        return _refused(refusal)
    after = faults.take("stripe", *AFTER_FAULTS)
    if after is not None and after.fault == "error_500_after_accept":
        return _refused(kept(server_error()))
    return Said(200, json.dumps(made), {}, after=after)


def _params(call: Call) -> Json:
    told: MultiDict[str, str] = request.form if request.method == "POST" else request.args
    pairs = [(name, value) for name in told for value in told.getlist(name)]
    params: dict[str, Any] = read_params(read_form(pairs), call.spec)
    if call.needs_pay_url:
        params["pay_url"] = request.host_url + "pay/"
    return params


def _refused(refusal: StripeRefusal) -> Said:
    return Said(refusal.status, json.dumps(refusal.body()), refusal.headers, refusal.is_kept)


def _respond(said: Said) -> Response:
    headers = {"Request-Id": make_id("req", 14), "Stripe-Version": API_VERSION, **said.headers}
    return Response(said.body, said.status, headers, mimetype="application/json")

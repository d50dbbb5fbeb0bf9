"""How is the world itself driven over HTTP? Its clock, its faults, its tokens, its counters."""

import math
import secrets

import httpx
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from claimbot.sandbox import asked
from claimbot.sandbox.asked import BadRequest
from claimbot.sandbox.clock import iso
from claimbot.sandbox.faults import DELAYS_SECONDS, Fault
from claimbot.sandbox.shelf import Json
from claimbot.sandbox.world import World

HANDSHAKE_TIMEOUT_SECONDS = 5.0


def world_routes(world: World) -> Blueprint:
    routes = Blueprint("world_api", __name__, url_prefix="/api")
    api = WorldApi(world)
    for method, rule, view in (
        ("GET", "/clock", api.clock),
        ("POST", "/clock", api.advance),
        ("GET", "/faults", api.faults),
        ("POST", "/faults", api.arm),
        ("DELETE", "/faults", api.disarm),
        ("POST", "/tokens", api.tokens),
        ("POST", "/handshake", api.handshake),
        ("GET", "/accounts", api.accounts),
        ("GET", "/state", api.state),
        ("POST", "/reset", api.reset),
    ):
        routes.add_url_rule(rule, view_func=view, methods=[method])
    return routes


class WorldApi:
    def __init__(self, world: World) -> None:
        self._world = world
        self._ground = world.ground

    def clock(self) -> ResponseReturnValue:
        clock = self._ground.clock
        now = clock.seconds()
        return {"now": iso(now), "seconds": now, "offset_seconds": clock.offset_seconds}

    def advance(self) -> ResponseReturnValue:
        seconds = asked.number(asked.body(), "advance_seconds", 0.0)
        if seconds < 0:
            raise BadRequest("time_goes_forward")
        self._world.advance(seconds)
        return self.clock()

    def faults(self) -> ResponseReturnValue:
        return self._ground.faults.listed()

    def arm(self) -> ResponseReturnValue:
        told = asked.body()
        name = asked.text(told, "fault")
        delay = asked.number(told, "delay_seconds", DELAYS_SECONDS.get(name, 0.0))
        if delay < 0:
            raise BadRequest("bad_delay_seconds")
        fault = Fault(
            asked.text(told, "target"),
            name,
            int(asked.number(told, "times", 1)),
            delay,
            int(asked.number(told, "percent", 100)),
            asked.number(told, "for_seconds", math.inf),
        )
        try:
            self._ground.faults.arm(fault)
        except ValueError as wrong:
            raise BadRequest(str(wrong)) from None
        return self.faults()

    def disarm(self) -> ResponseReturnValue:
        self._ground.faults.clear(request.args.get("target", ""), request.args.get("fault", ""))
        return self.faults()

    def tokens(self) -> ResponseReturnValue:
        """Takes away the tokens of an account, or gives them back."""
        told = asked.body()
        try:
            account = self._world.account(asked.text(told, "account", ""))
        except KeyError:
            raise BadRequest("unknown_account") from None
        self._world.tokens.revoke(account.external_id, asked.flag(told, "revoked", True))
        return {"account": account.external_id, "revoked": asked.flag(told, "revoked", True)}

    def handshake(self) -> ResponseReturnValue:
        """The subscription handshake as Meta does it; `ok` when the engine gave the challenge back."""
        config = self._world.config
        challenge = str(secrets.randbelow(10**9))
        query = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": config.meta_verify_token,
        }
        try:
            with httpx.Client(trust_env=False, timeout=HANDSHAKE_TIMEOUT_SECONDS) as client:
                answer = client.get(config.meta_webhook_url, params=query)
        except httpx.HTTPError:
            return {"status": 0, "ok": False}
        return {
            "status": answer.status_code,
            "ok": answer.status_code == 200 and answer.text == challenge,
        }

    def accounts(self) -> ResponseReturnValue:
        """Without tokens."""
        return [
            {"external_id": one.external_id, "username": one.username, "variant": one.variant}
            for one in self._world.config.accounts
        ]

    def state(self) -> ResponseReturnValue:
        counters = self._ground.counters
        verdicts = counters.under("verdicts")
        deliveries = dict.fromkeys(("tried", "accepted", "failed", "dropped", "given_up"), 0)
        return {
            "now": iso(self._ground.clock.seconds()),
            "sends_accepted": verdicts.get("accepted", 0),
            "verdicts": verdicts,
            "deliveries": {
                **deliveries,
                **counters.under("deliveries"),
                "waiting": self._ground.deliveries.waiting(),
            },
            "sessions": self._sessions(),
            "followers": len(self._world.followers.everybody()),
            "comments": len(self._world.followers.comments),
            "subscribed": {
                account: list(fields) for account, fields in self._world.platform.subscribed.items()
            },
            "faults": self._ground.faults.listed(),
        }

    def _sessions(self) -> Json:
        counts = {"open": 0, "complete": 0, "expired": 0, "paid": 0, "refunds": 0}
        for bank in self._world.banks.values():
            for record in bank.newest():
                counts[record.session["status"]] += 1
                counts["paid"] += record.session["payment_status"] == "paid"
            counts["refunds"] += len(bank.refunds)
        return counts

    def reset(self) -> ResponseReturnValue:
        self._world.reset()
        return {"ok": True}

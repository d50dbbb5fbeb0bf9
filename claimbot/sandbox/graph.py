"""Which calls of the Graph API does the fake platform answer, and how?

Paths are accepted with and without a version. Faults hit sends of messages only, so that a background
check of a token or a profile does not use them up; but a black hole and `reset_all` swallow every call.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from claimbot.sandbox.config import AccountConfig
from claimbot.sandbox.graph_errors import (
    GraphRefusal,
    bad_content,
    bad_token,
    blocked,
    may_have_gone,
    no_capability,
    no_consent,
    no_matching_person,
    other_node,
    server_error,
    unknown_path,
)
from claimbot.sandbox.graph_rules import ACTIONS
from claimbot.sandbox.shelf import Json
from claimbot.sandbox.tokens import DAY_SECONDS
from claimbot.sandbox.wire import drop_connection, hang
from claimbot.sandbox.world import World

VERSION = re.compile(r"^v\d+\.\d+/")
METHODS = ["GET", "POST", "DELETE"]
OWN_FIELDS = ("id", "user_id", "username", "name", "account_type")
FOLLOWER_FIELDS = (
    "name",
    "username",
    "profile_pic",
    "follower_count",
    "is_user_follow_business",
    "is_business_follow_user",
    "is_verified_user",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its account known by its token."""

    world: World
    account: AccountConfig
    token: str
    node: str
    told: Json
    """Query, form and JSON body in one."""


Answer = Callable[[Call], ResponseReturnValue]


def graph_routes(world: World) -> Blueprint:
    routes = Blueprint("graph", __name__)

    @routes.route("/graph/<path:rest>", methods=METHODS)
    def graph(rest: str) -> ResponseReturnValue:
        path = VERSION.sub("", rest)
        away = world.ground.faults.take("graph", "black_hole", "reset_all")
        if away is not None:
            hang(world.ground.stopped, away.delay_seconds)
            return drop_connection(request)
        try:
            return _answer(world, path)
        except GraphRefusal as refusal:
            return _refuse(refusal)

    return routes


def _refuse(refusal: GraphRefusal) -> Response:
    body = json.dumps(refusal.body())
    return Response(body, refusal.status, refusal.headers, mimetype="application/json")


def _answer(world: World, path: str) -> ResponseReturnValue:
    told = _told()
    token = _token(told)
    account = world.account(world.tokens.check(token).account)
    node, _, edge = path.partition("/")
    answer = ANSWERS.get((request.method, edge)) if edge else _node_answer(node)
    if answer is None:
        raise unknown_path()
    return answer(Call(world, account, token, node, told))


def _told() -> Json:
    told: dict[str, Any] = {**request.args.to_dict(), **request.form.to_dict()}
    if request.is_json:
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise bad_content("The body is not a JSON object.")
        told |= body
    return told


def _token(told: Json) -> str:
    word = request.headers.get("Authorization", "")
    found = word.removeprefix("Bearer ") if word.startswith("Bearer ") else str(told.get("access_token", ""))
    if not found:
        raise bad_token()
    return found


def _node_answer(node: str) -> Answer | None:
    if request.method != "GET":
        return None
    return {"me": _me, "access_token": _exchange, "refresh_access_token": _refresh}.get(node, _profile)


def _own_node(call: Call) -> None:
    """Raises GraphRefusal unless the call is about the token's own account, by the id its variant uses."""
    if call.account.variant == "page":
        if call.node == call.account.external_id:
            raise no_capability()
        if call.node not in ("me", call.account.page_id):
            raise other_node()
    elif call.node not in ("me", call.account.external_id):
        raise other_node()


def _me(call: Call) -> ResponseReturnValue:
    account = call.account
    if account.variant == "page":
        return _page_of(call)
    known = {
        # The app-scoped id differs from user_id, which is what webhooks carry.
        "id": str(int(account.external_id) + 7) if account.external_id.isdigit() else account.external_id,
        "user_id": account.external_id,
        "username": account.username,
        "name": account.username,
        "account_type": "BUSINESS",
    }
    return _chosen(known, call.told, OWN_FIELDS[:1])


def _page_of(call: Call) -> ResponseReturnValue:
    """A Page tells the account that hangs on it when the nested field is asked for."""
    account = call.account
    known: Json = {"id": account.page_id, "name": account.username}
    if str(call.told.get("fields", "")).startswith("instagram_business_account"):
        known["instagram_business_account"] = {"id": account.external_id, "username": account.username}
    return known


def _chosen(known: Json, told: Json, default: tuple[str, ...]) -> Json:
    wanted = [name for name in str(told.get("fields", "")).split(",") if name] or list(default)
    return {name: known[name] for name in dict.fromkeys(["id", *wanted]) if name in known}


def _profile(call: Call) -> ResponseReturnValue:
    if call.account.variant == "page" and call.node == call.account.page_id:
        return _page_of(call)
    follower = call.world.followers.find_by_igsid(call.node)
    if follower is None:
        raise no_matching_person() if call.node != call.account.external_id else other_node()
    if call.world.followers.last_wrote(call.account.external_id, follower.igsid) is None:
        raise no_consent()
    if follower.blocked:
        raise blocked()
    known = {
        "id": follower.igsid,
        "name": follower.name,
        "username": follower.handle,
        "follower_count": 120,
        "is_user_follow_business": follower.follows,
        "is_business_follow_user": False,
        "is_verified_user": False,
    }
    return _chosen(known, call.told, ("name", "username"))


def _exchange(call: Call) -> ResponseReturnValue:
    if call.told.get("grant_type") != "ig_exchange_token":
        raise bad_content("Param grant_type must be ig_exchange_token.")
    word, lifetime_seconds = call.world.tokens.issue(call.account.external_id)
    return {"access_token": word, "token_type": "bearer", "expires_in": lifetime_seconds}


def _refresh(call: Call) -> ResponseReturnValue:
    if call.told.get("grant_type") != "ig_refresh_token":
        raise bad_content("Param grant_type must be ig_refresh_token.")
    word, lifetime_seconds = call.world.tokens.refresh(call.token)
    return {
        "access_token": word,
        "token_type": "bearer",
        "expires_in": lifetime_seconds,
        "permissions": f"instagram_business_basic; {lifetime_seconds // DAY_SECONDS} days",
    }


def _subscriptions(call: Call) -> ResponseReturnValue:
    _own_node(call)
    fields = call.world.platform.subscribed.get(call.account.external_id)
    apps = [{"id": "1000000000000001", "subscribed_fields": list(fields)}] if fields else []
    return {"data": apps}


def _subscribe(call: Call) -> ResponseReturnValue:
    _own_node(call)
    fields = call.told.get("subscribed_fields", "")
    named = fields if isinstance(fields, list) else [name for name in str(fields).split(",") if name]
    if not named:
        raise bad_content("The parameter subscribed_fields is required.")
    call.world.platform.subscribe(call.account.external_id, tuple(str(name) for name in named))
    return {"success": True}


def _unsubscribe(call: Call) -> ResponseReturnValue:
    _own_node(call)
    call.world.platform.subscribe(call.account.external_id, ())
    return {"success": True}


def _conversations(call: Call) -> ResponseReturnValue:
    _own_node(call)
    return call.world.threads.read(call.account, call.told)


def _public_reply(call: Call) -> ResponseReturnValue:
    message = call.told.get("message")
    if not isinstance(message, str) or not message:
        raise bad_content("The parameter message is required.")
    reply_id = call.world.platform.reply_publicly(call.account, call.node, message)
    if reply_id is None:
        raise other_node()
    return {"id": reply_id}


def _messages(call: Call) -> ResponseReturnValue:
    _own_node(call)
    if "sender_action" in call.told:
        return _action(call)
    world = call.world
    before = world.ground.faults.take("graph", "slow", "reset")
    if before is not None and before.fault == "reset":
        world.ground.counters.count("verdicts.reset")
        return drop_connection(request)
    if before is not None:
        hang(world.ground.stopped, before.delay_seconds)
    sent = world.sender.send(call.account, call.told)
    world.sender.echo(call.account, sent)
    after = world.ground.faults.take(
        "graph", "timeout_after_accept", "error_500_after_accept", "code_1_after_accept"
    )
    if after is None:
        return sent.answer
    if after.fault == "timeout_after_accept":
        hang(world.ground.stopped, after.delay_seconds)
        return drop_connection(request)
    raise server_error() if after.fault == "error_500_after_accept" else may_have_gone()


def _action(call: Call) -> ResponseReturnValue:
    if call.told["sender_action"] not in ACTIONS:
        raise bad_content("Param sender_action is not one of the known actions.")
    if "message" in call.told:
        raise bad_content("A sender action cannot be sent together with a message.")
    recipient = call.told.get("recipient")
    igsid = str(recipient.get("id", "")) if isinstance(recipient, dict) else ""
    if call.world.followers.find_by_igsid(igsid) is None:
        raise no_matching_person()
    return {"recipient_id": igsid}


ANSWERS: dict[tuple[str, str], Answer] = {
    ("POST", "messages"): _messages,
    ("POST", "replies"): _public_reply,
    ("GET", "conversations"): _conversations,
    ("GET", "subscribed_apps"): _subscriptions,
    ("POST", "subscribed_apps"): _subscribe,
    ("DELETE", "subscribed_apps"): _unsubscribe,
}

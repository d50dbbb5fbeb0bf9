"""How is a follower driven over HTTP? They write, tap, comment, react, block; and their phone can be read."""

from dataclasses import replace
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from claimbot.sandbox import asked
from claimbot.sandbox.asked import BadRequest
from claimbot.sandbox.config import AccountConfig
from claimbot.sandbox.followers import Follower
from claimbot.sandbox.graph_rules import Shown
from claimbot.sandbox.meta_webhooks import event, make_mid, make_number_id
from claimbot.sandbox.platform import Remark, Written
from claimbot.sandbox.shelf import Json
from claimbot.sandbox.world import World

# Meta puts at most this many updates in one POST.
MAX_BATCH = 1_000


def phone_routes(world: World) -> Blueprint:
    routes = Blueprint("phone_api", __name__, url_prefix="/api")
    phone = PhoneApi(world)
    for method, rule, view in (
        ("POST", "/dm", phone.dm),
        ("POST", "/batch", phone.batch),
        ("POST", "/comment", phone.comment),
        ("POST", "/echo", phone.echo),
        ("GET", "/followers", phone.followers),
        ("POST", "/followers", phone.meet),
        ("GET", "/followers/<handle>/messages", phone.messages),
        ("POST", "/followers/<handle>/block", phone.block),
        ("POST", "/followers/<handle>/unblock", phone.unblock),
        ("POST", "/followers/<handle>/unsend", phone.unsend),
        ("POST", "/followers/<handle>/react", phone.react),
    ):
        routes.add_url_rule(rule, view_func=view, methods=[method])
    return routes


class PhoneApi:
    def __init__(self, world: World) -> None:
        self._world = world
        self._platform = world.platform
        self._followers = world.followers

    def dm(self) -> ResponseReturnValue:
        mid, status = self.say(asked.body())
        return {"mid": mid, "status": status}

    def say(self, told: Json) -> tuple[str, int]:
        """Somebody writes. The id of the message, and the engine's answer (0: it could not be reached)."""
        account, mid, written = self._write(told)
        return mid, self._platform.deliver_events(account, [written], asked.flag(told, "retry", True))

    def batch(self) -> ResponseReturnValue:
        told = asked.body()
        messages = told.get("messages")
        if not isinstance(messages, list) or not 1 <= len(messages) <= MAX_BATCH:
            raise BadRequest("bad_messages")
        mids: list[str] = []
        by_account: dict[str, list[Json]] = {}
        for message in messages:
            if not isinstance(message, dict):
                raise BadRequest("bad_messages")
            account, mid, written = self._write(message)
            by_account.setdefault(account, []).append(written)
            mids.append(mid)
        status = self._platform.deliver_batch(by_account, asked.flag(told, "retry", True))
        return {"mids": mids, "status": status}

    def comment(self) -> ResponseReturnValue:
        told = asked.body()
        envelope = asked.text(told, "envelope", "changes")
        if envelope not in ("changes", "flat"):
            raise BadRequest("bad_envelope")
        remark = Remark(
            media=asked.text(told, "media", "17900000000000001"),
            text=asked.text(told, "text"),
            comment_id=asked.text(told, "comment_id", make_number_id()),
            live=asked.flag(told, "live"),
            is_flat=envelope == "flat",
        )
        retry = asked.flag(told, "retry", True)
        status = self._platform.comment(self._account(told), self._follower(told), remark, retry)
        return {"comment_id": remark.comment_id, "status": status}

    def echo(self) -> ResponseReturnValue:
        """A person at the brand answers from the app."""
        told = asked.body()
        account, follower = self._account(told), self._follower(told)
        bubble = self._platform.show(account, follower, Shown(asked.text(told, "text")), "human")
        message = {"mid": bubble.mid, "text": bubble.text, "is_echo": True}
        sent = event(account.external_id, follower.igsid, bubble.at_seconds, message=message)
        return {
            "mid": bubble.mid,
            "status": self._platform.deliver_events(account.external_id, [sent]),
        }

    def followers(self) -> ResponseReturnValue:
        return [self._shown(follower) for follower in self._followers.everybody()]

    def meet(self) -> ResponseReturnValue:
        told = asked.body()
        follower = self._follower(told)
        follower = replace(
            follower,
            name=asked.text(told, "name", follower.name),
            follows=asked.flag(told, "follows", follower.follows),
        )
        return self._shown(self._followers.change(follower))

    def messages(self, handle: str) -> ResponseReturnValue:
        return [bubble.public() for bubble in self._followers.phone(handle)]

    def block(self, handle: str) -> ResponseReturnValue:
        return self._shown(self._followers.change(replace(self._meet(handle), blocked=True)))

    def unblock(self, handle: str) -> ResponseReturnValue:
        return self._shown(self._followers.change(replace(self._meet(handle), blocked=False)))

    def unsend(self, handle: str) -> ResponseReturnValue:
        told = asked.body()
        mid = asked.text(told, "mid")
        bubble = self._followers.amend(handle, mid, is_unsent=True)
        if bubble is None or bubble.direction != "in":
            raise BadRequest("unknown_mid")
        return self._about(handle, bubble.account, message={"mid": mid, "is_deleted": True})

    def react(self, handle: str) -> ResponseReturnValue:
        told = asked.body()
        mid, emoji = asked.text(told, "mid"), asked.text(told, "emoji", "❤")
        bubble = self._followers.amend(handle, mid, reaction=emoji)
        if bubble is None:
            raise BadRequest("unknown_mid")
        # A reaction opens the window as well (Meta: windows page).
        igsid = self._meet(handle).igsid
        self._followers.wrote(bubble.account, igsid, self._world.ground.clock.seconds())
        reaction = {"mid": mid, "action": "react", "reaction": "love", "emoji": emoji}
        return self._about(handle, bubble.account, reaction=reaction)

    def _about(self, handle: str, account: str, **what: Any) -> ResponseReturnValue:
        now = self._world.ground.clock.seconds()
        told = event(self._meet(handle).igsid, account, now, **what)
        return {"status": self._platform.deliver_events(account, [told])}

    def _write(self, told: Json) -> tuple[str, str, Json]:
        account, follower = self._account(told), self._follower(told)
        mid = asked.text(told, "mid", make_mid(account.external_id, follower.igsid))
        written = Written(
            text=asked.text(told, "text"),
            mid=mid,
            at_seconds=asked.moment(told, "sent_at", self._world.ground.clock.seconds()),
            payload=asked.text(told, "payload", ""),
            story=asked.text(told, "story", ""),
            is_postback=asked.flag(told, "postback"),
        )
        return account.external_id, mid, self._platform.write(account, follower, written)

    def _account(self, told: Json) -> AccountConfig:
        try:
            return self._world.account(asked.text(told, "account", ""))
        except KeyError:
            raise BadRequest("unknown_account") from None

    def _follower(self, told: Json) -> Follower:
        return self._meet(asked.text(told, "follower"))

    def _meet(self, handle: str) -> Follower:
        try:
            return self._followers.meet(handle)
        except ValueError:
            raise BadRequest("bad_follower") from None

    def _shown(self, follower: Follower) -> Json:
        return {
            "follower": follower.handle,
            "name": follower.name,
            "igsid": follower.igsid,
            "follows": follower.follows,
            "blocked": follower.blocked,
            "messages": len(self._followers.phone(follower.handle)),
        }

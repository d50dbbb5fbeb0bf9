"""May this webhook be believed, and what do we answer?

| what arrives | answer | what is kept |
|---|---|---|
| Meta's handshake with our word | 200, the challenge | nothing |
| the handshake with another word, or a challenge that is not a plain word | 403 | nothing |
| signature missing, malformed, old (SHA-1), of another body or another secret | 403 | nothing |
| more than 4 MB | 413, before it is read | nothing |
| signed, new events | 200 | every event with its one outcome |
| signed, the same events again | 200 | nothing new |
| signed, an unknown event, field or object | 200 | the event, ignored or quarantined |
| signed, not JSON, too deep, a broken part | 200 | quarantined with its raw text; alert |
| signed with the secret of another account | 200 | quarantined as wrong_secret; alert |
| signed, SQL is down | 200 | the raw body, in the spool |
| signed, SQL is down and the spool is full or down | 503, Retry-After | nothing: Meta delivers again |
| signed, and a bug of ours | 500 with an id | nothing: Meta delivers again |
| Stripe: a brand that does not exist | 404 | nothing |
| Stripe: signature missing, wrong, or made at another time | 403 | nothing |
| Stripe: signed and new | 200 | the event and what it led to |
| Stripe: the other mode, or another account | 200 | nothing |
| Stripe: signed, unreadable | 200 | quarantined with its raw text; alert |
| Stripe: SQL is down | 503, Retry-After | nothing: Stripe delivers again, and we ask for events too |
"""

from flask import Blueprint, Response, abort, request

from claimbot.channels.signing import hub_challenge
from claimbot.core.errors import BadSignature, Outside
from claimbot.flows.take_in import LastHeard, find_keys, hear_stripe, take_in, who_signed
from claimbot.flows.together import Together
from claimbot.parts import Parts
from claimbot.web.counts import Counts
from claimbot.web.errors import error_answer, retry_after


def hook_routes(parts: Parts, counts: Counts) -> Blueprint:
    routes = Blueprint("hooks", __name__, url_prefix="/webhooks")
    last_heard = LastHeard(parts)
    together = Together(parts)

    @routes.get("/meta")
    def handshake() -> Response:
        word = parts.settings.meta_verify_token.get_secret_value()
        return _plain(hub_challenge(request.args, [word]))

    @routes.post("/meta")
    def meta() -> Response:
        body = request.get_data()
        signed = who_signed(parts, body, request.headers.get("X-Hub-Signature-256"))
        taken = take_in(parts, body, signed, together.receive)
        last_heard.note(taken.account_ids)
        counts.add("meta", taken.word)
        return _plain("ok\n")

    @routes.post("/stripe/<slug>")
    def stripe(slug: str) -> Response:
        keys = find_keys(parts, slug)
        if keys is None:
            abort(404)
        settled = hear_stripe(parts, keys, request.get_data(), request.headers.get("Stripe-Signature"))
        counts.add("stripe", settled.outcome)
        return _plain("ok\n")

    @routes.errorhandler(BadSignature)
    def refuse(_wrong: BadSignature) -> Response:
        counts.add(_door(), "refused")
        return error_answer(403)

    @routes.errorhandler(Outside)
    def later(trouble: Outside) -> Response:
        counts.add(_door(), "unavailable")
        return retry_after(error_answer(503), trouble.retry_after_seconds)

    return routes


def _door() -> str:
    return "stripe" if request.path.startswith("/webhooks/stripe/") else "meta"


def _plain(text: str) -> Response:
    return Response(text, mimetype="text/plain")

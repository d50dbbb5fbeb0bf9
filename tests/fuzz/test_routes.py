"""Does any request to any route end in a 500? The routes themselves say what may be asked of them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import Client, TestResponse

from claimbot.channels.signing import sign_meta
from claimbot.db.engine import Ledger
from tests.builders import make_claim, make_lead
from tests.web.admin.desk import Desk, open_desk, token_of
from tests.web.doors import NOBODY, SECRET, all_rules, open_doors, stripe_header
from tests.web.test_hooks_content import ODD, RUBBISH
from tests.web.test_hooks_stripe import ODD as ODD_EVENTS
from tests.web.test_hooks_stripe import RUBBISH as RUBBISH_EVENTS

EXAMPLES = 600
HOSTILE_LEAST = 60
METHODS = ["GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]
ODD_TEXTS = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "9" * 40,
        "1e9",
        "NaN",
        "%00",
        "\x00",
        "🚀",
        "'; --",
        "../..",
        "é" * 60,
        "=1+1",
        "{{7*7}}",
    ]
)
TEXTS = ODD_TEXTS | st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.sampled_from(
    "name price currency words kind state opens_at closes_at stock-0 code-0 price-0 hold_minutes"
    " per_follower_limit do email password next q outcome page after drop look note tags text did id"
    " version form_token".split()
)
FIELDS = st.dictionaries(NAMES, TEXTS, max_size=8)
HEADERS = st.sampled_from(
    [
        *([{}] * 6),
        {"Content-Type": "application/json"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "multipart/form-data; boundary=" + "x" * 200},
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-7"},
        {"Accept": "text/csv;q=x"},
        {"Cookie": "claimbot=%7f; session=1"},
        {"HX-Request": "true"},
        {"Range": "bytes=9-1"},
        {"If-None-Match": "*"},
        {"X-Hub-Signature-256": "sha256=zz"},
        {"Stripe-Signature": "t=1,v1="},
    ]
)


@pytest.fixture
def desk(on_sqlite: Ledger, redis_url: str) -> Iterator[Desk]:
    nowhere = f"http://{NOBODY}"
    with open_doors(on_sqlite, redis_url, META_GRAPH_URL=nowhere, META_INSTAGRAM_URL=nowhere) as doors:
        yield open_desk(doors)


def known_ids(desk: Desk) -> list[str]:
    """What a request may name that is really there."""
    drop = desk.drop()
    lead = make_lead(desk.doors.ledger, desk.doors.account)
    claim = make_claim(desk.doors.ledger, drop, lead)
    desk.doors.parts.catalog(is_fresh=True)
    return ["aurora", "borealis", drop.id, drop.variants[0].id, lead.id, claim.id, claim.token, "nobody"]


def address(rule: Rule, parts: list[str]) -> str:
    """The rule's path with these in the places of its arguments, in turn."""
    path = rule.rule
    for number, name in enumerate(sorted(rule.arguments)):
        start, end = path.find("<"), path.find(">")
        assert 0 <= start < end, name
        path = path[:start] + quote(parts[number % len(parts)], safe="") + path[end + 1 :]
    return path


def signed(desk: Desk, path: str, body: bytes) -> dict[str, str]:
    if path.startswith("/webhooks/stripe/"):
        return {"Stripe-Signature": stripe_header(body, "whsec_aurora", desk.doors.hands.at)}
    return {"X-Hub-Signature-256": sign_meta(body, SECRET)} if path == "/webhooks/meta" else {}


def test_no_request_of_anybody_to_any_route_is_a_bug_of_ours(desk: Desk) -> None:
    ids, rules = known_ids(desk), all_rules(desk.app)
    owner = desk.sign_in()
    token = token_of(owner)
    clients: list[Client] = [owner.client, desk.app.test_client()]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        rule=st.sampled_from(rules),
        method=st.sampled_from(METHODS),
        parts=st.lists(st.sampled_from(ids) | st.sampled_from(ids) | TEXTS, min_size=1, max_size=4),
        sent=st.tuples(FIELDS, FIELDS, HEADERS),
        who=st.integers(0, 3),
    )
    def ask(rule: Rule, method: str, parts: list[str], sent: Any, who: int) -> None:
        query, form, headers = sent
        filled = {"form_token": token, **form} if who else form
        path = address(rule, parts)
        headers = {**headers, **signed(desk, path, b"")}
        answer: TestResponse = clients[who == 3].open(
            path, method=method, query_string=query, data=filled, headers=headers
        )
        answer.get_data()
        assert answer.status_code < 500 or answer.status_code == 503, (method, path, answer.status_code)
        if path.startswith("/admin/log"):
            clients[0] = desk.sign_in().client

    ask()


def test_the_corpus_of_hostile_bodies_is_large() -> None:
    """All of them go through the doors, signed, in tests/web; none ends in a 5xx."""
    assert len(RUBBISH) + len(ODD) + len(RUBBISH_EVENTS) + len(ODD_EVENTS) >= HOSTILE_LEAST

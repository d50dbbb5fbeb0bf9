"""What stands in the addresses of one brand? One sample for each kind of id: a new kind is added here."""

from claimbot.core.claims import State
from claimbot.core.operators import Role
from claimbot.core.webhooks import Endpoint, EndpointState, payload_of_test
from claimbot.db import alerts, invites, operators, rehearsals, webhooks
from claimbot.db.engine import Tx
from claimbot.db.ids import new_id
from claimbot.db.webhooks import NewNotice
from claimbot.webhooks.signing import new_secret
from tests.builders import NOW, make_claim, make_drop, make_lead, make_sealer
from tests.web.admin.desk import EDITOR, STRANGER, Desk

Ids = dict[str, str]

PLAN = {"followers": 9, "stock_units": 3, "duplicates": 30, "pay": 50, "word": "REHEARSEX", "choices": []}

# Each is of one brand (or of one operator); the other brand's is tried in every address that takes one.
OWNED = (
    "drop_id",
    "variant_id",
    "lead_id",
    "claim_id",
    "alert_id",
    "session_id",
    "operator_id",
    "invite_id",
    "account_id",
    "rehearsal_id",
    "endpoint_id",
    "notice_id",
)
# Words that the address may hold, the same for every brand. A link of invitation is its own key.
WORDS = {"step": "pause", "token": "none"}


def make_ids(desk: Desk, slug: str) -> Ids:
    """New rows of this brand, and the names they have in addresses."""
    doors = desk.doors
    brand, account = {
        doors.brand.slug: (doors.brand, doors.account),
        doors.other_brand.slug: (doors.other_brand, doors.other_account),
    }[slug]
    drop = make_drop(doors.ledger, brand)
    lead = make_lead(doors.ledger, account)
    claim = make_claim(doors.ledger, drop, lead, State.WAITLISTED)
    with doors.ledger.begin() as tx:
        alerts.raise_alert(tx, alerts.Alert("token", slug, "canary of an alert", brand.id), NOW)
        colleague = operators.find_by_email(tx, EDITOR if brand is doors.brand else STRANGER)
        assert colleague is not None
        return {
            **WORDS,
            "slug": slug,
            "account_id": account.id,
            "drop_id": drop.id,
            "variant_id": drop.variants[0].id,
            "lead_id": lead.id,
            "claim_id": claim.id,
            "alert_id": next(one.id for one in alerts.list_open(tx) if one.brand_id == brand.id),
            "session_id": session_of(tx, f"owner@{slug}.test"),
            "operator_id": colleague.id,
            "invite_id": invite_of(tx, brand.id),
            "rehearsal_id": rehearsal_of(tx, brand.id, drop.id),
            **listening_of(tx, brand.id),
        }


def session_of(tx: Tx, email: str) -> str:
    """Somewhere else, this operator is signed in too."""
    operator = operators.find_by_email(tx, email)
    assert operator is not None
    session = operators.Session(new_id("ses"), operator.id, NOW, NOW)
    operators.insert_session(tx, session, session.id)
    return session.id


def invite_of(tx: Tx, brand_id: str) -> str:
    invite = invites.Invite(
        new_id("inv"), brand_id, "new@people.test", Role.VIEWER, "test", NOW, NOW.replace(year=NOW.year + 1)
    )
    invites.insert_invite(tx, invite, invite.id)
    return invite.id


def rehearsal_of(tx: Tx, brand_id: str, drop_id: str) -> str:
    one = rehearsals.Rehearsal(new_id("reh"), brand_id, drop_id, drop_id, "asked", PLAN, NOW, {})
    rehearsals.insert_rehearsal(tx, one)
    return one.id


def listening_of(tx: Tx, brand_id: str) -> Ids:
    """A system that listens, and what is on its way there."""
    one = Endpoint(new_id("end"), brand_id, "https://a.test/", EndpointState.LIVE, NOW, (new_secret(),))
    webhooks.insert_endpoint(tx, make_sealer(), one)
    new = NewNotice(brand_id, one.id, new_id("key"), payload_of_test("canary", NOW))
    webhooks.insert_notices(tx, [new], NOW)
    [notice] = webhooks.list_latest(tx, brand_id, 1)
    return {"endpoint_id": one.id, "notice_id": notice.id}

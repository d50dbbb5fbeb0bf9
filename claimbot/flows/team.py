"""Who works at a brand, and as what? The last owner of a brand stays."""

from dataclasses import dataclass, replace
from datetime import datetime

from claimbot.core.brands import Brand
from claimbot.core.errors import Refused
from claimbot.core.operators import Role, Visitor
from claimbot.db import audit, brands, operators
from claimbot.db.engine import Tx
from claimbot.db.ids import new_id
from claimbot.db.operators import Colleague
from claimbot.flows.launch import insert_new_brand
from claimbot.parts import Parts

LAST_OWNER = "A brand needs an owner: make somebody else an owner first."
GONE = "There is no such person here any more"


@dataclass(frozen=True, slots=True)
class Change:
    """Who becomes what, by whom. `role` None: they leave."""

    by: Visitor
    brand_id: str
    operator_id: str
    role: Role | None = None


def list_team(parts: Parts, brand_id: str) -> list[Colleague]:
    """By e-mail address."""
    with parts.ledger.reading() as tx:
        return operators.list_colleagues(tx, brand_id)


def change_team(parts: Parts, change: Change) -> None:
    """Give another role, or take everything. Works with their next click. Raises Refused."""
    now = parts.clock()
    parts.ledger.run(lambda tx: _change(tx, change, now))


def _change(tx: Tx, change: Change, now: datetime) -> None:
    brands.lock_brand(tx, change.brand_id)
    roles = {one.operator_id: one.role for one in operators.list_colleagues(tx, change.brand_id)}
    old = roles.get(change.operator_id)
    if old is None:
        raise Refused(GONE)
    owners = [one for one, role in roles.items() if role is Role.OWNER]
    if owners == [change.operator_id] and change.role is not Role.OWNER:
        raise Refused(LAST_OWNER)
    facts = {"was": old.value}
    if change.role is None:
        operators.delete_membership(tx, change.operator_id, change.brand_id)
        action = "colleague_removed"
    else:
        operators.set_role(tx, change.operator_id, change.brand_id, change.role)
        action, facts = "role_changed", {**facts, "role": change.role.value}
    audit.insert_line(
        tx, change.by.actor, action, change.operator_id, now=now, brand_id=change.brand_id, **facts
    )


def may_found(parts: Parts, visitor: Visitor) -> bool:
    """Owners make further brands; the first person of a deployment makes the first one."""
    if any(one.role is Role.OWNER for one in visitor.memberships):
        return True
    with parts.ledger.reading() as tx:
        return not brands.list_brands(tx)


def found_brand(parts: Parts, visitor: Visitor, brand: Brand) -> Brand:
    """A new brand, with this operator as its owner. Raises Refused when the slug is taken."""
    now = parts.clock()
    made = replace(brand, id=new_id("brd"))

    def story(tx: Tx) -> None:
        insert_new_brand(tx, visitor.actor, made, now)
        operators.set_role(tx, visitor.operator_id, made.id, Role.OWNER)

    parts.ledger.run(story)
    return made

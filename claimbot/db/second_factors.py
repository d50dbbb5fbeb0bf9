"""What does an operator need beside the password? The seed of their phone, and codes for when it is lost."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from claimbot.db.admin_tables import operators, recovery_codes
from claimbot.db.engine import changed
from claimbot.db.sealing import Sealer


def _place(operator_id: str) -> str:
    return f"operators/totp/{operator_id}"


def find_seed(tx: Connection, sealer: Sealer, operator_id: str) -> str:
    """Empty: there is none, and the password is enough."""
    sealed = tx.execute(select(operators.c.totp_sealed).where(operators.c.id == operator_id)).scalar()
    return sealer.unseal(sealed or "", _place(operator_id))


def mark_seed(tx: Connection, sealer: Sealer, operator_id: str, seed: str) -> None:
    """An empty seed takes the second factor away."""
    sealed = sealer.seal(seed, _place(operator_id))
    tx.execute(update(operators).where(operators.c.id == operator_id).values(totp_sealed=sealed, totp_step=0))


def take_step(tx: Connection, operator_id: str, step: int) -> bool:
    """A code is worth something once: False when this step, or a later one, was used before."""
    is_new = (operators.c.id == operator_id, operators.c.totp_step < step)
    return changed(tx.execute(update(operators).where(*is_new).values(totp_step=step))) == 1


def replace_codes(tx: Connection, operator_id: str, hashes: Sequence[str]) -> None:
    """The old ones are worth nothing any more."""
    tx.execute(delete(recovery_codes).where(recovery_codes.c.operator_id == operator_id))
    if hashes:
        tx.execute(insert(recovery_codes), [{"operator_id": operator_id, "code_hash": one} for one in hashes])


def take_code(tx: Connection, operator_id: str, code_hash: str, now: datetime) -> bool:
    """Each works once."""
    is_it = (recovery_codes.c.operator_id == operator_id, recovery_codes.c.code_hash == code_hash)
    unused = update(recovery_codes).where(*is_it, recovery_codes.c.used_at.is_(None))
    return changed(tx.execute(unused.values(used_at=now))) == 1


def count_codes(tx: Connection, operator_id: str) -> int:
    """How many are left."""
    is_left = (recovery_codes.c.operator_id == operator_id, recovery_codes.c.used_at.is_(None))
    return int(tx.execute(select(func.count()).select_from(recovery_codes).where(*is_left)).scalar_one())

"""Is it their phone, too? A code of six digits from an authenticator, or a recovery code, each used once.

RFC 6238 with 160 bits of seed. The step of now and the one before are taken, for clocks that run late; a step
that was used is not taken again.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyotp

from claimbot.core.errors import Ours, Refused
from claimbot.core.operators import Visitor
from claimbot.db import audit, operators, second_factors
from claimbot.db.engine import Tx
from claimbot.db.ids import base32
from claimbot.parts import Parts

ISSUER = "claimbot"
SEED_CHARS = 32  # base 32: 160 bits, as RFC 4226 asks for
STEP_SECONDS = 30
CODE_DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_CHARS = 24  # 120 bits each: a fast hash is enough to keep them
GROUP_CHARS = 6
WRONG_CODE = "This code does not fit. Type the six digits that your app shows now."


@dataclass(frozen=True, slots=True)
class Offer:
    """A seed that is not theirs yet. `sealed` comes back with the first code."""

    seed: str = field(repr=False)
    address: str = field(repr=False)
    """What the picture holds (otpauth://…)."""
    sealed: str = field(repr=False)


def offer(parts: Parts, visitor: Visitor, sealed: str = "") -> Offer:
    """A new seed, or the one that was offered before. Raises Refused when it was never offered to them."""
    place = _offer_place(visitor)
    try:
        seed = parts.sealer.unseal(sealed, place) if sealed else pyotp.random_base32(SEED_CHARS)
    except Ours:
        raise Refused("This picture is not yours: begin again") from None
    address = pyotp.TOTP(seed).provisioning_uri(name=visitor.email, issuer_name=ISSUER)
    return Offer(seed, address, sealed or parts.sealer.seal(seed, place))


def _offer_place(visitor: Visitor) -> str:
    return f"operators/totp_offered/{visitor.session_id}"


def enrol(parts: Parts, visitor: Visitor, sealed: str, code: str) -> tuple[str, ...]:
    """The recovery codes, told once; other sessions end. Raises Refused when the code does not fit."""
    seed, now = offer(parts, visitor, sealed).seed, parts.clock()
    step = matching_step(seed, code, now)
    if step is None:
        raise Refused(WRONG_CODE)
    codes = make_codes()

    def story(tx: Tx) -> None:
        second_factors.mark_seed(tx, parts.sealer, visitor.operator_id, seed)
        second_factors.take_step(tx, visitor.operator_id, step)
        second_factors.replace_codes(tx, visitor.operator_id, [hash_code(one) for one in codes])
        _end_others(tx, visitor, "second_factor_set", now)

    parts.ledger.run(story)
    return codes


def renew_codes(parts: Parts, visitor: Visitor) -> tuple[str, ...]:
    """New ones, told once; the old ones are worth nothing. Raises Refused without a second factor."""
    if not visitor.has_second_factor:
        raise Refused("Set up the second factor first")
    codes, now = make_codes(), parts.clock()

    def story(tx: Tx) -> None:
        second_factors.replace_codes(tx, visitor.operator_id, [hash_code(one) for one in codes])
        audit.insert_line(tx, visitor.actor, "recovery_codes_made", visitor.operator_id, now=now)

    parts.ledger.run(story)
    return codes


def remove(parts: Parts, visitor: Visitor) -> None:
    """The password is enough again; other sessions end."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        second_factors.mark_seed(tx, parts.sealer, visitor.operator_id, "")
        second_factors.replace_codes(tx, visitor.operator_id, ())
        _end_others(tx, visitor, "second_factor_removed", now)

    parts.ledger.run(story)


def _end_others(tx: Tx, visitor: Visitor, action: str, now: datetime) -> None:
    ended = operators.delete_sessions_of(tx, visitor.operator_id, except_id=visitor.session_id)
    audit.insert_line(tx, visitor.actor, action, visitor.operator_id, now=now, sessions_ended=ended)


def count_left(parts: Parts, visitor: Visitor) -> int:
    """Recovery codes that still work."""
    with parts.ledger.reading() as tx:
        return second_factors.count_codes(tx, visitor.operator_id)


def take(tx: Tx, parts: Parts, operator_id: str, code: str) -> str:
    """How the code was right: `phone`, `recovery`; empty when it was not. What is taken is used up."""
    now = parts.clock()
    step = matching_step(second_factors.find_seed(tx, parts.sealer, operator_id), code, now)
    if step is not None and second_factors.take_step(tx, operator_id, step):
        return "phone"
    return "recovery" if second_factors.take_code(tx, operator_id, hash_code(code), now) else ""


def matching_step(seed: str, code: str, now: datetime) -> int | None:
    """Which step made this code: the one of now, or the one before."""
    typed = "".join(code.split())
    if not seed or len(typed) != CODE_DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    totp = pyotp.TOTP(seed)
    found = [at for at in (now, now - timedelta(seconds=STEP_SECONDS)) if totp.verify(typed, for_time=at)]
    return totp.timecode(found[0]) if found else None


def make_codes() -> tuple[str, ...]:
    return tuple(_code() for _ in range(RECOVERY_CODES))


def _code() -> str:
    """`k3v8xz-…`: in groups that a person can copy."""
    letters = base32(secrets.randbits(RECOVERY_CHARS * 5), RECOVERY_CHARS)
    return "-".join(letters[at : at + GROUP_CHARS] for at in range(0, RECOVERY_CHARS, GROUP_CHARS))


def hash_code(code: str) -> str:
    """Blanks, dashes and capital letters do not matter."""
    plain = "".join(one for one in code.lower() if one.isalnum())
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()

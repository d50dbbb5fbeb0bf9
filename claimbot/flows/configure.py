"""What may a brand set for itself? Its name, zone and language, its words, its Stripe keys."""

from dataclasses import dataclass

from claimbot.core.brands import Brand
from claimbot.core.errors import Refused
from claimbot.core.messages import Verdict
from claimbot.core.payments import PaymentKeys
from claimbot.db import audit, brands, marks
from claimbot.db.engine import Tx
from claimbot.parts import Parts
from claimbot.payments.keys import key_faults


def change_brand(parts: Parts, actor: str, changed: Brand) -> None:
    """What differs is kept, and its names are in the audit; the slug and the Stripe mode stay."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        brands.lock_brand(tx, changed.id)
        old = next(one for one in brands.list_brands(tx) if one.id == changed.id)
        names = [name for name in brands.OWN_COLUMNS if getattr(old, name) != getattr(changed, name)]
        if not names:
            return
        brands.mark_brand(tx, changed)
        audit.insert_line(tx, actor, "brand_changed", changed.id, now=now, brand_id=changed.id, fields=names)
        marks.set_mark(tx, marks.CATALOG, now)

    parts.ledger.run(story)


def find_keys(parts: Parts, brand_id: str) -> PaymentKeys | None:
    """None while the brand cannot be paid."""
    with parts.ledger.reading() as tx:
        return brands.find_payment_keys(tx, parts.sealer, brand_id)


def set_keys(parts: Parts, actor: str, keys: PaymentKeys) -> None:
    """Raises Refused with one sentence for each fault that can be seen without asking Stripe."""
    faults = key_faults(keys)
    if faults:
        raise Refused("\n".join(faults))
    now = parts.clock()

    def story(tx: Tx) -> None:
        brands.mark_payment_keys(tx, parts.sealer, keys)
        facts = {"mode": "live" if keys.livemode else "test"}
        audit.insert_line(
            tx, actor, "stripe_keys_set", keys.brand_id, now=now, brand_id=keys.brand_id, **facts
        )
        marks.set_mark(tx, marks.CATALOG, now)

    parts.ledger.run(story)


@dataclass(frozen=True, slots=True)
class KeyTest:
    """What Stripe says of the keys that are kept."""

    is_well: bool
    sentences: tuple[str, ...]


def try_keys(parts: Parts, brand_id: str) -> KeyTest:
    """Asks Stripe twice: whose key it is, and whether it may see Checkout Sessions."""
    gateway = parts.gateways.of(brand_id)
    if gateway is None:
        return KeyTest(False, ("There is no key yet.",))
    sessions = gateway.list_sessions(parts.clock())
    if sessions.verdict is Verdict.PARKED:
        told = f"Stripe does not take this key ({sessions.reason.replace('_', ' ')}): copy it again."
        return KeyTest(False, (told,))
    if sessions.verdict is not Verdict.DONE:
        return KeyTest(False, (f"Stripe did not answer ({sessions.reason}). Try again in a moment.",))
    account = gateway.account()
    if account.verdict is not Verdict.DONE:
        return KeyTest(
            True, ("Stripe takes this key. It may not read the account, which is fine for a restricted key.",)
        )
    sentences = [f"Stripe takes this key. It belongs to {account.account_id}."]
    if not account.charges_enabled:
        sentences.append("This account may not take money yet: finish its set-up in the Stripe Dashboard.")
    return KeyTest(account.charges_enabled, tuple(sentences))

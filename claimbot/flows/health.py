"""Would this brand's launch work now? What the doctor, the checks of every promise and the alerts say.

Nothing of another brand is told: what concerns the whole deployment is told without the ids in it.
"""

from dataclasses import dataclass
from datetime import datetime

from claimbot.core.brands import Brand
from claimbot.core.errors import Outside, Refused
from claimbot.db import alerts, audit, marks, waits
from claimbot.db.alerts import Alert
from claimbot.db.engine import Tx
from claimbot.db.waits import Wait
from claimbot.flows.diagnose import Light, Sign, diagnose_brand, diagnose_engine
from claimbot.flows.verify import INVARIANTS, MARK, Invariant
from claimbot.parts import Parts

# Alerts of the whole deployment, in words that name no brand.
OF_ALL = {
    "invariant": "A promise is broken. Whoever runs this deployment sees more with: claimbot verify",
    "quarantine": "Something that a platform sent could not be read; it is kept aside.",
}
OF_ALL_ELSE = "Whoever runs this deployment sees more with: claimbot doctor"


@dataclass(frozen=True, slots=True)
class Promise:
    """An invariant, and whether the last look found it kept."""

    invariant: Invariant
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Health:
    engine: tuple[Sign, ...]
    brand: tuple[Sign, ...]
    promises: tuple[Promise, ...]
    verified_at: datetime | None
    """None: nobody has looked yet."""
    alerts: tuple[Alert, ...]
    """Of this brand; it may clear them."""
    shared_alerts: tuple[Alert, ...]
    """Of the whole deployment; they end by themselves or by whoever runs it."""
    waits: tuple[Wait, ...] = ()
    """Work that is done when a person has mended something."""

    @property
    def light(self) -> Light:
        """The worst of all."""
        lights = {sign.light for sign in (*self.engine, *self.brand)}
        is_broken = any(not one.is_kept for one in self.promises)
        if Light.RED in lights or is_broken:
            return Light.RED
        return (
            Light.WARN
            if Light.WARN in lights or self.alerts or self.shared_alerts or self.waits
            else Light.OK
        )


def find_health(parts: Parts, brand: Brand, asks_platform: bool = False) -> Health:
    """`asks_platform`: the brand's accounts are tried out, which may take some seconds."""
    engine = tuple(diagnose_engine(parts))
    own = tuple(diagnose_brand(parts, brand, asks_platform))
    try:
        with parts.ledger.reading() as tx:
            mark, found = marks.find_mark(tx, MARK), alerts.list_open(tx)
            parked = waits.list_waits(tx, brand.id)
    except Outside:
        mark, found, parked = None, [], []
    broken = mark.facts.get("broken", {}) if mark else {}
    return Health(
        engine=engine,
        brand=own,
        promises=tuple(Promise(one, one.id not in broken) for one in INVARIANTS) if mark else (),
        verified_at=mark.at if mark else None,
        alerts=tuple(one for one in found if one.brand_id == brand.id),
        shared_alerts=tuple(_shared(one) for one in found if one.brand_id is None),
        waits=tuple(parked),
    )


def _shared(alert: Alert) -> Alert:
    return Alert(alert.kind, "", OF_ALL.get(alert.kind, OF_ALL_ELSE), None, alert.raised_at)


def clear_alert(parts: Parts, actor: str, brand_id: str, alert_id: str) -> None:
    """It was seen. Raised again when the trouble comes again. Raises Refused when there is none."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        kind = alerts.clear_by_id(tx, alert_id, brand_id, now)
        if kind is None:
            raise Refused("There is no such alert any more")
        audit.insert_line(tx, actor, "alert_cleared", alert_id, now=now, brand_id=brand_id, kind=kind)

    parts.ledger.run(story)

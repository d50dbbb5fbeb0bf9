"""What does one transaction find out and decide? The notebook that the stories of one delivery write in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from claimbot.core.brands import Account, BrandBook
from claimbot.core.drops import Drop
from claimbot.core.followers import Lead
from claimbot.core.intents import Intent
from claimbot.core.messages import Inbound, Outcome
from claimbot.core.outbox import NewRow, Priority, Work
from claimbot.core.texts import TextKey
from claimbot.db.engine import Tx
from claimbot.db.inbox import Ending
from claimbot.flows.hints import Hints


@dataclass(frozen=True, slots=True)
class Arrived:
    """A new event, where it belongs and what it wants."""

    event: Inbound
    event_key: str
    account: Account
    book: BrandBook
    intent: Intent
    seen_at: datetime
    """The platform's time, or ours where it gave none."""
    follower_key: str = ""
    """How the gate knows who wants a unit."""
    stopped_at: datetime | None = None
    """When they wrote STOP, if they were erased after that."""

    @property
    def drop(self) -> Drop:
        """The drop that the word belongs to; only asked for where the intent has one."""
        assert self.intent.drop is not None
        return self.intent.drop


@dataclass
class Round:
    """One transaction. Everything collected here is written at its end."""

    tx: Tx
    now: datetime
    leads: dict[tuple[str, str], Lead]
    endings: list[Ending] = field(default_factory=list)
    rows: list[NewRow] = field(default_factory=list)
    unsent: list[tuple[str, str]] = field(default_factory=list)
    """(account, message id) of what was taken back: its text goes, also when it came in this very round."""
    claimants: set[str] = field(default_factory=set)
    """Leads whose claims were looked at or made in this round."""
    lead_changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    hints: Hints = field(default_factory=Hints)

    def lead_of(self, one: Arrived) -> Lead | None:
        return self.leads.get((one.account.id, one.event.follower_external_id or ""))

    def end(self, one: Arrived, outcome: Outcome, reason: str = "", claim_id: str | None = None) -> None:
        lead = self.lead_of(one)
        drop = one.intent.drop
        self.endings.append(
            Ending(
                event_key=one.event_key,
                outcome=outcome.value,
                reason=reason,
                lead_id=lead.id if lead else None,
                drop_id=drop.id if drop else None,
                claim_id=claim_id,
                keyword=one.intent.keyword,
            )
        )

    def change_lead(self, lead: Lead, **values: Any) -> None:
        """The next event of this delivery sees it, too."""
        self.lead_changes.setdefault(lead.id, {}).update(values)
        key = (lead.account_id, lead.external_id)
        self.leads[key] = replace(self.leads[key], **values)

    def say(self, one: Arrived, text: TextKey, priority: Priority, **payload: Any) -> None:
        """Answer this event, once. `claim_id` in the payload names the claim that it is about."""
        self.write(one, Work.REPLY, priority, {"text": text.value, **payload})

    def write(self, one: Arrived, kind: Work, priority: Priority, payload: Mapping[str, Any]) -> None:
        lead = self.lead_of(one)
        rest = dict(payload)
        claim_id = rest.pop("claim_id", None)
        origin = {"comment_id": one.event.comment_id} if one.event.comment_id else {}
        about = {"drop_id": one.intent.drop.id} if one.intent.drop else {}
        self.rows.append(
            NewRow(
                kind=kind,
                priority=priority,
                dedupe_key=f"{kind.value}:{one.event_key}",
                brand_id=one.account.brand_id,
                payload={**about, **origin, **rest},
                account_id=one.account.id,
                lead_id=lead.id if lead else None,
                claim_id=claim_id,
            )
        )
        self.hints.rings = True


def reply_row(claim_like: Any, lead: Lead, text: TextKey, priority: Priority, **payload: Any) -> NewRow:
    """A message that no event asked for (payment news, the end of a hold); `claim_like` is the claim."""
    return NewRow(
        kind=Work.REPLY,
        priority=priority,
        dedupe_key=f"{text.value}:{claim_like.id}",
        brand_id=lead.brand_id,
        payload={"text": text.value, "drop_id": claim_like.drop_id, **payload},
        account_id=lead.account_id,
        lead_id=lead.id,
        claim_id=claim_like.id,
    )


def in_line_order(arrived: Sequence[Arrived]) -> list[Arrived]:
    """Inside one delivery the platform's own times order the line."""
    return sorted(arrived, key=lambda one: one.seen_at)

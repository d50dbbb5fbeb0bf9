"""How is a line of the lead list written? Said again in plain Python: both databases must write the same."""

from datetime import UTC, datetime

from claimbot.core.leads import LeadRow, safe_cell


def _number(number: int | None) -> str:
    """Ours count or are paid, so none is negative; a minus sign would be a trigger."""
    if number is None:
        return ""
    return str(number) if number >= 0 else f"'{number}"


def _flag(flag: bool | None) -> str:
    if flag is None:
        return ""
    return "yes" if flag else "no"


def _time(at: datetime | None) -> str:
    """`2026-11-22T03:04:05Z`; an aware time, cut to the second."""
    if at is None:
        return ""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cells(row: LeadRow) -> list[str]:
    """The row as text, ready for csv_line."""
    return [
        safe_cell(row.lead_id),
        safe_cell(row.brand),
        safe_cell(row.drop),
        safe_cell(row.channel),
        safe_cell(row.username),
        safe_cell(row.name),
        safe_cell(row.email),
        safe_cell(row.phone),
        _flag(row.qualified),
        safe_cell(row.qualified_because),
        safe_cell(row.outcome),
        safe_cell(row.claim_state),
        _number(row.place),
        _number(row.quantity),
        safe_cell(row.variant),
        _number(row.paid_minor),
        safe_cell(row.currency),
        safe_cell(row.keyword),
        safe_cell(row.source),
        _flag(row.consent_marketing),
        _time(row.consent_at),
        _flag(row.opted_out),
        safe_cell(row.tags),
        safe_cell(row.note),
        _time(row.first_seen_at),
        _time(row.last_seen_at),
        _time(row.told_at),
        _time(row.paid_at),
    ]

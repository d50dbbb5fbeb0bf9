"""Which leads does a brand want to see? The words of the address, read and written."""

from dataclasses import dataclass
from datetime import datetime

from claimbot.core.messages import Outcome
from claimbot.flows.export import LeadFilter

SEARCH_CHARS_MOST = 100
QUALIFIED = {"yes": True, "no": False}
# Between the time and the id of a place; neither holds one.
SEPARATOR = "~"

Place = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """As it stands in the address, and in the fields of the page."""

    search: str = ""
    drop: str = ""
    outcome: str = ""
    qualified: str = ""

    @property
    def wanted(self) -> LeadFilter:
        name = self.search.removeprefix("@")[:SEARCH_CHARS_MOST]
        return LeadFilter(
            drop_id=self.drop or None,
            outcome=self.outcome if self.outcome in set(Outcome) else None,
            is_qualified=QUALIFIED.get(self.qualified),
            search=name or None,
        )

    @property
    def words(self) -> dict[str, str]:
        """What was asked for, without what was not."""
        told = {
            "search": self.search,
            "drop": self.drop,
            "outcome": self.outcome,
            "qualified": self.qualified,
        }
        return {name: value for name, value in told.items() if value}


def write_place(place: Place) -> str:
    return f"{place[0].isoformat()}{SEPARATOR}{place[1]}"


def read_place(text: str) -> Place | None:
    """None for what we did not write: the list then begins at its start."""
    at, _, lead_id = text.partition(SEPARATOR)
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (found, lead_id) if found.tzinfo is not None and lead_id else None

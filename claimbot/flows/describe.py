"""What does the brand want to remember of a person? Tags and a note, which go into the list, too."""

from claimbot.core.errors import Refused
from claimbot.db import audit, leads
from claimbot.db.engine import Tx
from claimbot.parts import Parts

TAGS_MOST = 20
TAG_CHARS_MOST = 40
NOTE_CHARS_MOST = 2_000


def read_tags(text: str) -> list[str]:
    """As they were typed, with commas between them; each once. Raises Refused."""
    tags = list(dict.fromkeys(" ".join(tag.split()) for tag in text.split(",")))
    tags = [tag for tag in tags if tag]
    if len(tags) > TAGS_MOST:
        raise Refused(f"These are {len(tags)} tags: use at most {TAGS_MOST}.")
    if any(len(tag) > TAG_CHARS_MOST for tag in tags):
        raise Refused(f"A tag has at most {TAG_CHARS_MOST} letters.")
    return tags


def describe_lead(parts: Parts, actor: str, lead_id: str, tags: str, note: str) -> None:
    """Raises Refused with what to tell who typed it."""
    now, wanted = parts.clock(), read_tags(tags)
    if len(note) > NOTE_CHARS_MOST:
        raise Refused(f"The note is {len(note)} letters long: use at most {NOTE_CHARS_MOST}.")

    def story(tx: Tx) -> None:
        lead = leads.find_lead(tx, lead_id)
        if lead is None or leads.is_erased(tx, lead_id):
            raise Refused("There is no such person any more.")
        leads.mark_lead(tx, lead.id, {"tags": wanted, "note": note.strip()})
        kept = {"tags": len(wanted), "has_note": bool(note.strip())}
        kept = {"tags": len(wanted), "has_note": bool(note.strip())}
        audit.insert_line(tx, actor, "lead_described", lead.id, now=now, brand_id=lead.brand_id, **kept)

    parts.ledger.run(story)

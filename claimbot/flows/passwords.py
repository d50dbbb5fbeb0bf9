"""May this become somebody's password? Long and not easily guessed; no rule says which letters it needs.

Common passwords, names and words come from zxcvbn's lists; it also sees them before a few digits, reversed,
along the keyboard's rows and with 0 for o. The words of the brand count as common, too.
"""

import importlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from claimbot.core.operators import Visitor
from claimbot.db import audit, operators
from claimbot.db.engine import Tx
from claimbot.parts import Parts

CHARS_MIN = 12
CHARS_MOST = 1_024
# What zxcvbn calls very unguessable: with this hash a graphics card needs weeks.
GUESSES_MIN = 10**10
# zxcvbn takes no more, and its time grows with the square: what follows makes nothing easier to guess.
CHARS_WEIGHED = 72
OWN_WORDS = ("claimbot",)

# zxcvbn keeps the words of the brand in a table of the whole process.
_weighing = threading.Lock()


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password to be, beside the words that it must not be made of."""

    text: str = field(repr=False)
    words: tuple[str, ...] = ()


def password_faults(new: NewPassword) -> list[str]:
    """One sentence for each; the password is not repeated."""
    if len(new.text) < CHARS_MIN:
        return [f"Use at least {CHARS_MIN} characters. A sentence is fine, and easy to keep."]
    if len(new.text) > CHARS_MOST:
        return [f"Use at most {CHARS_MOST:,} characters."]
    if guesses(new) < GUESSES_MIN:
        return ["This is guessed too easily. Take a few words that nobody else would put together."]
    return []


def guesses(new: NewPassword) -> float:
    """How many tries a good guesser needs."""
    with _weighing:
        # Its lists take 13 MB: only the process that weighs a password has them, from its first one on.
        weigh = importlib.import_module("zxcvbn").zxcvbn
        found = weigh(new.text[:CHARS_WEIGHED], user_inputs=[*_parts_of(new.words), *OWN_WORDS])
    return float(found["guesses"])


def _parts_of(words: Iterable[str]) -> list[str]:
    """The words themselves, and what they are made of: an address, a name of several words."""
    split = [part for word in words for part in word.replace("@", " ").replace(".", " ").split()]
    return [*words, *split]


def words_of(visitor: Visitor) -> tuple[str, ...]:
    """What stands on this operator's door."""
    brands = [word for one in visitor.memberships for word in (one.brand.name, one.brand.slug)]
    return (visitor.email, *brands)


def change_password(parts: Parts, visitor: Visitor, password_hash: str) -> None:
    """Every other session of theirs ends."""
    now = parts.clock()

    def story(tx: Tx) -> None:
        operators.mark_password(tx, visitor.operator_id, password_hash)
        ended = operators.delete_sessions_of(tx, visitor.operator_id, except_id=visitor.session_id)
        audit.insert_line(
            tx, visitor.actor, "password_changed", visitor.operator_id, now=now, sessions_ended=ended
        )

    parts.ledger.run(story)

"""Every text of a drop has a name for people, or belongs to the brand."""

from claimbot.core.texts import TextKey
from claimbot.web.admin.occasions import OCCASIONS, OF_THE_BRAND


def test_every_text_is_worded_somewhere() -> None:
    assert set(OCCASIONS) | set(OF_THE_BRAND) == set(TextKey)
    assert set(OF_THE_BRAND).isdisjoint(OCCASIONS)

"""Which channels are there? One line for each."""

from claimbot.channels.base import Channel
from claimbot.channels.instagram import Instagram
from claimbot.channels.meta_parse import object_word

CHANNELS: tuple[Channel, ...] = (Instagram(),)


def by_name(name: str) -> Channel | None:
    """The channel that an account of ours belongs to."""
    return next((channel for channel in CHANNELS if channel.name == name), None)


def by_object(word: str) -> Channel | None:
    """The channel that owns a webhook's "object" word."""
    return next((channel for channel in CHANNELS if word in channel.objects), None)


def by_document(document: object) -> Channel | None:
    """The channel that reads this document. The dashboard's bare form names none and is a test: the first."""
    word = object_word(document)
    return by_object(word) if word else CHANNELS[0]

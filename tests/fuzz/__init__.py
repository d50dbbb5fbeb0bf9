"""Do the parsers stand whatever they are given? Two thousand examples of everything."""

from hypothesis import settings

thorough = settings(max_examples=2_000, deadline=None)

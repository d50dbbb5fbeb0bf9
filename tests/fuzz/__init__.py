"""Arbitrary input, in large numbers: nothing raises and nothing is lost."""

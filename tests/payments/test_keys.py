"""Faults of keys that are seen before Stripe is asked."""

from dataclasses import replace
from typing import Any

import pytest

from claimbot.payments.keys import key_faults
from tests.payments.builders import KEYS


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"secret_key": "rk_test_aurora"},
        {"secret_key": "sk_live_aurora", "livemode": True},
        {"secret_key": "rk_live_aurora", "livemode": True},
        {"webhook_secrets": ("whsec_first", "whsec_second")},
    ],
)
def test_good_keys_have_no_fault(changes: dict[str, Any]) -> None:
    assert key_faults(replace(KEYS, **changes)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"secret_key": ""}, "secret key is empty"),
        ({"secret_key": " \n"}, "secret key is empty"),
        ({"secret_key": "sk_test_aurora\n"}, "line break"),
        ({"secret_key": "sk_test_ aurora"}, "blank"),
        ({"secret_key": "sk_test_\N{ZERO WIDTH SPACE}aurora"}, "copy it again"),
        ({"secret_key": "pk_test_aurora"}, "must begin with"),
        ({"secret_key": "aurora"}, "must begin with"),
        ({"secret_key": "sk_live_aurora"}, "live key, but the brand is set to test"),
        ({"livemode": True}, "test key, but the brand is set to live"),
        ({"webhook_secrets": ()}, "webhook secret is empty"),
        ({"webhook_secrets": (" ",)}, "webhook secret is empty"),
        ({"webhook_secrets": ("whsec_aurora\n",)}, "line break"),
        ({"webhook_secrets": ("sk_test_aurora",)}, "begin with whsec_"),
    ],
)
def test_a_fault_is_one_sentence_without_the_key(changes: dict[str, Any], says: str) -> None:
    (fault,) = key_faults(replace(KEYS, **changes))
    assert says in fault
    assert "aurora" not in fault

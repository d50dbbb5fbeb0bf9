"""What does `claimbot storm --simulate` say, and which options does it take?"""

import json

import pytest

from claimbot.cli.simulate import measured, span, speeds_of
from claimbot.core.capacity import BUDGETS, Database
from tests.cli.conftest import Terminal

NOTHING_IS_SET: dict[str, str] = {}


def test_a_simulation_needs_no_settings_and_names_every_platform() -> None:
    result = Terminal(NOTHING_IS_SET).run("storm", "--simulate", "--followers", "1000", "--units", "10")

    assert result.exit_code == 0, result.output
    assert all(name in result.stdout for name in BUDGETS)
    assert "every first winner told after" in result.stdout


def test_a_simulation_for_machines_names_its_figures() -> None:
    result = Terminal(NOTHING_IS_SET).run(
        "storm", "--simulate", "--channel", "instagram", "--followers", "5000", "--units", "500", "--json"
    )

    document = json.loads(result.stdout)
    assert document["measured"]["measured_by"].startswith("python -m tests.bench")
    assert list(document["forecast"]) == ["instagram"]
    assert document["forecast"]["instagram"]["sends"] >= 5_000


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--units", "5"), "--units needs --simulate"),
        (("--simulate", "--word", "LAUNCH"), "--word does not go with --simulate"),
        (("--followers", "300000"), "--followers: at most 200,000 really write"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(words: tuple[str, ...], complaint: str) -> None:
    result = Terminal(NOTHING_IS_SET).run("storm", *words)

    assert result.exit_code == 2
    assert complaint in result.stderr


def test_the_measured_speeds_are_speeds() -> None:
    speeds = speeds_of(measured())

    assert all(speeds.dms_per_second[database] > 0 for database in Database)
    assert speeds.sends_per_second > 0
    assert speeds.gate_claims_per_second > 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "never"), (5, "5 s"), (150, "2.5 min"), (9_000, "2.5 h"), (216_000, "2.5 days")],
)
def test_a_span_is_told_in_the_unit_that_fits(seconds: float | None, words: str) -> None:
    assert span(seconds) == words

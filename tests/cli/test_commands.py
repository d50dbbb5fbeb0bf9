import json
import re

import pytest

from tests.cli.conftest import Terminal

CAP = ("drop", "create", "--brand", "aurora", "--name", "Aurora Cap", "--price", "20.00 EUR", "--word", "CAP")


def test_a_fresh_database_is_brought_up_to_date_once(terminal: Terminal, tmp_path: object) -> None:
    fresh = {"DATABASE_URL": f"sqlite:///{tmp_path}/fresh.sqlite"}

    assert terminal.run("db", "status", **fresh).exit_code == 1
    assert terminal.ok("db", "upgrade", **fresh).startswith("applied: 0001")
    assert terminal.ok("db", "upgrade", **fresh) == "up to date\n"
    assert terminal.ok("db", "status", **fresh) == "up to date\n"


def test_a_brand_is_made_once(aurora: Terminal) -> None:
    again = aurora.run("brand", "create", "--slug", "aurora", "--name", "Aurora")

    assert again.exit_code == 2
    assert "aurora" in aurora.ok("brand", "list")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--slug", "Not a slug"), ("--timezone", "Europe/Nowhere"), ("--timezone", "../etc")],
)
def test_a_brand_with_faults_is_refused(terminal: Terminal, option: str, value: str) -> None:
    told = {"--slug": "aurora", "--name": "Aurora", option: value}

    result = terminal.run("brand", "create", *(word for pair in told.items() for word in pair))

    assert result.exit_code == 2
    assert option in result.stderr


def test_stripe_keys_come_from_the_environment_and_are_never_shown(aurora: Terminal) -> None:
    secrets = {"STRIPE_SECRET_KEY": "sk_test_4711abc", "STRIPE_WEBHOOK_SECRET": "whsec_0815def"}

    said = aurora.ok("brand", "stripe-keys", "aurora", **secrets)

    assert "/webhooks/stripe/aurora" in said
    assert "4711" not in said
    assert "test" in aurora.ok("brand", "list")


def test_stripe_keys_are_typed_without_an_echo(aurora: Terminal) -> None:
    result = aurora.run("brand", "stripe-keys", "aurora", typed="sk_test_4711abc\nwhsec_0815def\n")

    assert result.exit_code == 0
    assert "4711" not in result.output


def test_wrong_stripe_keys_are_refused_without_being_repeated(aurora: Terminal) -> None:
    secrets = {"STRIPE_SECRET_KEY": "pk_test_4711abc", "STRIPE_WEBHOOK_SECRET": "wrong-0815"}

    result = aurora.run("brand", "stripe-keys", "aurora", **secrets)

    assert result.exit_code == 2
    assert "4711" not in result.output
    assert len(result.stderr.splitlines()) == 2


def test_a_drop_is_made_listed_opened_paused_and_closed(aurora: Terminal) -> None:
    drop_id = aurora.ok(*CAP, "--stock", "S=2", "--stock", "M=3").partition(";")[0]

    assert "S=2, M=3" in aurora.ok("drop", "list", "--brand", "aurora")
    aurora.ok("drop", "open", "Aurora Cap")
    aurora.ok("drop", "restock", drop_id, "9", "--variant", "M")
    aurora.ok("drop", "pause", drop_id)
    aurora.ok("drop", "open", drop_id)
    aurora.ok("drop", "close", drop_id)
    assert "S=2, M=9" in aurora.ok("drop", "list")


def test_restocking_asks_which_variant(aurora: Terminal) -> None:
    aurora.ok(*CAP, "--stock", "S=2", "--stock", "M=3")

    result = aurora.run("drop", "restock", "Aurora Cap", "9")

    assert result.stderr == "claimbot: --variant: choose one of S, M\n"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--price", "cheap"), "--price"),
        (("--price", "1.234 EUR"), "2 digits"),
        (("--stock", "many"), "--stock"),
        (("--stock", "1", "--stock", "2"), "--stock"),
        (("--word", "STOP"), "command"),
        (("--hold-minutes", "0"), "hold"),
    ],
)
def test_a_drop_with_faults_is_refused(aurora: Terminal, words: tuple[str, ...], part: str) -> None:
    result = aurora.run(*CAP, *words)

    assert result.exit_code == 2
    assert part in result.stderr
    assert "No drop yet" in aurora.ok("drop", "list")


def test_a_link_lets_one_person_in(aurora: Terminal) -> None:
    words = ("operator", "invite", "--email", "ann@aurora.test", "--brand", "aurora", "--role", "editor")

    said = aurora.ok(*words)

    assert re.fullmatch(r"http://127\.0\.0\.1:8000/admin/join/[0-9a-z]{26}\n", said)


def test_the_first_person_needs_no_address(aurora: Terminal) -> None:
    assert "/admin/join/" in aurora.ok("operator", "invite")
    assert aurora.run("operator", "invite", "--email", "ann@aurora.test").exit_code == 2


def test_people_are_listed_and_get_a_link_for_a_new_password(aurora: Terminal) -> None:
    words = ("operator", "create", "--email", "ann@aurora.test", "--brand", "aurora")
    assert aurora.ok("operator", "list").startswith("Nobody yet")
    aurora.ok(*words, OPERATOR_PASSWORD="a sentence that is long enough")

    assert re.search(r"ann@aurora\.test +aurora +owner +no", aurora.ok("operator", "list"))
    assert "/admin/join/" in aurora.ok("operator", "reset", "Ann@aurora.test", "--forget-phone")
    assert aurora.run("operator", "reset", "nobody@aurora.test").exit_code == 2
    assert aurora.run("operator", "invite").exit_code == 2


def test_an_operator_gets_a_slow_hash_and_a_brand(aurora: Terminal) -> None:
    said = aurora.ok(
        "operator", "create", "--email", "ann@aurora.test", "--brand", "aurora",
        OPERATOR_PASSWORD="a sentence that is long",
    )  # fmt: skip

    assert said.startswith("opr_")


def test_a_short_password_is_refused(aurora: Terminal) -> None:
    words = ("operator", "create", "--email", "ann@aurora.test", "--brand", "aurora")

    result = aurora.run(*words, OPERATOR_PASSWORD="short")

    assert result.exit_code == 2
    assert "--password" in result.stderr


def test_verify_is_silent_about_nothing_and_exits_0(aurora: Terminal) -> None:
    found = json.loads(aurora.ok("verify", "--json", "--at-rest"))

    assert {one["invariant"] for one in found} >= {"I1", "I2", "I3", "I4"}
    assert all(one["ok"] for one in found)


def test_reconcile_says_what_it_did(aurora: Terminal) -> None:
    aurora.ok(*CAP, "--stock", "2", "--open")

    assert "gates rebuilt: 1" in aurora.ok("reconcile")


def test_the_doctor_names_what_is_missing_in_words(aurora: Terminal) -> None:
    result = aurora.run("doctor", "--json")
    signs = {(one["light"], one["about"]): one["text"] for one in json.loads(result.stdout)}

    assert result.exit_code == 1
    assert "claimbot worker" in signs["red", "worker"]
    assert "claimbot clock" in signs["red", "clock"]
    assert "claimbot account connect" in signs["red", "account"]
    assert "stripe-keys" in signs["warn", "aurora"]


def test_an_empty_list_of_leads_has_its_header(aurora: Terminal) -> None:
    assert aurora.ok("export", "leads", "--brand", "aurora").startswith("lead_id,brand,drop,channel,")


def test_nobody_is_erased_by_a_wrong_name(aurora: Terminal) -> None:
    result = aurora.run("erase", "--brand", "aurora", "nobody", "--yes")

    assert result.exit_code == 2
    assert "There is nobody of that name" in result.stderr


def test_a_lead_that_is_not_there_cannot_be_resumed(aurora: Terminal) -> None:
    assert aurora.run("lead", "resume", "led_none").exit_code == 2


@pytest.mark.parametrize(
    "url", ["http://example.org", "https://127.0.0.1:1", "http://10.0.0.1", "ftp://[::1]"]
)
def test_a_storm_stays_on_this_machine(terminal: Terminal, url: str) -> None:
    result = terminal.run("storm", "--sandbox-url", url)

    assert result.exit_code == 2
    assert "this machine only" in result.stderr

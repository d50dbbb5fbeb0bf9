"""Can somebody without a browser say where the brand's own systems listen?"""

from tests.cli.conftest import Terminal

URL = "https://hooks.example/claimbot"
OF = ("--brand", "aurora")


def added(aurora: Terminal) -> str:
    """The id of an endpoint that listens at URL."""
    return aurora.ok("webhook", "add", URL, *OF).split()[0]


def test_an_address_is_added_with_a_secret_that_no_list_shows(aurora: Terminal) -> None:
    assert "webhook add" in aurora.ok("webhook", "list", *OF)

    said = aurora.ok("webhook", "add", URL, *OF)
    listed = aurora.ok("webhook", "list", *OF)

    assert "whsec_" in said
    assert (URL in listed, "live" in listed, "whsec_" in listed) == (True, True, False)


def test_an_address_that_nobody_may_call_is_refused_in_words(aurora: Terminal) -> None:
    result = aurora.run("webhook", "add", "http://hooks.example/", *OF)

    assert (result.exit_code, "https://" in result.stderr) == (2, True)


def test_a_test_event_waits_for_a_worker(aurora: Terminal) -> None:
    endpoint_id = added(aurora)

    assert "on its way" in aurora.ok("webhook", "test", endpoint_id, *OF)

    columns = aurora.ok("webhook", "list", *OF).splitlines()[1].split()
    assert columns[2:] == ["live", "1", "0"]


def test_an_address_is_removed_once(aurora: Terminal) -> None:
    endpoint_id = added(aurora)

    assert aurora.ok("webhook", "remove", endpoint_id, *OF, "--yes") == "removed\n"

    assert URL not in aurora.ok("webhook", "list", *OF)
    again = aurora.run("webhook", "remove", endpoint_id, *OF, "--yes")
    assert (again.exit_code, "webhook list" in again.stderr) == (2, True)

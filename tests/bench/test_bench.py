"""Does the benchmark itself work? Two short ones are played; how it judges and draws is looked at."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.bench import client
from tests.bench.__main__ import main
from tests.bench.bodies import Crowd
from tests.bench.charts import draw
from tests.bench.families import FAMILIES
from tests.bench.figures import Goal, Result, Row, Sample, results_of
from tests.bench.load import write_bodies
from tests.bench.readme import DMS, GATE, SENDS
from tests.bench.table import cells, show

ROW = Row("one", "one thing", "DMs/s", "nothing", (Goal("ratio", at_least=0.5), Goal("p50_ms", at_most=2)))


def result(*samples: Sample) -> Result:
    (found,) = results_of([ROW], samples)
    return found


def test_two_short_benchmarks_measure_every_row(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"

    assert main(["gate", "rebuild-sqlite", "--quick", "--json", str(path)]) == 0

    rows = json.loads(path.read_text("utf-8"))["rows"]
    assert [row["name"] for row in rows] == ["gate batch", "rebuild 10000 sqlite", "rebuild 100000 sqlite"]
    assert all(row["figure"] > 0 and not row["trouble"] for row in rows)


def test_a_benchmark_that_does_not_exist_is_named() -> None:
    with pytest.raises(SystemExit, match="no such benchmark: speed"):
        main(["speed"])


def test_a_ratio_is_the_median_of_the_ratios_of_each_round() -> None:
    found = result(Sample("one", 10, 10), Sample("one", 30, 100), Sample("one", 60, 100))

    assert (found.ratio, found.spread) == (0.6, (0.3, 1.0))


@pytest.mark.parametrize(("figure", "p50_ms", "is_met"), [(50, 2, True), (49, 2, False), (50, 2.1, False)])
def test_a_row_is_met_when_every_goal_is(figure: float, p50_ms: float, is_met: bool) -> None:
    assert result(Sample("one", figure, 100, {"p50_ms": p50_ms})).is_met is is_met


def test_a_part_that_was_not_measured_meets_no_goal() -> None:
    assert result(Sample("one", 100, 100)).is_met is False


def test_a_row_that_was_not_measured_says_so() -> None:
    (found,) = results_of([ROW], [], "it broke")

    assert found.is_met is False
    assert "not measured: it broke" in cells(found.as_document())


def test_the_rows_of_all_benchmarks_have_names_of_their_own() -> None:
    names = [row.name for family in FAMILIES for row in family.rows]

    assert len(names) == len(set(names))
    assert {*DMS.values(), SENDS, GATE} <= set(names)


def test_a_chart_shows_ours_and_the_floor() -> None:
    drawn = draw(result(Sample("one", 40, 100, {"p50_ms": 1})).as_document())

    assert drawn.startswith("<svg")
    assert "40 DMs/s" in drawn
    assert "100 DMs/s" in drawn


def test_the_table_shows_figure_floor_ratio_and_verdict() -> None:
    document: dict[str, Any] = dict.fromkeys(
        ("taken_at", "machine", "placement", "client", "rounds", "load_before"), ""
    )
    output = io.StringIO()

    show(
        {**document, "rows": [result(Sample("one", 40, 100)).as_document()]}, Console(file=output, width=200)
    )

    shown = " ".join(output.getvalue().split())
    assert "one thing 40 DMs/s 100 DMs/s: nothing 0.4 0.4 – 0.4 ≥ 0.5, p50_ms ≤ 2 no" in shown


class Ok(BaseHTTPRequestHandler):
    """Reads what is posted, says ok and keeps the connection, as granian does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def ok_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ok)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_our_own_client_posts_every_body_once(
    ok_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_bodies(tmp_path / "bodies.txt", Crowd().lines(20, "LAUNCH"))

    client.main([f"http://127.0.0.1:{ok_port}/webhooks/meta", str(path), "4", "30", "once"])

    told = json.loads(capsys.readouterr().out)
    assert (told["posts"], told["refused"], told["lost"]) == (20, 0, 0)

"""Does a world come back as it was, and does its process stop when it is told to?"""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.sandbox.engine import Engine
from tests.sandbox.test_stripe import create
from tests.sandbox.worlds import ACCOUNT, KEY, TOKEN, WEBHOOK_SECRET, config_for, running_world

START_SECONDS = 15.0


def test_people_messages_comments_and_time_survive_a_restart(engine: Engine, tmp_path: Path) -> None:
    with running_world(config_for(engine.url), tmp_path) as before:
        igsid = before.write("ana")
        before.send({"id": igsid})
        before.api("/comment", follower="ben", media="179", text="LAUNCH", comment_id="c1")
        before.send({"comment_id": "c1"})
        before.api("/clock", advance_seconds=3_600)
        phone = before.phone("ana")
    with running_world(config_for(engine.url), tmp_path) as after:
        assert after.phone("ana") == phone
        assert after.get("/clock")["offset_seconds"] == 3_600
        assert after.send({"id": igsid}).status_code == 200
        assert after.send({"comment_id": "c1"}).status_code == 400


def test_sessions_payments_and_keys_survive_a_restart(engine: Engine, tmp_path: Path) -> None:
    with running_world(config_for(engine.url), tmp_path) as before:
        still_open, bought = create(before), create(before)
        before.api(f"/stripe/sessions/{bought.id}/pay")
        engine.wait_for_type("checkout.session.completed")
    with running_world(config_for(engine.url), tmp_path) as after:
        sessions = after.stripe.v1.checkout.sessions
        assert sessions.retrieve(bought.id).payment_status == "paid"
        assert sessions.expire(still_open.id).status == "expired"
        intent = str(sessions.retrieve(bought.id).payment_intent)
        assert after.stripe.v1.refunds.create({"payment_intent": intent}).status == "succeeded"


def test_a_reset_is_remembered(engine: Engine, tmp_path: Path) -> None:
    with running_world(config_for(engine.url), tmp_path) as before:
        before.write("ana")
        before.api("/reset")
    with running_world(config_for(engine.url), tmp_path) as after:
        assert after.get("/followers") == []


@contextmanager
def running_process(tmp_path: Path, engine_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "world.json"
    account = {"external_id": ACCOUNT, "username": "aurora.demo", "token": TOKEN}
    endpoint = {
        "secret_key": KEY,
        "webhook_secret": WEBHOOK_SECRET,
        "webhook_path": "/webhooks/stripe/aurora",
    }
    config.write_text(json.dumps({"engine_url": engine_url, "accounts": [account], "stripe": [endpoint]}))
    command = [sys.executable, "-m", "claimbot.sandbox", "--config", str(config)]
    process = subprocess.Popen([*command, "--port", str(port), "--data-dir", str(tmp_path / "kept")])
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_until_up(url: str) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        try:
            httpx.get(f"{url}/api/state", trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the world did not start")


@pytest.mark.e2e
def test_the_process_stops_within_two_seconds_and_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    with running_process(tmp_path, engine.url) as (process, url):
        wait_until_up(url)
        httpx.post(f"{url}/api/dm", json={"follower": "ana", "text": "LAUNCH"}, trust_env=False)
        process.send_signal(signal.SIGTERM)
        assert process.wait(2.0) == 0
    with running_world(config_for(engine.url), tmp_path / "kept") as after:
        assert [one["text"] for one in after.phone("ana")] == ["LAUNCH"]

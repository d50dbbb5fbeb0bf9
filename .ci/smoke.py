"""Does an installed claimbot work? Start it, claim one unit over HTTP, pay, read the list, stop it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0


def free_port() -> int:
    """A port that is free, and the next one too (the sandbox takes it)."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
        with socket.socket() as second:
            if port < 65_000 and second.connect_ex(("127.0.0.1", port + 1)) != 0:
                return port


def call(url: str, body: dict[str, Any] | None = None) -> Any:
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def wait_for(what: str, look: Any) -> Any:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends_at:
        try:
            if found := look():
                return found
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"smoke: {what} did not come within {PATIENCE_SECONDS:.0f} s")


def walk(world: str) -> None:
    def heard() -> list[dict[str, Any]]:
        messages = call(f"{world}/api/followers/ana/messages")
        return [message for message in messages if message["direction"] == "out"]

    sent = call(f"{world}/api/dm", {"follower": "ana", "text": "LAUNCH"})
    assert sent["status"] == 200, sent
    offer = wait_for("the reply with a link", heard)[0]
    session_id = offer["buttons"][0]["url"].rpartition("/")[2]
    call(f"{world}/api/stripe/sessions/{session_id}/pay", {})
    wait_for("the thank-you", lambda: len(heard()) == 2)


def main(claimbot: str, data_dir: str) -> None:
    port = free_port()
    world = f"http://127.0.0.1:{port + 1}"
    command = [claimbot, "up", "--port", str(port), "--data-dir", data_dir]
    running = subprocess.Popen(command, cwd=Path(data_dir).parent)
    try:
        wait_for("the phone page", lambda: call(f"{world}/api/followers") is not None)
        wait_for(
            "the web process", lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2)
        )
        walk(world)
        listed = subprocess.run(
            [claimbot, "export", "leads", "--brand", "aurora"],
            env={**os.environ, "DATA_DIR": data_dir},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ",sold," in listed.stdout, listed.stdout
    finally:
        running.send_signal(signal.SIGINT)
        code = running.wait(timeout=30)
    assert code == 0, f"claimbot up ended with {code}"
    print("smoke: 1 passed, 0 failed")


if __name__ == "__main__":
    main(*sys.argv[1:])

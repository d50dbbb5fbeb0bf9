"""Where do tests get a real Redis? Our own server module starts it; a Cluster of one node on loopback too."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis, RedisCluster
from redis.exceptions import RedisError

from claimbot.stock import server
from claimbot.stock.connect import connect

# The Cluster's own bus listens 10,000 ports above, and ports end at 65,535.
CLUSTER_PORTS = range(21_000, 32_000)
READY_SECONDS = 10.0
# Two processor cores run everything at once: tests are more patient than the hot path.
TEST_TIMEOUT_SECONDS = 5.0


@contextmanager
def running_redis(data_dir: Path) -> Iterator[Redis]:
    """A client of an embedded server that is stopped afterwards."""
    running = server.start(data_dir)
    client = connect(running.url, TEST_TIMEOUT_SECONDS)
    try:
        yield client
    finally:
        client.close()
        running.stop()


@contextmanager
def running_cluster(data_dir: Path) -> Iterator[RedisCluster]:
    """A client of a one-node Cluster that owns every slot."""
    port = _free_port()
    process = _start_node(data_dir, port)
    try:
        _join(port)
        client = connect(f"redis+cluster://127.0.0.1:{port}", TEST_TIMEOUT_SECONDS)
        yield client
        client.close()
    finally:
        process.kill()
        process.wait(READY_SECONDS)


def _start_node(data_dir: Path, port: int) -> subprocess.Popen[bytes]:
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(data_dir),
        "cluster-enabled": "yes",
        "cluster-config-file": str(data_dir / "nodes.conf"),
        "save": "",
        "appendonly": "no",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return subprocess.Popen([server.find_binary(), *arguments], stdout=subprocess.DEVNULL)


def _join(port: int) -> None:
    node = Redis(port=port)
    _wait_for(lambda: node.ping())
    node.execute_command("CLUSTER", "ADDSLOTS", *range(16_384))
    _wait_for(lambda: node.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
    node.close()


def _wait_for(is_true: Callable[[], object]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if is_true():
                return
        except RedisError:
            pass
        time.sleep(0.02)
    raise AssertionError("the Cluster node did not become ready")


def _free_port() -> int:
    for port in CLUSTER_PORTS:
        if _is_free(port) and _is_free(port + 10_000):
            return port
    raise AssertionError("no port is free for a Cluster node")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0

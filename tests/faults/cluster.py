"""What is a Redis Cluster in a test? Three processes that share the slots; a lost one is not replaced."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from claimbot.db.ids import new_id
from claimbot.stock import keys, server
from tests.redis_server import CLUSTER_PORTS, _is_free

NODES = 3
SLOTS = 16_384
READY_SECONDS = 15.0


@dataclass(frozen=True)
class Cluster:
    ports: tuple[int, ...]
    processes: tuple[subprocess.Popen[bytes], ...]

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.ports[0]}"

    def kill(self, node: int) -> None:
        self.processes[node].kill()
        self.processes[node].wait(READY_SECONDS)

    def drop_id_on(self, node: int) -> str:
        """An id whose keys are that node's."""
        while True:
            drop_id = new_id("drp")
            if key_slot(keys.of_drop(drop_id).free.encode()) * NODES // SLOTS == node:
                return drop_id


@contextmanager
def running_nodes(folder: Path) -> Iterator[Cluster]:
    ports = tuple(_free_ports())
    processes = tuple(_start(folder / str(port), port) for port in ports)
    try:
        _join(ports)
        yield Cluster(ports, processes)
    finally:
        for process in processes:
            process.kill()
            process.wait(READY_SECONDS)


def _free_ports() -> list[int]:
    free = (port for port in CLUSTER_PORTS if _is_free(port) and _is_free(port + 10_000))
    return [next(free) for _ in range(NODES)]


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True)
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "cluster-enabled": "yes",
        "cluster-node-timeout": "1000",
        # A lost node takes its own drops with it, not everybody's.
        "cluster-require-full-coverage": "no",
        "save": "",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return subprocess.Popen([server.find_binary(), *arguments], stdout=subprocess.DEVNULL)


def _join(ports: tuple[int, ...]) -> None:
    nodes = [Redis(port=port) for port in ports]
    for number, node in enumerate(nodes):
        _wait_for(lambda node=node: node.ping())
        first, last = -(-SLOTS * number // NODES), -(-SLOTS * (number + 1) // NODES)
        node.execute_command("CLUSTER", "ADDSLOTS", *range(first, last))
        node.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for port in ports[1:]:
        nodes[0].execute_command("CLUSTER", "MEET", "127.0.0.1", port)
    for node in nodes:
        _wait_for(lambda node=node: _is_whole(node))
        node.close()


def _is_whole(node: Redis) -> bool:
    told = node.execute_command("CLUSTER INFO")
    return bool(told["cluster_state"] == "ok" and told["cluster_slots_ok"] == str(SLOTS))


def _wait_for(is_true: Callable[[], object]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if is_true():
                return
        except RedisError:
            pass
        time.sleep(0.02)
    raise AssertionError("the Cluster did not become ready")

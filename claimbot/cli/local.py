"""What of this machine is ours? The data folder, the secrets that `claimbot up` made there, a port."""

import base64
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from claimbot.cli.surroundings import read_left
from claimbot.core.errors import Refused

OWNER_ONLY = 0o600
FOLDER_OWNER_ONLY = 0o700

# Each is made once, when it is first needed and not in the environment.
SECRETS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "SECRET_KEY": lambda: secrets.token_urlsafe(48),
        "ENCRYPTION_KEYS": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
        "META_APP_SECRETS": lambda: secrets.token_hex(24),
        "META_VERIFY_TOKEN": lambda: secrets.token_urlsafe(24),
    }
)
# The sandbox's own; no setting of the engine.
SANDBOX_SECRETS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "SANDBOX_ACCOUNT_TOKEN": lambda: f"sandbox-{secrets.token_urlsafe(32)}",
        "SANDBOX_STRIPE_KEY": lambda: f"sk_test_{secrets.token_hex(24)}",
        "SANDBOX_STRIPE_WEBHOOK_SECRET": lambda: f"whsec_{secrets.token_hex(24)}",
        "FIRST_LOGIN_PASSWORD": lambda: secrets.token_urlsafe(12),
    }
)


def keep_secrets(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The secrets of this data folder, with new ones for what neither it nor the environment has."""
    kept = read_left(path)
    makers = {**SECRETS, **SANDBOX_SECRETS}
    missing = [name for name in makers if name not in kept and not _is_given(given, name)]
    made = {**kept, **{name: makers[name]() for name in missing}}
    if missing:
        write_private(path, json.dumps(made, indent=2))
    return made


def _is_given(given: Mapping[str, str], name: str) -> bool:
    return bool(given.get(name) or given.get(f"{name}_FILE"))


def write_private(path: Path, text: str) -> None:
    """Readable by this account only, and never half-written."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
        file.write(text)
    fresh.replace(path)


@contextmanager
def held_folder(data_dir: Path) -> Iterator[None]:
    """Makes the data folder and keeps a second `up` away from it. Raises Refused."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=FOLDER_OWNER_ONLY)
        lock = (data_dir / "up.lock").open("a+")
    except OSError:
        raise Refused(f"cannot write to {data_dir}: choose another folder with --data-dir") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Refused(_is_running(data_dir, lock.read().strip())) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _is_running(data_dir: Path, pid: str) -> str:
    return f"claimbot already runs on {data_dir} (process {pid}): stop it, or choose another --data-dir"


def refuse_taken_port(host: str, port: int) -> None:
    """Two servers may share a port on Linux, and each would get half of the calls."""
    try:
        with socket.create_server((host, port)):
            return
    except PermissionError:
        raise Refused(f"port {port} may not be used by this account: choose another with --port") from None
    except OSError:
        raise Refused(f"port {port} is taken: stop what uses it, or choose another with --port") from None

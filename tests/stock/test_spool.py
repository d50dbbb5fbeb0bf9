"""Do verified bodies wait in order, byte for byte, within both bounds?"""

from datetime import UTC, datetime, timedelta

import pytest

from claimbot.stock.spool import Spool, SpoolFull

RECEIVED = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture
def spool(client):
    return Spool(client, max_entries=3, max_bytes=100)


def test_a_body_comes_back_byte_for_byte(spool):
    body = b'{"a":"\xff\x00 \xf0\x9f\x8e\x89"}'
    spool.append("instagram", body, RECEIVED)
    entry = spool.read(10)[0]
    assert (entry.channel, entry.body, entry.received_at) == ("instagram", body, RECEIVED)


def test_bodies_are_read_oldest_first_and_stay_until_removed(spool):
    [spool.append("instagram", body, RECEIVED) for body in (b"one", b"two", b"three")]
    assert [entry.body for entry in spool.read(2)] == [b"one", b"two"]
    assert [entry.body for entry in spool.read(9)] == [b"one", b"two", b"three"]


@pytest.mark.parametrize("bodies", [[b"a", b"b", b"c", b"d"], [b"a" * 60, b"b" * 41], [b"a" * 101]])
def test_at_either_bound_nothing_more_is_taken(spool, bodies):
    [spool.append("instagram", body, RECEIVED) for body in bodies[:-1]]
    with pytest.raises(SpoolFull):
        spool.append("instagram", bodies[-1], RECEIVED)
    assert [entry.body for entry in spool.read(9)] == bodies[:-1]


def test_removing_makes_room_and_counts_once(spool):
    [spool.append("instagram", b"x" * 33, RECEIVED + timedelta(seconds=n)) for n in range(3)]
    ids = [entry.id for entry in spool.read(2)]
    assert (spool.remove([*ids, "1-1"]), spool.remove(ids), spool.remove([])) == (2, 0, 0)
    assert spool.depth() == (1, 33)


def test_an_empty_body_leaves_without_trace(spool):
    spool.append("instagram", b"", RECEIVED)
    spool.remove([spool.read(1)[0].id])
    assert spool.depth() == (0, 0)


def test_an_untouched_spool_is_empty(spool):
    assert (spool.depth(), spool.read(5)) == ((0, 0), [])


def test_the_bounds_are_those_of_the_design(client):
    spool = Spool(client)
    spool.append("instagram", b"z" * (4 * 1024 * 1024), RECEIVED)
    assert spool.depth() == (1, 4 * 1024 * 1024)

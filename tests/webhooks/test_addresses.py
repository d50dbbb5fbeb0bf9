"""Which addresses are called? None inside a network, however it is written or what a name server says."""

from collections.abc import Sequence

import pytest

from claimbot.webhooks.addresses import NotPublic, choose, is_public, look_up

PUBLIC = ("93.184.216.34", "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e")
PRIVATE = (
    # this machine, and "any address"
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "0.1.2.3",
    "::1",
    "::",
    # neighbours
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "100.64.0.1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    # metadata of clouds
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    # not for hosts
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "240.0.0.1",
    "ff02::1",
    "192.88.99.1",
    "198.18.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "5f00::1",
    "2001::1",
    "2001:20::1",
    # IPv4 in the clothes of IPv6
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a00:1",
    "::127.0.0.1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::a00:1",
    "2001:0:7f00:1::1",
    # no addresses: what a resolver must not hand on
    "",
    "localhost",
    "127.1",
    "0x7f.0.0.1",
    "2130706433",
    "017700000001",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_everybody_can_reach_is_called(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"))
def test_a_wrapped_address_is_as_good_as_what_is_inside(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_inside_a_network_is_not_called(address: str) -> None:
    assert not is_public(address)


def test_the_corpus_has_at_least_forty_addresses() -> None:
    assert len(set(PRIVATE)) >= 40


def says(*addresses: str) -> Sequence[str]:
    return addresses


def test_one_private_address_spoils_a_name() -> None:
    with pytest.raises(NotPublic, match="address_not_public"):
        choose(lambda _host, _port: says("93.184.216.34", "10.0.0.1"), "hooks.example", 443)


@pytest.mark.parametrize("host", ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "::1"))
def test_the_systems_resolver_lets_no_spelling_of_this_machine_through(host: str) -> None:
    with pytest.raises(NotPublic):
        choose(look_up, host, 443)


def test_a_name_without_an_address_is_said_so() -> None:
    def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(NotPublic, match="no_address"):
        choose(nowhere, "nowhere.example", 443)
    with pytest.raises(NotPublic, match="no_address"):
        choose(lambda _host, _port: (), "nowhere.example", 443)

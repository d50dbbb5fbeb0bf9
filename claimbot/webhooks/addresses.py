"""May we call this address? Only if everybody on the internet could.

A brand types where it wants to be called, and we stand inside a network: without this rule a webhook could
read a cloud's metadata, or knock at a neighbour's Redis. The name is looked up once, every address it has
must be public, and the connection goes to the very address that was looked at: a name server that answers
differently a moment later changes nothing.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# All addresses of a name; raises OSError when there is none. Injected, so that a test can lie.
Resolver = Callable[[str, int], Sequence[str]]

# What was given out on the internet; the rest of IPv6 is local, multicast, or not in use.
GIVEN_OUT = IPv6Network("2000::/3")
# Public by its number only, or by the tables of some Pythons.
NEVER_V4 = (
    IPv4Network("168.63.129.16/32"),  # inside of Azure: its hosts' agent
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # the relay of 6to4, given up
)
NEVER_V6 = (
    IPv6Network("2001::/23"),  # protocol assignments: Teredo, benchmarks, ORCHID
    IPv6Network("3fff::/20"),  # for documents
)
# Translators of IPv6 networks put an IPv4 address into the last four bytes.
NAT64 = IPv6Network("64:ff9b::/96")


class NotPublic(Exception):
    """A name, or an address, that we do not call; `reason` is a word of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_public(address: str) -> bool:
    """Could everybody reach it? An IPv6 address that wraps an IPv4 one is as good as what is inside."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return _is_public_v4(found)
    inside = _wrapped(found)
    return _is_public_v4(inside) if inside is not None else _is_public_v6(found)


def _is_public_v4(address: IPv4Address) -> bool:
    is_odd = address.is_multicast or address.is_reserved or any(address in net for net in NEVER_V4)
    return address.is_global and not is_odd


def _is_public_v6(address: IPv6Address) -> bool:
    is_odd = address.scope_id is not None or any(address in net for net in NEVER_V6)
    return address in GIVEN_OUT and address.is_global and not is_odd


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    if address.scope_id is not None:
        return None
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def look_up(host: str, port: int) -> Sequence[str]:
    """The system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def choose(resolve: Resolver, host: str, port: int) -> str:
    """The address to connect to. Raises NotPublic: one private address spoils the name."""
    try:
        found = resolve(host, port)
    except (OSError, UnicodeError):
        raise NotPublic("no_address") from None
    if not found:
        raise NotPublic("no_address")
    if not all(is_public(one) for one in found):
        raise NotPublic("address_not_public")
    return found[0]

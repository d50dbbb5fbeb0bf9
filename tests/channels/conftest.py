"""The other side of every call."""

from collections.abc import Iterator

import pytest

from claimbot.channels.http import MetaHttp
from tests.channels.meta_server import MetaServer, calling, serving


@pytest.fixture
def meta() -> Iterator[MetaServer]:
    with serving() as server:
        yield server


@pytest.fixture
def http(meta: MetaServer) -> Iterator[MetaHttp]:
    with calling(meta.url) as http:
        yield http

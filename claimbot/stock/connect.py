"""How do we reach Redis, is it fit for us, and is it still the same one?"""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis import BlockingConnectionPool, Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from claimbot.core.errors import Setup, StockUnavailable
from claimbot.stock.calls import FAULTS, Client

# More than the threads of any of our processes; a thread that finds none waits for its budget, then gives up.
MAX_CONNECTIONS = 64
# An idle connection is asked whether it lives before it is used again.
HEALTH_CHECK_SECONDS = 30
OLDEST_VERSION = (6, 2)
SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster")


def connect(url: str, timeout_seconds: float = 0.25) -> Client:
    """A client for threads: one attempt, explicit timeouts, bytes in and out.

    `redis+cluster://…` or `?cluster=1` means a Cluster, which is asked for its shape at once and may raise
    StockUnavailable; the others connect when first used. Raises Setup for a URL we cannot read.
    """
    plain_url, is_cluster = _read_url(url)
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "health_check_interval": HEALTH_CHECK_SECONDS,
        "protocol": 3,
        # Otherwise a server's notice of maintenance stretches our timeouts to ten seconds.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "max_connections": MAX_CONNECTIONS,
    }
    once = Retry(NoBackoff(), 0)
    if not is_cluster:
        pool = BlockingConnectionPool.from_url(plain_url, timeout=timeout_seconds, retry=once, **options)
        return Redis(connection_pool=pool)
    try:
        return RedisCluster.from_url(plain_url, retry=once, **options)
    except FAULTS as fault:
        raise StockUnavailable(f"no node of the Redis Cluster answered: {type(fault).__name__}") from fault


def _read_url(url: str) -> tuple[str, bool]:
    """The URL as the client library wants it, and whether it means a Cluster."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    is_cluster = parts.scheme.endswith("+cluster") or query.pop("cluster", "0") in {"1", "true", "yes"}
    if parts.scheme not in SCHEMES or (is_cluster and parts.scheme == "unix"):
        raise Setup(["the Redis URL must begin with redis://, rediss://, unix:// or redis+cluster://"])
    if is_cluster and parts.path not in {"", "/", "/0"}:
        raise Setup(["a Redis Cluster has no numbered databases: remove the path from its URL"])
    scheme = parts.scheme.removesuffix("+cluster")
    plain_url = urlunsplit((scheme, parts.netloc, parts.path, urlencode(query), ""))
    # urlunsplit leaves out the empty host of a path-only URL, which the client library insists on.
    return plain_url if "://" in plain_url else plain_url.replace(":", "://", 1), is_cluster


def check_policy(client: Client) -> list[str]:
    """One sentence for each thing that makes this Redis unfit; raises StockUnavailable when it is silent."""
    faults = []
    for node, facts in _facts_by_node(client).items():
        version = tuple(int(part) for part in str(facts["redis_version"]).split(".")[:2])
        if version < OLDEST_VERSION:
            faults.append(f"Redis {node} is version {facts['redis_version']}: 6.2 or later is needed")
        if facts["maxmemory"] > 0 and facts["maxmemory_policy"] != "noeviction":
            faults.append(
                f"Redis {node} evicts keys (maxmemory-policy {facts['maxmemory_policy']}): set noeviction"
            )
        if facts["role"] != "master":
            faults.append(f"Redis {node} is a read-only replica: give the URL of the primary")
    return faults


def identity(client: Client) -> frozenset[str]:
    """Changes when a primary is replaced or restarted: then rebuild every gate."""
    return frozenset(str(facts["master_replid"]) for facts in _facts_by_node(client).values())


def _facts_by_node(client: Client) -> dict[str, dict[str, Any]]:
    """INFO, not CONFIG: hosted Redis often forbids the latter."""
    try:
        if isinstance(client, RedisCluster):
            found: dict[str, Any] = client.info(target_nodes=RedisCluster.PRIMARIES)
            # The client names the nodes only when it asked several.
            return {"server": found} if "redis_version" in found else found
        return {"server": client.info()}
    except FAULTS as fault:
        raise StockUnavailable(f"Redis did not answer: {type(fault).__name__}") from fault

"""Which figures does an operator's Prometheus get? From SQL and Redis: every process tells the same."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from claimbot.core.claims import State
from claimbot.core.outbox import RowState
from claimbot.db.figures import Figures
from claimbot.flows.watch import Watched, watch
from claimbot.parts import DatabaseClock, Parts
from claimbot.web.counts import Counts

# Whoever asks more often gets the same figures again: counting a big ledger is not free.
FRESH_SECONDS = 5.0


class FiguresCollector(Collector):
    def __init__(self, parts: Parts, counts: Counts, seconds: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._counts = counts
        self._seconds = seconds
        self._lock = threading.Lock()
        self._watched: Watched | None = None
        self._watched_at = 0.0

    def collect(self) -> Iterable[Metric]:
        watched = self._look()
        yield _gauge("claimbot_sql_up", "1 while SQL answers.", watched.figures is not None)
        yield _gauge("claimbot_redis_up", "1 while Redis answers.", watched.spool is not None)
        yield _gauge("claimbot_gate_open", "0 while a failing Redis is left alone.", watched.is_gate_open)
        if isinstance(self._parts.clock, DatabaseClock):
            skew_seconds = self._parts.clock.skew_seconds
            yield _gauge("claimbot_clock_skew_seconds", "How far this machine is behind SQL.", skew_seconds)
        if watched.spool is not None:
            yield _gauge("claimbot_spool_entries", "Webhooks that wait for SQL.", watched.spool[0])
            yield _gauge("claimbot_spool_bytes", "Their size.", watched.spool[1])
        if watched.figures is not None:
            yield from _of_ledger(watched, watched.figures)
        yield self._webhooks()

    def _look(self) -> Watched:
        with self._lock:
            is_old = self._seconds() - self._watched_at >= FRESH_SECONDS
            if self._watched is None or is_old:
                self._watched, self._watched_at = watch(self._parts), self._seconds()
            return self._watched

    def _webhooks(self) -> Metric:
        told = CounterMetricFamily(
            "claimbot_webhooks", "Webhooks that this process answered.", labels=["door", "outcome"]
        )
        for (door, word), count in sorted(self._counts.all().items()):
            told.add_metric([door, word], count)
        return told


def _of_ledger(watched: Watched, figures: Figures) -> Iterator[Metric]:
    outbox = {state.value: figures.outbox.get(state.value, 0) for state in RowState}
    claims = {state.value: figures.claims.get(state.value, 0) for state in State}
    waiting = (watched.at - figures.oldest_ready_at).total_seconds() if figures.oldest_ready_at else 0.0
    ages = {account_id: (watched.at - at).total_seconds() for account_id, at in figures.heard.items() if at}
    yield _labelled("claimbot_outbox_rows", "Work by state.", "state", outbox)
    yield _gauge("claimbot_outbox_oldest_ready_seconds", "How long due work has been waiting.", waiting)
    yield _labelled("claimbot_claims", "Claims by state.", "state", claims)
    yield _gauge("claimbot_alerts_open", "Troubles that a person should look at.", figures.alerts_open)
    yield _labelled("claimbot_last_event_age_seconds", "Since the platform last spoke.", "account", ages)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=[label])
    for word, value in values.items():
        gauge.add_metric([word], value)
    return gauge

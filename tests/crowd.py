"""How do many do something at the same moment? Threads behind a barrier, and real processes."""

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

# Long enough for two busy cores; a race that takes longer hangs.
PATIENCE_SECONDS = 60.0


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """act(0) … act(count - 1), each in a thread of its own, released together; raises what one raised."""
    barrier = threading.Barrier(count)

    def wait_and_act(number: int) -> T:
        barrier.wait(PATIENCE_SECONDS)
        return act(number)

    with ThreadPoolExecutor(count) as threads:
        waiting = [threads.submit(wait_and_act, number) for number in range(count)]
        return [one.result(PATIENCE_SECONDS) for one in waiting]


def in_processes(act: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> list[T]:
    """act(*call) for each call, each in a fresh Python process; `act` is a function of a module."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(calls))
    with context.Pool(len(calls), _wait_for_all, (barrier, act)) as processes:
        waiting = [processes.apply_async(act, call) for call in calls]
        return [one.get(PATIENCE_SECONDS) for one in waiting]


def _wait_for_all(barrier: Any, _act: Callable[..., Any]) -> None:
    """Runs in each process once `act` is imported, so that all of them begin together."""
    barrier.wait(PATIENCE_SECONDS)

"""What is put together for one seed? The real parts, one brand, one drop, a few followers."""

import itertools
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from redis import Redis

from claimbot.channels.http import MetaHttp
from claimbot.core.brands import Account, Brand
from claimbot.core.claims import ENDED, State
from claimbot.core.drops import Drop, DropKind, DropState, LinkMode
from claimbot.core.errors import StockUnavailable
from claimbot.db import drops, ids
from claimbot.db.engine import make_engine
from claimbot.flows.poll import ask_for_events
from claimbot.flows.sweep import Chore, chores
from claimbot.parts import CatalogShelf, Parts, make_parts
from claimbot.stock.breaker import Breaker
from claimbot.stock.gate import Gate
from claimbot.stock.spool import Spool
from tests.builders import make_account, make_brand, make_drop, make_sealer
from tests.engine import settings_for
from tests.sim.grounds import StagedLedger, StagedRedis, VirtualClock, make_quick
from tests.sim.platform import Platform
from tests.sim.points import Points
from tests.sim.stripe import Stripe

# Chores that change no claim; one of them asks all the questions that the checks ask anyway.
LEFT_OUT = ("verify", "tokens", "purge", "profiles", "books")


@dataclass
class Luck:
    """What goes wrong in this step: the first call that asks gets it."""

    fault: str = ""

    def take(self) -> str:
        fault, self.fault = self.fault, ""
        return fault


@dataclass
class Silent:
    """A bell that nobody hears: workers look each second anyway."""

    def ring(self) -> None:
        return

    def answer(self) -> None:
        return


@dataclass
class Pace:
    """A budget that is only spent when the program says so."""

    luck: Luck

    def spend(self, _scope: str, _limit: str, cost: int = 1) -> float:
        if self.luck.fault == "paced":
            self.luck.fault = ""
            return 1.5 * cost
        return 0.0


@dataclass
class SeededIds:
    """Stands for `secrets` and `time` where ids are made: the same seed has the same ids."""

    dice: Random
    clock: VirtualClock

    def randbits(self, bits: int) -> int:
        return self.dice.getrandbits(bits)

    def time_ns(self) -> int:
        return int(self.clock().timestamp()) * 1_000_000_000


@dataclass
class Letter:
    """A webhook body of the platform; it is delivered until we say 200."""

    body: bytes
    who: str
    mid: str
    is_acked: bool = False


@dataclass
class Stage:
    """One engine of one seed; a restart makes new parts on the same grounds."""

    parts: Parts
    clock: VirtualClock
    points: Points
    luck: Luck
    ledger: StagedLedger
    redis: StagedRedis
    stripe: Stripe
    platform: Platform
    brand: Brand
    account: Account
    drop: Drop
    followers: list[str]
    letters: list[Letter] = field(default_factory=list)
    waiting: list[Letter] = field(default_factory=list)
    """Letters that were not delivered, or not with a 200."""
    steps_left: dict[str, int] = field(default_factory=dict)
    """ground → how many more steps it is down."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    chores: tuple[Chore, ...] = ()
    ended_once: set[str] = field(default_factory=set)
    """Claims that were seen in an end state."""

    @property
    def is_free(self) -> bool:
        return self.drop.kind is DropKind.FREE

    def is_open(self) -> bool:
        with self.ledger.reading() as tx:
            drop = drops.find_drop(tx, self.drop.id)
        return drop is not None and drop.state is DropState.OPEN

    def remember(self, states: Mapping[str, State]) -> None:
        self.ended_once |= {claim_id for claim_id, state in states.items() if state in ENDED}

    def restart(self) -> None:
        """A new process: what the old one knew is lost."""
        breaker = Breaker(clock=self.clock.seconds)
        client: Any = self.redis
        self.parts = replace(
            self.parts,
            catalog=CatalogShelf(self.ledger, self.parts.sealer, self.clock.seconds),
            gate=Gate(client, breaker),
            spool=Spool(client),
            breaker=breaker,
        )
        self.chores = tuple(one for one in chores() if one.name not in LEFT_OUT)

    def identity(self) -> frozenset[str]:
        if self.redis.is_down:
            raise StockUnavailable("the plug is pulled")
        return frozenset({self.redis.name})

    def change_luck(self, fault: str) -> str:
        """What goes wrong from now on, once; returns what would have gone wrong otherwise."""
        is_lost = self.redis.loses_answer, self.ledger.loses_commit
        before = "redis_lost" if is_lost[0] else "commit_lost" if is_lost[1] else self.luck.fault
        self.luck.fault = fault
        self.redis.loses_answer = fault == "redis_lost"
        self.ledger.loses_commit = fault == "commit_lost"
        return before

    def pull(self, ground: str, steps: int) -> None:
        self.steps_left[ground] = steps
        self._plug()

    def count_down(self) -> None:
        self.steps_left = {name: left - 1 for name, left in self.steps_left.items() if left > 1}
        self._plug()

    def _plug(self) -> None:
        self.redis.is_down = "redis" in self.steps_left
        self.ledger.is_down = "sql" in self.steps_left


@dataclass
class Theatre:
    """What all seeds of a process share: one ledger, one Redis, one set of parts."""

    ledger: StagedLedger
    redis: Redis
    points: Points
    parts: Parts

    def set_stage(self, seed: int) -> Stage:
        """Everything empty, then this seed's brand, drop and followers."""
        dice = Random(seed ^ 0x5EED)
        clock, luck = VirtualClock(), Luck()
        random.seed(seed)
        self._seed_ids(SeededIds(Random(seed), clock))
        self.points.transactions = 0
        self.ledger.is_down = self.ledger.loses_commit = False
        self.ledger.empty()
        self.redis.flushdb()
        brand = make_brand(self.ledger)
        account = make_account(self.ledger, brand)
        drop = make_drop(self.ledger, brand, **_drop_of(dice))
        stripe = Stripe(clock, self.points, luck.take)
        platform = Platform(clock, self.points, luck.take)
        stage = Stage(
            parts=self.parts,
            clock=clock,
            points=self.points,
            luck=luck,
            ledger=self.ledger,
            redis=StagedRedis(self.redis, self.points),
            stripe=stripe,
            platform=platform,
            brand=brand,
            account=account,
            drop=drop,
            followers=[f"{7001 + number}" for number in range(dice.randint(5, 9))],
        )
        anything: Any = stage
        stage.parts = replace(
            self.parts,
            clock=clock,
            gateways=anything.stripe,
            http=MetaHttp(anything.platform),
            redis_identity=stage.identity,
            bell=_any(Silent()),
            budgets=_any(Pace(luck)),
        )
        stage.restart()
        # The clock process looked once before anything happened: from here on no event is too old.
        ask_for_events(stage.parts)
        return stage

    def _seed_ids(self, seeded: SeededIds) -> None:
        vars(ids).update(secrets=seeded, time=seeded)


def _any(stand_in: object) -> Any:
    return stand_in


def _drop_of(dice: Random) -> dict[str, Any]:
    """Small stocks: everything that is hard happens at the last unit."""
    return {
        "stock_units": dice.choice((0, 1, 1, 2, 2, 3, 4)),
        "variants": dice.choice((("ONE",), ("ONE",), ("S", "M"))),
        "kind": dice.choice((DropKind.PAID,) * 9 + (DropKind.FREE,)),
        "hold_minutes": dice.choice((5, 15, 15, 45)),
        "per_follower_limit": dice.choice((1, 1, 2, 3)),
        "is_waitlist_on": dice.random() < 0.9,
        "is_partial_allowed": dice.random() < 0.7,
        "is_restocked_on_refund": dice.random() < 0.7,
        "link_mode": dice.choice((LinkMode.AUTO, LinkMode.AUTO, LinkMode.DIRECT, LinkMode.PAY_LINK)),
    }


@contextmanager
def open_theatre(url: str, redis: Redis, redis_url: str) -> Iterator[Theatre]:
    """`url` names a migrated ledger that may be emptied."""
    points = Points()
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        make_quick(engine)
    ledger = StagedLedger(engine, points)
    kept = dict(vars(ids))
    parts = make_parts(settings_for(ledger, redis_url), VirtualClock())
    try:
        yield Theatre(ledger, redis, points, replace(parts, ledger=ledger, sealer=make_sealer()))
    finally:
        vars(ids).update(kept)
        parts.close()
        ledger.close()


def migrated_url(path: Path) -> str:
    return f"sqlite:///{path}"

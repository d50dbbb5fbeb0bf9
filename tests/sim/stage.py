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
from tests.sim.grounds import Reader, StagedLedger, StagedRedis, VirtualClock, make_quick, open_reader
from tests.sim.platform import Platform
from tests.sim.points import Points
from tests.sim.stripe import Stripe

# Chores that change no claim; one of them asks all the questions that the checks ask anyway.
# A third of the seeds have a second brand, whose word is the same.
HOUSES = (1, 1, 2)
SLUGS = ("aurora", "borealis")
# Which know nothing of each other but what SQL and Redis say.
PROCESSES = 2
LEFT_OUT = ("verify", "tokens", "purge", "profiles", "books", "fields", "lost")


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

    wait_turn = spend


@dataclass
class SeededIds:
    """Stands for `os` and `time` where ids are made: the same seed has the same ids."""

    dice: Random
    clock: VirtualClock

    def urandom(self, count: int) -> bytes:
        return self.dice.randbytes(count)

    def time_ns(self) -> int:
        return int(self.clock().timestamp()) * 1_000_000_000


@dataclass
class Letter:
    """A webhook body of the platform; it is delivered until we say 200."""

    body: bytes
    who: str
    mid: str
    account_external_id: str
    is_acked: bool = False


@dataclass(frozen=True)
class House:
    """A brand with its account, its drop and those who write to it."""

    brand: Brand
    account: Account
    drop: Drop
    followers: list[str]


@dataclass
class Process:
    """What one live process knows: its own catalog, breaker and watch."""

    parts: Parts
    chores: tuple[Chore, ...] = ()


@dataclass
class Stage:
    """One engine of one seed, in two processes; a restart makes new parts on the same grounds.

    A step is about one of the houses and happens in one of the processes.
    """

    processes: list[Process]
    process: Process
    clock: VirtualClock
    points: Points
    luck: Luck
    ledger: StagedLedger
    reader: Reader
    redis: StagedRedis
    stripe: Stripe
    platform: Platform
    houses: list[House]
    house: House
    letters: list[Letter] = field(default_factory=list)
    waiting: list[Letter] = field(default_factory=list)
    """Letters that were not delivered, or not with a 200."""
    steps_left: dict[str, int] = field(default_factory=dict)
    """ground → how many more steps it is down."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    ended_once: set[str] = field(default_factory=set)
    """Claims that were seen in an end state."""

    @property
    def parts(self) -> Parts:
        return self.process.parts

    @property
    def chores(self) -> tuple[Chore, ...]:
        return self.process.chores

    @property
    def brand(self) -> Brand:
        return self.house.brand

    @property
    def account(self) -> Account:
        return self.house.account

    @property
    def drop(self) -> Drop:
        return self.house.drop

    @property
    def followers(self) -> list[str]:
        return self.house.followers

    def house_of(self, drop_id: str) -> House:
        return next(one for one in self.houses if one.drop.id == drop_id)

    def is_free(self, drop_id: str) -> bool:
        return self.house_of(drop_id).drop.kind is DropKind.FREE

    def is_open(self, drop_id: str) -> bool:
        with self.ledger.reading() as tx:
            drop = drops.find_drop(tx, drop_id)
        return drop is not None and drop.state is DropState.OPEN

    def remember(self, states: Mapping[str, State]) -> None:
        self.ended_once |= {claim_id for claim_id, state in states.items() if state in ENDED}

    def restart(self) -> None:
        """A new process: what the old one knew is lost."""
        breaker = Breaker(clock=self.clock.seconds)
        client: Any = self.redis
        self.process.parts = replace(
            self.parts,
            catalog=CatalogShelf(self.ledger, self.parts.sealer, self.clock.seconds),
            gate=Gate(client, breaker),
            spool=Spool(client),
            breaker=breaker,
        )
        self.process.chores = tuple(one for one in chores() if one.name not in LEFT_OUT)

    def restart_all(self) -> None:
        """The first process is the one that goes on."""
        for process in self.processes[::-1]:
            self.process = process
            self.restart()

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
    reader: Reader

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
        houses = [self._house(dice, number) for number in range(dice.choice(HOUSES))]
        stripe = Stripe(clock, self.points, luck.take)
        platform = Platform(clock, self.points, luck.take)
        processes = [Process(self.parts) for _ in range(PROCESSES)]
        stage = Stage(
            processes=processes,
            process=processes[0],
            clock=clock,
            points=self.points,
            luck=luck,
            ledger=self.ledger,
            reader=self.reader,
            redis=StagedRedis(self.redis, self.points),
            stripe=stripe,
            platform=platform,
            houses=houses,
            house=houses[0],
        )
        anything: Any = stage
        parts = replace(
            self.parts,
            clock=clock,
            gateways=anything.stripe,
            http=MetaHttp(anything.platform),
            redis_identity=stage.identity,
            bell=_any(Silent()),
            budgets=_any(Pace(luck)),
        )
        for process in processes:
            process.parts = parts
        stage.restart_all()
        # The clock process looked once before anything happened: from here on no event is too old.
        ask_for_events(stage.parts)
        return stage

    def _house(self, dice: Random, number: int) -> House:
        """Nobody writes to two brands here: so whom a message is to tells whose it is."""
        brand = make_brand(self.ledger, SLUGS[number])
        account = make_account(self.ledger, brand, f"1784140000000000{number + 1}")
        drop = make_drop(self.ledger, brand, **_drop_of(dice))
        first = 7001 + 1000 * number
        return House(brand, account, drop, [f"{first + one}" for one in range(dice.randint(4, 7))])

    def _seed_ids(self, seeded: SeededIds) -> None:
        vars(ids).update(os=seeded, time=seeded)


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
        with open_reader(engine) as reader:
            yield Theatre(ledger, redis, points, replace(parts, ledger=ledger, sealer=make_sealer()), reader)
    finally:
        vars(ids).update(kept)
        parts.close()
        ledger.close()


def migrated_url(path: Path) -> str:
    return f"sqlite:///{path}"

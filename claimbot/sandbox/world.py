"""What is one running world? Its people, its Graph and its Stripe accounts, put together once."""

import threading
from dataclasses import dataclass
from pathlib import Path

from claimbot.sandbox.config import AccountConfig, WorldConfig
from claimbot.sandbox.followers import Followers
from claimbot.sandbox.graph_send import Sender
from claimbot.sandbox.graph_threads import Threads
from claimbot.sandbox.ground import Ground, make_ground
from claimbot.sandbox.platform import Platform
from claimbot.sandbox.shelf import Shelf
from claimbot.sandbox.stripe_bank import Bank
from claimbot.sandbox.stripe_events import Endpoint, EventLog
from claimbot.sandbox.stripe_limits import Idempotency, Rates
from claimbot.sandbox.tokens import Tokens

# Sessions expire and records are written behind on this beat.
TICK_SECONDS = 0.5
TICKS_PER_FLUSH = 2


@dataclass(frozen=True)
class World:
    config: WorldConfig
    ground: Ground
    followers: Followers
    tokens: Tokens
    platform: Platform
    sender: Sender
    threads: Threads
    banks: dict[str, Bank]
    """By secret key: one Stripe account each."""
    rates: Rates
    idempotency: Idempotency

    def account(self, external_id: str | None) -> AccountConfig:
        """The first account when none is named. Raises KeyError when there is no such account."""
        for account in self.config.accounts:
            if external_id in (None, "", account.external_id, account.username):
                return account
        raise KeyError("unknown_account")

    def advance(self, seconds: float) -> None:
        clock = self.ground.clock
        clock.advance(seconds)
        self.ground.shelf.put("clock", "offset", {"seconds": clock.offset_seconds})
        self.tick()

    def tick(self) -> None:
        for bank in self.banks.values():
            bank.expire_due()

    def reset(self) -> None:
        """Everybody forgets everything; the clock goes back to now."""
        self.ground.deliveries.clear()
        self.ground.shelf.clear()
        self.ground.faults.clear()
        self.ground.counters.clear()
        self.ground.clock.set_offset(0.0)
        self.followers.clear()
        self.tokens.reset()
        self.platform.reset()
        self.sender.reset()
        self.threads.reset()
        self.idempotency.clear()
        for bank in self.banks.values():
            bank.clear()

    def close(self) -> None:
        self.ground.stopped.set()
        self.ground.deliveries.close()
        self.ground.shelf.close()


def make_world(config: WorldConfig, data_dir: Path | None) -> World:
    ground = make_ground(Shelf(data_dir), config.stamps_by_world_clock)
    followers = Followers(ground.shelf)
    platform = Platform(config, ground, followers)
    world = World(
        config=config,
        ground=ground,
        followers=followers,
        tokens=Tokens(config.accounts, ground.clock, ground.shelf),
        platform=platform,
        sender=Sender(platform, ground.counters),
        threads=Threads(platform),
        banks=_banks(config, ground),
        rates=Rates(),
        idempotency=Idempotency(ground.shelf),
    )
    threading.Thread(target=_beat, args=(world,), name="sandbox-beat", daemon=True).start()
    return world


def _banks(config: WorldConfig, ground: Ground) -> dict[str, Bank]:
    endpoints: dict[str, list[Endpoint]] = {}
    for told in config.stripe:
        endpoint = Endpoint(config.stripe_webhook_url(told), told.webhook_secret)
        endpoints.setdefault(told.secret_key, []).append(endpoint)
    return {key: Bank(key, EventLog(key, tuple(places), ground), ground) for key, places in endpoints.items()}


def _beat(world: World) -> None:
    count = 0
    while not world.ground.stopped.wait(TICK_SECONDS):
        count += 1
        world.tick()
        if count % TICKS_PER_FLUSH == 0:
            world.ground.shelf.flush()

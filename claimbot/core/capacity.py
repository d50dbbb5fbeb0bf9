"""What does a launch need, and how long does it take? Played in virtual time, second by second.

The platform's budget decides how soon people hear from us, Stripe's how soon sessions are made and ended, and
our own processes only how soon a DM is acknowledged. Winners are told first; a hold that nobody pays ends,
and its unit goes to the next in line, who is told before anybody who only hears a place.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

# A launch that takes longer than this is none.
DAYS_MOST = 3_650
DAY_SECONDS = 24 * 3600
# A little air: processes that are always full answer late.
FULL = 0.7
# Two processes of each kind, so that one may be restarted.
AT_LEAST = 2


@dataclass(frozen=True, slots=True)
class SendBudget:
    """How many messages a platform takes from one account.

    `per_day` None: no further limit. `window_hours`: how long we may answer; None: always.
    """

    sends: int
    seconds: int
    per_day: int | None = None
    window_hours: int | None = 24

    @property
    def per_second(self) -> float:
        a_day = math.inf if self.per_day is None else self.per_day / DAY_SECONDS
        return min(self.sends / self.seconds, a_day)


# Of each account, as the platforms publish them; see "Rate limits" of their documentation.
BUDGETS: Mapping[str, SendBudget] = MappingProxyType(
    {
        "instagram": SendBudget(100, 1),
        "messenger": SendBudget(300, 1),
        "whatsapp": SendBudget(80, 1),
        "x": SendBudget(15, 900, per_day=1_440, window_hours=None),
    }
)


class Database(StrEnum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class Speeds:
    """What was measured of one process on one core."""

    dms_per_second: Mapping[Database, float]
    """Matched DMs that one web process acknowledges."""
    sends_per_second: float
    """Messages that one worker process sends."""
    gate_claims_per_second: float
    """Units that one Redis gives out: one drop is one slot of a Cluster."""


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """`minutes`: everybody writes within them, evenly. `pay_percent`: of those who are offered a unit."""

    followers: int
    units: int
    minutes: float
    budget: SendBudget
    pay_percent: int = 50
    hold_minutes: int = 15
    grace_seconds: int = 60
    stripe_per_second: int = 20
    accounts: int = 1
    """Accounts of the brand among which the followers are spread; each has a budget of its own."""

    @property
    def dms_per_second(self) -> float:
        return self.followers / (self.minutes * 60)


@dataclass(frozen=True, slots=True)
class Needs:
    """What to run so that every DM is acknowledged as it arrives."""

    database: Database
    web_processes: int
    worker_processes: int
    taken_in_per_second: float
    """What these web processes acknowledge; the gate may allow less."""
    is_gate_full: bool
    """One Redis gives out fewer units than DMs arrive: they wait, and the platform repeats them."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds since the first DM. None: it never comes to that."""

    needs: Needs
    taken_in_seconds: float
    winners_told_seconds: float | None
    everybody_answered_seconds: float | None
    sessions_made_seconds: float | None
    """When Stripe has made a session for each of the first winners; the pay link is there before."""
    sold_out_seconds: float | None
    sold: int
    sends: int
    unanswered: int
    """Whose window was over before the budget allowed an answer."""
    waited_most: int
    """Most answers that waited at one moment."""


def needs_of(plan: LaunchPlan, speeds: Speeds) -> Needs:
    """SQLite while one web process on it keeps up; then PostgreSQL, and as many as it takes."""
    wanted = plan.dms_per_second
    on_sqlite = speeds.dms_per_second[Database.SQLITE] * FULL
    if wanted <= on_sqlite:
        database, web = Database.SQLITE, 1
    else:
        database = Database.POSTGRESQL
        web = max(AT_LEAST, math.ceil(wanted / (speeds.dms_per_second[database] * FULL)))
    sends = min(plan.budget.per_second * plan.accounts, plan.followers)
    workers = max(1 if database is Database.SQLITE else AT_LEAST, math.ceil(sends / speeds.sends_per_second))
    return Needs(
        database=database,
        web_processes=web,
        worker_processes=workers,
        taken_in_per_second=min(web * speeds.dms_per_second[database], speeds.gate_claims_per_second),
        is_gate_full=wanted > speeds.gate_claims_per_second,
    )


def forecast(plan: LaunchPlan, speeds: Speeds) -> Forecast:
    needs = needs_of(plan, speeds)
    return _Play(plan, needs).run()


@dataclass
class _Crowd:
    """People who wait for an answer, the first come first; each group with the time it wrote."""

    groups: deque[tuple[float, int]] = field(default_factory=deque)
    count: int = 0

    def add(self, at: float, count: int) -> None:
        if count:
            self.groups.append((at, count))
            self.count += count

    def take(self, most: int) -> int:
        taken = 0
        while self.groups and taken < most:
            at, count = self.groups.popleft()
            mine = min(count, most - taken)
            taken += mine
            if mine < count:
                self.groups.appendleft((at, count - mine))
        self.count -= taken
        return taken

    def drop_before(self, at: float) -> int:
        dropped = 0
        while self.groups and self.groups[0][0] < at:
            dropped += self.groups.popleft()[1]
        self.count -= dropped
        return dropped


class _Play:
    """One launch in virtual time. A step is a second, or the platform's window where that is longer."""

    def __init__(self, plan: LaunchPlan, needs: Needs) -> None:
        self.plan, self.needs = plan, needs
        self.step = max(1, plan.budget.seconds)
        self.now = 0.0
        self.arrived = self.taken_in = 0
        self.winners, self.places, self.line = _Crowd(), _Crowd(), _Crowd()
        self.holds: deque[tuple[float, int]] = deque()
        self.due = self.sold = self.sends = self.unanswered = self.waited_most = 0
        self.told = self.sessions = 0
        self.owed_sales = 0.0
        self.sent_today = self.today = 0
        self.marks: dict[str, float] = {}

    def run(self) -> Forecast:
        while not self._is_over() and self.now < DAYS_MOST * DAY_SECONDS:
            begins_at = self.now
            self.now += self.step
            self._take_in()
            self._end_holds()
            self._lose_those_whose_time_is_over()
            self._send()
            self._note()
            if self._is_idle():
                self._skip(begins_at)
        return self._forecast()

    def _is_over(self) -> bool:
        is_quiet = not (self.winners.count or self.places.count or self.holds or self.due)
        return self.taken_in == self.plan.followers and is_quiet

    def _is_idle(self) -> bool:
        """Nothing to do until the next hold ends."""
        is_all_in = self.taken_in == self.plan.followers
        return is_all_in and not (self.winners.count or self.places.count or self.due) and bool(self.holds)

    def _skip(self, begins_at: float) -> None:
        steps = math.floor((self.holds[0][0] - begins_at) / self.step) - 1
        self.now += max(0, steps) * self.step

    def _take_in(self) -> None:
        plan = self.plan
        self.arrived = min(plan.followers, math.ceil(self.now * plan.dms_per_second))
        able = math.ceil(self.needs.taken_in_per_second * self.step)
        new = min(self.arrived - self.taken_in, able)
        winning = min(new, max(0, plan.units - self.taken_in))
        self.winners.add(self.now, winning)
        self.places.add(self.now, new - winning)
        self.line.add(self.now, new - winning)
        self.taken_in += new
        if new and self.taken_in == plan.followers:
            self.marks["taken_in"] = self.now

    def _end_holds(self) -> None:
        """Stripe ends the sessions at its pace, before it makes new ones; the units go to the line."""
        while self.holds and self.holds[0][0] <= self.now:
            self.due += self.holds.popleft()[1]
        calls = self.plan.stripe_per_second * self.step
        ended = min(self.due, calls)
        self.due -= ended
        self.winners.add(self.now, self.line.take(ended))
        self.sessions += min(self.told - self.sessions, calls - ended)

    def _lose_those_whose_time_is_over(self) -> None:
        hours = self.plan.budget.window_hours
        if hours is None:
            return
        over = self.now - hours * 3600
        self.unanswered += self.places.drop_before(over)
        self.line.drop_before(over)
        lost = self.winners.drop_before(over)
        self.unanswered += lost
        self.winners.add(self.now, self.line.take(lost))

    def _send(self) -> None:
        able = self._allowed()
        told = self.winners.take(able)
        self._offer(told)
        placed = self.places.take(able - told)
        self.sends += told + placed
        self.sent_today += told + placed
        self.waited_most = max(self.waited_most, self.winners.count + self.places.count)

    def _allowed(self) -> int:
        budget, accounts = self.plan.budget, self.plan.accounts
        day = int(self.now // DAY_SECONDS)
        if day != self.today:
            self.today, self.sent_today = day, 0
        able = budget.sends * (self.step // budget.seconds) * accounts
        return able if budget.per_day is None else min(able, budget.per_day * accounts - self.sent_today)

    def _offer(self, told: int) -> None:
        """Some of them will pay; the others' holds end."""
        self.told += told
        self.owed_sales += told * self.plan.pay_percent / 100
        paying = min(told, math.floor(self.owed_sales + 1e-9))
        self.owed_sales -= paying
        self.sold += paying
        if told > paying:
            ends_at = self.now + self.plan.hold_minutes * 60 + self.plan.grace_seconds
            self.holds.append((ends_at, told - paying))

    def _note(self) -> None:
        first_winners = min(self.plan.units, self.plan.followers)
        if self.told >= first_winners:
            self.marks.setdefault("winners_told", self.now)
        if self.sessions >= first_winners:
            self.marks.setdefault("sessions_made", self.now)
        if self.sold == first_winners:
            self.marks.setdefault("sold_out", self.now)
        if self.taken_in == self.plan.followers and not (self.winners.count or self.places.count):
            self.marks.setdefault("everybody", self.now)

    def _forecast(self) -> Forecast:
        marks = self.marks
        return Forecast(
            needs=self.needs,
            taken_in_seconds=marks["taken_in"],
            winners_told_seconds=marks.get("winners_told"),
            everybody_answered_seconds=None if self.unanswered else marks.get("everybody"),
            sessions_made_seconds=marks.get("sessions_made"),
            sold_out_seconds=marks.get("sold_out"),
            sold=self.sold,
            sends=self.sends,
            unanswered=self.unanswered,
            waited_most=self.waited_most,
        )

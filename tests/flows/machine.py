"""What may people, money, Redis and time do in any order? A walk that looks at every promise at each step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from redis import Redis

from claimbot.core.claims import ENDED, State
from claimbot.core.drops import Drop
from claimbot.core.errors import Refused
from claimbot.core.payments import SessionNews, SessionState
from claimbot.db import claims, units
from claimbot.db.engine import Ledger
from claimbot.flows import launch
from claimbot.flows.expire import sweep_due
from claimbot.flows.poll import ask_about_overdue, ask_for_events
from claimbot.flows.reconcile import check_gates, rebuild_gate
from claimbot.flows.sweep import serve_lines
from claimbot.stock.gate import Ask, GateNotReady
from tests.flows.play import Play, make_play, names, photograph, put_back
from tests.flows.walk import Row, Walk, overtaken, promoted_before, read_rows, steps_from
from tests.invariants import assert_invariants, breaches

PEOPLE = names(12)
WHO = st.sampled_from(PEOPLE)
# The first is what a drop of one size understands; one of two sizes asks back, and hears the others.
WORDS = st.sampled_from(["LAUNCH", "Launch m", "launch l", "launch m x2"])
NUMBER = st.integers(0, 30)
STARTS = st.fixed_dictionaries(
    {
        "stock_units": st.sampled_from([1, 2, 4, 9]),
        "variants": st.sampled_from([("M",), ("M",), ("M", "L")]),
        "per_follower_limit": st.integers(1, 2),
        "is_partial_allowed": st.booleans(),
        "is_waitlist_on": st.sampled_from([True, True, True, False]),
        "is_restocked_on_refund": st.booleans(),
    }
)


@dataclass(frozen=True)
class Ground:
    """Where a walk happens: one ledger, made empty for each example, and one Redis."""

    ledger: Ledger
    make_empty: Callable[[Ledger], object]
    redis: Redis
    redis_url: str


class Machine(RuleBasedStateMachine):
    """One drop with two sizes, a dozen followers, and everything that can go wrong."""

    play: Play
    drop: Drop

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground = ground
        self.picture: dict[str, bytes | None] | None = None
        self.walk = Walk()
        self.forced: set[str] = set()

    @initialize(start=STARTS, crowd=st.lists(WHO, max_size=8, unique=True))
    def begin(self, start: dict[str, Any], crowd: list[str]) -> None:
        self.ground.redis.flushall()
        self.ground.make_empty(self.ground.ledger)
        self.play = make_play(self.ground.ledger, self.ground.redis_url)
        self.drop = self.play.drop(**start)
        self.a_crowd_writes(crowd)

    def teardown(self) -> None:
        if hasattr(self, "play"):
            self.come_to_rest()
            self.check_rest()
            self.play.parts.close()

    # --- people

    @rule(who=WHO, words=WORDS)
    def somebody_writes(self, who: str, words: str) -> None:
        self.play.write((who, words))

    @rule(crowd=st.lists(WHO, min_size=1, max_size=5))
    def a_crowd_writes(self, crowd: list[str]) -> None:
        """Three in ten deliveries of a launch come twice; here the last one does."""
        for who in crowd:
            self.play.write((who, "launch m"))
        self.an_old_delivery_is_repeated(-1) if crowd else None
        self.play.work_all()

    @rule(messages=st.lists(st.tuples(WHO, WORDS), min_size=2, max_size=4))
    def several_write_in_one_post(self, messages: list[tuple[str, str]]) -> None:
        self.play.write(*messages)

    @rule(who=WHO, command=st.sampled_from(["PASS", "PASS", "STOP", "START"]))
    def somebody_commands(self, who: str, command: str) -> None:
        self.play.write((who, command))

    @precondition(lambda self: self.play.delivered)
    @rule(number=NUMBER)
    def an_old_delivery_comes_again(self, number: int) -> None:
        self.an_old_delivery_is_repeated(number)

    def an_old_delivery_is_repeated(self, number: int) -> None:
        again = self.play.deliver(self.play.delivered[number % len(self.play.delivered)])
        assert again.new == 0, "I3: a message counted twice"

    # --- the outside

    @rule(
        most=st.integers(1, 12), answer=st.sampled_from(["sent", "sent", "sent", "blocked", "busy", "lost"])
    )
    def a_worker_works(self, most: int, answer: str) -> None:
        self.play.platform.next_answer = answer
        self.play.work(most)

    @rule(number=NUMBER, is_heard=st.booleans())
    def somebody_pays(self, number: int, is_heard: bool) -> None:
        self._pay(number, SessionState.OPEN, is_heard)

    @rule(number=NUMBER, is_heard=st.booleans())
    def a_payment_comes_for_a_session_that_expired(self, number: int, is_heard: bool) -> None:
        self._pay(number, SessionState.EXPIRED, is_heard)

    def _pay(self, number: int, state: SessionState, is_heard: bool) -> None:
        sessions = self.play.sessions
        found = sessions.list_ids(state)
        if found and sessions.pay(found[number % len(found)], is_forced=state is SessionState.EXPIRED):
            self._hear(found[number % len(found)], is_heard)

    def _hear(self, session_id: str, is_heard: bool) -> None:
        if is_heard:
            self.play.tell(self.play.sessions.by_id[session_id])

    @rule(number=NUMBER, is_new_id=st.booleans())
    def stripe_tells_of_a_session_again(self, number: int, is_new_id: bool) -> None:
        ended = [one for one in self.play.sessions.by_id.values() if one.state is not SessionState.OPEN]
        if ended:
            self.play.tell(ended[number % len(ended)], is_new_id)

    @rule(number=NUMBER)
    def stripe_ends_a_session_by_itself(self, number: int) -> None:
        found = self.play.sessions.list_ids(SessionState.OPEN)
        if found:
            self.play.sessions.expire(found[number % len(found)])

    @rule(is_down=st.booleans())
    def stripe_goes_or_comes(self, is_down: bool) -> None:
        self.play.sessions.is_down = is_down

    # --- time

    @rule(minutes=st.sampled_from([0.7, 3, 60]))
    def time_passes(self, minutes: float) -> None:
        self.play.pass_time(minutes=minutes)

    @rule(is_worked=st.booleans())
    def the_sweep_ends_holds(self, is_worked: bool) -> None:
        self.play.pass_time(minutes=17)
        sweep_due(self.play.parts)
        self.play.work_all() if is_worked else None

    @rule()
    def lines_are_served(self) -> None:
        serve_lines(self.play.parts)

    @rule()
    def gates_are_checked(self) -> None:
        check_gates(self.play.parts, self.play.clock())

    # --- the brand

    @rule(size=st.integers(0, 3), stock=st.integers(0, 6))
    def the_brand_edits_stock(self, size: int, stock: int) -> None:
        variant_id = self.drop.variants[size % len(self.drop.variants)].id
        with self.play.ledger.reading() as tx:
            before = units.count_stock(tx, variant_id)
        try:
            launch.restock(self.play.parts, "brand", variant_id, stock)
        except Refused:
            assert stock < before.taken
        else:
            assert stock >= before.taken

    @rule()
    def the_brand_pauses_and_opens(self) -> None:
        state = self.play.rows("SELECT state FROM drops")[0][0]
        act = launch.pause_drop if state == "open" else launch.open_drop
        act(self.play.parts, "brand", self.drop.id)

    # --- Redis

    @rule()
    def redis_is_wiped(self) -> None:
        self.ground.redis.flushall()

    @rule()
    def a_replica_stays_behind(self) -> None:
        self.picture = photograph(self.ground.redis, self.drop)

    @precondition(lambda self: self.picture)
    @rule()
    def the_stale_replica_takes_over(self) -> None:
        assert self.picture is not None
        put_back(self.ground.redis, self.picture)

    @rule(crowd=st.lists(WHO, min_size=1, max_size=3), late=st.lists(WHO, min_size=1, max_size=3))
    def a_crowd_writes_between_a_replica_and_its_takeover(self, crowd: list[str], late: list[str]) -> None:
        picture = photograph(self.ground.redis, self.drop)
        self.a_crowd_writes(crowd)
        put_back(self.ground.redis, picture)
        self.a_crowd_writes(late)

    @rule(who=WHO, words=WORDS)
    def somebody_writes_while_redis_is_down(self, who: str, words: str) -> None:
        with_redis, self.play.parts = self.play.parts, self.play.without_redis()
        self.play.write((who, words))
        self.play.parts = with_redis

    @rule(who=WHO, size=st.integers(0, 3), quantity=st.integers(1, 2))
    def a_proposal_is_lost_with_its_process(self, who: str, size: int, quantity: int) -> None:
        now_ms = int(self.play.clock().timestamp() * 1000)
        ask = Ask(
            self.play.key_of(who), self.drop.variants[size % len(self.drop.variants)].id, quantity, True
        )
        try:
            self.play.parts.gate.reserve(self.drop.id, [ask], now_ms)
        except GateNotReady:
            rebuild_gate(self.play.parts, self.drop.id)

    @rule()
    def the_process_restarts(self) -> None:
        self.play.restart(self.ground.redis_url)

    # --- the promises

    @invariant()
    def every_promise_is_kept(self) -> None:
        if not hasattr(self, "play"):
            return
        broken = breaches(self.play.ledger)
        assert broken == [], "; ".join(broken)
        before, after = self.walk.rows, read_rows(self.play.ledger, self.play.clock())
        self.walk.see(after)
        self._check_states(before, after)
        assert overtaken(before, after) == [], "I11: a newcomer overtook the line"
        assert promoted_before(before, after) == [], "I11: the line was served out of order"
        assert self.walk.out_of_order() == [], "I11: a later place in line became an earlier one"
        self._check_money(after)

    def _check_states(self, before: dict[str, Row], after: dict[str, Row]) -> None:
        assert before.keys() <= after.keys()
        wrong = [
            (before[name].state, row.state)
            for name, row in after.items()
            if name in before and row.state not in steps_from(before[name].state)
        ]
        assert wrong == [], "I12: a claim moved against the table"

    def _check_money(self, after: dict[str, Row]) -> None:
        for news in self.play.sessions.by_id.values():
            row = after[news.claim_id]
            is_dead = row.state in ENDED
            assert not (news.state is SessionState.OPEN and is_dead), "I4: a claim ended, yet can be paid"

    # --- at rest

    def come_to_rest(self) -> None:
        """Everything that is under way comes to its end."""
        play = self.play
        play.sessions.is_down = False
        play.platform.next_answer = "sent"
        play.pass_time(minutes=2)
        play.work_all()
        ask_for_events(play.parts)
        for _ in range(len(PEOPLE)):
            play.pass_time(minutes=20)
            is_busy = sweep_due(play.parts) + ask_about_overdue(play.parts) + play.work_all()
            check_gates(play.parts, play.clock())
            if not serve_lines(play.parts) and not is_busy:
                break

    def check_rest(self) -> None:
        self.every_promise_is_kept()
        assert_invariants(self.play.parts, is_at_rest=True)
        self._check_every_payment()
        self._check_no_unit_leaked()

    def _check_every_payment(self) -> None:
        """I4: paid is sold or sent back, never both and never neither."""
        after, sessions = self.walk.rows, self.play.sessions
        paid = [sessions.by_id[one] for one in sessions.list_ids(SessionState.COMPLETE_PAID)]
        wrong = [
            (news, after[news.claim_id])
            for news in paid
            if is_sold_by(after[news.claim_id], news) == (news.session_id in sessions.refunds)
        ]
        assert wrong == [], "I4: paid is not exactly one of sold and sent back"

    def _check_no_unit_leaked(self) -> None:
        """I1, I9: what is not sold is free, for the ledger and the gate; nobody waits beside free units."""
        states = self.play.rows("SELECT drops.state FROM drops")
        with self.play.ledger.reading() as tx:
            free = {one.id: set(units.list_free(tx, one.id)) for one in self.drop.variants}
            waiting = {one.id: claims.count_waiting(tx, one.id) for one in self.drop.variants}
        if states != [("open",)]:
            return
        seen: Any = self.play.parts.gate.snapshot(self.drop.id)
        gate_free = {one.id: set(seen.free.get(one.id, ())) if seen else set() for one in self.drop.variants}
        assert gate_free == free or seen is None, "I9: the gate offers other units than are free"
        stuck = [name for name, count in waiting.items() if count and len(free[name]) > 1]
        assert stuck == [], "I9: somebody waits beside free units"


def is_sold_by(row: Row, news: SessionNews) -> bool:
    return row.state is State.SOLD and row.session_id == news.session_id

"""A deterministic world around the app: its clock, its processes, and everything that they hand to the outside.

Two workers share a database that lets one write transaction in at a time, as SQLite does: a worker keeps the baton from
the beginning of such a transaction to its commit, and may lose it before, after, and at every other boundary. Whatever
two workers can do to each other through committed data happens in some schedule. What SQL Server adds (a view of each
statement, rows locked instead of the whole) does not: conditions in UPDATEs answer for that, and are tested by
themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import sqlalchemy as sa

from shared_code.foundation import context, database
from shared_code.foundation.context import Context
from shared_code.foundation.database import Message, outbox
from shared_code.foundation.errors import BillingError
from shared_code.statements.tables import statement_run
from tests.simulation.actors import Actor, present
from tests.simulation.bus import Bus, Delivery
from tests.simulation.edges import Door, arrived
from tests.simulation.faults import Boundary, Crash, Fault, Kind, bus_away, database_away, storage_away

START = datetime(2026, 11, 24, 15, tzinfo=UTC)
MOMENT = timedelta(milliseconds=10)  # passes at every boundary
TICK = timedelta(seconds=15)
DELAY = timedelta(seconds=5)
WATCHDOG = timedelta(minutes=16)
VERY_LATE = timedelta(minutes=40)
HOUR = timedelta(hours=1)
# How time goes on where nothing is left to do: ticks, the end of locks and claims, the patience of the watchdog.
WAITS = (TICK, TICK, HOUR / 60, HOUR / 60, WATCHDOG, TICK, HOUR / 60, WATCHDOG, TICK, VERY_LATE, TICK, HOUR, TICK) * 3
REPETITIONS = 10
LATE: dict[Fault | None, timedelta] = {Fault.DELAYED: DELAY, Fault.VERY_LATE: VERY_LATE}
COPIES: dict[Fault | None, timedelta] = {Fault.DUPLICATE: timedelta(0), Fault.LATE_DUPLICATE: VERY_LATE}
TIMER = "sweep_unfinished_work"
_CALLER = Context(actor_id="caller", actor_name="A caller", correlation_id="c")


class UnrestError(AssertionError):
    """Work is left that nobody does."""


class BreachError(BaseException):
    """The app does what it must never do. No handler of faults keeps it from the test."""


@dataclass(slots=True)
class World:
    """One schedule as it is played. `plan`: what goes wrong at which crossing, by its number."""

    doors: Mapping[str, Door]
    workers: int = 1
    plan: dict[int, Fault | None] = field(default_factory=dict)
    chance: Random | None = None
    now: datetime = START
    bus: Bus = field(default_factory=Bus)
    stored: dict[tuple[str, str], bytes] = field(default_factory=dict)
    trace: list[Boundary] = field(default_factory=list)
    looks: list[Callable[[], None]] = field(default_factory=list)
    """What is done in the middle, at each commit, by the thread of the test."""
    at: dict[int, Callable[[], object]] = field(default_factory=dict)
    """What another caller does in the middle, by the number of the crossing."""
    outages: Mapping[Kind, datetime] = field(default_factory=dict)
    """What is away, and until when."""
    luck: Callable[[Boundary], Fault | None] | None = None
    """What goes wrong where the plan says nothing."""
    ticks: int = 0
    failed_ticks: int = 0
    _actors: list[Actor] = field(default_factory=list)
    _identifiers: int = 0
    _last: int = 0
    _committed: bool = False

    # -- what is outside of the app (`edges.Outside`)

    def instant(self) -> datetime:
        return self.now

    def identifier(self) -> str:
        self._identifiers += 1
        return f"{self._identifiers:032x}"

    def before_transaction(self) -> None:
        self._cross("begin", lambda: None, None)

    def commit(self, effect: Callable[[], None]) -> None:
        self._cross("commit", effect, database_away)

    def send(self, messages: Sequence[Message]) -> None:
        actor, fault = present(), self._next_fault("send")
        late = LATE.get(fault, timedelta(0))
        if actor is not None and actor.delivery is None and fault in COPIES:
            self.bus.send(messages, self.now + COPIES[fault])
        self._cross("send", lambda: self.bus.send(messages, self.now + late), bus_away)

    def put(self, container: str, name: str, data: bytes) -> None:
        self._cross("put", lambda: self.stored.update({(container, name): data}), storage_away)

    # -- boundaries

    def _next_fault(self, kind: Kind) -> Fault | None:
        """What goes wrong at the crossing that comes next."""
        actor, number = present(), len(self.trace)
        if actor is None:
            return None
        if self.luck is not None and number not in self.plan:
            self.plan[number] = self.luck(Boundary(kind, actor.name, actor.delivery is not None))
        return self.plan.get(number)

    def _cross(self, kind: Kind, effect: Callable[[], object], refusal: Callable[[], Exception] | None) -> None:
        """Let something happen at the outside, or what the plan says instead."""
        actor = present()
        if actor is None:
            effect()
            return
        number, fault = len(self.trace), self._next_fault(kind)
        self.trace.append(Boundary(kind, actor.name, actor.delivery is not None))
        self.now += MOMENT
        if kind != "commit":
            if actor.writing:
                raise BreachError(f"{kind} within a write transaction: others wait for the outside")
            if fault is Fault.OVERTAKEN:
                self._intrude(number)
                actor.stalled = True
            self._pause(actor)
        self._before(actor, kind, fault, refusal)
        effect()
        if kind == "commit":
            actor.writing, self._committed = None, True
        self._after(actor, number, fault, refusal)

    def _before(self, actor: Actor, kind: Kind, fault: Fault | None, refusal: Callable[[], Exception] | None) -> None:
        if fault is Fault.CRASH_BEFORE:
            actor.writing = None
            raise Crash
        if refusal is not None and (fault is Fault.REFUSED or self._is_away(kind)):
            actor.writing = None  # the connection rolls back on its way into the pool
            raise refusal()

    def _is_away(self, kind: Kind) -> bool:
        return kind in self.outages and self.now < self.outages[kind]

    def _after(self, actor: Actor, number: int, fault: Fault | None, refusal: Callable[[], Exception] | None) -> None:
        self._intrude(number)
        if fault is Fault.CRASH_AFTER:
            raise Crash
        if fault is Fault.UNHEARD and refusal is not None:
            raise refusal()
        if fault is not None:
            self._happen(actor, fault)
        self._pause(actor)

    def _intrude(self, number: int) -> None:
        """Let another caller come at a crossing: before it if the one who crosses is overtaken there, else after it."""
        job = self.at.pop(number, None)
        if job is not None:
            self.start("another caller", job, repeats=True)

    def _happen(self, actor: Actor, fault: Fault) -> None:
        """Faults of messages and of time."""
        delivery = actor.delivery
        if fault in (Fault.TICK, Fault.LATE_TICK):
            self.now += TICK if fault is Fault.TICK else HOUR
            self.start(TIMER, self._tick)
            actor.stalled = self.workers > 1
        elif fault is Fault.STALLED:
            actor.stalled = True
        elif delivery is None:
            return
        elif fault in COPIES:
            self.bus.send([delivery.message], self.now + COPIES[fault])
        elif fault is Fault.LOST_LOCK:
            self.bus.lose_lock(delivery, self.now)
            actor.stalled = self.workers > 1
        elif fault is Fault.DRAIN:
            self.bus.give_back(self.now)

    def _pause(self, actor: Actor) -> None:
        if self.workers > 1 or actor.stalled:
            actor.pause()

    # -- processes

    def start(self, name: str, job: Callable[[], object], *, repeats: bool = False) -> None:
        """Start a process. A caller `repeats` what it asked for until it has an answer."""
        self._actors.append(Actor(name, (lambda: self._call(job)) if repeats else job))

    def call(self, job: Callable[[], object], name: str = "caller") -> None:
        """A caller asks the app for something."""
        self.start(name, job, repeats=True)

    def _call(self, job: Callable[[], object]) -> None:
        """Ask until there is an answer, as Power Automate does: a crash of the app is a broken connection."""
        for _ in range(REPETITIONS):
            try:
                with context.acting(_CALLER):
                    job()
            except Crash:
                continue
            except BillingError as fault:
                if not fault.kind.retryable:
                    raise
            else:
                return
        raise UnrestError("the caller got no answer")

    def _tick(self) -> None:
        """The platform logs what a timer raises, and the next tick comes."""
        self.ticks += 1
        try:
            self.doors[TIMER](None)
        except Exception:
            self.failed_ticks += 1

    def _deliver(self, delivery: Delivery) -> None:
        """What the host does with a message: call the function, then complete or abandon."""
        fault = self._next_fault("receive")
        self._cross("receive", lambda: None, None)
        if fault in LATE:
            self.bus.put_off(delivery, self.now + LATE[fault])
            return
        message, dead = delivery.message, delivery.entry.dead
        try:
            door = self.doors[f"{message.queue}/$DeadLetterQueue" if dead else message.queue]
            door(arrived(message, delivery.number, dead))
        except Exception:
            self.bus.abandon(delivery, self.now)
            return
        refused = self._next_fault("complete") is Fault.REFUSED
        self._cross("complete", lambda: refused or self.bus.complete(delivery, self.now), None)

    def _employ(self) -> None:
        """Give every worker without work a message that waits."""
        busy = sum(actor.delivery is not None for actor in self._actors)
        for _ in range(self.workers - busy):
            delivery = self.bus.receive(self.now)
            if delivery is None:
                return
            actor = Actor(delivery.message.queue, lambda delivery=delivery: self._deliver(delivery), delivery)  # type: ignore[misc]
            self._actors.append(actor)

    def work(self) -> None:
        """Let processes go on until none has anything to do now."""
        while True:
            self._employ()
            ready = [actor for actor in self._actors if not actor.stalled] or self._woken()
            if not ready:
                return
            actor = self._choose(ready)
            actor.go_on()
            if actor.finished:
                self._actors.remove(actor)
                if actor.fault is not None:
                    raise actor.fault
            if self._committed:
                self._committed = False
                for look in self.looks:
                    look()

    def _woken(self) -> list[Actor]:
        for actor in self._actors:
            actor.stalled = False
        return list(self._actors)

    def _choose(self, ready: Sequence[Actor]) -> Actor:
        """One worker does one thing after the other; two take turns; or chance decides."""
        if self.chance is not None:
            return self.chance.choice(ready)
        self._last += 1
        return ready[self._last % len(ready)] if self.workers > 1 else ready[-1]

    def close(self) -> None:
        """End what is still under way, for example when a check has failed."""
        for actor in self._actors:
            actor.end()

    # -- rest

    def rest(self, *, without: Collection[str] = ()) -> None:
        """Let all work be done, and time pass where work waits for it. Raises UnrestError when it never ends.

        Nobody waits for messages of the queues `without`, which may be on their way for longer.
        """
        self.work()
        for wait in WAITS:
            if not (left := self.left(without)):
                return
            self.now += wait
            self.start(TIMER, self._tick)
            self.work()
        if left := self.left(without):
            raise UnrestError(f"left over: {left}")

    def left(self, without: Collection[str] = ()) -> list[str]:
        """Work that is not done: messages in queues and in the outbox, runs that are not finished."""
        waiting = [entry for entry in self.bus.entries if entry.message.queue not in without]
        found = [f"message {entry.message.queue} {entry.message.body} {entry.dead}" for entry in waiting]
        with database.reading() as connection:
            unsent = sa.select(outbox.c.queue, outbox.c.body).where(outbox.c.published_at.is_(None))
            found += [f"unsent {row.queue} {row.body}" for row in connection.execute(unsent)]
            running = sa.select(statement_run.c.run_id).where(statement_run.c.state == "Running")
            found += [f"running {run}" for run in connection.scalars(running)]
        return found

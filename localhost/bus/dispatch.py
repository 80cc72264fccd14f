"""Who gets what: receivers of each queue, receivers that wait for a session, and the faults that change either."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localhost.bus import links
from localhost.bus.conditions import SESSION_LOST, TIMEOUT, refusal, refused
from localhost.bus.faults import Armed
from localhost.bus.links import Consumer, SessionWish
from localhost.bus.queue import Queue
from localhost.bus.sessions import Session, SessionTakenError


@dataclass(frozen=True, slots=True, eq=False)
class Seeker:
    """A receiver that is not attached yet: it waits until `deadline` for a session that nobody holds."""

    link: Any
    queue: Queue
    deadline: float


class Dispatcher:
    """Deals messages and sessions out to receivers, once per turn of the event loop."""

    def __init__(self, clock: Callable[[], float], armed: Armed) -> None:
        self._clock = clock
        self._armed = armed
        self._consumers: dict[Queue, deque[Consumer]] = defaultdict(deque)
        self._seekers: list[Seeker] = []

    def add(self, link: Any, queue: Queue, session: Session | None = None) -> None:
        """A receiver has attached."""
        link.end = Consumer(link, queue, self._clock, session)
        self._consumers[queue].append(link.end)

    def seek(self, link: Any, queue: Queue, wish: SessionWish) -> None:
        """A receiver asks for a session: it gets the named one or a refusal now, the next available in time."""
        now = self._clock()
        if wish.session_id is None:
            self._seekers.append(Seeker(link, queue, now + wish.patience))
            return
        try:
            session = queue.accept_session(wish.session_id, links.owner_of(link), now)
        except SessionTakenError as taken:
            links.refuse(link, refused(taken))
        else:
            self._grant(link, queue, session)

    def remove(self, link: Any) -> None:
        """A receiver has gone, attached or still waiting."""
        self._seekers = [seeker for seeker in self._seekers if seeker.link != link]
        end = getattr(link, "end", None)
        if isinstance(end, Consumer) and end in self._consumers[end.queue]:
            self._consumers[end.queue].remove(end)
            end.leave(self._clock())

    def remove_all(self, connection: Any) -> None:
        """A connection is gone, and all its receivers with it."""
        gone = [seeker.link for seeker in self._seekers]
        gone += [consumer.link for consumers in self._consumers.values() for consumer in consumers]
        for link in gone:
            if link.connection == connection:
                self.remove(link)

    def run(self, now: float) -> None:
        """End what is lost, give sessions to those who wait, deal messages to those with credit."""
        self._armed.tick(now)
        self._part_with_lost_sessions()
        for seeker in [*self._seekers]:
            self._serve(seeker, now)
        for queue, consumers in self._consumers.items():
            if not self._armed.holds(queue.name):
                self._hand_out(consumers, now)
            for consumer in consumers:
                if consumer.link.drain_mode:
                    consumer.link.drained()

    def next_due(self) -> float | None:
        """When `run` has something to do although no message comes; None for never."""
        moments = [seeker.deadline for seeker in self._seekers]
        return min([*moments, *self._armed.ends()], default=None)

    def _part_with_lost_sessions(self) -> None:
        for consumers in self._consumers.values():
            for consumer in [each for each in consumers if each.has_lost_its_session()]:
                consumers.remove(consumer)
                links.end(consumer.link, refusal(SESSION_LOST, "the lock on the session has ended"))

    def _serve(self, seeker: Seeker, now: float) -> None:
        session = seeker.queue.accept_next_session(links.owner_of(seeker.link), now)
        if session is None and now < seeker.deadline:
            return
        self._seekers.remove(seeker)
        if session is None:
            text = f"{seeker.queue.name} had no session to give within the time asked for"
            links.refuse(seeker.link, refusal(TIMEOUT, text))
        else:
            self._grant(seeker.link, seeker.queue, session)

    def _grant(self, link: Any, queue: Queue, session: Session) -> None:
        links.grant(link, session)
        self.add(link, queue, session)

    def _hand_out(self, consumers: deque[Consumer], now: float) -> None:
        """Deal a queue's available messages out in turn to its receivers that have credit."""
        waiting = deque(consumer for consumer in consumers if consumer.credit > 0)
        while waiting:
            consumer = waiting.popleft()
            entry = consumer.deliver(now)
            if entry is None:
                continue
            if self._armed.take_repeat(consumer.queue.name):
                consumer.queue.repeat(entry, now)
            if consumer.credit > 0:
                waiting.append(consumer)
        consumers.rotate(-1)

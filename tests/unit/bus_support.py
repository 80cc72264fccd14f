"""What the tests of the local bus without sockets share: a clock that stands, a journal on paper, small messages."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import proton

from localhost.bus import codec
from localhost.bus.config import QueueSettings
from localhost.bus.entry import Entry, Sequencer
from localhost.bus.queue import Queue
from localhost.bus.sessions import Session, State

NOON = 1_800_000_000.0
LOCK = 60.0


@dataclass
class Paper:
    """A journal on paper: what would be on the disk."""

    stored: dict[int, tuple[str, Entry]] = field(default_factory=dict)
    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    states: dict[tuple[str, str], State] = field(default_factory=dict)

    def put(self, queue: str, entry: Entry) -> None:
        self.stored[entry.sequence] = (queue, replace(entry, token=None, locked_until=None))

    def update(self, entry: Entry) -> None:
        _, kept = self.stored[entry.sequence]
        kept.attempts, kept.deferred = entry.attempts, entry.deferred

    def delete(self, entry: Entry) -> None:
        del self.stored[entry.sequence]

    def remember(self, queue: str, message_id: str, until: float) -> None:
        self.seen[queue, message_id] = until

    def forget(self, queue: str, message_id: str) -> None:
        del self.seen[queue, message_id]

    def entries(self, queue: str) -> list[Entry]:
        return [replace(entry) for _, (name, entry) in sorted(self.stored.items()) if name == queue]

    def keep_state(self, queue: str, session_id: str, value: bytes | None, changed_at: float) -> None:
        if value is None:
            self.states.pop((queue, session_id), None)
        else:
            self.states[queue, session_id] = State(value, changed_at)

    def states_of(self, queue: str) -> dict[str, State]:
        return {session_id: state for (name, session_id), state in self.states.items() if name == queue}


def a_message(text: str = "hello", **properties: Any) -> codec.Message:
    scheduled_for = properties.pop("scheduled_for", None)
    lifetime = properties.pop("lifetime", None)
    properties["group_id"] = properties.pop("session", None)
    message = proton.Message(body=text, inferred=False, **properties)
    if scheduled_for is not None:
        message.annotations = {codec.SCHEDULED_KEY: proton.timestamp(int(scheduled_for * 1000))}
    if lifetime is not None:
        message.ttl = lifetime
    return codec.parse(bytes(message.encode()))


def text_of(message: codec.Message) -> str:
    decoded = proton.Message()
    decoded.decode(message.encoded())
    return str(decoded.body)


def a_queue(paper: Paper | None = None, **settings: Any) -> Queue:
    stated = {"lock_seconds": LOCK, "max_delivery_count": 3, **settings}
    return Queue(QueueSettings("orders", **stated), paper or Paper(), Sequencer())


def dead(queue: Queue) -> list[Entry]:
    assert queue.dead_letters is not None
    return queue.dead_letters.peek(0, 100, NOON)


def locked(queue: Queue, now: float, session: Session | None = None) -> tuple[Entry, uuid.UUID]:
    entry = queue.lock_next(now, session)
    assert entry is not None
    assert entry.token is not None
    return entry, entry.token

"""Sessions of a queue: which one is held by whom, and what state is kept with it. No socket, no file, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


class SessionTakenError(Exception):
    """Another receiver holds the session."""


class SessionLostError(Exception):
    """The caller does not hold the session (any more)."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A receiver: a link of a connection. Without a link it is whoever speaks on the connection."""

    connection: object
    link: str | None = None

    def covers(self, other: Owner) -> bool:
        return self.connection == other.connection and self.link in (None, other.link)


@dataclass(slots=True, eq=False)
class Session:
    """A session that was given to a receiver. `held` turns false, for good, when it is given back or lost."""

    id: str
    owner: Owner
    locked_until: float
    held: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """What a client keeps with a session; it outlives locks and messages. `changed_at` is seconds since the epoch."""

    value: bytes
    changed_at: float


class Sessions:
    """The sessions of one queue that are held, each by one owner, and the states that are kept."""

    def __init__(self, lock_seconds: float) -> None:
        self._lock_seconds = lock_seconds
        self._held: dict[str, Session] = {}
        self.states: dict[str, State] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter([*self._held.values()])

    def is_taken(self, session_id: str) -> bool:
        return session_id in self._held

    def take(self, session_id: str, owner: Owner, now: float) -> Session:
        """Give a session to `owner` until its lock ends. Raises `SessionTakenError`."""
        if session_id in self._held:
            raise SessionTakenError(f"the session '{session_id}' is held by another receiver")
        session = Session(session_id, owner, now + self._lock_seconds)
        self._held[session_id] = session
        return session

    def find(self, session_id: str, owner: Owner) -> Session:
        """The session as held by `owner`. Raises `SessionLostError`."""
        session = self._held.get(session_id)
        if session is None or not owner.covers(session.owner):
            raise SessionLostError(f"the lock on the session '{session_id}' is lost, or was never taken")
        return session

    def renew(self, session: Session, now: float) -> float:
        """Extend the lock by the lock duration from now; when it ends."""
        session.locked_until = now + self._lock_seconds
        return session.locked_until

    def drop(self, session: Session) -> None:
        """Take the session away from its owner."""
        session.held = False
        del self._held[session.id]

    def expired(self, now: float) -> list[Session]:
        return [session for session in self._held.values() if session.locked_until <= now]

    def next_due(self) -> float | None:
        """When the next lock ends; None for never."""
        return min((session.locked_until for session in self._held.values()), default=None)

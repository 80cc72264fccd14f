"""What can go wrong at a boundary: a place where the app hands something to the outside, or gets something from it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

type Kind = Literal["receive", "begin", "commit", "send", "put", "complete"]


class Crash(BaseException):
    """The process is gone: nothing of it catches this, and nothing after it happens."""


class Fault(StrEnum):
    """What becomes of the process, of the message that it works on, or of the time."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    REFUSED = "refused"  # the effect did not happen, and the app is told so
    UNHEARD = "answer lost"  # the effect has happened, and the app is told that it failed
    DUPLICATE = "duplicate delivery"  # the message is there once more at once
    LATE_DUPLICATE = "late duplicate"  # and after everything else
    DELAYED = "delayed delivery"  # behind those that were sent after it
    VERY_LATE = "very late delivery"  # after the watchdog has given it up
    LOST_LOCK = "lost lock"  # the message is delivered again while it is worked on
    STALLED = "stalled"  # everybody else goes on until there is nothing to do
    OVERTAKEN = "overtaken"  # the same before the effect: what it hands out was read before
    DRAIN = "drain"  # the process takes no more messages and gives back what it had fetched
    TICK = "timer tick"  # the timer fires in the middle, on another instance
    LATE_TICK = "late timer tick"  # all locks are lost, and the watchdog believes that the run stands still


_PROCESS = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
_ANSWER = (Fault.REFUSED, Fault.UNHEARD)
_MESSAGE = (Fault.DUPLICATE, Fault.LATE_DUPLICATE, Fault.LOST_LOCK, Fault.DRAIN)
_TIME = (Fault.TICK, Fault.LATE_TICK)
_WAY = (Fault.DELAYED, Fault.VERY_LATE)

# A fault of the outside needs an effect; of a message, that one is worked on. Before a transaction begins nothing is
# there to lose: a crash is that after the boundary before it, so what counts is who comes in between.
OF_KIND: dict[Kind, tuple[Fault, ...]] = {
    "receive": (*_PROCESS, *_MESSAGE, *_WAY, *_TIME, Fault.STALLED),
    "begin": (Fault.STALLED, Fault.LOST_LOCK, *_TIME),
    "commit": (*_PROCESS, *_ANSWER, *_MESSAGE, *_TIME, Fault.STALLED),
    "send": (*_PROCESS, *_ANSWER, *_MESSAGE, *_WAY, *_TIME, Fault.STALLED),
    "put": (*_PROCESS, *_ANSWER, *_MESSAGE, *_TIME, Fault.STALLED, Fault.OVERTAKEN),
    "complete": (*_PROCESS, Fault.REFUSED, *_MESSAGE, *_TIME, Fault.STALLED),
}
OF_MESSAGES = frozenset((*_MESSAGE, Fault.DELAYED, Fault.VERY_LATE))
FOR_TWO = frozenset((Fault.STALLED, Fault.OVERTAKEN))
"""Faults that say nothing about one worker."""
TAKES_LONG = frozenset((Fault.VERY_LATE, Fault.LATE_TICK))
"""Faults after which the watchdog may believe that a run stands still."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """One crossing of a boundary: who crosses it, and whether a message is worked on."""

    kind: Kind
    actor: str
    with_message: bool

    def faults(self, workers: int) -> list[Fault]:
        """What can go wrong here."""
        return [
            fault
            for fault in OF_KIND[self.kind]
            if (self.with_message or fault not in OF_MESSAGES or self._sends(fault))
            and (workers > 1 or fault not in FOR_TWO)
        ]

    def _sends(self, fault: Fault) -> bool:
        """What is sent can come late or twice whoever sends it."""
        return self.kind == "send" and fault in (Fault.DUPLICATE, Fault.LATE_DUPLICATE, *_WAY)


def database_away() -> Exception:
    """What the driver raises when the database is away."""
    fault = sqlite3.OperationalError("the database is away")
    fault.sqlite_errorcode = sqlite3.SQLITE_BUSY
    fault.sqlite_errorname = "SQLITE_BUSY"
    return fault


def bus_away() -> Exception:
    return ConnectionError("the bus is away")


def storage_away() -> Exception:
    from azure.core.exceptions import ServiceRequestError

    return ServiceRequestError("the storage is away")

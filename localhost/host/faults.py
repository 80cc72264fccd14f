"""Faults on request: what the platform does to an app on a bad day, when a test asks for it. Development only.

A fault is a JSON file in the folder `faults` of the host's state; without the folder nothing is looked at. It holds

    {"do": "delay", "function": "work", "times": 1, "where": {"messageId": "m-1"}, "seconds": 2.0}

`function` is the function it concerns ("" for any), `where` names fields of the invocation's log line that must have
these values (messageId, path, blob …), `times` says how often it happens. Each time is claimed by a file beside it,
`NAME.taken-1` and so on, so the count holds over restarts and over scaled-out instances. From Python, `state` being
the host's state folder:

    from localhost.host.faults import inject

    fault = inject(state, "fail-after", function="work", where={"messageId": "m-1"})
    …
    assert fault.taken == 1
    fault.clear()

What can be done, for every kind of trigger:

- `delay`: the invocation starts `seconds` later; a message is locked meanwhile.
- `fail-before`, `fail-after`: the invocation fails without its function, or although its function has succeeded.
- `die-before`, `die-after`: this process is killed (SIGKILL) before the function starts, or after it has ended and
  before anything is settled.
- `twice`, `twice-at-once`: the same event runs a second time when the first run is over, or both run side by side.
  At a timer the latter is the double tick of two instances whose singleton lock was lost.

And for Service Bus triggers:

- `lose-lock`: the message's lock is not renewed, and its function starts only when the lock has ended: the message
  comes again while the first delivery still runs, and the settlement of the first one is refused.
- `drop-connection`: the connection to the bus ends while the message is worked on; it cannot be settled any more.

For faults inside the bus see `localhost.bus.faults`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from localhost.host.logs import correlated
from localhost.host.settings import SettingsError
from localhost.host.worker import Invocation, Outcome, Worker

Kind = Literal[
    "delay",
    "fail-before",
    "fail-after",
    "die-before",
    "die-after",
    "twice",
    "twice-at-once",
    "lose-lock",
    "drop-connection",
]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as it was asked for, and the file that asks for it."""

    path: Path
    do: Kind
    function: str = ""
    times: int = 1
    where: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def taken(self) -> int:
        """How often it has happened."""
        return len(list(self.path.parent.glob(f"{self.path.stem}.taken-*")))

    def clear(self) -> None:
        """It happens no more; what has happened stays counted until the name is used again."""
        self.path.unlink(missing_ok=True)

    def concerns(self, do: Kind, function: str, fields: Mapping[str, Any]) -> bool:
        """Whether it is about this invocation."""
        return (
            self.do == do
            and self.function in ("", function)
            and all(fields.get(name) == value for name, value in self.where.items())
        )

    def claim(self) -> bool:
        """Take one of its times; False when all are taken. Two processes never take the same one."""
        for number in range(1, self.times + 1):
            try:
                self.path.with_suffix(f".taken-{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            return True
        return False


def inject(
    state_dir: Path,
    do: Kind,
    *,
    function: str = "",
    times: int = 1,
    where: Mapping[str, Any] | None = None,
    seconds: float = 0.0,
) -> Fault:
    """Ask the host over `state_dir` for a fault. It holds for the next invocation that it concerns."""
    folder = state_dir / "faults"
    folder.mkdir(exist_ok=True)
    fault = Fault(folder / f"{do}-{uuid.uuid4().hex}.json", do, function, times, dict(where or {}), seconds)
    document = {"do": do, "function": function, "times": times, "where": fault.where, "seconds": seconds}
    draft = fault.path.with_suffix(".draft")
    draft.write_text(json.dumps(document))
    draft.replace(fault.path)  # the host sees all of it or nothing
    return fault


class Faults:
    """The faults that are asked for in a state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "faults"

    def take(self, do: Kind, function: str, fields: Mapping[str, Any]) -> Fault | None:
        """A fault of this kind for an invocation, one of its times claimed; None in ordinary life.

        Raises SettingsError for a file that cannot be understood.
        """
        if not self._folder.is_dir():
            return None
        concerned = (f for f in map(_read, sorted(self._folder.glob("*.json"))) if f.concerns(do, function, fields))
        return next((fault for fault in concerned if fault.claim()), None)


class FaultyWorker(Worker):
    """A worker to which the faults of an invocation happen."""

    def __init__(self, faults: Faults, timeout: float | None, recycle_seconds: float) -> None:
        super().__init__(timeout, recycle_seconds)
        self.faults = faults

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation, and do to it what was asked for. It fails when a fault cannot be understood."""
        try:
            return await self._invoke_with_faults(invocation)
        except SettingsError as error:
            return self._failed(invocation, str(error))

    async def _invoke_with_faults(self, invocation: Invocation) -> Outcome:
        def asked(do: Kind) -> Fault | None:
            return self.faults.take(do, invocation.function.name, invocation.log_fields)

        if delay := asked("delay"):
            await asyncio.sleep(delay.seconds)
        if asked("die-before"):
            _die()
        if asked("fail-before"):
            return self._failed(invocation)
        outcome = await self._repeated(invocation, together=bool(asked("twice-at-once")), again=bool(asked("twice")))
        if asked("die-after"):
            _die()
        return self._failed(invocation) if asked("fail-after") else outcome

    async def _repeated(self, invocation: Invocation, *, together: bool, again: bool) -> Outcome:
        second = replace(invocation, invocation_id=str(uuid.uuid4()))
        if together:
            outcome, _ = await asyncio.gather(super().invoke(invocation), super().invoke(second))
            return outcome
        outcome = await super().invoke(invocation)
        return await super().invoke(second) if again else outcome

    def _failed(self, invocation: Invocation, error: str = "a fault that was asked for") -> Outcome:
        outcome = Outcome(False, error=error)
        with correlated(invocation.invocation_id, invocation.correlation_id):
            self.report(invocation, outcome, time.monotonic())
        return outcome


def _read(path: Path) -> Fault:
    try:
        document = json.loads(path.read_text())
        fault = Fault(path, **document)
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(f"the fault {path} cannot be read: {error}") from error
    if fault.do not in KINDS:
        raise SettingsError(f"the fault {path} asks for {fault.do!r}; there are {', '.join(KINDS)}")
    return fault


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

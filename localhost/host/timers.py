"""Timer triggers: every occurrence once, never two runs of one timer at a time, missed ones caught up once.

The status is stored after a run, so an occurrence whose run was killed is past due at the next start
and runs again, as on the platform. Retries of a policy are counted in memory: such a run begins with the first try.
A schedule that was changed while the host was away starts anew; it is not past due. A timer without a monitor
remembers nothing, and what it missed is missed.

One run at a time holds within this host only. The platform's singleton lock can be lost, and two instances then run
the same occurrence side by side: the fault `twice-at-once` (see `faults`) does the same here.
"""

import asyncio
import contextlib
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from azure_functions_runtime.bindings.datumdef import Datum

from localhost.host.catalog import Function, TimerTrigger
from localhost.host.state import StateStore, TimerStatus
from localhost.host.worker import Invocation, Worker

_log = logging.getLogger(__name__)

# Long sleeps are cut so that a changed clock or a suspended machine is noticed.
LONGEST_SLEEP = 30.0


class Timer:
    """The schedule of one timer function."""

    def __init__(self, function: Function, trigger: TimerTrigger, worker: Worker, store: StateStore) -> None:
        self._function = function
        self._trigger = trigger
        self._worker = worker
        self._store = store
        self._one_at_a_time = asyncio.Lock()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Fire no further occurrence; a run under way ends and is recorded."""
        self._stopping.set()

    async def run(self) -> None:
        """Fire the timer at its occurrences until stopped."""
        status = self._initial_status()
        if status.next <= _now():
            status = await self._occurrence(status, "timer (past due)", past_due=True)
        elif self._trigger.run_on_startup:
            await self.fire("run on startup")
        while await self._sleep_until(status.next):
            late = _now() - status.next > timedelta(seconds=LONGEST_SLEEP)
            status = await self._occurrence(status, "timer", past_due=late)

    async def fire(self, reason: str, past_due: bool = False) -> None:
        """Run the function once, after a run that is under way, with the retries of its policy."""
        async with self._one_at_a_time:
            retries = self._function.retry.max_retries if self._function.retry else 0
            attempt = 0
            while not (await self._attempt(reason, past_due, attempt)):
                attempt += 1
                # A policy with -1 retries without end, as on the platform.
                if self._function.retry is None or 0 <= retries < attempt or self._stopping.is_set():
                    return
                await asyncio.sleep(self._function.retry.delay(attempt))

    async def _attempt(self, reason: str, past_due: bool, attempt: int) -> bool:
        outcome = await self._worker.invoke(
            Invocation(self._function, reason, datum=self._request(past_due), retry_count=attempt)
        )
        return outcome.ok

    async def _occurrence(self, status: TimerStatus, reason: str, *, past_due: bool) -> TimerStatus:
        await self.fire(reason, past_due)
        now = _now()
        following = self._trigger.schedule.next_after(max(now, status.next))
        status = replace(status, last=status.next, next=following, updated=now)
        self._save(status)
        return status

    def _initial_status(self) -> TimerStatus:
        now = _now()
        stored = self._store.timer(self._function.name) if self._trigger.use_monitor else None
        if stored is not None and stored.schedule == self._trigger.expression:
            return stored
        last = stored.last if stored else None
        status = TimerStatus(self._trigger.expression, last, self._trigger.schedule.next_after(now), now)
        self._save(status)
        return status

    def _save(self, status: TimerStatus) -> None:
        if self._trigger.use_monitor:
            self._store.save_timer(self._function.name, status)

    async def _sleep_until(self, moment: datetime) -> bool:
        """Sleep until the moment; False when the timer was stopped meanwhile."""
        while not self._stopping.is_set() and (seconds := (moment - _now()).total_seconds()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), min(seconds, LONGEST_SLEEP))
        return not self._stopping.is_set()

    def _request(self, past_due: bool) -> Datum:
        stored = self._store.timer(self._function.name) if self._trigger.use_monitor else None
        request: dict[str, Any] = {"Schedule": {"AdjustForDST": True}, "IsPastDue": past_due}
        if stored is not None:
            request["ScheduleStatus"] = {
                "Last": (stored.last or datetime(1, 1, 1, tzinfo=UTC)).isoformat(),
                "Next": stored.next.isoformat(),
                "LastUpdated": stored.updated.isoformat(),
            }
        return Datum(json.dumps(request), "json")


def _now() -> datetime:
    return datetime.now(UTC)

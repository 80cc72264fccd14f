"""The clock's way in: timers fire late, twice, and on two instances at once (azure-facts C.3), so a tick only asks."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

import azure.functions as func

from functions.invocation import invocation
from shared_code.foundation.context import Context

log = logging.getLogger(__name__)
type Tick = Callable[[], None]


def timer(blueprint: func.Blueprint, schedule: str, *, monitored: bool = False) -> Callable[[Tick], Tick]:
    """Declare a timer by its NCRONTAB in UTC; `monitored` timers make up for an occurrence that was missed."""

    def register(tick: Tick) -> Tick:
        name = tick.__name__

        def handle(timer: func.TimerRequest) -> None:
            known = Context(actor_id=f"timer:{name}", actor_name=name, correlation_id=uuid.uuid4().hex)
            with invocation(f"timer {name}", "internal", known):
                tick()

        handle.__name__ = name
        triggered = blueprint.timer_trigger(
            arg_name="timer", schedule=schedule, run_on_startup=False, use_monitor=monitored
        )
        blueprint.function_name(name)(triggered(handle))
        return tick

    return register


def each(*parts: Callable[[], object]) -> None:
    """Do every part, whatever becomes of the others; their faults are raised together at the end."""
    faults: list[Exception] = []
    for part in parts:
        try:
            part()
        except Exception as fault:
            log.exception("%s failed", part.__name__)
            faults.append(fault)
    if faults:
        raise ExceptionGroup("parts of a timer failed", faults)

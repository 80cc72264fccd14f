"""Ask for a run that may have been before: what failed is tried again, and what is over is done anew."""

from __future__ import annotations

from dataclasses import replace

from shared_code.foundation.database import reading
from shared_code.statements.model import StartedRun
from shared_code.statements.repository import run_of
from shared_code.statements.runs import retry_run, start_run
from shared_code.statements.scope import RunCommand


def run_again(command: RunCommand) -> StartedRun:
    """The run that does what is asked for: one that is under way, one whose failures are tried again, or a new one.

    A finished run without failures has nothing left to do, and what it found (nothing to bill, say) may not hold any
    more: the next one has another key. Raises what `start_run` raises.
    """
    times = 1
    while True:
        started = start_run(command if times == 1 else replace(command, occasion=f"{command.occasion}#{times}"))
        if started.created or retry_run(started.run_id).retried or _is_running(started.run_id):
            return started
        times += 1


def _is_running(run_id: str) -> bool:
    with reading() as connection:
        run = run_of(connection, run_id)
    return run is not None and run.state == "Running"

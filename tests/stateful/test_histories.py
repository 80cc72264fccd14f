"""Histories of contracts, facts, runs, lines, approvals and months, in which every invariant holds after each step.

A history that breaks something is made as short as it can be, and printed as the calls that it consists of. The small
set is the same on every machine. The large one is another each time; the line `@reproduce_failure(…)` that it prints
brings its history back.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.machine import MonthMachine

SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
SMALL = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=SLOW_IS_FINE,
)
LARGE = settings(
    max_examples=int(os.environ.get("STATEFUL_EXAMPLES", "300")),
    stateful_step_count=60,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=SLOW_IS_FINE,
)


def test_short_histories() -> None:
    run_state_machine_as_test(MonthMachine, settings=SMALL)


@pytest.mark.long
def test_long_histories() -> None:
    run_state_machine_as_test(MonthMachine, settings=LARGE)

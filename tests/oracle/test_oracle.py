"""The calculators and an independent oracle agree to the cent on every generated contract-month.

`ORACLE_MONTHS` (default 20,000) says how many; `ORACLE_SEED` repeats a run. A difference prints its own seed: one
contract-month comes back with `ORACLE_SEED=<seed> ORACLE_MONTHS=1`.
"""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from dataclasses import fields

import pytest

from tests.oracle import bridge, generator, oracle
from tests.oracle.case import Case, Printed, Result

SEVERAL = 10  # differences that are worth printing
PARTS = 8  # for several processes at once
MONTHS = int(os.environ.get("ORACLE_MONTHS", "20000"))
SHARES = [MONTHS // PARTS + (part < MONTHS % PARTS) for part in range(PARTS)]


@pytest.mark.parametrize("part", [part for part, share in enumerate(SHARES) if share])
def test_calculators_agree_with_the_oracle(part: int) -> None:
    count = SHARES[part]
    start = int(os.environ.get("ORACLE_SEED") or random.SystemRandom().randrange(10**12))
    seed = start + sum(SHARES[:part])
    print(f"\noracle: {count} contract-months from seed {seed}")
    seen: dict[str, int] = defaultdict(int)
    differences = []
    for number in range(seed, seed + count):
        case = generator.case(number)
        expected = oracle.bill(case)
        for name in expected.reasons or {line.title for line in expected.lines} or {"nothing to bill"}:
            seen[name] += 1
        actual = bridge.product(case, oracle.OPERATOR)
        if not _agree(expected, actual):
            differences.append(_tell(number, case, expected, actual))
            if len(differences) == SEVERAL:
                break
    print("  " + ", ".join(f"{name} {times}" for name, times in sorted(seen.items())))
    assert not differences, "\n\n".join(differences)


def _agree(expected: Result, actual: Result) -> bool:
    if expected.reasons or actual.reasons:
        return bool(expected.reasons & actual.reasons)
    profits = expected.profit is None or expected.profit == actual.profit
    return profits and _by_group(expected.lines) == _by_group(actual.lines)


def _by_group(lines: list[Printed]) -> dict[int, list[Printed]]:
    """Print order matters within an invoice."""
    found: dict[int, list[Printed]] = defaultdict(list)
    for line in lines:
        found[line.group].append(line)
    return found


def _tell(seed: int, case: Case, expected: Result, actual: Result) -> str:
    facts = "\n".join(
        f"  {one.name}: {getattr(case, one.name)}" for one in fields(case) if one.name not in ("contract", "month")
    )
    return (
        f"seed {seed}, month {case.month}\ncontract {json.dumps(case.contract)}\n{facts}\n"
        f"oracle  {expected}\nproduct {actual}"
    )

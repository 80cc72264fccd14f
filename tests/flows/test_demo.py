"""`make demo` in its small form, twice: the figures reconcile, and the second time nothing changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localhost.stack import ROOT

pytestmark = pytest.mark.flow

SITES = 6
KEYS = ["sites", "contracts", "rows_ingested", "statements", "invoices", "pdfs", "failed", "seconds"]


def demo(state: Path) -> tuple[list[str], dict[str, Any]]:
    """Run the demonstration to its good end. Returns what it printed and the object of its last line."""
    options = ["--sites", str(SITES), "--volume", "light", "--state", str(state)]
    done = subprocess.run(
        [sys.executable, "-m", "localhost.demo", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.strip().splitlines()
    return lines, json.loads(lines[-1])


REFUSED = [
    # period, what is said
    ("2026-13", "demo: a period is written YYYY-MM, for example 2026-10; got '2026-13'"),
    ("next month", "demo: a period is written YYYY-MM, for example 2026-10; got 'next month'"),
    ("2023-12", "demo: the demo bills the months 2024-01 to "),
    ("2099-01", "demo: the demo bills the months 2024-01 to "),
]


@pytest.mark.parametrize(("period", "said"), REFUSED)
def test_a_month_that_cannot_be_billed_is_refused_before_anything_is_made(
    tmp_path: Path, period: str, said: str
) -> None:
    command = [sys.executable, "-m", "localhost.demo", "--period", period, "--state", str(tmp_path / "state")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(said) and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "state").exists()


def results(state: Path) -> dict[str, bytes]:
    folder = state / "results"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_the_demonstration_reconciles_and_a_second_one_changes_nothing_and_says_so(tmp_path: Path) -> None:
    lines, figures = demo(tmp_path)
    assert list(figures) == KEYS  # design 6
    assert (figures["sites"], figures["contracts"]) == (SITES, SITES)
    assert figures["rows_ingested"] > 0
    assert 0 < figures["statements"] == figures["pdfs"] <= figures["invoices"]
    assert figures["statements"] + figures["failed"] <= figures["contracts"]
    assert not any("Nothing changed" in line for line in lines)
    assert lines[-2].startswith("reconciled: ")
    left = results(tmp_path)
    assert sum(name.endswith(".pdf") for name in left) == figures["pdfs"]

    again, same = demo(tmp_path)
    assert any(line.startswith("Nothing changed") for line in again)
    assert same | {"seconds": 0} == figures | {"seconds": 0}
    assert results(tmp_path) == left

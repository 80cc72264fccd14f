"""A month of many contracts on real parts: it ends, everything agrees, and no process has grown with the number.

MANY_CONTRACTS says how many, 50,000 unless told otherwise. Before the run there are the contracts and a year of light
facts; they are made once and kept by number (`tests/bench/bench_close.py`), and each run begins with a copy. Nothing
here asserts a time; the figures are printed as one line of JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no types
import pytest
import sqlalchemy as sa

from localhost.processes import ROOT, Host, wait_until
from shared_code.documents import paths
from shared_code.foundation.database import outbox
from shared_code.statements.tables import statement_document, statement_run
from tests.closing_whole import make_whole
from tests.flows.conftest import PERIOD, App, exact, running_app

PROC = Path("/proc/self/status")
pytestmark = [pytest.mark.flow, pytest.mark.long]

CONTRACTS = int(os.environ.get("MANY_CONTRACTS", "50000"))
PATIENCE_SECONDS = 3 * 3600
MOST_MEGABYTES = 1024
"""Of a host process, whatever the number: an instance of the smallest plan has 1.5 GB for host and worker."""
PAGE = 1000
LOOK_OVER = ("check_invariants", "prove_audit", "watch_statements", "draw_forgotten_documents")
"""Timers that read everything; an hour or a night may bring them at any moment."""


@dataclass(frozen=True)
class Month:
    """A finished run of many contracts, in the app that has billed it."""

    app: App
    run: dict[str, Any]

    @cached_property
    def report(self) -> dict[str, Any]:
        """The run report in its container."""
        path = paths.run_report(self.run["id"])
        found: dict[str, Any] = json.loads(self.app.blob(path.container, path.name))
        return found

    @cached_property
    def statements(self) -> list[dict[str, Any]]:
        """All statements of the run, page by page."""
        return self.app.every("statements", run=self.run["id"], limit=PAGE)

    @cached_property
    def pdfs(self) -> dict[str, int]:
        """The files in the container of statements, with their sizes."""
        blobs = self.app.storage.get_container_client("statements").list_blobs(results_per_page=5000)
        return {blob.name: blob.size for blob in blobs}


@pytest.fixture(scope="module")
def database() -> Path:
    """The database before the run. Another process makes it, whose settings and memory are its own."""
    command = [sys.executable, "-m", "tests.bench.bench_close", "--make", str(CONTRACTS)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Path(made.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def app(database: Path) -> Iterator[App]:
    """The app over a copy of the database, with a second process for the queues. What it wrote goes at the end."""
    with tempfile.TemporaryDirectory(prefix="many-contracts-") as folder:
        state = Path(folder)
        shutil.copyfile(database, state / "powerbill.sqlite")
        make_whole(state / "powerbill.sqlite")
        with running_app(state, ROOT, 1) as running:
            yield running


@pytest.fixture(scope="module")
def month(app: App) -> Month:
    """The month, billed over HTTP by somebody who asks again as often as the app says."""
    started = app.call("POST", "statement-runs", json={"period": PERIOD})
    assert started.status_code == 202, started.text
    path = f"statement-runs/{started.json()['id']}"

    def finished() -> dict[str, Any]:
        answer = app.call("GET", path)
        if answer.status_code == 202:
            time.sleep(int(answer.headers["Retry-After"]))
            return {}
        assert answer.status_code == 200, answer.text
        return dict(exact(answer))

    return Month(app, wait_until(finished, app.stack.host, app.stack.bus, seconds=PATIENCE_SECONDS))


def test_every_contract_has_its_outcome(month: Month) -> None:
    outcomes = month.run["outcomes"]
    assert month.run["state"] == "Completed"
    assert sum(outcomes.values()) == month.run["expected"] == CONTRACTS
    assert outcomes["pending"] == outcomes["failed"] == outcomes["cancelled"] == outcomes["skipped"] == 0
    assert outcomes["generated"] > CONTRACTS / 2


def test_the_report_reconciles_and_names_every_contract(month: Month) -> None:
    report = month.report
    assert report["reconciles"]
    assert report["outcomes"] == month.run["outcomes"]
    assert len({item["contractId"] for item in report["items"]}) == len(report["items"]) == CONTRACTS
    assert report["total"] == f"{month.run['total']:.2f}"


def test_every_statement_is_listed_once_and_adds_up(month: Month) -> None:
    outcomes = month.run["outcomes"]
    assert len({one["id"] for one in month.statements}) == len(month.statements)
    assert len(month.statements) == month.run["statements"] == outcomes["generated"] + outcomes["held"]
    assert sum(one["total"] for one in month.statements) == month.run["total"]


def test_every_statement_is_drawn(month: Month) -> None:
    assert month.run["documents"] == {"rendered": month.run["statements"], "pending": 0}
    assert set(month.pdfs) == {item["pdf"] for item in month.report["items"] if item["statementId"]}
    assert all(month.pdfs.values())
    first, last = month.statements[0], month.statements[-1]
    for one in (first, last):
        assert month.app.call("GET", f"statements/{one['id']}/pdf").content.startswith(b"%PDF-")


def test_nothing_waits_and_nothing_is_dead(month: Month) -> None:
    def waiting() -> int:
        with month.app.database() as connection:
            unsent = sa.select(sa.func.count()).where(outbox.c.published_at.is_(None))
            return connection.scalar(unsent) or 0

    wait_until(lambda: not waiting() and not month.app.left_in_queues(), month.app.stack.host, month.app.stack.bus)
    assert month.app.get("operations/dead-letters", "systemAdmin")["items"] == []


def test_what_looks_over_everything_finds_nothing(month: Month) -> None:
    """Also in the app, where a timer does it beside the other work. All invariants are checked once more at the end."""
    host = month.app.stack.host
    assert {function: _outcome_of_firing(host, function) for function in LOOK_OVER} == dict.fromkeys(
        LOOK_OVER, "succeeded"
    )
    assert month.app.get("operations/audit/verification", "auditor")["intact"]
    assert not [record for record in host.records() if record["level"] in ("ERROR", "CRITICAL")]


@pytest.mark.skipif(not PROC.exists(), reason="the peak of a process' memory is read in /proc")
def test_no_process_has_grown_with_the_number(month: Month, capsys: pytest.CaptureFixture[str]) -> None:
    host = psutil.Process(month.app.stack.host.pid)
    peaks = [_peak_megabytes(process.pid) for process in (host, *host.children(recursive=True))]
    with capsys.disabled():
        print(f"\n{json.dumps(_figures(month, peaks))}")
    assert len(peaks) > 1
    assert max(peaks) <= MOST_MEGABYTES


def _outcome_of_firing(host: Host, function: str) -> str:
    """What a timer that is fired by hand comes to."""
    before = len(host.invocations(function))
    host.fire(function)
    ended = wait_until(lambda: host.invocations(function)[before:], host, seconds=PATIENCE_SECONDS)
    return str(ended[0]["outcome"])


def _peak_megabytes(pid: int) -> int:
    """The most memory that a process has had resident."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) // 1024


def _figures(month: Month, peaks: list[int]) -> dict[str, object]:
    """What the month took. Chunks and drawing overlap: both are from the first to the last of their kind."""
    drawn, run = statement_document.c.rendered_at, statement_run.c
    with month.app.database() as connection:
        begun, ended = connection.execute(sa.select(sa.func.min(drawn), sa.func.max(drawn))).one()
        started, finished = connection.execute(
            sa.select(run.created_at, run.finished_at).where(run.run_id == month.run["id"])
        ).one()
    files = month.app.stack.state.glob("powerbill.sqlite*")
    return {
        "contracts": CONTRACTS,
        "statements": month.run["statements"],
        "invoices": month.run["invoices"],
        "chunks_seconds": float(month.run["timings"]["seconds"]),
        "drawing_seconds": _seconds(begun, ended),
        "run_seconds": _seconds(started, finished),
        "peak_mb": peaks,
        "database_mb": sum(file.stat().st_size for file in files) >> 20,
        "pdf_mb": sum(month.pdfs.values()) >> 20,
    }


def _seconds(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(seconds=1)

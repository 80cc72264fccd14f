"""`make demo`: invent an operator, drop a month of files, bill it through the real triggers, and check every figure.

Drops go into the containers, the run starts over HTTP as a Power Automate flow would start it, and everything that is
reported is read back from the app. The last line is one JSON object; the exit code is 1 when a figure does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from localhost.processes import ProcessError
from localhost.progress import Progress
from localhost.stack import ROOT, Stack
from sample_data.generate import generate
from sample_data.manifest import Manifest
from sample_data.options import FIRST_PERIOD, OptionsError, SampleOptions
from shared_code.foundation.calendar import Period

CONTAINERS = (
    "contract-drops",
    "edw-drops",
    "import-reports",
    "quarantine",
    "run-reports",
    "site-workbooks",
    "statements",
)
LOADED = ("site_master", "revenue_daily", "site_statistics", "account_summary", "timesheet", "forecast")
FINAL = ("current", "duplicate", "rejected", "held")
ROLES = ("billingAdmin", "billingManager", "contractAdmin", "accountManager", "districtManager", "auditor")
type Volume = Literal["full", "light"]
POLL_SECONDS = 0.3
PATIENCE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Options:
    """What the demo does: how many sites, which volume and month, where its state is kept."""

    sites: int
    volume: Volume
    period: str
    state: Path
    scale_out: int


class Demo:
    """One demonstration over one stack."""

    def __init__(self, options: Options, stack: Stack) -> None:
        self.options = options
        self.stack = stack
        # A service, as Power Automate is: people have a limit of calls that a progress bar would use up.
        headers = stack.headers("integration")
        self.http = httpx.Client(base_url=f"{stack.host.url}/api/v1", timeout=60, headers=headers)
        self.blobs = BlobServiceClient.from_connection_string(stack.azurite.connection_string)
        self.problems: list[str] = []

    def run(self, manifest: Manifest, drops: Path) -> dict[str, Any]:
        """Drop, ingest, bill, print; the figures of the last line."""
        files = [path for path in sorted(drops.glob("*/**/*.*")) if self._is_loaded(path.relative_to(drops))]
        dropped = self._drop(drops, files)
        self._await_ingestion({path.relative_to(drops).as_posix() for path in files})
        started = self.http.post("/statement-runs", json={"period": self.options.period})
        self._require(started.status_code == 202, f"the run was refused: {started.text}")
        run = self._await_run(started.headers["Location"])
        if not dropped and not started.json()["created"]:
            print("\nNothing changed: every file was there already, and the run of this period is finished.")
        return self._figures(manifest, run)

    def _is_loaded(self, name: Path) -> bool:
        parts = name.parts
        return parts[0] == "contract-drops" or (parts[0] == "edw-drops" and parts[1] in LOADED)

    def _drop(self, drops: Path, files: list[Path]) -> int:
        """Upload what is not there yet, the site master first as a person would. Returns how many were uploaded."""
        for name in CONTAINERS:
            try:
                self.blobs.create_container(name)
            except ResourceExistsError:
                continue
        bar = Progress("dropping files", len(files))
        order = sorted(files, key=lambda path: ("site_master" not in path.parts, str(path)))
        uploaded = 0
        pool = ThreadPoolExecutor(8)
        try:
            for done, fresh in enumerate(pool.map(lambda path: self._upload(drops, path), order), start=1):
                uploaded += fresh
                bar.show(done)
        finally:
            pool.shutdown(cancel_futures=True)
        return uploaded

    def _upload(self, drops: Path, path: Path) -> bool:
        container, _, name = path.relative_to(drops).as_posix().partition("/")
        client = self.blobs.get_blob_client(container, name)
        try:
            with path.open("rb") as file:
                client.upload_blob(file, overwrite=False)
        except ResourceExistsError:
            return False
        return True

    def _await_ingestion(self, expected: set[str]) -> None:
        """Wait until each of our files, named with its container, is a batch in a final state."""
        bar = Progress("ingesting", len(expected))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            done = {f"{b['container']}/{b['sourceName']}" for b in self._all("/imports") if b["state"] in FINAL}
            bar.show(len(done & expected))
            if expected <= done:
                return
            waiting = sorted(expected - done)
            self._require(
                time.monotonic() < deadline, f"{len(waiting)} files were not taken in, first of them {waiting[0]}"
            )
            time.sleep(POLL_SECONDS)

    def _await_run(self, location: str) -> dict[str, Any]:
        """Follow the 202 as Power Automate does: ask the status resource until it answers 200."""
        bars: tuple[Progress, Progress] | None = None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.http.get(location)
            answer.raise_for_status()
            run: dict[str, Any] = answer.json()
            bars = bars or (Progress("billing", run["expected"]), Progress("drawing", 0))
            pending, documents = run["outcomes"]["pending"], run["documents"]
            bars[0].show(run["expected"] - pending)
            if not pending:
                bars[1].total = sum(documents.values())
                bars[1].show(documents["rendered"])
            if answer.status_code == 200:
                return run
            self._require(time.monotonic() < deadline, f"the run does not end: {run}")
            time.sleep(POLL_SECONDS)

    def _figures(self, manifest: Manifest, run: dict[str, Any]) -> dict[str, Any]:
        """The figures of the last line, each held against where it should come from."""
        ours = {entry.path: entry for name in LOADED for entry in manifest.entries(name)}
        imports = [batch for batch in self._all("/imports") if batch["state"] == "current"]
        facts = {f"{b['container']}/{b['sourceName']}": b for b in imports if b["dataset"] in LOADED}
        contracts = [batch for batch in imports if batch["dataset"] == "contracts"]
        for path, entry in ours.items():
            batch = facts.get(path)
            if batch is None:
                self.problems.append(f"{path} is not current")
                continue
            parts = batch["rowsAccepted"] + batch["rowsRejected"] + batch["rowsDuplicate"]
            self._check(f"rows of {path}", (batch["rowsRead"], parts), (entry.rows, entry.rows))
            money = sum(batch[f"money{kind}"] for kind in ("Accepted", "Rejected", "Duplicate"))
            self._check(f"money of {path}", round(money, 4), round(batch["moneyRead"], 4))
        outcomes = run["outcomes"]
        self._check("contracts taken in", len(contracts), manifest.contracts.count)
        self._check("contracts in the run", run["expected"], manifest.contracts.count)
        self._check("outcomes", sum(outcomes.values()), run["expected"])
        self._check("pending", outcomes["pending"], 0)
        statements = self._all("/statements", run=run["id"])
        self._check("statements", len(statements), outcomes["generated"] + outcomes["held"])
        self._check("total of the run", round(sum(s["total"] for s in statements), 2), run["total"])
        names = list(self.blobs.get_container_client("statements").list_blob_names())
        pdfs = sum(any(s["id"] in name for name in names) for s in statements)
        self._check("PDFs", pdfs, len(statements))
        for reason, number in run["reasons"].items():
            print(f"  {number} contracts were not billed: {reason}")
        return {
            "sites": self.options.sites,
            "contracts": len(contracts),
            "rows_ingested": sum(facts[path]["rowsAccepted"] for path in ours if path in facts),
            "statements": len(statements),
            "invoices": run["invoices"],
            "pdfs": pdfs,
            "failed": outcomes["failed"],
        }

    def _all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Every item of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self._get(path, limit=1000, cursor=cursor, **query)
            found.extend(page["items"])
            cursor = page["nextCursor"]
        return found

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.http.get(path, params=query)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def _check(self, name: str, found: object, expected: object) -> None:
        if found != expected:
            self.problems.append(f"{name}: {found} instead of {expected}")

    def _require(self, holds: bool, message: str) -> None:
        if not holds:
            raise ProcessError(message)

    def keep_results(self, run_id: str | None = None) -> Path:
        """Copy PDFs and run reports out of the storage emulator, where a person can open them."""
        folder = self.options.state / "results"
        for container in ("statements", "run-reports"):
            client = self.blobs.get_container_client(container)
            for name in client.list_blob_names():
                target = folder / container / name
                if not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(client.download_blob(name).readall())
        return folder


def main() -> int:
    """Run the demonstration; 0 when every figure reconciles."""
    options = _options()
    begun = time.monotonic()
    drops = options.state / "drops"
    try:
        wanted = _invented(options, drops)
        print(f"Inventing an operator: {options.sites} sites, {options.period}, {options.volume} volume")
        manifest = generate(wanted)
        with Stack(options.state, scale_out=options.scale_out) as stack:
            demo = Demo(options, stack)
            figures = demo.run(manifest, drops)
            seconds = time.monotonic() - begun
            folder = demo.keep_results()
    except KeyboardInterrupt:
        print("\nstopped; the state stays, and the next make demo goes on from it")
        return 130
    except (OptionsError, ProcessError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    _say_where(options, folder)
    for problem in demo.problems:
        print(f"does not reconcile: {problem}", file=sys.stderr)
    if demo.problems:
        print(f"To begin anew: rm -r {os.path.relpath(options.state, ROOT)}", file=sys.stderr)
    else:
        print("reconciled: rows, money, contracts, statements and PDFs are what they should be")
    print(json.dumps({**figures, "seconds": round(seconds, 1)}))
    return 1 if demo.problems else 0


def _invented(options: Options, drops: Path) -> SampleOptions:
    """What to invent. Raises OptionsError before anything is written when nothing of it could be billed."""
    try:
        period = Period.parse(options.period)
    except ValueError as fault:
        raise OptionsError(str(fault)) from fault
    latest = _last_month()  # of a month that is not over, contracts in arrears would not be billed
    if not FIRST_PERIOD <= period <= latest:
        raise OptionsError(f"the demo bills the months {FIRST_PERIOD} to {latest}, not {period}")
    return SampleOptions(out=drops, sites=options.sites, volume=options.volume, periods=(period,))


def _last_month() -> Period:
    return Period.of(datetime.now(UTC).date()).previous


def _say_where(options: Options, folder: Path) -> None:
    state = os.path.relpath(options.state, ROOT)
    print(f"\nStatements as PDF:  {os.path.relpath(folder / 'statements', ROOT)}")
    print(f"Run report:         {os.path.relpath(folder / 'run-reports', ROOT)}")
    print(f"To look around in it with a token for each role:  make run STATE={state}\n")


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--sites", type=int, default=771)
    parser.add_argument("--volume", choices=("full", "light"), default="full")
    parser.add_argument("--period", default="", help="YYYY-MM; the month before this one if it is left out")
    parser.add_argument("--state", type=Path, default=None)
    parser.add_argument("--scale-out", type=int, default=1)
    given = parser.parse_args()
    given.period = given.period or str(_last_month())
    state = given.state or ROOT / ".state" / f"demo-{given.sites}-{given.volume}-{given.period}"
    return Options(given.sites, given.volume, given.period, state.resolve(), given.scale_out)


if __name__ == "__main__":
    sys.exit(main())

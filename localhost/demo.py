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
from pathlib import Path
from typing import Any, Literal

import httpx
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from localhost.progress import Progress
from localhost.stack import ROOT, Stack
from sample_data.generate import generate
from sample_data.manifest import Manifest
from sample_data.options import SampleOptions, parse_periods

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
        self.http = httpx.Client(base_url=f"{stack.host.url}/api/v1", timeout=60, headers=stack.headers("billingAdmin"))
        self.blobs = BlobServiceClient.from_connection_string(stack.azurite.connection_string)
        self.problems: list[str] = []

    def run(self, manifest: Manifest, drops: Path) -> dict[str, Any]:
        """Drop, ingest, bill, print; the figures of the last line."""
        files = [path for path in sorted(drops.glob("*/**/*.*")) if self._is_loaded(path.relative_to(drops))]
        dropped = self._drop(drops, files)
        self._await_ingestion(len(files))
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
        with ThreadPoolExecutor(8) as pool:
            for done, fresh in enumerate(pool.map(lambda path: self._upload(drops, path), order), start=1):
                uploaded += fresh
                bar.show(done)
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

    def _await_ingestion(self, expected: int) -> None:
        bar = Progress("ingesting", expected)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            done = sum(self._count_imports(state) for state in FINAL)
            bar.show(done)
            if done >= expected:
                return
            self._require(time.monotonic() < deadline, f"only {done} of {expected} files were taken in")
            time.sleep(POLL_SECONDS)

    def _count_imports(self, state: str) -> int:
        return int(self._get("/imports", state=state, limit=1)["total"])

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
        imports = self._all_imports()
        facts = [batch for batch in imports if batch["dataset"] in LOADED and batch["state"] == "current"]
        contracts = [batch for batch in imports if batch["dataset"] == "contracts" and batch["state"] == "current"]
        read = sum(batch["rowsRead"] for batch in facts)
        outcomes = run["outcomes"]
        pdfs = sum(1 for _ in self.blobs.get_container_client("statements").list_blob_names())
        statements = self._get("/statements", run=run["id"], limit=1)["total"]
        expected_rows = sum(entry.rows for name in LOADED for entry in manifest.entries(name))
        self._check("rows read", read, expected_rows)
        for batch in facts:
            parts = batch["rowsAccepted"] + batch["rowsRejected"] + batch["rowsDuplicate"]
            self._check(f"rows of {batch['sourceName']}", batch["rowsRead"], parts)
        self._check("contracts in the run", run["expected"], len(contracts))
        self._check("outcomes", sum(outcomes.values()), run["expected"])
        self._check("pending", outcomes["pending"], 0)
        self._check("statements", statements, outcomes["generated"])
        self._check("PDFs", pdfs, statements)
        return {
            "sites": self.options.sites,
            "contracts": len(contracts),
            "rows_ingested": sum(batch["rowsAccepted"] for batch in facts),
            "statements": statements,
            "invoices": run["invoices"],
            "pdfs": pdfs,
            "failed": outcomes["failed"],
        }

    def _all_imports(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self._get("/imports", limit=1000, cursor=len(found))
            found.extend(page["items"])
            if len(found) >= page["total"] or not page["items"]:
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
            raise SystemExit(f"demo: {message}\n{self.stack.host.tail()}")

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
    print(f"Inventing an operator: {options.sites} sites, {options.period}, {options.volume} volume")
    drops = options.state / "drops"
    manifest = generate(
        SampleOptions(out=drops, sites=options.sites, volume=options.volume, periods=parse_periods(options.period))
    )
    with Stack(options.state, scale_out=options.scale_out) as stack:
        demo = Demo(options, stack)
        figures = demo.run(manifest, drops)
        seconds = time.monotonic() - begun
        folder = demo.keep_results()
    _say_where(options, folder)
    for problem in demo.problems:
        print(f"does not reconcile: {problem}", file=sys.stderr)
    print(json.dumps({**figures, "seconds": round(seconds, 1)}))
    return 1 if demo.problems else 0


def _say_where(options: Options, folder: Path) -> None:
    state = os.path.relpath(options.state, ROOT)
    print(f"\nStatements as PDF:  {os.path.relpath(folder / 'statements', ROOT)}")
    print(f"Run report:         {os.path.relpath(folder / 'run-reports', ROOT)}")
    print(f"To look around in it with a token for each role:  make run STATE={state}\n")


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--sites", type=int, default=771)
    parser.add_argument("--volume", choices=("full", "light"), default="full")
    parser.add_argument("--period", default="2026-10")
    parser.add_argument("--state", type=Path, default=None)
    parser.add_argument("--scale-out", type=int, default=1)
    given = parser.parse_args()
    state = given.state or ROOT / ".state" / f"demo-{given.sites}-{given.volume}-{given.period}"
    return Options(given.sites, given.volume, given.period, state.resolve(), given.scale_out)


if __name__ == "__main__":
    sys.exit(main())

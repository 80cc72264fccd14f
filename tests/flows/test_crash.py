"""The host and the bus are killed at random moments; the end is that of an undisturbed month.

Each round of the disturbed month drops or bills a part of it and kills one process somewhere in the middle. The end
states are compared whole: every table but time stamps and surrogate numbers, every blob byte for byte, all queues.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from localhost.processes import Process, wait_until
from sample_data.generate import generate
from sample_data.options import SampleOptions
from shared_code.documents.paths import CONTRACT_DROPS, EDW_DROPS
from shared_code.foundation.clock import fingerprint
from shared_code.foundation.database import outbox
from shared_code.operations.schema import metadata
from tests.end_state import State, differences, rows
from tests.flows.conftest import (
    PERIOD,
    App,
    contract_files,
    csv_file,
    fixed_fees,
    running_app,
    sample_files,
    site_master,
)

pytestmark = pytest.mark.flow

ROUNDS = 10
SITES = 10
FORECAST_HEADER = "COST_CENTER,PERIOD,IS_SUMMARY_CATEGORY,FD_BALANCE,DW_LOADED_DTTM"
OWN = tuple(f"09{n:02d}" for n in range(1, 13))
DATASETS = ("site_master", "revenue_daily", "site_statistics", "timesheet", "account_summary", "forecast")
# small units of work, so that a month of a few seconds has many boundaries to die at
SMALL_UNITS = {"SLICE_BYTES": "20000", "CHUNK_CONTRACTS": "2", "DOCUMENTS_PER_MESSAGE": "1"}
RESULTS = ("statements", "import-reports", "run-reports", "quarantine", "import-work")
LATEST_KILL_SECONDS = 1.2
PATIENCE_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Month:
    """What a month brings, in the order in which it must come: reference data, then the rest, then runs."""

    reference: dict[str, bytes]
    warehouse: dict[str, bytes]
    contracts: dict[str, bytes]
    scopes: tuple[dict[str, Any], ...]

    def drops(self, parts: int) -> list[list[tuple[str, str, bytes]]]:
        """All files but the reference data, dealt into `parts` hands."""
        files = [(CONTRACT_DROPS, name, data) for name, data in self.contracts.items()]
        files += [(EDW_DROPS, name, data) for name, data in self.warehouse.items()]
        return [files[part::parts] for part in range(parts)]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    """Ten invented sites with all kinds of contracts, twelve with plain fees, and files refused in whole or part."""
    folder = tmp_path_factory.mktemp("drops")
    generate(SampleOptions(out=folder, sites=SITES, volume="light"))
    files = sample_files(folder, DATASETS)
    warehouse = files[EDW_DROPS]
    master = next(name for name in warehouse if name.startswith("site_master"))
    reference = {master: warehouse.pop(master), f"site_master/{PERIOD}/own.csv": site_master(*OWN)}
    warehouse["revenue_daily/2026-07/no-columns.csv"] = b"SITE,DATE\n0901,2026-07-01\n"
    warehouse["sales/2026-10/unknown.csv"] = b"A\n1\n"
    plans = [f"{site},202609,{category},100.00,x" for site in OWN for category in ("Revenue", "Payroll")]
    warehouse["forecast/2026-09/one-bad-row.csv"] = csv_file(FORECAST_HEADER, [*plans, "9,202609,Revenue,1.00,x"])
    contracts = {**files[CONTRACT_DROPS], "broken.json": b"{"}
    contracts |= contract_files(*(fixed_fees(site, ("100.25", 1), (f"{site}.50", 2)) for site in OWN))
    numbers = sorted({name[:4] for name in contracts if name[:4].isdecimal()})
    scopes = tuple({"siteNumbers": numbers[part::5], "source": f"part-{part}"} for part in range(5))
    return Month(reference, warehouse, contracts, scopes)


def test_ten_kills_leave_the_end_state_of_an_undisturbed_month(month: Month, short_locks: Path, tmp_path: Path) -> None:
    with running_app(tmp_path / "calm", queues=short_locks, **SMALL_UNITS) as app:
        expected = undisturbed(app, month)
    seed = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"CRASH_SEED={seed}")
    with running_app(tmp_path / "torn", queues=short_locks, **SMALL_UNITS) as app:
        found = disturbed(app, month, random.Random(seed))  # noqa: S311 - a seed, not a secret
        prove_audit(app)
    differing = differences(found, expected)
    assert not differing, "\n".join([f"CRASH_SEED={seed}", *differing])
    tables = {"table audit_event", "table statement", "table rejected_row"}
    assert tables | {"blobs statements", "blobs quarantine"} <= expected.keys()


# -- the two months -----------------------------------------------------------------------------------------------


def undisturbed(app: App, month: Month) -> State:
    app.take_in(month.reference)
    for container, name, data in month.drops(1)[0]:
        app.drop(container, name, data)
    settle_imports(app, month)
    for scope in month.scopes:
        start(app, scope)
    settle_runs(app, len(month.scopes))
    return end_state(app)


def disturbed(app: App, month: Month, chance: random.Random) -> State:
    """Five rounds of drops and five of runs; each begins a part of the work and kills a process during it."""
    app.take_in(month.reference)
    hands = month.drops(ROUNDS // 2)
    for hand in hands:
        for container, name, data in hand:
            app.drop(container, name, data)
        kill_one(app, chance)
    settle_imports(app, month)
    for scope in month.scopes:
        start(app, scope)
        kill_one(app, chance)
    for scope in month.scopes:  # whoever asks again gets the run that is there
        assert not start(app, scope)
    settle_runs(app, len(month.scopes))
    return end_state(app)


def kill_one(app: App, chance: random.Random) -> None:
    """kill -9 of the host or the bus after a random while, then start it again on the same state."""
    victim: Process = chance.choice((app.stack.host, app.stack.bus))
    moment = chance.uniform(0, LATEST_KILL_SECONDS)
    time.sleep(moment)
    victim.kill9()
    print(f"{victim.name} killed after {moment:.2f} s")
    victim.start()


def start(app: App, scope: dict[str, Any]) -> bool:
    """Start a run; a caller whose connection breaks asks again. True when this call started it."""

    def answered() -> httpx.Response | None:
        try:
            body = {"period": PERIOD, **scope}
            return app.call("POST", "statement-runs", json=body, headers={"X-Correlation-ID": scope["source"]})
        except httpx.TransportError:
            return None

    answer = wait_until(answered, app.stack.host)
    assert answer is not None and answer.status_code == 202, answer and answer.text
    return bool(answer.json()["created"])


# -- when all is done ---------------------------------------------------------------------------------------------


def settle_imports(app: App, month: Month) -> None:
    names = {name for _, name, _ in month.drops(1)[0]}
    app.await_batches(names)
    wait_until(lambda: len(app.names("import-reports")) >= len(app.imports()), app.stack.host, seconds=PATIENCE_SECONDS)


def settle_runs(app: App, expected: int) -> None:
    def done() -> bool:
        runs = app.get("statement-runs")["items"]
        return len(runs) == expected and all(run["state"] == "Completed" for run in runs)

    wait_until(done, app.stack.host, app.stack.bus, seconds=PATIENCE_SECONDS)


def prove_audit(app: App) -> None:
    """Whoever was killed in the middle of whatever, the chains are whole."""
    proof = app.get("operations/audit/verification", "auditor")
    assert proof["intact"] and proof["events"], proof


def is_at_rest(app: App) -> bool:
    """Nothing waits: no message in a queue, none in the outbox, no poll of a blob under way."""
    with app.database() as connection:
        unsent = connection.scalar(sa.select(sa.func.count()).where(outbox.c.published_at.is_(None)))
    return not unsent and not app.left_in_queues()


def end_state(app: App) -> State:
    """Everything that the month left behind, line by line; parts without lines are left out."""
    wait_until(lambda: is_at_rest(app), app.stack.host, app.stack.bus, seconds=PATIENCE_SECONDS)
    with app.database() as connection:
        state = {f"table {table.name}": Counter(rows(connection, table)) for table in metadata.sorted_tables}
    for container in RESULTS:
        state[f"blobs {container}"] = Counter(blobs(app, container))
    state["poison blobs"] = Counter(str(blob) for blob in app.stack.host.status()["poisonBlobs"])
    return {part: lines for part, lines in state.items() if lines}


def blobs(app: App, container: str) -> Iterator[str]:
    """Every blob with the SHA-256 of its bytes; an import report says when its batch ended, which is left out."""
    for name in app.names(container):
        data = app.blob(container, name)
        if container == "import-reports" and name.endswith(".json"):
            data = json.dumps(json.loads(data) | {"finishedAt": ""}).encode()
        yield f"{name} {fingerprint(data)}"

"""A dry run shows exactly what the real run writes, and writes nothing else (http-api, dryRun)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from shared_code.foundation import queues
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.operations.schema import metadata
from shared_code.statements.previews import previews
from shared_code.statements.reading.model import RunItem, StatementDetail
from shared_code.statements.reading.queries import run_status
from shared_code.statements.runs import cancel_run, retry_run
from tests.unit.statements.stage import (
    ALL,
    Stage,
    decide,
    detail,
    items,
    open_sites,
    opened,
    outcomes,
    rooms,
    rows_of,
    save,
    save_rooms,
    send_out,
    start,
)

# A dry run is a run: it has its own rows there. Messages and the audit tell that it was.
OF_THE_RUN = {"statement_run", "run_item", "dry_run_statement", "outbox", "inbox", "audit_event", "audit_head"}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        yield stage


def october() -> None:
    """A month with every outcome: billed in two groups, held, nothing, without facts, unknown, billed before."""
    decide(largestInvoice=5000)
    open_sites("0901", "0902", "0903", "0904", "0906")
    save("0901", ("100.00", 1), ("50.25", 2))
    save("0902", ("5000.01", 1))
    save_rooms("0903")
    rooms("0903", 0)
    save_rooms("0904")  # no facts
    save("0905")  # no site
    save("0906")


def told(found: StatementDetail) -> dict[str, object]:
    """A statement but for the run and the instant."""
    return {name: value for name, value in asdict(found).items() if name not in ("run_id", "created_at")}


def become(item: RunItem) -> dict[str, object]:
    return asdict(item)


def test_a_dry_run_shows_what_the_real_run_writes(stage: Stage) -> None:
    october()
    stage.bill(site_numbers=("0906",))

    dry = stage.bill(dry_run=True)
    shown = previews(dry, ALL).items
    real = stage.bill()

    assert outcomes(dry) == {"generated": 1, "held": 1, "nothing_to_bill": 1, "failed": 2, "skipped": 1}
    assert [become(item) for item in items(dry)] == [become(item) for item in items(real)]
    written = [detail(item.statement_id) for item in items(real) if item.statement_id]
    assert [told(one) for one in shown] == [told(one) for one in written]
    assert [one.site_number for one in shown] == ["0901", "0902"]


def test_a_dry_run_of_what_was_sent_shows_that_nothing_would_be_billed(stage: Stage) -> None:
    open_sites("0901")
    contract = save("0901").contract_id
    stage.bill()
    send_out(contract)

    dry = stage.bill(dry_run=True)

    assert [(one.outcome, one.reason) for one in items(dry)] == [("Skipped", "ALREADY_GENERATED")]
    assert previews(dry, ALL).items == ()


def test_a_dry_run_changes_no_other_table(stage: Stage) -> None:
    october()
    stage.bill(site_numbers=("0906",))
    tables = [table for table in metadata.sorted_tables if table.name not in OF_THE_RUN]
    before = {table.name: rows_of(table) for table in tables}
    blobs = dict(stage.stored)

    dry = stage.bill(dry_run=True)

    assert {table.name: rows_of(table) for table in tables} == before
    assert stage.stored.keys() - blobs.keys() == {f"{dry}.json"}  # the report of the run, and no PDF
    assert run_status(dry).statements == 0


def test_the_contract_whose_number_a_site_before_it_has_taken_is_refused_in_both(stage: Stage) -> None:
    """0901 bills under the number of 0904, which is in a chunk behind it: whoever comes later is refused."""
    save("0901", groups=[{"id": "g1", "number": 1, "siteNumber": "0904"}])
    for number in ("0902", "0903", "0904"):
        save(number)
    open_sites("0901", "0902", "0903", "0904")

    dry = stage.bill(dry_run=True)
    real = stage.bill()

    assert [one.site_number for one in items(real) if one.outcome == "Failed"] == ["0904"]
    assert [become(item) for item in items(dry)] == [become(item) for item in items(real)]


def test_a_number_that_is_taken_in_another_chunk_is_refused_in_both(stage: Stage) -> None:
    """Two contracts a chunk: 0904 bills under the number of 0901, which is in a chunk before it."""
    open_sites("0901", "0902", "0903", "0904")
    for number in ("0901", "0902", "0903"):
        save(number)
    save("0904", groups=[{"id": "g1", "number": 1, "siteNumber": "0901"}])

    dry, real = stage.bill(dry_run=True), stage.bill()

    assert outcomes(dry) == outcomes(real) == {"generated": 3, "failed": 1}
    assert [become(item) for item in items(dry)] == [become(item) for item in items(real)]


def test_a_dry_run_computes_anew_once_it_is_over(stage: Stage) -> None:
    open_sites("0901")
    save_rooms("0901")
    rooms("0901", 100)
    first = start(dry_run=True)
    meanwhile = start(dry_run=True)
    stage.drain()
    rooms("0901", 70)

    second = stage.bill(dry_run=True)

    assert (first.run_id == meanwhile.run_id, meanwhile.created, second == first.run_id) == (True, False, False)
    assert [one.total for run in (first.run_id, second) for one in previews(run, ALL).items] == [100, 70]


def test_failures_of_a_dry_run_are_tried_again(stage: Stage) -> None:
    october()
    dry = stage.bill(dry_run=True)
    rooms("0904", 44)

    assert retry_run(dry).retried == 2
    stage.drain()

    assert outcomes(dry) == {"generated": 3, "held": 1, "nothing_to_bill": 1, "failed": 1}
    assert [one.site_number for one in previews(dry, ALL).items] == ["0901", "0902", "0904", "0906"]


def test_a_dry_run_is_cancelled_like_any_other(stage: Stage) -> None:
    october()
    dry = start(dry_run=True).run_id
    stage.deliver("statement-chunks")
    assert queues.STATEMENT_DOCUMENTS not in {message.queue for message in stage.waiting}  # there is nothing to draw

    assert cancel_run(dry)
    stage.drain()

    assert run_status(dry).state == "Cancelled"
    done = {one.site_number: one.outcome for one in items(dry) if one.outcome != "Cancelled"}
    assert len(done) == 2  # a chunk of two
    shown = [one.site_number for one in previews(dry, ALL).items]
    assert shown == sorted(site for site, outcome in done.items() if outcome in {"Generated", "Held"})


def test_previews_are_paged(stage: Stage) -> None:
    october()
    dry = stage.bill(dry_run=True)

    first = previews(dry, PageRequest(limit=2))
    second = previews(dry, PageRequest(limit=2, cursor=first.next_cursor))

    assert ([one.site_number for one in first.items], first.total) == (["0901", "0902"], 3)
    assert ([one.site_number for one in second.items], second.next_cursor) == (["0906"], None)


def test_only_a_dry_run_has_previews(stage: Stage) -> None:
    open_sites("0901")
    save("0901")
    real = stage.bill()
    codes = []
    for run in (real, "0" * 32):
        with pytest.raises(BillingError) as refused:
            previews(run, ALL)
        codes.append(refused.value.code)

    assert codes == ["NOT_A_DRY_RUN", "RUN_NOT_FOUND"]

"""Rows of runs that say too little: what they expected, what became of it, why, and who can help."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from shared_code.contracts.tables import contract_version
from shared_code.foundation import database
from shared_code.foundation.visibility import EVERYTHING
from shared_code.operations.error_catalog import explain
from shared_code.statements.catch_up.service import missed_periods
from shared_code.statements.runs import retry_run
from shared_code.statements.tables import invoice, invoice_line, run_item, statement, statement_document
from tests.unit.statements.stage import (
    Stage,
    items,
    live_numbers,
    open_sites,
    outcomes,
    rooms,
    rows_of,
    save,
    save_rooms,
    standing,
)


def report(stage: Stage, run_id: str) -> dict[str, Any]:
    """What the run has written into blob storage."""
    found: dict[str, Any] = json.loads(stage.stored[f"{run_id}.json"])
    return found


def spoil(contract_id: str, document: str = "{}") -> str:
    """Replace a contract's stored document by one that nobody can read. Returns what it was."""
    c = contract_version.c
    with database.transaction() as work:
        before = work.connection.scalar(sa.select(c.document).where(c.contract_id == contract_id))
        work.connection.execute(contract_version.update().where(c.contract_id == contract_id).values(document=document))
    return str(before)


def test_row_03_the_scheduler_says_complete_and_no_invoice_is_there(stage: Stage) -> None:
    """Row 3: a job reported that it was complete, and had made no invoice.

    The report of a run accounts for every contract that it expected: made, nothing to bill, or failed with a reason.
    Each one that is made is there.
    """
    open_sites("0901", "0902", "0903")
    save("0901")
    save_rooms("0902")
    rooms("0902", 0)  # nothing to bill
    save_rooms("0903")  # no facts
    save("0904")  # no site
    run = stage.bill()

    told = report(stage, run)
    counts = {name: number for name, number in told["outcomes"].items() if number}
    assert counts == {"generated": 1, "nothingToBill": 1, "failed": 2}
    assert (told["expected"], told["reconciles"]) == (sum(counts.values()), True)
    assert len(told["items"]) == told["expected"]
    made = {item["statementId"] for item in told["items"] if item["outcome"] == "Generated"}
    assert made == {row.statement_id for row in rows_of(statement)}
    assert all(item["reason"] for item in told["items"] if item["outcome"] != "Generated")
    assert all(item["pdf"] in stage.stored for item in told["items"] if item["statementId"])


def test_row_06_one_bad_contract_blocks_the_whole_company(stage: Stage) -> None:
    """Row 6: one contract raised an error, and nobody's invoices were made.

    It fails alone. Its reason, owner and day stand at the contract until it is mended and billed, then they are gone.
    """
    open_sites("0901", "0902", "0903")
    good = [save(site).contract_id for site in ("0901", "0903")]
    bad = save("0902").contract_id
    stage.bill("2026-09")  # every month since is one that the contract owes
    document = spoil(bad)

    run = stage.bill()

    assert outcomes(run) == {"generated": 2, "failed": 1}
    assert all(len(standing(contract_id)) == 1 for contract_id in good)
    (shown,) = missed_periods("0902", None, EVERYTHING).items
    assert (shown.contract_id, shown.period, shown.run_id) == (bad, "2026-10", run)
    assert (shown.outcome, shown.reason, shown.owner) == ("Failed", "CALCULATION_FAULT", "systemAdmin")
    assert shown.message and shown.suggestion and shown.tried_at

    spoil(bad, document)
    retry_run(run)
    stage.drain()

    assert outcomes(run) == {"generated": 3}
    assert missed_periods("0902", None, EVERYTHING).items == ()


def test_row_07_a_batch_fails_and_nobody_can_rerun_it(stage: Stage) -> None:
    """Row 7: accountants did not see what of a batch had failed, and only a developer could run it again.

    A retry bills the failures and nothing else, and doing it again does nothing.
    """
    open_sites("0901", "0902")
    save("0901")
    save_rooms("0902")
    run = stage.bill()
    tables = (statement, invoice, invoice_line, statement_document)
    before = [set(rows_of(table)) for table in tables]
    assert [(item.site_number, item.reason) for item in items(run) if item.outcome == "Failed"] == [
        ("0902", "MISSING_FACTS")
    ]

    assert retry_run(run).retried == 1  # still without facts
    stage.drain()
    assert outcomes(run) == {"generated": 1, "failed": 1}
    rooms("0902", 55)
    assert retry_run(run).retried == 1
    stage.drain()

    assert outcomes(run) == {"generated": 2}
    assert live_numbers() == ["0901-202610-01-01", "0902-202610-01-01"]
    assert all(rows <= set(rows_of(table)) for rows, table in zip(before, tables, strict=True))
    assert retry_run(run).retried == 0
    assert not stage.waiting


def test_row_24_nobody_can_tell_why_generation_failed(stage: Stage) -> None:
    """Row 24: an invoice failed, and its error was nowhere to be read.

    Every item that is not billed has a code that the catalogue explains, a message about this contract, a role that can
    help and what helps; in the run, and in its report.
    """
    open_sites("0901", "0902", "0905")
    save_rooms("0901")  # no facts
    spoil(save("0902").contract_id)
    save("0903")  # no site
    save("0905", groups=[{"id": "g1", "number": 1, "siteNumber": "0906"}])
    save("0906")
    open_sites("0906")  # its number is taken by the one before

    run = stage.bill()

    failed = {item.site_number: item for item in items(run) if item.outcome == "Failed"}
    assert {site: item.reason for site, item in failed.items()} == {
        "0901": "MISSING_FACTS",
        "0902": "CALCULATION_FAULT",
        "0903": "SITE_UNKNOWN",
        "0906": "NUMBER_TAKEN",
    }
    told = {item["siteNumber"]: item for item in report(stage, run)["items"]}
    for site, item in failed.items():
        assert explain(str(item.reason)).code == item.reason
        assert item.message and item.owner and item.suggestion
        shown = told[site]
        assert (shown["reason"], shown["message"]) == (item.reason, item.message)
        assert (shown["owner"], shown["suggestion"]) == (item.owner, item.suggestion)
    with database.reading() as connection:
        silent = sa.select(run_item.c.contract_id).where(run_item.c.outcome != "Generated", run_item.c.reason.is_(None))
        assert connection.scalars(silent).all() == []

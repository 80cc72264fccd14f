"""What holds whatever people add and remove, in any order: sums, the snapshot, and what a new generation prints."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.documents.model import StatementDocument, from_json
from shared_code.foundation.errors import BillingError
from shared_code.statements.reading.model import StatementDetail
from shared_code.statements.tables import adhoc_line, statement_document
from tests.unit.statements.added import add, current, lines_of, load, remove, save_sharing
from tests.unit.statements.stage import Stage, open_sites, opened, rows_of, save

EXPECTED = {"AD_HOC_REIMBURSABLE_TWICE", "AD_HOC_NO_PROFIT_SHARE"}
KINDS = ("miscellaneous", "clientPaidExpense", "reimbursableExpense", "nonBillableExpense")
type Addition = tuple[str, int, int]
"""Type, cents as entered, group."""
additions: st.SearchStrategy[Addition] = st.tuples(
    st.sampled_from(KINDS), st.integers(1, 50_000), st.sampled_from((1, 2))
)
removals = st.integers(0, 5)  # of the lines that are there, counted around
doings = st.lists(st.one_of(additions, removals), min_size=1, max_size=6)


@settings(max_examples=12, deadline=None, derandomize=True, database=None)
@given(shared=st.booleans(), both=st.booleans(), done=doings)
def test_sums_hold_after_every_step_and_a_new_generation_prints_the_same(
    shared: bool, both: bool, done: list[Addition | int]
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch, opened(Path(folder), patch) as stage:
        contract = billed(stage, shared=shared, both=both)
        for one in done:
            number = current(contract).invoices[0].number
            if isinstance(one, int):
                take_one(number, one)
            else:
                try_to_add(number, *one)
            require_sums(current(contract))
        require_same_when_made_anew(stage, contract)


def billed(stage: Stage, *, shared: bool, both: bool) -> str:
    """A billed October of a contract with two groups, of which one or both have an invoice."""
    fees = [("100.00", 1), ("50.00", 2)] if both else [("100.00", 1)]
    open_sites("0901")
    load("0901", revenue="1000", posted="900", expected="1000")
    groups = [{"id": "g1", "number": 1}, {"id": "g2", "number": 2}]
    contract = save_sharing("0901", *fees) if shared else save("0901", *fees, groups=groups)
    stage.bill()
    return contract.contract_id


def try_to_add(number: str, kind: str, cents: int, group: int) -> None:
    try:
        add(number, kind, str(Decimal(cents).scaleb(-2)), group=group)
    except BillingError as refused:
        assert refused.code in EXPECTED


def take_one(number: str, place: int) -> None:
    there = [row.line_id for row in rows_of(adhoc_line) if row.removed_at is None]
    if there:
        remove(number, there[place % len(there)])


def require_sums(found: StatementDetail) -> None:
    """Rules R1, and what the comparison says of them (billing-flows 8)."""
    assert found.total == sum(one.amount for one in found.invoices)
    for invoice in found.invoices:
        assert invoice.amount == sum(line.amount for line in invoice.lines)
        assert any(line.amount for line in invoice.lines)
    assert found.comparison is not None
    revenue = [line.amount for line in lines_of(found) if line.code.startswith("4")]
    assert found.comparison.invoiced_revenue == sum(revenue)
    printed = document_of(found)
    assert printed.total == found.total
    assert [(one.number, one.amount) for one in printed.invoices] == [(i.number, i.amount) for i in found.invoices]


def document_of(found: StatementDetail) -> StatementDocument:
    return next(from_json(row.snapshot) for row in rows_of(statement_document) if row.statement_id == found.id)


def require_same_when_made_anew(stage: Stage, contract: str) -> None:
    """Line by line, but for the share of a profit that a line has changed: then the statement says that it is stale."""
    before = current(contract)
    stage.regenerate(before.id)
    after = current(contract)

    assert added_ids(before) == added_ids(after)
    if before.stale_since is None:
        assert document_of(before).invoices == document_of(after).invoices
        assert before.comparison == after.comparison
    else:
        assert before.stale_reason == "PROFIT_CHANGED"
        assert titles(document_of(before)) == titles(document_of(after))
    assert after.stale_since is None


def added_ids(found: StatementDetail) -> list[str]:
    return [line.ad_hoc_line_id for line in lines_of(found) if line.ad_hoc_line_id is not None]


def titles(document: StatementDocument) -> Counter[str]:
    return Counter(json.dumps([one.number, line.title]) for one in document.invoices for line in one.lines)

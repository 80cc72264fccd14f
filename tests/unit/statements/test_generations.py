"""A month made anew: which version and generation it gets, what it takes the place of, and what stays as it was.

Billing flows A.3, item 2, and rules R24, R27, R56.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared_code.documents import paths
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING
from shared_code.periods.closing import decide as decide_period
from shared_code.statements.regeneration import regenerate
from shared_code.statements.runs import retry_run
from shared_code.statements.tables import invoice, invoice_line, statement_document
from tests.unit.statements.stage import (
    Stage,
    detail,
    items,
    live_numbers,
    lose_rooms,
    open_sites,
    opened,
    outcomes,
    rooms,
    rows_of,
    save,
    save_rooms,
    send_out,
    standing,
    start,
)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        yield stage


UNSENT = "ApprovalTeam"  # where a statement without a forecast goes


def billable() -> str:
    """A contract that bills 100.00 for October, and what else the month brings when its facts are loaded anew."""
    rooms("0901", 100)
    open_sites("0901")
    return save_rooms("0901").contract_id


def summary(contract: str) -> list[tuple[int, int, str]]:
    return [(row.version, row.generation, row.status) for row in standing(contract)]


# -- the matrix ---------------------------------------------------------------------------------------------------
# What there is before, by what was done; what there is after it was made (anew): version, generation, status.

MATRIX: list[tuple[str, list[str], list[tuple[int, int, str]]]] = [
    ("none", [], [(1, 1, UNSENT)]),
    ("unsent", ["make"], [(1, 1, "Superseded"), (1, 2, UNSENT)]),
    ("sent", ["make", "send"], [(1, 1, "Sent"), (2, 2, UNSENT)]),
    ("sent + unsent", ["make", "send", "make"], [(1, 1, "Sent"), (2, 2, "Superseded"), (2, 3, UNSENT)]),
    ("failed", ["fail"], [(1, 1, UNSENT)]),
    ("sent, then failed", ["make", "send", "fail"], [(1, 1, "Sent"), (2, 2, UNSENT)]),
    ("unsent, then failed", ["make", "fail"], [(1, 1, "Superseded"), (1, 2, UNSENT)]),
    ("unsent twice", ["make", "make"], [(1, 1, "Superseded"), (1, 2, "Superseded"), (1, 3, UNSENT)]),
    (
        "sent twice",
        ["make", "send", "make", "send"],
        [(1, 1, "Sent"), (2, 2, "Sent"), (3, 3, UNSENT)],
    ),
]


def make(stage: Stage, contract: str) -> str:
    """Bill the month, or make its latest statement anew."""
    found = [row for row in standing(contract) if row.status != "Superseded"]
    if found:
        return stage.regenerate(found[-1].statement_id)
    failed = start()
    if not failed.created:
        retry_run(failed.run_id)
    stage.drain()
    return failed.run_id


@pytest.mark.parametrize(("what", "before", "after"), MATRIX, ids=[case[0] for case in MATRIX])
def test_regenerate_matrix(stage: Stage, what: str, before: list[str], after: list[tuple[int, int, str]]) -> None:
    contract = billable()
    for step in before:
        if step == "send":
            send_out(contract)
        elif step == "fail":
            lose_rooms("0901")
            assert outcomes(make(stage, contract)) == {"failed": 1}
            rooms("0901", 100)
        else:
            make(stage, contract)

    made = make(stage, contract)

    assert outcomes(made) == {"generated": 1}
    assert summary(contract) == after
    statements = standing(contract)
    assert [row.superseded_at is not None for row in statements] == [status == "Superseded" for _, _, status in after]
    assert live_numbers() == sorted(
        f"0901-202610-01-{row.version:02}" for row in statements if row.superseded_at is None
    )
    assert items(made)[0].statement_id == statements[-1].statement_id


# -- what stays ---------------------------------------------------------------------------------------------------


def test_what_was_replaced_stays_as_it_was_printed(stage: Stage) -> None:
    """Invoices, lines, snapshot and PDF of the old generation are still there, under their own ids."""
    contract = billable()
    stage.bill()
    (old,) = standing(contract)
    before = {table: rows_of(table) for table in (invoice_line, statement_document)}
    pdf = dict(stage.stored)

    rooms("0901", 70)
    stage.regenerate(old.statement_id)

    for table, rows in before.items():
        assert set(rows) < set(rows_of(table)), table.name
    assert {name: stage.stored[name] for name in pdf if "runs" not in name} == {
        name: data for name, data in pdf.items() if "runs" not in name
    }
    assert [detail(row.statement_id).total for row in standing(contract)] == [100, 70]
    assert [row.number for row in rows_of(invoice)] == ["0901-202610-01-01"] * 2  # one number, of which one counts
    assert live_numbers() == ["0901-202610-01-01"]
    names = [paths.statement_pdf(Period(2026, 10), "0901", row.statement_id, 1).name for row in standing(contract)]
    assert len(set(names)) == 2
    assert set(names) <= stage.stored.keys()


def test_nothing_to_bill_takes_the_unsent_one_away_and_leaves_the_sent_one(stage: Stage) -> None:
    contract = billable()
    stage.bill()
    send_out(contract)
    stage.regenerate(standing(contract)[0].statement_id)
    rooms("0901", 0)

    run = stage.regenerate(standing(contract)[-1].statement_id)

    assert outcomes(run) == {"nothing_to_bill": 1}
    assert summary(contract) == [(1, 1, "Sent"), (2, 2, "Superseded")]
    assert live_numbers() == ["0901-202610-01-01"]


def test_after_nothing_to_bill_the_month_can_be_made_again(stage: Stage) -> None:
    """The run that came to nothing is over; what it found does not hold for ever."""
    contract = billable()
    stage.bill()
    send_out(contract)
    sent = standing(contract)[0].statement_id
    rooms("0901", 0)
    first = stage.regenerate(sent)
    rooms("0901", 80)

    second = stage.regenerate(sent)

    assert (outcomes(first), outcomes(second)) == ({"nothing_to_bill": 1}, {"generated": 1})
    assert summary(contract) == [(1, 1, "Sent"), (2, 2, UNSENT)]


# What becomes of the month's facts, and why it cannot be billed then: before, and after its lines are there.
FAILING: list[tuple[Callable[[], None], str]] = [
    (lambda: lose_rooms("0901"), "MISSING_FACTS"),
    (lambda: rooms("0901", 10**12), "AMOUNT_OUT_OF_RANGE"),
]


@pytest.mark.parametrize(("spoil", "reason"), FAILING, ids=[case[1] for case in FAILING])
def test_a_failing_generation_leaves_the_old_one_as_it_was(
    stage: Stage, spoil: Callable[[], None], reason: str
) -> None:
    """B10: build first, swap in one transaction; a failure in the middle must not take the statement away."""
    contract = billable()
    stage.bill()
    before = standing(contract), rows_of(invoice), rows_of(invoice_line), rows_of(statement_document)
    spoil()

    run = stage.regenerate(standing(contract)[0].statement_id)

    assert [(one.outcome, one.reason) for one in items(run)] == [("Failed", reason)]
    assert (standing(contract), rows_of(invoice), rows_of(invoice_line), rows_of(statement_document)) == before
    rooms("0901", 90)
    assert stage.regenerate(standing(contract)[0].statement_id) == run  # tried again, not another one
    assert summary(contract) == [(1, 1, "Superseded"), (1, 2, UNSENT)]


# -- refusals -----------------------------------------------------------------------------------------------------


def test_what_was_replaced_is_not_made_anew(stage: Stage) -> None:
    contract = billable()
    stage.bill()
    (old,) = standing(contract)
    stage.regenerate(old.statement_id)

    with pytest.raises(BillingError) as refused:
        regenerate(old.statement_id, "test", "c", EVERYTHING)
    with pytest.raises(BillingError) as unknown:
        regenerate("0" * 32, "test", "c", EVERYTHING)

    assert (refused.value.code, unknown.value.code) == ("STATEMENT_SUPERSEDED", "STATEMENT_NOT_FOUND")


def test_a_closed_month_is_not_made_anew(stage: Stage) -> None:
    contract = billable()
    stage.bill()
    decide_period(Period(2026, 10), "close")

    with pytest.raises(BillingError) as refused:
        stage.regenerate(standing(contract)[0].statement_id)

    assert refused.value.code == "PERIOD_CLOSED"
    assert summary(contract) == [(1, 1, UNSENT)]


def test_a_month_that_is_closed_meanwhile_is_left_alone(stage: Stage) -> None:
    """The run had started; its chunk finds the month closed, and the statement stays."""
    contract = billable()
    stage.bill()
    run = regenerate(standing(contract)[0].statement_id, "test", "c", EVERYTHING).run_id
    decide_period(Period(2026, 10), "close")

    stage.drain()

    assert [(one.outcome, one.reason) for one in items(run)] == [("Failed", "PERIOD_CLOSED")]
    assert summary(contract) == [(1, 1, UNSENT)]


# -- numbers ------------------------------------------------------------------------------------------------------


def test_a_number_that_another_contract_has_is_refused_with_both_named(stage: Stage) -> None:
    """A group of site 0902 bills under the number of site 0901 (B6): both come to 0901-202610-01-01."""
    owner = save("0901").contract_id
    other = save("0902", groups=[{"id": "g1", "number": 1, "siteNumber": "0901"}]).contract_id
    third = save("0903").contract_id
    open_sites("0901", "0902", "0903")

    run = stage.bill()

    failed = next(one for one in items(run) if one.outcome == "Failed")
    assert failed.contract_id == other  # the lower site number comes first
    assert failed.reason == "NUMBER_TAKEN"
    assert all(name in str(failed.message) for name in (owner, other, "0901", "0902", "0901-202610-01-01"))
    assert outcomes(run) == {"generated": 2, "failed": 1}
    assert live_numbers() == ["0901-202610-01-01", "0903-202610-01-01"]
    assert summary(third) == [(1, 1, UNSENT)]


def test_a_number_is_free_again_once_its_statement_does_not_count(stage: Stage) -> None:
    first = billable()
    second = save("0902", groups=[{"id": "g1", "number": 1, "siteNumber": "0901"}]).contract_id
    open_sites("0902")
    run = stage.bill()
    rooms("0901", 0)
    stage.regenerate(standing(first)[0].statement_id)

    retry_run(run)
    stage.drain()

    assert summary(second) == [(1, 1, UNSENT)]
    assert live_numbers() == ["0901-202610-01-01"]

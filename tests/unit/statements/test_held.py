"""Sanity limits: a statement unlike the contract's other months is Held before anybody sees it (rules R26, R64).

Each limit is a setting, and 0 switches it off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.statements.stage import (
    Stage,
    decide,
    detail,
    items,
    live_numbers,
    open_sites,
    opened,
    outcomes,
    rooms,
    save,
    save_rooms,
    standing,
)

MONTHS = [f"2026-{month:02}" for month in range(1, 11)]
OFF = {"largestInvoice": 0, "largestChangePercent": 0, "largestLineCount": 0}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        yield stage


def bill_months(stage: Stage, totals: list[int]) -> str:
    """Bill a site month by month, the last of which is October; returns the run of October."""
    open_sites("0901")
    save_rooms("0901")
    run = ""
    for period, total in zip(MONTHS[-len(totals) :], totals, strict=True):
        rooms("0901", total, period)
        run = stage.bill(period)
    return run


TRIPPED: list[tuple[str, dict[str, Any], list[int], str | None]] = [
    ("an invoice above the limit", {"largestInvoice": 500}, [501], "INVOICE_TOO_LARGE"),
    ("an invoice of exactly the limit", {"largestInvoice": 500}, [500], None),
    ("the limit of invoices is off", {"largestInvoice": 0}, [4_000_000], None),
    ("a leap above the usual month", {"largestChangePercent": 50}, [100, 100, 100, 151], "CHANGE_TOO_LARGE"),
    ("a leap of exactly the limit", {"largestChangePercent": 50}, [100, 100, 100, 150], None),
    ("a fall below the usual month", {"largestChangePercent": 50}, [100, 100, 100, 49], "CHANGE_TOO_LARGE"),
    ("the limit of changes is off", {"largestChangePercent": 0}, [100, 100, 100, 99_999], None),
    ("two earlier months say nothing", {"largestChangePercent": 50}, [100, 100, 99_999], None),
    ("no earlier month says nothing", {"largestChangePercent": 50}, [99_999], None),
    # the median of the last six, 900, not of all nine
    (
        "only so many months count",
        {"largestChangePercent": 50, "medianMonths": 6},
        [1, 1, 1, 900, 900, 900, 900, 900, 900, 1000],
        None,
    ),
    ("one strange month is not the usual one", {"largestChangePercent": 50}, [100, 9_000, 100, 120], "held before"),
]


@pytest.mark.parametrize(("what", "limits", "totals", "reason"), TRIPPED, ids=[case[0] for case in TRIPPED])
def test_a_limit_holds_what_is_beyond_it(
    stage: Stage, what: str, limits: dict[str, Any], totals: list[int], reason: str | None
) -> None:
    decide(**OFF | limits)

    run = bill_months(stage, totals)

    (item,) = items(run)
    found = detail(str(item.statement_id))
    if reason in (None, "held before"):
        assert (item.outcome, item.reason, found.status) == ("Generated", None, "ApprovalTeam")
        return
    assert (item.outcome, item.reason, item.owner) == ("Held", reason, "billingManager")
    assert (found.status, found.status_reason, found.warnings[0].code) == ("Held", reason, reason)
    assert item.message == found.warnings[0].message
    assert str(item.suggestion)
    assert [str(invoice.number) for invoice in found.invoices] == ["0901-202610-01-01"]  # it has its invoices


def test_too_many_lines_hold_a_statement(stage: Stage) -> None:
    decide(**OFF | {"largestLineCount": 2})
    open_sites("0901", "0902")
    save("0901", ("1.00", 1), ("2.00", 1))
    save("0902", ("1.00", 1), ("2.00", 1), ("3.00", 2))

    few, many = items(stage.bill())

    assert (few.outcome, many.outcome, many.reason) == ("Generated", "Held", "TOO_MANY_LINES")


def test_of_several_limits_all_are_named_and_the_first_is_the_reason(stage: Stage) -> None:
    decide(largestInvoice=10, largestLineCount=1, largestChangePercent=0)
    open_sites("0901")
    save("0901", ("11.00", 1), ("2.00", 1))

    (item,) = items(stage.bill())

    assert item.reason == "INVOICE_TOO_LARGE"
    assert [reason.code for reason in item.reasons] == ["INVOICE_TOO_LARGE", "TOO_MANY_LINES"]


def test_the_report_counts_what_is_held_and_reconciles(stage: Stage) -> None:
    decide(**OFF | {"largestInvoice": 500})
    open_sites("0901", "0902")
    save("0901", ("501.00", 1))
    save("0902", ("100.00", 1))

    run = stage.bill()

    report = json.loads(stage.stored[f"{run}.json"])
    assert outcomes(run) == {"generated": 1, "held": 1}
    assert (report["outcomes"]["held"], report["expected"], report["reconciles"]) == (1, 2, True)
    assert report["reasons"] == {"INVOICE_TOO_LARGE": 1}
    assert (report["statements"], report["total"]) == (2, "601.00")  # with its invoices (rules R64)
    held = next(one for one in report["items"] if one["outcome"] == "Held")
    assert (held["total"], held["owner"]) == ("501.00", "billingManager")
    assert live_numbers() == ["0901-202610-01-01", "0902-202610-01-01"]


def test_what_is_held_counts_and_is_made_anew_like_any_other(stage: Stage) -> None:
    decide(**OFF | {"largestInvoice": 500})
    open_sites("0901")
    contract = save_rooms("0901").contract_id
    rooms("0901", 501)
    first = stage.bill()
    again = stage.bill(source="again")
    rooms("0901", 499)

    made = stage.regenerate(standing(contract)[0].statement_id)

    assert [outcomes(run) for run in (first, again, made)] == [{"held": 1}, {"skipped": 1}, {"generated": 1}]
    assert [(row.generation, row.status) for row in standing(contract)] == [(1, "Superseded"), (2, "ApprovalTeam")]

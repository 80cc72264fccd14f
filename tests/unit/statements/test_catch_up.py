"""Missed months: which there are, why, and that they are billed after all (field reports 2, 4 and 6).

The clock stands on 24 November 2026: months through October are over, December is the next for contracts in advance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared_code.contracts.tables import contract, contract_version
from shared_code.foundation import bus, clock, database
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING, Visibility
from shared_code.periods.closing import decide as decide_period
from shared_code.statements.catch_up.command import main
from shared_code.statements.catch_up.model import CaughtUp, MissedPeriod
from shared_code.statements.catch_up.service import catch_up, missed_periods
from shared_code.statements.runs import cancel_run
from tests.unit.statements.stage import (
    NOVEMBER,
    Stage,
    items,
    live_numbers,
    open_sites,
    opened,
    outcomes,
    rooms,
    save,
    save_rooms,
    standing,
    start,
)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        open_sites("0901")
        yield stage


def missed(site: str = "0901", since: str | None = None) -> list[str]:
    return [one.period for one in missed_periods(site, since, EVERYTHING).items]


def the_missed(site: str = "0901") -> MissedPeriod:
    (found,) = missed_periods(site, None, EVERYTHING).items
    return found


def bill_missed(stage: Stage, periods: list[str] | None = None, since: str | None = None) -> list[CaughtUp]:
    started = catch_up("0901", periods, since, "test", "c", EVERYTHING)
    stage.drain()
    return started


# -- which months -------------------------------------------------------------------------------------------------
# The contract, the months that are billed, the first month asked for; the months that are missed.

DUE: list[tuple[str, dict[str, Any], list[str], str | None, list[str]]] = [
    ("nothing was ever tried here", {}, [], None, []),
    ("nothing was tried, and a month is asked for", {}, [], "2026-08", ["2026-08", "2026-09", "2026-10"]),
    ("all is billed", {}, ["2026-09", "2026-10"], None, []),
    ("a gap", {}, ["2026-07", "2026-09"], None, ["2026-08", "2026-10"]),
    ("what is before the first is not missed", {}, ["2026-09"], None, ["2026-10"]),
    ("unless it is asked for", {}, ["2026-09"], "2026-07", ["2026-07", "2026-08", "2026-10"]),
    ("from a month that is still to come", {}, ["2026-07"], "2199-01", []),
    ("from a later month on", {}, ["2026-07"], "2026-10", ["2026-10"]),
    ("in advance: the next month too", {"billingType": "Advanced"}, ["2026-10"], None, ["2026-11", "2026-12"]),
    ("in advance: not the one after", {"billingType": "Advanced"}, ["2026-11", "2026-12"], None, []),
    ("before its start", {"startDate": "2026-09-01"}, [], "2026-07", ["2026-09", "2026-10"]),
    ("after its end", {"endDate": "2026-08-31"}, ["2026-07"], None, ["2026-08"]),
]


@pytest.mark.parametrize(("what", "terms", "billed", "since", "expected"), DUE, ids=[case[0] for case in DUE])
def test_months_that_are_missed(
    stage: Stage, what: str, terms: dict[str, Any], billed: list[str], since: str | None, expected: list[str]
) -> None:
    save("0901", **terms)
    for period in billed:
        assert outcomes(stage.bill(period)) == {"generated": 1}

    assert missed(since=since) == expected


def test_a_closed_month_is_not_missed_until_it_is_reopened(stage: Stage) -> None:
    save("0901")
    stage.bill("2026-08")
    decide_period(Period(2026, 9), "close")
    assert missed() == ["2026-10"]

    decide_period(Period(2026, 9), "reopen", "a file was corrected")

    assert missed() == ["2026-09", "2026-10"]


def test_a_month_that_came_to_nothing_is_not_missed(stage: Stage) -> None:
    save_rooms("0901")
    for period, occupied in (("2026-08", 100), ("2026-09", 0), ("2026-10", 100)):
        rooms("0901", occupied, period)
        stage.bill(period)

    assert missed() == []


def test_a_month_that_came_to_nothing_is_missed_once_later_facts_say_otherwise(stage: Stage) -> None:
    """A silent zero: the first file said that nobody had come, the corrected one says that many had."""
    save_rooms("0901")
    rooms("0901", 0)
    assert outcomes(stage.bill()) == {"nothing_to_bill": 1}
    clock.set_clock(lambda: NOVEMBER + timedelta(hours=5))
    rooms("0901", 500)
    assert missed() == ["2026-10"]

    bill_missed(stage)

    assert (live_numbers(), missed()) == (["0901-202610-01-01"], [])


def test_a_month_that_a_regeneration_brought_to_nothing_is_not_missed(stage: Stage) -> None:
    saved = save_rooms("0901")
    rooms("0901", 100)
    stage.bill()
    rooms("0901", 0)
    stage.regenerate(standing(saved.contract_id)[0].statement_id)

    assert missed() == []


def test_a_month_in_which_the_contract_was_not_in_force_is_missed_once_it_is(stage: Stage) -> None:
    """The run found nothing to bill, since the start was wrong. The mended contract owes the month."""
    save("0901", startDate="2026-12-01")
    assert [item.reason for item in items(stage.bill())] == ["NOT_IN_FORCE"]
    assert missed() == []

    save("0901", startDate="2026-10-01")

    assert missed() == ["2026-10"]
    assert outcomes(bill_missed(stage)[0].run_id) == {"generated": 1}


def test_the_version_that_serves_a_month_says_whether_it_is_due(stage: Stage) -> None:
    """Rules R12: in arrears until September, in advance from October on."""
    saved = save("0901")
    stage.bill("2026-08")
    with database.transaction() as work:
        c = contract_version.c
        row = dict(work.connection.execute(sa.select(contract_version)).one()._mapping)
        row |= {"version": 2, "effective_from": date(2026, 10, 1), "billing_type": "Advanced"}
        work.connection.execute(contract_version.insert(), row)
        work.connection.execute(
            contract.update().where(contract.c.contract_id == saved.contract_id).values(latest_version=2)
        )
        assert work.connection.scalar(sa.select(sa.func.count(c.version))) == 2

    assert missed() == ["2026-09", "2026-10", "2026-11", "2026-12"]


def test_a_document_that_cannot_be_read_hides_no_month(stage: Stage) -> None:
    save("0901")
    stage.bill("2026-09")
    with database.transaction() as work:
        work.connection.execute(contract_version.update().values(document="{}"))

    assert missed() == ["2026-10"]
    assert outcomes(bill_missed(stage)[0].run_id) == {"failed": 1}
    assert the_missed().reason == "CALCULATION_FAULT"


def test_what_is_billed_is_told_by_statements_and_by_nothing_else(stage: Stage) -> None:
    """Field report 2: a date that moves on with every run would say that August is done."""
    save("0901")
    stage.bill("2026-08")
    stage.bill("2026-10")
    with database.transaction() as work:
        assert work.connection.scalar(sa.select(contract.c.billed_through)) == "2026-10"

    assert missed() == ["2026-09"]
    bill_missed(stage)
    assert missed() == []
    assert live_numbers() == [f"0901-2026{month}-01-01" for month in ("08", "09", "10")]


# -- why ----------------------------------------------------------------------------------------------------------


def test_a_failure_is_shown_until_the_month_is_billed(stage: Stage) -> None:
    """Field report 6: the last error stands at the contract with its owner and date, and goes by itself."""
    save_rooms("0901")
    run = stage.bill()
    found = the_missed()
    assert (found.period, found.outcome, found.reason, found.run_id) == ("2026-10", "Failed", "MISSING_FACTS", run)
    assert (found.owner, str(found.suggestion)[:4]) == ("billingAdmin", "Drop")
    assert "site_statistics" in str(found.message)
    assert found.tried_at is not None

    rooms("0901", 100)
    bill_missed(stage)

    assert missed() == []


def test_the_last_try_is_the_one_that_is_told(stage: Stage) -> None:
    save_rooms("0901")
    stage.bill(source="first")
    cancelled = start(source="second").run_id
    cancel_run(cancelled)
    stage.drain()

    assert (the_missed().outcome, the_missed().run_id) == ("Cancelled", cancelled)


def test_a_dry_run_has_tried_nothing(stage: Stage) -> None:
    save_rooms("0901")
    rooms("0901", 100, "2026-09")
    assert outcomes(stage.bill("2026-08", dry_run=True)) == {"failed": 1}
    assert missed() == []
    stage.bill("2026-09")
    assert outcomes(stage.bill(dry_run=True)) == {"failed": 1}

    assert (the_missed().period, the_missed().outcome, the_missed().run_id) == ("2026-10", None, None)


# -- billing them -------------------------------------------------------------------------------------------------


def test_all_missed_months_are_billed_the_oldest_first(stage: Stage) -> None:
    save("0901")
    stage.bill("2026-06")
    stage.bill("2026-08")

    started = bill_missed(stage)

    assert [(run.period, run.created) for run in started] == [("2026-07", True), ("2026-09", True), ("2026-10", True)]
    assert [outcomes(run.run_id) for run in started] == [{"generated": 1}] * 3
    assert bill_missed(stage) == []


def test_named_months_are_billed_alone(stage: Stage) -> None:
    save("0901")

    started = bill_missed(stage, ["2026-09", "2026-07"])

    assert [run.period for run in started] == ["2026-07", "2026-09"]
    assert missed() == ["2026-08", "2026-10"]


@pytest.mark.parametrize(
    ("periods", "code"),
    [
        (["2026-10"], "PERIOD_NOT_MISSED"),  # billed
        (["2026-09", "2026-11"], "PERIOD_NOT_MISSED"),  # not over
        (["October"], "PERIOD_INVALID"),
        (["2199-01"], "PERIOD_UNKNOWN"),
    ],
)
def test_months_that_are_not_missed_are_refused_and_nothing_starts(stage: Stage, periods: list[str], code: str) -> None:
    save("0901")
    stage.bill()

    with pytest.raises(BillingError) as refused:
        bill_missed(stage, periods)

    assert refused.value.code == code
    assert missed(since="2026-09") == ["2026-09"]
    assert standing(str(items(stage.bill(source="later"))[0].contract_id), "2026-09") == []


def test_a_month_that_fails_again_is_tried_again_by_the_same_run(stage: Stage) -> None:
    save_rooms("0901")
    stage.bill("2026-10")
    (first,) = bill_missed(stage)
    rooms("0901", 100)

    (second,) = bill_missed(stage)

    assert (first.created, second.created, first.run_id == second.run_id) == (True, False, True)
    assert outcomes(first.run_id) == {"generated": 1}


def test_a_run_that_was_cancelled_is_followed_by_another(stage: Stage) -> None:
    save("0901")
    stage.bill("2026-09")
    (first,) = catch_up("0901", None, None, "test", "c", EVERYTHING)
    cancel_run(first.run_id)
    stage.drain()

    (second,) = bill_missed(stage)

    assert (second.created, outcomes(first.run_id), outcomes(second.run_id)) == (
        True,
        {"cancelled": 1},
        {"generated": 1},
    )


def test_asked_twice_at_once_it_is_one_run(stage: Stage) -> None:
    save("0901")
    stage.bill("2026-09")

    (first,) = catch_up("0901", None, None, "test", "c", EVERYTHING)
    (second,) = catch_up("0901", None, None, "test", "c", EVERYTHING)

    assert (first.run_id == second.run_id, second.created) == (True, False)
    stage.drain()
    assert outcomes(first.run_id) == {"generated": 1}


def test_each_contract_of_a_site_has_its_own_months(stage: Stage) -> None:
    first = save("0901").contract_id
    stage.bill("2026-09")
    second = save("0901", ("100.00", 2), id="second", additional=True, groups=[{"id": "g1", "number": 2}]).contract_id

    assert [(one.contract_id, one.period) for one in missed_periods("0901", None, EVERYTHING).items] == [
        (first, "2026-10")
    ]
    both = missed_periods("0901", "2026-09", EVERYTHING).items
    assert {(one.contract_id, one.period) for one in both} == {
        (first, "2026-10"),
        (second, "2026-09"),
        (second, "2026-10"),
    }


@pytest.mark.parametrize(
    ("site", "since", "visible", "code"),
    [
        ("0999", None, EVERYTHING, "CONTRACT_NOT_FOUND"),
        ("0901", None, Visibility(sa.select(contract.c.site_number).where(sa.false())), "CONTRACT_NOT_FOUND"),
        ("0901", "spring", EVERYTHING, "PERIOD_INVALID"),
    ],
)
def test_what_cannot_be_asked(stage: Stage, site: str, since: str | None, visible: Visibility, code: str) -> None:
    save("0901")
    with pytest.raises(BillingError) as refused:
        missed_periods(site, since, visible)
    assert refused.value.code == code


# -- the command --------------------------------------------------------------------------------------------------


def test_the_command_lists_and_bills(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    save_rooms("0901")
    stage.bill("2026-10")

    assert main(["--site", "0901"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[1].startswith("2026-10 contract ")
    assert "Failed MISSING_FACTS" in told[1]
    assert told[1].endswith("(billingAdmin)")
    assert json.loads(told[-1]) == {"site": "0901", "missed": 1, "runs": 0}

    rooms("0901", 100)
    assert main(["--site", "0901", "--since", "2026-10", "--generate"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"site": "0901", "missed": 1, "runs": 1}
    assert not stage.waiting  # the command speaks to no bus
    clock.set_clock(lambda: NOVEMBER + timedelta(minutes=1))
    bus.sweep()
    stage.drain()

    assert main(["--site", "0901"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"site": "0901", "missed": 0, "runs": 0}


def test_the_command_says_what_helps(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--site", "0999"]) == 2
    code, cure = capsys.readouterr().err.splitlines()
    assert code.startswith("CONTRACT_NOT_FOUND: ")
    assert cure


def test_no_month_is_listed_that_is_too_long_ago_to_be_billed(stage: Stage) -> None:
    save("0901")

    assert missed(since="2001-01")[0] == "2016-11"

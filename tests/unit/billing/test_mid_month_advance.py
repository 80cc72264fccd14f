"""Mid-month advances (billing-flows 6.7, rules R9, R21, R55). They need no facts."""

from dataclasses import replace
from typing import Any

import pytest

from shared_code.billing.calculation import compute
from shared_code.billing.model import AdHocLine, Step
from shared_code.contracts.schema import AdvanceItem, MidMonthAdvance
from shared_code.contracts.terms import terms_for
from shared_code.foundation.calendar import Period
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    amounts,
    bill,
    codes,
    contract,
    facts,
    fees,
    grouped,
    money,
    service,
)


def advances(*rows: AdvanceItem) -> MidMonthAdvance:
    return MidMonthAdvance(enabled=True, items=rows)


def advance(amount: str | None, **fields: Any) -> AdvanceItem:
    return AdvanceItem(**{"id": "a-1", "amount": None if amount is None else money(amount), **fields})


CASES = [
    # case, advance, credited
    *((f"TV-MMA-1, {amount}", {"amount": amount}, [f"-{amount}.00"]) for amount in ("11000", "15000", "30000")),
    ("active in October", {"amount": "1", "start": Period(2026, 10), "end": Period(2026, 10)}, ["-1.00"]),
    ("from November on", {"amount": "1", "start": Period(2026, 11)}, []),
    ("through September", {"amount": "1", "end": Period(2026, 9)}, []),
    ("no amount is no line", {"amount": "0"}, []),
]


@pytest.mark.parametrize(("fields", "billed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_advance_is_credited_on_every_statement_while_it_is_active(
    fields: dict[str, Any], billed: list[str]
) -> None:
    assert amounts(bill(contract(advances(advance(**fields))), facts())) == billed


TITLES = [
    ("MidMonthBilling", "Less: Mid-Month Billing"),
    ("PreBill", "Less: Pre-Bill"),
    (None, "Less: Mid-Month Billing"),
]


@pytest.mark.parametrize(("stated", "printed"), TITLES)
def test_titles(stated: str | None, printed: str) -> None:
    line = bill(contract(advances(advance("5", line_title=stated))), facts()).lines[0]

    assert (line.title, line.code, line.description) == (printed, "4790", "")


def test_every_row_is_credited_on_its_own_group() -> None:
    """Rules R9: the source takes the first row only."""
    rows = advances(advance("5"), advance("7.005", id="a-2", group=2))

    outcome = bill(grouped(rows), facts())

    assert [(line.group, str(line.amount)) for line in outcome.lines] == [(1, "-5.00"), (2, "-7.01")]


def test_a_row_without_an_amount_fails_the_contract() -> None:
    assert codes(bill(contract(fees(service("1")), advances(advance(None))), facts())) == ["NULL_NUMBER"]


def test_tv_mma_2_fees_less_the_advance_and_what_the_client_has_paid() -> None:
    paid = AdHocLine("a", 1, "clientPaidExpense", "Signs", "4790", "", money("-1284"))
    terms = terms_for(contract(fees(service("67150.92")), advances(advance("12000"))), PERIOD)

    outcome = compute(terms, facts(), CONTEXT, adhoc=[paid])

    assert amounts(outcome) == ["67150.92", "-12000.00", "-1284"]
    assert sum(line.amount for line in outcome.lines) == money("53866.92")


def test_dates_that_end_before_they_start_fail_the_contract() -> None:
    reversed_dates = advance("1", start=Period(2026, 11), end=Period(2026, 9))

    assert codes(bill(contract(advances(reversed_dates)), facts())) == ["DATES_REVERSED"]


def test_it_stands_on_an_advanced_contract_too() -> None:
    """Rules R50: it needs no facts."""
    assert amounts(bill(contract(advances(advance("5")), billing_type="Advanced"), facts())) == ["-5.00"]


def test_the_account_is_that_of_the_configuration_and_the_step_says_the_advance() -> None:
    context = replace(CONTEXT, gl=replace(CONTEXT.gl, mid_month_advance="4799"))

    (line,) = bill(contract(advances(advance("12000"))), facts(), context).lines

    assert line.code == "4799"
    assert line.trace.inputs == {"row": "a-1", "advance": money("12000")}
    assert line.trace.steps == (Step("Less the advance of $12,000.00", money("-12000.00")),)


def test_the_line_belongs_to_the_advances() -> None:
    assert [line.block for line in bill(contract(advances(advance("5"))), facts()).lines] == ["midMonthAdvance"]

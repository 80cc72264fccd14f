"""Deposited revenue and parking tax (billing-flows 6.8, rules R20, requirements DEP-01 to DEP-05)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from shared_code.contracts.schema import DepositedRevenue, DepositItem
from shared_code.facts.model import SiteFacts
from shared_code.facts.predicates import (
    CLIENT_COLLECTED_NET,
    CLIENT_COLLECTED_TAX,
    DEPOSITED_GROSS,
    DEPOSITED_NET,
    DEPOSITED_TAX,
)
from tests.unit.billing.builders import (
    CONTEXT,
    amounts,
    bill,
    codes,
    contract,
    facts,
    fees,
    grouped,
    measured,
    monthly,
    service,
)


def deposits(*, deposited: bool, tax: bool) -> DepositedRevenue:
    row = DepositItem(id="d-1", deposited_revenue_enabled=deposited, operator_pays_parking_tax=tax)
    return DepositedRevenue(enabled=True, items=(row,))


def month(**sums: str) -> SiteFacts:
    """Sums of the month; what is not given is 0."""
    return measured(facts(revenue=monthly("0")), **sums)


EXAMPLE = {
    "clientCollectedNet": "20000",
    "clientCollectedTax": "2000",
    "depositedNet": "50000",
    "depositedGross": "55000",
    "depositedTax": "5000",
}
CASES = [
    # case, deposited revenue on, operator pays tax, sums of the month, billed
    ("TV-DEP-1: both off, nothing", False, False, EXAMPLE, []),
    ("TV-DEP-3: client-collected 80,000 at 8 %", False, True, {"clientCollectedTax": "6400"}, ["6400.00"]),
    ("TV-DEP-4: gross 64,800", True, False, {"depositedGross": "64800", "depositedNet": "60000"}, ["-64800.00"]),
    ("18.13: tax first, then net", True, True, EXAMPLE, ["2000.00", "-50000.00"]),
    (
        "halves of a cent away from zero",
        True,
        True,
        {"clientCollectedTax": "0.005", "depositedNet": "0.005"},
        ["0.01", "-0.01"],
    ),
    ("no deposits, no lines", True, True, {}, []),
]


@pytest.mark.parametrize(
    ("deposited", "tax", "sums", "billed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_four_ways(deposited: bool, tax: bool, sums: dict[str, str], billed: list[str]) -> None:
    outcome = bill(contract(fees(service("0")), deposits(deposited=deposited, tax=tax)), month(**sums))

    assert amounts(outcome) == billed


def test_the_lines_as_they_are_printed() -> None:
    lines = bill(contract(deposits(deposited=True, tax=True)), month(**EXAMPLE)).lines

    assert [(line.title, line.code, line.description) for line in lines] == [
        ("Client Collected Parking Tax due to Meridian", "4790", ""),
        ("Less: Meridian Deposited Revenue", "4790", ""),
    ]


def test_tv_dep_5_without_the_operators_tax_nothing_goes_to_the_tax_journal() -> None:
    """The ledger posts a tax line and `taxesPaid`; there is no such line, and the amount is 0."""
    (less,) = bill(contract(deposits(deposited=True, tax=False)), month(**EXAMPLE)).lines

    assert "isPaidParkingTax" not in less.meta
    assert less.meta["taxesPaid"] == 0


FLAGS = [
    # deposit flag, is taxed as collected by the client, is credited as deposited
    ("N", True, False),
    ("Y", False, True),
    ("V", False, False),
]


@pytest.mark.parametrize(("flag", "taxed", "credited"), FLAGS)
def test_validations_are_neither_taxed_nor_deposited(flag: str, taxed: bool, credited: bool) -> None:
    """Rules R20 change C-26: the source taxes every flag but Y, validations (V) included."""
    assert [one.matches(flag, "VALET", "") for one in (CLIENT_COLLECTED_NET, CLIENT_COLLECTED_TAX)] == [taxed] * 2
    deposited = (DEPOSITED_NET, DEPOSITED_GROSS, DEPOSITED_TAX)
    assert [one.matches(flag, "VALET", "") for one in deposited] == [credited] * 3


@pytest.mark.parametrize("category", ["PER MAN HOUR", "OTHER REVENUE"])
def test_two_categories_are_not_taxed_and_yet_deposited(category: str) -> None:
    """Billing-flows A.1."""
    assert not CLIENT_COLLECTED_TAX.matches("N", category, "")
    assert DEPOSITED_NET.matches("Y", category, "")


def test_metadata_tells_the_ledger_of_the_tax_that_was_paid() -> None:
    """Requirements DEP-04: tax on deposits is never printed, and goes to the ledger with the line."""
    tax, less = bill(contract(deposits(deposited=True, tax=True)), month(**EXAMPLE)).lines
    (alone,) = bill(contract(deposits(deposited=True, tax=False)), month(**EXAMPLE)).lines

    assert tax.meta == {"lineItemType": "paidParkingTax", "isPaidParkingTax": True}
    assert less.meta["lineItemType"] == "depositedRevenue"
    assert less.meta["isDepositedRevenue"] is True
    assert (str(less.meta["taxesPaid"]), str(alone.meta["taxesPaid"])) == ("5000.00", "0.00")


def test_each_line_names_the_rows_that_it_counts() -> None:
    tax, less = bill(contract(deposits(deposited=True, tax=True)), month(**EXAMPLE)).lines
    (gross,) = bill(contract(deposits(deposited=True, tax=False)), month(**EXAMPLE)).lines

    found = [line.trace.facts[0].selection for line in (tax, less, gross)]
    assert found == [{"measure": "clientCollectedTax"}, {"measure": "depositedNet"}, {"measure": "depositedGross"}]


def test_the_steps_say_what_was_summed() -> None:
    tax, less = bill(contract(deposits(deposited=True, tax=True)), month(**EXAMPLE)).lines
    (gross,) = bill(contract(deposits(deposited=True, tax=False)), month(**EXAMPLE)).lines

    assert [(line.trace.steps[0].text, str(line.trace.steps[0].value)) for line in (tax, less, gross)] == [
        ("Parking tax on $20,000.00 that the client collected, day by day at its rate", "2000.00"),
        ("Less the revenue that the operator deposited, net of tax", "-50000.00"),
        ("Less the revenue that the operator deposited, with tax", "-55000.00"),
    ]
    assert tax.trace.inputs == {"row": "d-1", "clientCollected": Decimal("20000"), "tax": Decimal("2000")}
    assert less.trace.inputs == {"row": "d-1", "deposited": Decimal("50000")}


def test_a_second_row_is_a_contract_error() -> None:
    """Rules R9."""
    row = deposits(deposited=True, tax=True).items[0]
    two = DepositedRevenue(enabled=True, items=(row, row.model_copy(update={"id": "d-2"})))

    assert codes(bill(contract(two), month(**EXAMPLE))) == ["SECOND_ROW"]


def test_it_is_billed_on_its_own_group_under_the_configured_account() -> None:
    row = deposits(deposited=True, tax=True).items[0].model_copy(update={"group": 2})
    context = replace(CONTEXT, gl=replace(CONTEXT.gl, deposited_revenue="4785"))

    lines = bill(grouped(DepositedRevenue(enabled=True, items=(row,))), month(**EXAMPLE), context).lines

    assert [(line.group, line.code) for line in lines] == [(2, "4785")] * 2


def test_without_revenue_rows_it_fails_but_only_when_it_reads_them() -> None:
    assert codes(bill(contract(deposits(deposited=True, tax=False)), facts())) == ["MISSING_FACTS"]
    assert codes(bill(contract(deposits(deposited=False, tax=True)), facts())) == ["MISSING_FACTS"]
    assert amounts(bill(contract(fees(service("1")), deposits(deposited=False, tax=False)), facts())) == ["1.00"]


def test_both_lines_belong_to_the_block_and_count_the_rows_of_the_month() -> None:
    """Without the month in its reference, the drill-down could not find the rows again."""
    lines = bill(contract(deposits(deposited=True, tax=True)), month(**EXAMPLE)).lines

    assert [(line.block, line.trace.facts[0].period) for line in lines] == [("depositedRevenue", "2026-10")] * 2

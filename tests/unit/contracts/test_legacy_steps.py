"""The fields of today's application that older exports lack: each has a home in the contract, and is written back."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from shared_code.contracts.legacy import read_legacy, write_legacy
from shared_code.contracts.schema import (
    AccountBlock,
    BillableAccounts,
    Contract,
    FixedAmount,
    FixedPct,
    ManagementAgreement,
    PercentagePoints,
    PerOccupiedRoom,
    RevenueShare,
)
from tests.unit.contracts.documents import edited, legacy_file, money

Original = dict[str, Any]


def deal(**fields: object) -> Callable[[Original], None]:
    return lambda original: original["managementAgreement"]["ManagementFees"][0].update(fields)


def accounts(**fields: object) -> Callable[[Original], None]:
    return lambda original: original["billableAccounts"]["billableAccountsData"][0].update(fields)


def fee_step(kind: str, value: float, **fields: object) -> Callable[[Original], None]:
    return deal(
        managementFeeEscalatorEnabled=True,
        managementFeeEscalatorMonth="July",
        managementFeeEscalatorType=kind,
        managementFeeEscalatorValue=value,
        **fields,
    )


def pteb_step(kind: str, value: float, month: object = "March", *, on: bool = True) -> Callable[[Original], None]:
    return accounts(
        payrollTaxesEscalatorEnable=on,
        payrollTaxesEscalatorMonth=month,
        payrollTaxesEscalatorvalue=value,
        payrollTaxesEscalatorType=kind,
    )


JOB = {"Code": "GSA", "Description": "Attendant", "StandardRate": 20.0, "OvertimeRate": 30.0}
HOURS = {"managementAgreementType": "PerLaborHour", "revenuePercentageAmount": 0.0, "fixedFeeAmount": 0.0}
SHARE = {
    "profitShareEnabled": True,
    "profitShareEscalatorEnabled": True,
    "profitShareEscalatorMonth": 9,
    "profitShareEscalatorType": "FixedAmount",
    "profitShareTierData": [
        {"sharePercentage": 20.0, "amount": 90000.0, "escalatorValue": 0.5},
        {"sharePercentage": 10.0, "amount": 0.0, "escalatorValue": None},
    ],
}
RAISED: list[tuple[str, Callable[[Original], None], list[tuple[str, str, str, str, str]]]] = [
    (
        "a fee by percent",
        fee_step("Percentage", 3.0),
        [("fixed_pct", "managementAgreement.fee", "A10-managementAgreement-1", "July", "3.0")],
    ),
    (
        "a fee by an amount",
        fee_step("FixedAmount", 25.0),
        [("fixed_amount", "managementAgreement.fee", "A10-managementAgreement-1", "July", "25.0")],
    ),
    (
        "a fee in percent by points",
        fee_step("FixedAmount", 0.25, managementAgreementType="RevenuePercentage", revenuePercentageAmount=5.0),
        [("percentage_points", "managementAgreement.fee", "A10-managementAgreement-1", "July", "0.25")],
    ),
    (
        "the jobs of a fee",
        fee_step(
            "FixedAmount",
            9.0,
            **HOURS,
            perLaborHourJobCodeData=[{**JOB, "StandardRateEscalatorValue": 0.5, "OvertimeRateEscalatorValue": 0.75}],
        ),
        [
            ("fixed_amount", "managementAgreement.fee.rate", "GSA", "July", "0.5"),
            ("fixed_amount", "managementAgreement.fee.otRate", "GSA", "July", "0.75"),
        ],
    ),
    (
        "payroll taxes by points, the month as a number",
        pteb_step("FixedAmount", 0.25, 3),
        [("percentage_points", "billableAccounts.pteb", "A10-billableAccounts-1", "March", "0.25")],
    ),
    (
        "payroll taxes by percent",
        pteb_step("Percentage", 1.5),
        [("fixed_pct", "billableAccounts.pteb", "A10-billableAccounts-1", "March", "1.5")],
    ),
    (
        "a tier of the profit share",
        deal(**SHARE),
        [("percentage_points", "managementAgreement.profitShare", "1", "September", "0.5")],
    ),
    ("payroll taxes that are switched off", pteb_step("Percentage", 1.5, on=False), []),
    ("payroll taxes without a month", pteb_step("Percentage", 1.5, None), []),
    ("payroll taxes by 0", pteb_step("Percentage", 0.0), []),
]


def test_a_step_that_is_on_without_effect_is_told() -> None:
    """Otherwise a fee that should rise bills too little without a sign (rules R8)."""
    edits = [
        (fee_step("Percentage", 0.0), "managementFeeEscalatorEnabled"),
        (pteb_step("Percentage", 1.5, None), "payrollTaxesEscalatorEnable"),
    ]
    for edit, switch in edits:
        warnings = [one for one in read_legacy(edited("A10", edit)).warnings if one.code in ("DQ20", "DQ21")]
        assert [(one.code, one.pointer.rpartition("/")[2]) for one in warnings] == [("DQ20", switch)]


def test_a_step_that_works_is_no_warning_and_one_that_is_off_is_left_behind() -> None:
    assert not {"DQ20", "DQ21"} & {one.code for one in read_legacy(edited("A10", fee_step("Percentage", 3.0))).warnings}
    off = read_legacy(edited("A10", pteb_step("Percentage", 1.5, on=False))).warnings
    assert "DQ21" in {one.code for one in off} and "DQ20" not in {one.code for one in off}


def number(step: object) -> Decimal:
    match step:
        case FixedPct():
            return step.pct
        case FixedAmount():
            return step.amount
        case PercentagePoints():
            return step.points
        case _:
            raise TypeError(step)


def stored(data: bytes) -> Contract:
    return Contract.model_validate_json(read_legacy(data).contract.model_dump_json(by_alias=True))


@pytest.mark.parametrize(("edit", "steps"), [row[1:] for row in RAISED], ids=[row[0] for row in RAISED])
def test_a_step_of_the_file_is_an_escalator_of_the_contract(
    edit: Callable[[Original], None], steps: list[tuple[str, str, str, str, str]]
) -> None:
    data = edited("A10", edit)

    contract = stored(data)

    found = [(s.rule, s.target, s.target_id, s.month, str(number(s))) for s in contract.escalators]
    assert found == steps
    assert all(step.source == "field" for step in contract.escalators)
    assert write_legacy(contract) == data


def test_a_step_that_was_changed_since_is_exported_as_it_is_now() -> None:
    contract = stored(edited("A10", pteb_step("Percentage", 1.5)))
    [step] = contract.escalators
    assert isinstance(step, FixedPct)

    changed = contract.model_copy(update={"escalators": (step.model_copy(update={"pct": money("2.5")}),)})

    row = json.loads(write_legacy(changed))["original"]["billableAccounts"]["billableAccountsData"][0]
    assert (row["payrollTaxesEscalatorvalue"], row["payrollTaxesEscalatorMonth"]) == (2.5, "March")


def test_a_step_that_was_removed_since_is_not_exported() -> None:
    contract = stored(edited("A10", pteb_step("Percentage", 1.5)))

    exported = write_legacy(contract.model_copy(update={"escalators": ()}))

    assert b"payrollTaxesEscalator" not in exported


def test_a_step_that_was_entered_here_is_exported_where_the_file_has_a_place_for_it() -> None:
    contract = stored(legacy_file("A10")[0])
    step = FixedPct(
        target="billableAccounts.pteb", target_id="A10-billableAccounts-1", month="May", pct=money("2"), source="field"
    )

    exported = write_legacy(contract.model_copy(update={"escalators": (*contract.escalators, step)}))

    assert step in read_legacy(exported).contract.escalators


@pytest.mark.parametrize("spelling", ["accountsPayable", "accountspayable"])
def test_codes_of_the_header_and_of_rooms_are_read_in_either_spelling(spelling: str) -> None:
    room = "occupiedRoomCode" if spelling == "accountsPayable" else "occupiedroomcode"

    def edit(original: Original) -> None:
        original[spelling] = "AP-4"
        original["perOccupiedRoom"][room] = "4791"

    data = edited("A24", edit)
    contract = stored(data)

    rooms = contract.component(PerOccupiedRoom)
    assert rooms is not None
    assert (contract.accounts_payable, rooms.code) == ("AP-4", "4791")
    assert write_legacy(contract) == data


def block_of(contract: Contract) -> AccountBlock:
    component = contract.component(BillableAccounts)
    assert component is not None
    return component.blocks[0]


def test_additional_payroll_and_the_order_of_expenses_have_a_home() -> None:
    def edit(original: Original) -> None:
        accounts(additionalPayrollAmount=125.5)(original)
        line = {"id": "n", "nonglexpensetype": "FixedAmount", "expensepayrolltype": "Total", "expenseamount": 5.0}
        line |= {"expensetitle": "Device", "finalperiodbilled": "2026-05-01T00:00:00", "sequenceNumber": 3}
        deal(nonGlBillableExpenses=[line], nonGlBillableExpensesEnabled=True)(original)

    data = edited("A10", edit)
    contract = stored(data)

    managed = contract.component(ManagementAgreement)
    assert managed is not None
    [line] = managed.agreements[0].non_gl
    assert (block_of(contract).additional_payroll, line.sequence, str(line.final_period)) == (
        money("125.5"),
        3,
        "2026-05",
    )
    assert write_legacy(contract) == data


def test_the_step_beside_a_tier_of_revenue_is_kept_as_a_record_and_raises_nothing() -> None:
    def edit(original: Original) -> None:
        tiers = original["revenueShare"]["thresholdStructures"][0]["tiers"]
        for place, tier in enumerate(tiers):
            tier["escalatorValue"] = 1.5 * place

    data = edited("A05", edit)
    contract = stored(data)

    share = contract.component(RevenueShare)
    assert share is not None
    assert [tier.escalator_value for tier in share.structures[0].tiers] == [money("0.0"), money("1.5"), money("3.0")]
    assert contract.escalators == ()
    assert write_legacy(contract) == data

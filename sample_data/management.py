"""Contract blocks that read the ledger: billable accounts and the management agreement (contract-corpus 2.2)."""

from __future__ import annotations

from typing import Final

from sample_data.draw import Draw
from sample_data.legacy_form import EXPENSE_ACCOUNTS, PAYROLL_ACCOUNTS, USUALLY_OFF, Json, account_list

_PTEB: Final = ((0.0, 15), (0.1, 28), (0.5, 32), (0.9, 38), (1.0, 48))
_SUPPORT: Final = ((0.0, 1), (0.1, 1.5), (0.5, 2.5), (0.9, 3), (1.0, 7))
_FEE: Final = ((0.0, 250), (0.1, 750), (0.5, 1_500), (0.9, 4_000), (1.0, 12_000))
_INSURANCE: Final = ((0.0, 180), (0.1, 410), (0.5, 1_600), (0.9, 2_900), (1.0, 3_700))
_CLAIMS_CAP: Final = ((0.0, 4_500), (0.1, 5_000), (0.5, 14_000), (0.9, 25_000), (1.0, 40_000))
_PROFIT_BOUND: Final = ((0.0, 13_000), (0.1, 50_000), (0.5, 300_000), (0.9, 1_000_000), (1.0, 2_500_000))
_CHARGE: Final = ((0.0, 100), (0.1, 130), (0.5, 200), (0.9, 600), (1.0, 1_800))

_CHARGES: Final = ("Connectivity Fees", "Pay Station Rental", "Commercial Insurance", "Administrative Fee")
_CLAIM_ACCOUNTS: Final = frozenset({"7099", "7100", "7101", "7102"})
_REIMBURSED: Final = ("7075", "7170", "7175", "7185", "7220", "7070", "7065", "7200")


def accounts_block(draw: Draw, style: str, expense_group: int = 1) -> Json:
    """The billable-account row.

    Style `agreement` bills payroll, PTEB, support and expenses; `lot` selects no account (a net-profit lot);
    `reimbursed` passes a few expense accounts through.
    """
    match style:
        case "agreement":
            return _block(draw, _usual_payroll(), _expenses(draw), expense_group, _payroll_extras(draw))
        case "reimbursed":
            few = draw.several(dict.fromkeys(_REIMBURSED, 1.0), draw.number(1, 4))
            return _block(draw, frozenset(), frozenset(few), expense_group, _NO_EXTRAS)
        case _:
            return _block(draw, frozenset(), frozenset(), expense_group, _NO_EXTRAS)


def agreement_block(draw: Draw, style: str) -> Json:
    """The management-agreement row: fee, insurance, claims, profit share, validation, non-ledger lines."""
    row: Json = {"id": draw.guid(), "invoiceGroup": 1}
    if style == "lot":
        return row | _NO_FEE | _NO_INSURANCE | _NO_CLAIMS | _lot_profit(draw) | _NO_VALIDATION | _lot_lines(draw)
    other: Json = {"nonGlBillableExpensesEnabled": draw.weighted({None: 176, False: 10}), "nonGlBillableExpenses": []}
    return row | _fee(draw) | _insurance(draw) | _claims(draw) | _profit(draw) | _validation(draw) | other


_NO_EXTRAS: Final[Json] = {
    "payrollTaxesEnabled": False,
    "payrollTaxesBillingType": "Actual",
    "payrollTaxesLineTitle": "PTEB",
    "payrollTaxesPercentage": None,
    "payrollSupportAmount": None,
    "payrollSupportBillingType": "Fixed",
    "payrollSupportEnabled": False,
    "payrollSupportLineTitle": "Support Services",
    "payrollSupportPayrollType": "Billable",
}
_NO_FEE: Final[Json] = {
    "managementAgreementType": "FixedFee",
    "fixedFeeAmount": 0.0,
    "laborHourJobCode": None,
    "perLaborHourJobCodeData": [],
    "laborHourRate": 0.0,
    "laborHourOvertimeRate": 0.0,
    "revenuePercentageAmount": 0.0,
}
_NO_INSURANCE: Final[Json] = {
    "insuranceAdditionalPercentage": 0.0,
    "insuranceEnabled": False,
    "insuranceFixedFeeAmount": 0.0,
    "insuranceLineTitle": None,
    "insuranceType": "BasedOnBillableAccounts",
}
_NO_CLAIMS: Final[Json] = {
    "claimsCapAmount": 0.0,
    "claimsEnabled": False,
    "claimsLineTitle": None,
    "claimsType": "AnnualAnniversary",
}
_NO_PROFIT: Final[Json] = {
    "profitShareAccumulationType": "Monthly",
    "profitShareEnabled": False,
    "profitShareTierData": [],
}
_NO_VALIDATION: Final[Json] = {
    "validationThresholdAmount": None,
    "validationThresholdEnabled": False,
    "validationThresholdType": "ValidationAmount",
}


def _block(draw: Draw, payroll: frozenset[str], expense: frozenset[str], expense_group: int, extras: Json) -> Json:
    usual = draw.chance(277 / 344)
    return {
        "id": draw.guid(),
        "payrollAccountsData": account_list(PAYROLL_ACCOUNTS, payroll),
        "payrollAccountsInvoiceGroup": 1,
        "payrollAccountsLineTitle": "Site Salaries & Wages" if usual else "Payroll Accounts",
        **extras,
        "payrollExpenseAccountsData": account_list(EXPENSE_ACCOUNTS, expense),
        "payrollExpenseAccountsInvoiceGroup": expense_group,
        "payrollExpenseAccountsLineTitle": "Total Other Expenses" if usual else "Payroll Expense Accounts",
    }


def _usual_payroll() -> frozenset[str]:
    return frozenset(PAYROLL_ACCOUNTS) - USUALLY_OFF


def _expenses(draw: Draw) -> frozenset[str]:
    usual = frozenset(EXPENSE_ACCOUNTS) - USUALLY_OFF
    match draw.weighted({"usual": 138, "without claims": 15, "custom": 10}):
        case "without claims":
            return usual - _CLAIM_ACCOUNTS
        case "custom":
            return usual - set(draw.several(dict.fromkeys(sorted(usual), 1.0), draw.number(1, 6)))
        case _:
            return usual


def _payroll_extras(draw: Draw) -> Json:
    extras = dict(_NO_EXTRAS)
    if draw.chance(0.98):
        extras |= {"payrollTaxesEnabled": True, "payrollTaxesBillingType": "Percentage"}
        extras["payrollTaxesPercentage"] = draw.money(_PTEB, "0.1")
        if draw.chance(1 / 163):
            extras |= {"payrollTaxesBillingType": "Actual", "payrollTaxesPercentage": None}
    if draw.chance(0.87):
        extras |= {"payrollSupportEnabled": True, "payrollSupportBillingType": "Percentage"}
        extras["payrollSupportAmount"] = draw.money(_SUPPORT, "0.25")
        extras["payrollSupportPayrollType"] = draw.weighted({"Total": 131, "Billable": 8})
        extras["payrollSupportLineTitle"] = "Business Support Services"
    return extras


def _fee(draw: Draw) -> Json:
    match draw.weighted({"fixed": 135, "none": 25, "percentage": 2}):
        case "fixed":
            return _NO_FEE | {"fixedFeeAmount": draw.money(_FEE, "25")}
        case "percentage":
            share = draw.number(6, 14) / 2
            return _NO_FEE | {"managementAgreementType": "RevenuePercentage", "revenuePercentageAmount": share}
        case _:
            return dict(_NO_FEE)


def _insurance(draw: Draw) -> Json:
    kinds = {"standard": 91, "low": 33, "high": 12, "fixed": 20, "off": 5}
    match draw.weighted(kinds):
        case "standard":
            change: Json = {"insuranceAdditionalPercentage": 12.5}
        case "low":
            change = {"insuranceAdditionalPercentage": float(draw.number(2, 20) * 5)}
        case "high":
            change = {"insuranceAdditionalPercentage": float(draw.number(11, 20) * 10)}
        case "fixed":
            change = {"insuranceType": "FixedFee", "insuranceFixedFeeAmount": draw.money(_INSURANCE, "5")}
        case _:
            return dict(_NO_INSURANCE)
    return _NO_INSURANCE | {"insuranceEnabled": True, "insuranceLineTitle": "Insurance"} | change


def _claims(draw: Draw) -> Json:
    if not draw.chance(15 / 161):
        return dict(_NO_CLAIMS)
    on = {"claimsEnabled": True, "claimsLineTitle": "Loss & Damage Claims", "claimsType": "AnnualCalendar"}
    return _NO_CLAIMS | on | {"claimsCapAmount": draw.money(_CLAIMS_CAP, "500")}


def _profit(draw: Draw) -> Json:
    kind = draw.weighted({"off": 88, "one": 48, "annual": 18, "monthly": 6})
    if kind == "off":
        return dict(_NO_PROFIT)
    first = float(draw.number(4, 30))
    tiers = [{"sharePercentage": first, "amount": 0.0}]
    if kind != "one":
        tiers[0]["amount"] = draw.money(_PROFIT_BOUND, "1000")
        tiers.append({"sharePercentage": first / 2, "amount": 0.0})
    accumulation = "AnnualCalendar" if kind == "annual" else "Monthly"
    on = {"profitShareEnabled": True, "profitShareTierData": tiers}
    return _NO_PROFIT | on | {"profitShareAccumulationType": accumulation}


def _lot_profit(draw: Draw) -> Json:
    share = 50.0 if draw.chance(51 / 71) else float(draw.number(5, 14) * 5)
    tiers = [{"sharePercentage": share, "amount": 0.0}]
    return _NO_PROFIT | {"profitShareEnabled": True, "profitShareTierData": tiers}


def _validation(draw: Draw) -> Json:
    match draw.weighted({"off": 110, "percentage": 47, "vehicles": 4}):
        case "percentage":
            change: Json = {"validationThresholdType": "RevenuePercentage"}
            change["validationThresholdAmount"] = draw.number(2, 16) / 2
        case "vehicles":
            change = {"validationThresholdType": "VehicleCount"}
            change["validationThresholdAmount"] = float(draw.number(5, 12) * 10)
        case _:
            return dict(_NO_VALIDATION)
    return _NO_VALIDATION | {"validationThresholdEnabled": True} | change


def _lot_lines(draw: Draw) -> Json:
    lines = [_line(draw, "Revenue", 3.03, "Credit Card Fees")]
    if draw.chance(31 / 71):
        lines.insert(0, _line(draw, "FixedAmount", draw.money(_CHARGE, "5"), draw.pick(_CHARGES)))
    return {"nonGlBillableExpensesEnabled": True, "nonGlBillableExpenses": lines}


def _line(draw: Draw, kind: str, amount: float, title: str) -> Json:
    return {
        "id": draw.guid(),
        "nonglexpensetype": kind,
        "expensepayrolltype": "Billable",
        "expenseamount": amount,
        "expensetitle": title,
        "finalperiodbilled": None,
    }

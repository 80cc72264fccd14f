"""The legacy contract document: its fixed parts, its derived part, and its bytes (contract-corpus 1.1–1.4)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

Json = dict[str, Any]

EXPORT_DATE: Final = "2026-01-15"
"""The placeholder that the export writes as effective and as last-modified date (contract-corpus DQ05)."""

REVENUE_CODES: Final = (
    "ADJ", "OR1", "OR2", "SD1", "SD2", "SD3", "SM1", "SM2", "SM3", "SO1", "SO2", "SO3",
    "VD1", "VD2", "VD3", "VM1", "VM2", "VM3", "VO1", "VO2", "VO3",
)  # fmt: skip

BLOCK_LABELS: Final = {
    "fixedFee": "Fixed Fee",
    "perLaborHour": "Per Labor Hour",
    "perOccupiedRoom": "Per Occupied Room",
    "invoiceGrouping": "Invoice Grouping",
    "revenueShare": "Revenue Share",
    "bellServiceFee": "Bell Service",
    "midMonthAdvance": "Mid Month Advance",
    "depositedRevenue": "Deposited Revenue",
    "billableAccounts": "Billing Account",
    "managementAgreement": "Management Agreement",
}
"""Switchable blocks in picklist order. All but invoice grouping count as components."""

PAYROLL_ACCOUNTS: Final = {
    "6000": "Salaries - G & A", "6002": "Salaries - Contract Site", "6003": "Salaries - Human Resources",
    "6004": "Salaries - Sales & Marketing", "6005": "Salaries - Executive Office",
    "6007": "Salaries - Regional/District", "6010": "Salaries - Personal Leave & Sick Pay - Hourly",
    "6012": "Salaries - Stockholder Awards", "6013": "Salaries - Relocation", "6014": "Salaries - Other",
    "6015": "Salaries - Holiday", "6016": "Salaries - Holiday Premium Operations", "6017": "Salaries - Overtime",
    "6019": "Salaries - Personal Leave & Sick Pay - Salary", "6030": "Salaries - Communication Expense",
    "6035": "Salaries - Commuter Expense", "6100": "Salaries - Corporate Incentive Program",
    "6101": "Salaries - Sales Incentive Program", "6110": "Salaries - Local Incentive Program",
    "6115": "Salaries - Gratuities",
}  # fmt: skip
EXPENSE_ACCOUNTS: Final = {
    "7000": "Advertising", "7005": "Bad Debt Expense", "7010": "Bank Fees", "7011": "Credit Card Fees",
    "7015": "Business Development", "7016": "Contract Improvements", "7017": "Computer Services",
    "7018": "Contract Lease Expense", "7019": "Contract Labor", "7020": "Contributions", "7021": "One Time Charges",
    "7026": "Equipment Cost", "7030": "Dues & Subscription", "7040": "Employee Meetings",
    "7045": "Employee Relations", "7050": "Employee Training", "7055": "Equipment Lease - Parking Equipment",
    "7060": "Equipment Lease - Vehicles", "7065": "Equipment Rental - Miscellaneous",
    "7070": "Equipment Rental - Vehicles", "7072": "Fines & Penalties", "7075": "Fuel - Vehicles",
    "7080": "Insurance - General Liability", "7082": "Insurance - Vehicle", "7085": "Insurance - Other",
    "7090": "Internet Expenses", "7095": "License & Permits", "7099": "Loss & Damage - Prior Year",
    "7100": "Loss & Damage", "7101": "Service Recovery", "7102": "Claims Handling Fees",
    "7105": "Meals & Entertainment", "7110": "Miscellaneous", "7113": "Office Supplies", "7115": "Outside Services",
    "7120": "Payroll Processing", "7125": "Personnel Recruitment", "7126": "Mvr Monitoring", "7130": "Postage",
    "7131": "Freight Expense", "7135": "Production & Collateral", "7140": "Professional Fees - Accounting",
    "7145": "Professional Fees - Legal", "7150": "Professional Fees - Other", "7155": "Promotion & Events",
    "7160": "Public Relations", "7165": "Relocations Expense", "7170": "Rents - Parking",
    "7171": "Rents - Office And Other", "7175": "Repairs & Maintenance", "7178": "Repairs & Maintenance - Vehicle",
    "7180": "Signage", "7182": "Smallwares", "7185": "Supplies & Equipment", "7190": "Taxes - Other",
    "7195": "Taxes - Non-Operating", "7200": "Telephone & Pagers", "7205": "Tickets & Printed Material",
    "7210": "Trade Shows", "7215": "Travel - General", "7217": "Travel - Airfare", "7219": "Travel - Lodging",
    "7220": "Uniforms", "7225": "Utilities", "7230": "Vehicle Expense", "7240": "Board Of Director Expenses",
    "7245": "Non-Employee Stock Compensation", "7270": "Royalty Fees - Brand", "7275": "Marketing Fees - Brand",
    "7350": "I.C. Management Service Fees", "7351": "Overhead Allocation Fee - Affiliate",
}  # fmt: skip
USUALLY_OFF: Final = frozenset({"6010", "6014", "7005", "7016"})


def account_list(accounts: dict[str, str], enabled: Iterable[str]) -> str:
    """The JSON text inside the JSON: one row per account of the chart, in its order (contract-corpus 1.3)."""
    chosen = set(enabled)
    rows = [{"code": code, "title": title, "isEnabled": code in chosen} for code, title in accounts.items()]
    return json.dumps(rows, separators=(",", ":"))


def enabled_blocks(original: Json) -> list[str]:
    """Blocks that are switched on, in picklist order, invoice grouping included."""
    return [block for block in BLOCK_LABELS if original[block]["enabled"]]


def label_of(original: Json) -> str:
    """`metadata.contractType`: the names of the enabled blocks, in picklist order."""
    return "; ".join(BLOCK_LABELS[block] for block in enabled_blocks(original))


def flatten(metadata: Json, original: Json) -> Json:
    """The document's third part, wholly derived from the other two (contract-corpus 1.4)."""
    flat: Json = {}
    for path, value in _leaves("contract", original):
        flat[path] = value
    flat["contract_enabled_components"] = [block for block in enabled_blocks(original) if block != "invoiceGrouping"]
    flat["contract_payroll_accounts_enabled"] = _enabled_accounts(original, "payrollAccountsData")
    flat["contract_expense_accounts_enabled"] = _enabled_accounts(original, "payrollExpenseAccountsData")
    flat["contract_financials"] = {
        "annualContractValue": 0.0,
        "estimatedMonthlyRevenue": 0.0,
        "contractTerm": 36,
        "contractTermUnit": "Months",
        "contractType": metadata["contractType"],
        "billingType": original["billingType"],
        "district": metadata["location"]["district"],
        "region": metadata["location"]["region"],
        "siteNumber": metadata["siteNumber"],
    }
    return flat


def document(metadata: Json, original: Json) -> Json:
    """The complete legacy document."""
    return {"metadata": metadata, "original": original, "flattened": flatten(metadata, original)}


def to_bytes(contract: Json) -> bytes:
    """The corpus's own spelling: ASCII, two-space indent, bare NaN tokens, no final newline."""
    return json.dumps(contract, indent=2).encode("ascii")


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{path}_{key}", inner)
    elif isinstance(value, list):
        for position, inner in enumerate(value, start=1):
            yield from _leaves(f"{path}_{position}", inner)
    else:
        yield path, value


def _enabled_accounts(original: Json, key: str) -> list[str]:
    block = original["billableAccounts"]
    if not block["enabled"]:
        return []
    return [row["code"] for data in block["billableAccountsData"] for row in json.loads(data[key]) if row["isEnabled"]]

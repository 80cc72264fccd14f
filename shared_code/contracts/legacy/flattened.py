"""The `flattened` part of a legacy file: no information of its own, wholly derived (contract-corpus 1.4)."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from shared_code.contracts.legacy.account_text import read_accounts
from shared_code.contracts.parsing import Tree
from shared_code.contracts.schema.accounts import Template

_COMPONENTS = (
    "fixedFee",
    "perLaborHour",
    "perOccupiedRoom",
    "revenueShare",
    "bellServiceFee",
    "midMonthAdvance",
    "depositedRevenue",
    "billableAccounts",
    "managementAgreement",
)
_ZERO = Decimal("0.0")


def flatten(original: Tree, metadata: Tree) -> Tree:
    """Recompute `flattened` of trees that have the legacy shape."""
    flat: Tree = {}
    _spread(original.items(), "contract", flat)
    flat["contract_enabled_components"] = [name for name in _COMPONENTS if original[name]["enabled"]]
    accounts = original["billableAccounts"]
    blocks = accounts["billableAccountsData"] if accounts["enabled"] else []
    flat["contract_payroll_accounts_enabled"] = _enabled(blocks, "payrollAccountsData", "payroll-1")
    flat["contract_expense_accounts_enabled"] = _enabled(blocks, "payrollExpenseAccountsData", "expense-1")
    flat["contract_financials"] = {
        "annualContractValue": _ZERO,
        "estimatedMonthlyRevenue": _ZERO,
        "contractTerm": 36,
        "contractTermUnit": "Months",
        "contractType": metadata["contractType"],
        "billingType": original["billingType"],
        "district": metadata["location"]["district"],
        "region": metadata["location"]["region"],
        "siteNumber": metadata["siteNumber"],
    }
    return flat


def _spread(items: Iterable[tuple[str | int, Any]], name: str, flat: Tree) -> None:
    for key, value in items:
        if isinstance(value, dict):
            _spread(value.items(), f"{name}_{key}", flat)
        elif isinstance(value, list):
            _spread(enumerate(value, start=1), f"{name}_{key}", flat)
        else:
            flat[f"{name}_{key}"] = value


def _enabled(blocks: list[Tree], key: str, template: Template) -> list[str]:
    return [row.code for block in blocks for row in read_accounts(block[key], template).accounts() if row.enabled]


def differences(found: Tree, expected: Tree) -> Iterator[str]:
    """Keys of `flattened` that are missing, unknown or hold another value than recomputed."""
    if _same(found, expected):
        return
    for key in dict.fromkeys((*expected, *found)):
        if key not in found or key not in expected or not _same(found[key], expected[key]):
            yield key


def _same(one: Any, other: Any) -> bool:
    """Equal in value and kind: true is not 1, and 36 is not 36.0."""
    return bool(one == other) and _kinds(one) == _kinds(other)


def _kinds(value: Any) -> list[type]:
    if not isinstance(value, dict):
        return [type(value)]
    kinds = [type(item) for item in value.values()]
    return kinds + [kind for item in value.values() if isinstance(item, dict) for kind in _kinds(item)]

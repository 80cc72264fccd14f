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
_ENABLED = "contract_enabled_components"


def flatten(original: Tree, metadata: Tree) -> Tree:
    """Recompute `flattened` of trees that have the legacy shape."""
    flat: Tree = {}
    _spread(original.items(), "contract", flat)
    flat[_ENABLED] = [name for name in _COMPONENTS if original[name]["enabled"]]
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
        if key == _ENABLED and _reordered(found.get(key), expected[key]):
            continue
        if key not in found or key not in expected or not _same(found[key], expected[key]):
            yield key


def _reordered(found: Any, expected: list[str]) -> bool:
    """The same names in another order: the switches count, and no one edits an order by hand."""
    return isinstance(found, list) and sorted(map(str, found)) == sorted(expected)


def _same(one: Any, other: Any) -> bool:
    """Equal in value and kind, whatever the order of keys: true is not 1, and 36 is not 36.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    return type(one) is type(other) and bool(one == other)

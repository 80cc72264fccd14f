"""Data quality of a portfolio: what is true of most of its files, numbers far from the usual, and twins.

Told once for a folder, never for each file: nobody reads 637 times that NaN stands for a missing region.
"""

import hashlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from shared_code.contracts.findings import LegacyWarning
from shared_code.contracts.legacy.account_text import read_accounts
from shared_code.contracts.legacy.suggestions import BLOCKS, ROOT, warn
from shared_code.contracts.parsing import NAN, Tree
from shared_code.contracts.pointers import pointer
from shared_code.contracts.schema import (
    BillableAccounts,
    Contract,
    InsuranceOnAccounts,
    ManagementAgreement,
    PerLaborHour,
    PerOccupiedRoom,
    RevenueShare,
    SupportPercentage,
    Validation,
    ValidationPercentage,
    ValidationVehicles,
)
from shared_code.foundation.money import plain

# Beyond these, a number is worth a look (contract-corpus 2.2 and DQ34). They are no limits.
_ROOM_RATE: Final = Decimal(5)
_LOW_RATE: Final = Decimal(4)
_SURCHARGE: Final = Decimal(180)
_SUPPORT: Final = Decimal(10)
_VALIDATION_SHARE: Final = Decimal(50)
_VEHICLES: Final = Decimal(1000)
_DEVIATION: Final = Decimal(10000)
_IGNORED_BY_TWINS: Final = frozenset({"id", "notes", "purchaseOrder"})


def portfolio_warnings(contract: Contract, tree: Tree) -> Iterator[LegacyWarning]:
    """The properties of a portfolio that a file shows, each code once, except outliers; `tree` is the file."""
    metadata, original = tree["metadata"], tree["original"]
    missing = next(_places_of(tree, NAN), None)
    if missing is not None:
        yield warn("DQ01", missing, "bare NaN, which JSON does not know")
    kinds = [name for name, value in (("null", None), ("NaN", NAN), ("empty text", "")) if _has(tree, value)]
    if len(kinds) > 1:
        yield warn("DQ03", "/metadata", f"missing values are written as {', '.join(kinds)}")
    if metadata["contractEffectiveDate"] == metadata["lastModifiedDate"]:
        yield warn("DQ05", "/metadata/contractEffectiveDate", "the effective date is the day of the export")
    if original["billableAccounts"]["billableAccountsData"]:
        at = f"{BLOCKS['billableAccounts']}/0/payrollAccountsData"
        yield warn("DQ06", at, f"JSON text inside JSON{_spelled_otherwise(original)}")
    yield warn("DQ07", "/flattened", "a copy of the contract, derived from it")
    for index, row in enumerate(original["managementAgreement"]["ManagementFees"]):
        if row["nonGlBillableExpensesEnabled"] is None:
            at = f"{BLOCKS['managementAgreement']}/{index}/nonGlBillableExpensesEnabled"
            yield warn("DQ36", at, "neither true nor false: saved before the switch existed")
    yield warn("DQ37", f"{ROOT}/managementAgreement/ManagementFees", "a capital letter where other keys have none")
    yield from _outliers(contract)


def twin_key(contract: Contract) -> str:
    """Equal for contracts that differ only in ids, notes, references and site (DQ39)."""
    deal = contract.model_dump(exclude={"source", "site", "references", "residue", "extensions"}, by_alias=True)
    return hashlib.sha256(repr(_without(deal)).encode()).hexdigest()


def _without(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without(value) for key, value in node.items() if key not in _IGNORED_BY_TWINS}
    return [_without(item) for item in node] if isinstance(node, list | tuple) else node


def _has(tree: Tree, value: object) -> bool:
    parts = {"metadata": tree["metadata"], "original": tree["original"]}
    return next(_places_of(parts, value), None) is not None


def _places_of(node: object, wanted: object, path: tuple[str | int, ...] = ()) -> Iterator[str]:
    if isinstance(node, dict | list):
        inner: Iterable[tuple[str | int, object]] = node.items() if isinstance(node, dict) else enumerate(node)
        for part, value in inner:
            yield from _places_of(value, wanted, (*path, part))
    elif node is wanted or (wanted == "" and node == ""):
        yield pointer(path)


def _spelled_otherwise(original: Tree) -> str:
    rows = original["billableAccounts"]["billableAccountsData"]
    payroll = (read_accounts(row["payrollAccountsData"], "payroll-1") for row in rows)
    expense = (read_accounts(row["payrollExpenseAccountsData"], "expense-1") for row in rows)
    return ", spelled otherwise" if any(found.text is not None for found in (*payroll, *expense)) else ""


def _outliers(contract: Contract) -> Iterator[LegacyWarning]:
    amount, share = contract.deviation_amount, contract.deviation_pct
    yield from _above(amount, _DEVIATION, f"{ROOT}/deviationAmount", "deviation limit")
    if amount and share == 0:
        yield _unusual(f"{ROOT}/deviationPercentage", "deviation percentage beside an amount", share)
    for component in contract.components:
        if not component.enabled:
            continue
        match component:
            case PerOccupiedRoom():
                yield from _above(component.room_rate, _ROOM_RATE, f"{ROOT}/perOccupiedRoom/roomRate", "room rate")
            case PerLaborHour():
                for index, line in enumerate(component.lines):
                    if line.rate is not None and line.rate < _LOW_RATE:
                        yield _unusual(f"{BLOCKS[component.kind]}/{index}/rate", "hourly rate", line.rate)
            case RevenueShare() | BillableAccounts() | ManagementAgreement():
                yield from _unusual_rows(component, BLOCKS[component.kind])


def _unusual_rows(component: RevenueShare | BillableAccounts | ManagementAgreement, at: str) -> Iterator[LegacyWarning]:
    match component:
        case RevenueShare():
            for index, structure in enumerate(component.structures):
                yield from _validation(structure.validation, f"{at}/{index}")
        case BillableAccounts():
            for index, block in enumerate(component.blocks):
                if isinstance(block.support, SupportPercentage):
                    place = f"{at}/{index}/payrollSupportAmount"
                    yield from _above(block.support.pct, _SUPPORT, place, "support percentage")
        case ManagementAgreement():
            for index, agreement in enumerate(component.agreements):
                yield from _validation(agreement.validation, f"{at}/{index}")
                if isinstance(agreement.insurance, InsuranceOnAccounts):
                    place = f"{at}/{index}/insuranceAdditionalPercentage"
                    yield from _above(agreement.insurance.additional_pct, _SURCHARGE, place, "surcharge on insurance")


def _validation(rule: Validation, at: str) -> Iterator[LegacyWarning]:
    place = f"{at}/validationThresholdAmount"
    match rule:
        case ValidationPercentage():
            yield from _above(rule.value, _VALIDATION_SHARE, place, "validation percentage")
        case ValidationVehicles():
            yield from _above(rule.value, _VEHICLES, place, "validation count")
        case _:
            return


def _above(number: Decimal | None, usual: Decimal, at: str, name: str) -> Iterator[LegacyWarning]:
    if number is not None and number > usual:
        yield _unusual(at, name, number)


def _unusual(at: str, name: str, number: Decimal) -> LegacyWarning:
    return warn("DQ34", at, f"a {name} of {plain(number)} is unusual")

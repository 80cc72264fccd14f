"""Data quality of one legacy file: the DQ codes of contract-corpus 3 that concern a single file.

Warnings never block loading. Left out: DQ01, DQ03, DQ05 to DQ07, DQ34, DQ36, DQ37, DQ39, which are
properties of the whole corpus and handled by the reader itself.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from pydantic import JsonValue

from shared_code.contracts.findings import LegacyWarning
from shared_code.contracts.legacy.quality_amounts import amount_warnings
from shared_code.contracts.legacy.quality_texts import text_warnings
from shared_code.contracts.legacy.suggestions import BLOCKS, ROOT, warn
from shared_code.contracts.parsing import Tree
from shared_code.contracts.schema import (
    AccountSelection,
    BillableAccounts,
    Component,
    Contract,
    DayOfMonth,
    DepositedRevenue,
    FixedFee,
    ManagementAgreement,
    Part,
    PerLaborHour,
    PerOccupiedRoom,
    RevenueShare,
)

_NAMED_BY_LABEL: dict[str, type[Component]] = {
    "Revenue Share": RevenueShare,
    "Management Agmt": ManagementAgreement,
    "Management Agreement": ManagementAgreement,
    "Per Labor Hour": PerLaborHour,
    "Fixed Fee": FixedFee,
}
_SYNONYM = "Management Agreement"
_FOLDERS: dict[str, type[Component]] = {
    "fixed-fee": FixedFee,
    "per-labor-hour": PerLaborHour,
    "revenue-share": RevenueShare,
    "management-agreement": ManagementAgreement,
}
_DORMANT_VALUES = ("payrollTaxes", "payrollSupport", "insurance", "claims", "profitShare", "managementFeeEscalator")
_STEP_SWITCHES = ("EscalatorEnable", "EscalatorEnabled")


def quality_warnings(contract: Contract, original: Tree) -> Iterator[LegacyWarning]:
    """Every data-quality warning of a file that was read; pointers into the file."""
    yield from _site(contract)
    yield from _label(contract)
    yield from _folder(contract)
    yield from _order(contract, original)
    yield from _switches(contract)
    yield from _dormant(contract)
    yield from _accounts(contract)
    yield from amount_warnings(contract)
    yield from text_warnings(contract)


def is_on(contract: Contract, kind: type[Component]) -> bool:
    """Whether the component of that model is there and switched on."""
    component = contract.component(kind)
    return component is not None and component.enabled


def _site(contract: Contract) -> Iterator[LegacyWarning]:
    source = contract.source
    if not contract.site.master_matched:
        yield warn("DQ02", "/metadata/contractType", "the site was not found in the site master")
    if source is not None and source.file_name is not None and source.site_guid is None:
        yield warn("DQ04", "", f"the file name {source.file_name} carries no site id")


def _label(contract: Contract) -> Iterator[LegacyWarning]:
    label, at = contract.type_label, f"{ROOT}/contractType"
    if label is None or label == _SYNONYM:
        yield warn("DQ08", at, f"the label is {'missing' if label is None else repr(label)}")
    named = None if label is None else _NAMED_BY_LABEL.get(label)
    if label is None or (named is not None and not is_on(contract, named)):
        yield warn("DQ17", at, f"the label {label!r} does not say what the contract bills")


def _folder(contract: Contract) -> Iterator[LegacyWarning]:
    folder = contract.source.folder if contract.source is not None else None
    if folder not in (*_FOLDERS, "hybrid", "other"):
        return
    on = [name for name, kind in _FOLDERS.items() if is_on(contract, kind)]
    expected = on[0] if len(on) == 1 else "hybrid" if on else "other"
    if folder != expected:
        yield warn("DQ09", "", f"the file lies in the folder {folder} and belongs into {expected}")


def _order(contract: Contract, original: Tree) -> Iterator[LegacyWarning]:
    numbers = [group.number for group in contract.groups]
    if numbers != sorted(numbers):
        yield warn("DQ13", f"{ROOT}/invoiceGrouping/invoiceGroups", f"groups are stored in the order {numbers}")
    structures = original["revenueShare"]["thresholdStructures"]
    for index, structure in enumerate(structures):
        at = f"{BLOCKS['revenueShare']}/{index}"
        if structure["revenueCodes"] != sorted(structure["revenueCodes"]):
            yield warn("DQ13", f"{at}/revenueCodes", "revenue codes are not sorted")
        yield from _tier_order(structure["tiers"], f"{at}/tiers")
    for index, agreement in enumerate(original["managementAgreement"]["ManagementFees"]):
        at = f"{BLOCKS['managementAgreement']}/{index}/profitShareTierData"
        yield from _tier_order(agreement["profitShareTierData"], at)


def _tier_order(tiers: list[Tree], at: str) -> Iterator[LegacyWarning]:
    """A legacy import sorts tiers and says so (rules R10)."""
    bounds = [tier["amount"] or Decimal("Infinity") for tier in tiers]
    if bounds != sorted(bounds):
        yield warn("TIERS_INVALID", at, "tiers were out of order and were sorted by rising bound")


def _switches(contract: Contract) -> Iterator[LegacyWarning]:
    if isinstance(contract.payment_terms, DayOfMonth) and contract.payment_terms.long_form:
        yield warn("DQ25", f"{ROOT}/paymentTerms", "a day of the month in the long spelling")
    deposited = contract.component(DepositedRevenue)
    on = deposited is not None and deposited.enabled
    if deposited is not None and on:
        for index, item in enumerate(deposited.items):
            if not item.deposited_revenue_enabled:
                at = f"{BLOCKS['depositedRevenue']}/{index}/depositedRevenueEnabled"
                yield warn("DQ26", at, "the block is on and its deposited revenue is off")
    if contract.deposits and not on:
        yield warn("DQ28", f"{ROOT}/deposits", "deposits is true and the deposited-revenue block is off")
    if is_on(contract, PerLaborHour) is not ("HoursBackupReport" in contract.reports):
        message = "hours are billed without the hours report, or the report is listed without hours"
        yield warn("DQ29", f"{ROOT}/supportingReports", message)


def _dormant(contract: Contract) -> Iterator[LegacyWarning]:
    for component in contract.components:
        if not component.enabled and _rows_of(component):
            yield warn("DQ21", BLOCKS[component.kind], f"{component.kind} is off and holds rows")
    idle = {_step_of(place) for place, entry in contract.residue.items() if _is_switched_on(place, entry)}
    for place, entry in contract.residue.items():
        if _is_switched_on(place, entry):
            message = "a yearly step is on and raises nothing: its rate is off, or its month, kind or value is missing"
            yield warn("DQ20", place, message)
        elif place.rpartition("/")[2].startswith(_DORMANT_VALUES) and _step_of(place) not in idle:
            yield warn("DQ21", place, "a value was left behind under a switch that is off")


def _is_switched_on(place: str, entry: JsonValue) -> bool:
    return place.endswith(_STEP_SWITCHES) and isinstance(entry, dict) and entry.get("to") is True


def _step_of(place: str) -> str | None:
    """The place of a yearly step without the name of its field: one for the switch, month, kind and value."""
    step, mark, _ = place.rpartition("Escalator")
    return step if mark else None


def _rows_of(component: Component) -> Sequence[Part]:
    match component:
        case FixedFee() | PerLaborHour():
            return component.lines
        case RevenueShare():
            return component.structures
        case BillableAccounts():
            return component.blocks
        case ManagementAgreement():
            return component.agreements
        case PerOccupiedRoom():
            return ()
        case _:
            return component.items


def _accounts(contract: Contract) -> Iterator[LegacyWarning]:
    component = contract.component(BillableAccounts)
    if component is None:
        return
    for index, block in enumerate(component.blocks):
        at = f"{BLOCKS['billableAccounts']}/{index}"
        if component.enabled and not block.payroll.enabled_codes():
            yield warn("DQ22", f"{at}/payrollAccountsData", "no payroll account is selected")
        yield from _irregular(block.payroll, f"{at}/payrollAccountsData")
        yield from _irregular(block.expense, f"{at}/payrollExpenseAccountsData")


def _irregular(selection: AccountSelection, at: str) -> Iterator[LegacyWarning]:
    if selection.template is None:
        yield warn("DQ35", at, "accounts are repeated, missing or not in the chart; rows are kept as they are")

"""Semantic checks of a contract: what its shape cannot say. Every finding has a stable reason code (rules R61).

Blocks that are switched off are kept and never billed, hence not checked (contract-corpus 5.1 R2). Parts are told
apart by their `kind`: this runs for every contract of a month, and to ask a model for its class takes far longer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from shared_code.contracts.component_rules import component_findings
from shared_code.contracts.findings import Finding
from shared_code.contracts.management_rules import accounts_findings, advanced_findings, management_findings
from shared_code.contracts.pointers import pointer
from shared_code.contracts.schema import (
    BellService,
    BillableAccounts,
    Component,
    Contract,
    DepositedRevenue,
    FixedFee,
    ManagementAgreement,
    MidMonthAdvance,
    PerLaborHour,
    RevenueShare,
)

__all__ = ["Finding", "check", "known_groups"]

HIGHEST_GROUP = 99
_TOLD_AT_IMPORT = frozenset({"SECOND_ROW", "VALIDATION_DIFFERS"})
SITE_NUMBER = re.compile(r"[0-9A-Z][0-9A-Z-]{3,9}")  # as the site master takes them


def check(contract: Contract, *, legacy: bool = False) -> list[Finding]:
    """Every finding about a contract, in document order, pointers into the document.

    With `legacy`, what an import tells and generation refuses is a warning instead of an error (rules R9).
    """
    findings = [*_header(contract), *_groups(contract), *_repeated(contract)]
    enabled = [(index, part) for index, part in enumerate(contract.components) if part.enabled]
    accounts_on = "billableAccounts" in [part.kind for _, part in enabled]
    known = known_groups(contract)
    for index, component in enabled:
        at = f"/components/{index}"
        findings += _unknown_groups(component, at, known)
        findings += _second_row(component, at)
        findings += _contents(component, at, accounts_on=accounts_on)
        if contract.billing_type == "Advanced":
            findings += advanced_findings(component, at)
    return [_as_imported(finding) for finding in findings] if legacy else findings


def _as_imported(finding: Finding) -> Finding:
    """Every file of a portfolio loads, so that a person can mend its contract here; until then it bills nothing."""
    own_number = finding.code == "SITE_NUMBER_INVALID" and finding.pointer.startswith("/groups/")
    if finding.code in _TOLD_AT_IMPORT or own_number:
        return replace(finding, severity="warning")
    return finding


def _contents(component: Component, at: str, *, accounts_on: bool) -> Iterator[Finding]:
    match component.kind:
        case "billableAccounts":
            return accounts_findings(component, at)
        case "managementAgreement":
            return management_findings(component, at, accounts_on=accounts_on)
        case _:
            return component_findings(component, at)


def _header(contract: Contract) -> Iterator[Finding]:
    yield from _site_number(contract.site.number, "/site/number")
    start, end = contract.start_date, contract.end_date
    if start is not None and end is not None and start > end:
        yield Finding("DATES_REVERSED", "/startDate", f"the contract starts on {start} and ends on {end}")
    if contract.increment_pct and not contract.escalators:
        message = "the yearly increment is a record only; without an escalator no rate grows"
        yield Finding("INCREMENT_UNUSED", "/incrementPct", message, "warning")
    for index, extension in enumerate(contract.extensions):
        at = f"/extensions/{index}"
        if extension.kind == "value":
            message = f"{extension.pointer} held the unknown value {extension.value}; choose a known one"
            yield Finding("UNKNOWN_VALUE", at, message, "incomplete")
        else:
            message = f"{extension.pointer} is not known and is kept without effect"
            yield Finding("UNKNOWN_FIELD", at, message, "warning")


def _site_number(number: str, at: str) -> Iterator[Finding]:
    """A site number starts invoice numbers and names files; one that is not written as one is refused."""
    if not SITE_NUMBER.fullmatch(number):
        message = f"{number!r} is no site number; it has 4 to 10 digits, capital letters or hyphens"
        yield Finding("SITE_NUMBER_INVALID", at, message)


def _groups(contract: Contract) -> Iterator[Finding]:
    if not contract.grouping_enabled:
        return
    seen: set[int] = set()
    for index, group in enumerate(contract.groups):
        at = f"/groups/{index}/number"
        if not 1 <= group.number <= HIGHEST_GROUP:
            message = f"invoice group {group.number}: numbers run from 1 to {HIGHEST_GROUP}"
            yield Finding("GROUP_TOO_HIGH", at, message)
        if group.number in seen:
            yield Finding("GROUP_REPEATED", at, f"invoice group {group.number} stands twice")
        if group.site_number is not None and group.site_number.strip():
            yield from _site_number(group.site_number.strip().upper(), f"/groups/{index}/siteNumber")
        seen.add(group.number)


def known_groups(contract: Contract) -> tuple[int, ...]:
    """Numbers of the invoice groups that exist: only 1 when grouping is off or lists none (rules R52)."""
    numbers = tuple(group.number for group in contract.groups) if contract.grouping_enabled else ()
    return numbers or (1,)


def _unknown_groups(component: Component, at: str, known: tuple[int, ...]) -> Iterator[Finding]:
    for place, number in _group_references(component):
        if number not in known:
            listed = ", ".join(str(group) for group in sorted(known))
            message = f"invoice group {number} does not exist; the contract has {listed}"
            yield Finding("GROUP_UNKNOWN", f"{at}{pointer(place)}", message)


def _group_references(component: Component) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Every invoice group that a component points to, with the parts of its place inside the component."""
    match component.kind:
        case "perOccupiedRoom":
            yield ("group",), component.group
        case "billableAccounts":
            for index, block in enumerate(component.blocks):
                yield ("blocks", index, "payrollGroup"), block.payroll_group
                yield ("blocks", index, "expenseGroup"), block.expense_group
        case _:
            name, rows = _grouped_rows(component)
            for index, row in enumerate(rows):
                yield (name, index, "group"), row.group


type _Grouped = (
    FixedFee | PerLaborHour | RevenueShare | BellService | MidMonthAdvance | DepositedRevenue | ManagementAgreement
)


class _Row(Protocol):
    @property
    def id(self) -> str: ...


class _GroupedRow(_Row, Protocol):
    @property
    def group(self) -> int: ...


def rows_of(component: _Grouped | BillableAccounts) -> tuple[str, Sequence[_Row]]:
    """The rows of a component and the name of their list."""
    if component.kind == "billableAccounts":
        return "blocks", component.blocks
    return _grouped_rows(component)


def _grouped_rows(component: _Grouped) -> tuple[str, Sequence[_GroupedRow]]:
    match component.kind:
        case "fixedFee" | "perLaborHour":
            return "lines", component.lines
        case "revenueShare":
            return "structures", component.structures
        case "managementAgreement":
            return "agreements", component.agreements
        case _:
            return "items", component.items


def _second_row(component: Component, at: str) -> Iterator[Finding]:
    """Blocks that bill a site total allow one row (rules R9)."""
    match component.kind:
        case "bellServiceFee" | "depositedRevenue" | "billableAccounts" | "managementAgreement":
            name, rows = rows_of(component)
            for index in range(1, len(rows)):
                message = "a second row would bill the site's total twice; one row is allowed"
                yield Finding("SECOND_ROW", f"{at}/{name}/{index}", message)


def _repeated(contract: Contract) -> Iterator[Finding]:
    if len(set(map(type, contract.components))) == len(contract.components):  # each kind has a class of its own
        return
    kinds = [component.kind for component in contract.components]
    for index, kind in enumerate(kinds):
        if kind in kinds[:index]:
            yield Finding("COMPONENT_REPEATED", f"/components/{index}", f"the component {kind} stands twice")

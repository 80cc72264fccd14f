"""Semantic checks of a contract: what its shape cannot say. Every finding has a stable reason code (rules R61).

Blocks that are switched off are kept and never billed, hence not checked (contract-corpus 5.1 R2). Parts are told
apart by their `kind`: this runs for every contract of a month, and to ask a model for its class takes far longer. The
place of a finding is put together on its way out: a part points into itself, and whoever holds it says where it stands.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from shared_code.contracts.component_rules import (
    advance_findings,
    empty,
    job_findings,
    room_findings,
    service_findings,
    structure_findings,
)
from shared_code.contracts.findings import Finding
from shared_code.contracts.management_rules import accounts_findings, advanced_findings, agreement_findings
from shared_code.contracts.schema import (
    BellService,
    BillableAccounts,
    Component,
    Contract,
    DepositedRevenue,
    Extension,
    FixedFee,
    ManagementAgreement,
    MidMonthAdvance,
    PerLaborHour,
    RevenueShare,
)

__all__ = ["Finding", "check", "known_groups"]

HIGHEST_GROUP = 99
_ONE_ROW = frozenset({"bellServiceFee", "depositedRevenue", "billableAccounts", "managementAgreement"})
_TOLD_AT_IMPORT = frozenset({"SECOND_ROW", "VALIDATION_DIFFERS"})
SITE_NUMBER = re.compile(r"[0-9A-Z][0-9A-Z-]{3,9}")  # as the site master takes them

type _WithRows = (
    FixedFee
    | PerLaborHour
    | RevenueShare
    | BellService
    | MidMonthAdvance
    | DepositedRevenue
    | BillableAccounts
    | ManagementAgreement
)


class _Row(Protocol):
    @property
    def id(self) -> str: ...


def check(contract: Contract, *, legacy: bool = False) -> list[Finding]:
    """Every finding about a contract, in document order, pointers into the document.

    With `legacy`, what an import tells and generation refuses is a warning instead of an error (rules R9).
    """
    findings = _header(contract) + _groups(contract) + _repeated(contract)
    known, in_advance = known_groups(contract), contract.billing_type == "Advanced"
    for index, component in enumerate(contract.components):
        if component.enabled:
            found = _component(component, contract, known)
            if in_advance:
                found += advanced_findings(component)
            if found:
                findings += _moved(f"/components/{index}", found)
    return [_as_imported(finding) for finding in findings] if legacy else findings


def _as_imported(finding: Finding) -> Finding:
    """Every file of a portfolio loads, so that a person can mend its contract here; until then it bills nothing."""
    own_number = finding.code == "SITE_NUMBER_INVALID" and finding.pointer.startswith("/groups/")
    if finding.code in _TOLD_AT_IMPORT or own_number:
        return replace(finding, severity="warning")
    return finding


def _moved(at: str, findings: Iterable[Finding]) -> list[Finding]:
    """Findings of the part that stands at `at`, as whoever holds it points to them."""
    return [replace(finding, pointer=f"{at}{finding.pointer}") for finding in findings]


def _header(contract: Contract) -> list[Finding]:
    found = _site_number(contract.site.number, "/site/number")
    start, end = contract.start_date, contract.end_date
    if start is not None and end is not None and start > end:
        found.append(Finding("DATES_REVERSED", "/startDate", f"the contract starts on {start} and ends on {end}"))
    if contract.increment_pct and not contract.escalators:
        message = "the yearly increment is a record only; without an escalator no rate grows"
        found.append(Finding("INCREMENT_UNUSED", "/incrementPct", message, "warning"))
    if contract.extensions:
        found += _extensions(contract.extensions)
    return found


def _extensions(extensions: Sequence[Extension]) -> list[Finding]:
    found: list[Finding] = []
    for index, extension in enumerate(extensions):
        at = f"/extensions/{index}"
        if extension.kind == "value":
            message = f"{extension.pointer} held the unknown value {extension.value}; choose a known one"
            found.append(Finding("UNKNOWN_VALUE", at, message, "incomplete"))
        else:
            message = f"{extension.pointer} is not known and is kept without effect"
            found.append(Finding("UNKNOWN_FIELD", at, message, "warning"))
    return found


def _site_number(number: str, at: str) -> list[Finding]:
    """A site number starts invoice numbers and names files; one that is not written as one is refused."""
    if SITE_NUMBER.fullmatch(number):
        return []
    message = f"{number!r} is no site number; it has 4 to 10 digits, capital letters or hyphens"
    return [Finding("SITE_NUMBER_INVALID", at, message)]


def _groups(contract: Contract) -> list[Finding]:
    found: list[Finding] = []
    if not contract.grouping_enabled:
        return found
    seen: set[int] = set()
    for index, group in enumerate(contract.groups):
        at = f"/groups/{index}/number"
        if not 1 <= group.number <= HIGHEST_GROUP:
            message = f"invoice group {group.number}: numbers run from 1 to {HIGHEST_GROUP}"
            found.append(Finding("GROUP_TOO_HIGH", at, message))
        if group.number in seen:
            found.append(Finding("GROUP_REPEATED", at, f"invoice group {group.number} stands twice"))
        if group.site_number is not None and group.site_number.strip():
            found += _site_number(group.site_number.strip().upper(), f"/groups/{index}/siteNumber")
        seen.add(group.number)
    return found


def known_groups(contract: Contract) -> tuple[int, ...]:
    """Numbers of the invoice groups that exist: only 1 when grouping is off or lists none (rules R52)."""
    numbers = tuple(group.number for group in contract.groups) if contract.grouping_enabled else ()
    return numbers or (1,)


def _component(component: Component, contract: Contract, known: Sequence[int]) -> list[Finding]:
    """Findings inside one enabled component: of its groups first, then of its rows."""
    name, groups, findings = _rows(component, contract)
    if not findings:
        return [empty(f"/{name}")]
    found = [
        _unknown_group(_group_place(name, index), number, known)
        for index, number in enumerate(groups)
        if number not in known
    ]
    if len(findings) > 1 and component.kind in _ONE_ROW:
        found += _second_rows(name, len(findings))
    if any(findings):
        for index, inside in enumerate(findings):
            found += _moved(_row_place(name, index), inside)
    return found


def _rows(component: Component, contract: Contract) -> tuple[str, list[int], Sequence[Sequence[Finding]]]:
    """The name of a component's list of rows, the groups that its rows point to, and what is found inside each row.

    The block of rooms has no list: it is its own row.
    """
    match component.kind:
        case "billableAccounts":
            blocks = component.blocks
            groups = [number for block in blocks for number in (block.payroll_group, block.expense_group)]
            return "blocks", groups, [accounts_findings(block) for block in blocks]
        case "managementAgreement":
            rows, accounts_on = component.agreements, _accounts_on(contract)
            found = [agreement_findings(row, accounts_on=accounts_on) for row in rows]
            return "agreements", [row.group for row in rows], found
        case "revenueShare":
            structures = component.structures
            return "structures", [row.group for row in structures], structure_findings(structures)
        case "perLaborHour":
            return "lines", [line.group for line in component.lines], job_findings(component.lines)
        case "fixedFee":
            lines = component.lines
            return "lines", [line.group for line in lines], [service_findings(line) for line in lines]
        case "midMonthAdvance":
            items = component.items
            return "items", [item.group for item in items], [advance_findings(item) for item in items]
        case "perOccupiedRoom":
            return "", [component.group], [room_findings(component)]
        case _:  # rows of which nothing is checked
            return "items", [item.group for item in component.items], [()] * len(component.items)


def _accounts_on(contract: Contract) -> bool:
    return "billableAccounts" in [part.kind for part in contract.components if part.enabled]


def _row_place(name: str, index: int) -> str:
    return f"/{name}/{index}" if name else ""


def _group_place(name: str, index: int) -> str:
    """Where one of the groups of `_rows` stands: account blocks have two each."""
    if name == "blocks":
        return f"{_row_place(name, index // 2)}/{('payrollGroup', 'expenseGroup')[index % 2]}"
    return f"{_row_place(name, index)}/group"


def _unknown_group(at: str, number: int, known: Sequence[int]) -> Finding:
    listed = ", ".join(str(group) for group in sorted(known))
    return Finding("GROUP_UNKNOWN", at, f"invoice group {number} does not exist; the contract has {listed}")


def _second_rows(name: str, count: int) -> list[Finding]:
    """Blocks that bill a site total allow one row (rules R9)."""
    message = "a second row would bill the site's total twice; one row is allowed"
    return [Finding("SECOND_ROW", f"/{name}/{index}", message) for index in range(1, count)]


def rows_of(component: _WithRows) -> tuple[str, Sequence[_Row]]:
    """The rows of a component and the name of their list."""
    match component.kind:
        case "fixedFee" | "perLaborHour":
            return "lines", component.lines
        case "revenueShare":
            return "structures", component.structures
        case "billableAccounts":
            return "blocks", component.blocks
        case "managementAgreement":
            return "agreements", component.agreements
        case _:
            return "items", component.items


def _repeated(contract: Contract) -> list[Finding]:
    if len(set(map(type, contract.components))) == len(contract.components):  # each kind has a class of its own
        return []
    kinds = [component.kind for component in contract.components]
    return [
        Finding("COMPONENT_REPEATED", f"/components/{index}", f"the component {kind} stands twice")
        for index, kind in enumerate(kinds)
        if kind in kinds[:index]
    ]

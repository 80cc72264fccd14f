"""What a contract must be to be saved: the rules of billing, and what people are held to when they enter one.

Rules of this file alone stop no generation: a contract that was imported as it stands bills as it stands.
Source: requirements CON-12, CON-15 to CON-18; contract-corpus 1.2, 1.3.
"""

from collections.abc import Iterable, Iterator
from itertools import chain

from shared_code.contracts.checking.known_codes import KNOWN_CODES, KnownCodes
from shared_code.contracts.component_rules import key
from shared_code.contracts.findings import Finding
from shared_code.contracts.rates.rules import escalator_findings
from shared_code.contracts.schema import (
    AccountSelection,
    BillableAccounts,
    Component,
    Contract,
    FeeHourly,
    FixedFee,
    ManagementAgreement,
    PerLaborHour,
    PerOccupiedRoom,
    RevenueShare,
)
from shared_code.contracts.validation import check, rows_of
from shared_code.foundation.money import HUNDRED, plain

LONGEST_TITLE = 100


def findings_for_saving(contract: Contract, codes: KnownCodes = KNOWN_CODES) -> list[Finding]:
    """Every finding about a contract that a person saves, pointers into the document; `codes` are those it may name."""
    return [
        *check(contract),
        *escalator_findings(contract),
        *_percentages(contract),
        *_titles(contract),
        *_switches(contract),
        *_repeated_ids(contract),
        *chain.from_iterable(
            _codes(component, f"/components/{index}", codes)
            for index, component in enumerate(contract.components)
            if component.enabled
        ),
    ]


def _percentages(contract: Contract) -> Iterator[Finding]:
    for name, number, place in (
        ("the deviation percentage", contract.deviation_pct, "/deviationPct"),
        ("the yearly increment", contract.increment_pct, "/incrementPct"),
    ):
        if number is not None and number > HUNDRED:
            yield Finding("PERCENT_RANGE", place, f"{name} is {plain(number)}; at most 100 is possible")
    for index, rule in enumerate(contract.escalators):
        for field in ("pct", "points", "ceiling"):
            number = getattr(rule, field, None)
            if number is not None and number > HUNDRED:
                message = f"the yearly step is {plain(number)}; at most 100 is possible"
                yield Finding("PERCENT_RANGE", f"/escalators/{index}/{field}", message)


def _titles(contract: Contract) -> Iterator[Finding]:
    """Invoices of a grouped contract are told apart by their titles (CON-16); they bill without one too."""
    for index, group in enumerate(contract.groups if contract.grouping_enabled else ()):
        title, at = (group.title or "").strip(), f"/groups/{index}/title"
        if not title:
            yield Finding("GROUP_TITLE", at, f"invoice group {group.number} has no title", "warning")
        elif len(title) > LONGEST_TITLE:
            message = f"the title has {len(title)} characters; {LONGEST_TITLE} are possible"
            yield Finding("GROUP_TITLE", at, message, "warning")


def _switches(contract: Contract) -> Iterator[Finding]:
    if not any(component.enabled for component in contract.components):
        yield Finding("NOTHING_ENABLED", "/components", "no component is switched on, so nothing would be billed")
    for index, component in enumerate(contract.components):
        match component:
            case FixedFee() | PerLaborHour() if component.enabled and not component.lines:
                message = f"{component.kind} is on and has no rows"
                yield Finding("ROWS_MISSING", f"/components/{index}/lines", message)


def _repeated_ids(contract: Contract) -> Iterator[Finding]:
    """Escalators and edits name a row by its id, so an id must mean one row."""
    seen: dict[str, str] = {}
    for place, row_id in _ids(contract):
        name = key(row_id)
        if name in seen:
            yield Finding("ID_REPEATED", place, f"the id {row_id} stands at {seen[name]} already")
        elif name:
            seen[name] = place


def _ids(contract: Contract) -> Iterator[tuple[str, str]]:
    yield from ((f"/groups/{index}/id", group.id) for index, group in enumerate(contract.groups))
    for index, component in enumerate(contract.components):
        if isinstance(component, PerOccupiedRoom):
            continue
        name, rows = rows_of(component)
        yield from ((f"/components/{index}/{name}/{place}/id", row.id) for place, row in enumerate(rows))
        if isinstance(component, ManagementAgreement):
            for place, agreement in enumerate(component.agreements):
                at = f"/components/{index}/agreements/{place}/nonGl"
                yield from ((f"{at}/{number}/id", line.id) for number, line in enumerate(agreement.non_gl))


def _codes(component: Component, at: str, codes: KnownCodes) -> Iterator[Finding]:
    match component:
        case FixedFee():
            lines = ((f"{at}/lines/{index}/code", line.code) for index, line in enumerate(component.lines))
            yield from _ledger(lines, codes)
        case PerLaborHour():
            lines = ((f"{at}/lines/{index}/code", line.code) for index, line in enumerate(component.lines))
            yield from _ledger(lines, codes)
            yield from _jobs(
                ((f"{at}/lines/{index}/jobCode", line.job_code) for index, line in enumerate(component.lines)), codes
            )
        case PerOccupiedRoom():
            yield from _ledger([(f"{at}/code", component.code)], codes)
        case RevenueShare():
            yield from _revenue(component, at, codes)
        case BillableAccounts():
            for index, block in enumerate(component.blocks):
                yield from _accounts(block.payroll, f"{at}/blocks/{index}/payroll", codes)
                yield from _accounts(block.expense, f"{at}/blocks/{index}/expense", codes)
        case ManagementAgreement():
            yield from _jobs(_fee_jobs(component, at), codes)
        case _:
            return


def _ledger(places: Iterable[tuple[str, str | None]], codes: KnownCodes) -> Iterator[Finding]:
    for place, code in places:
        if code is not None and key(code) and key(code) not in codes.ledger:
            yield Finding("GL_CODE_UNKNOWN", place, f"no service is posted to the GL code {code!r}")


def _fee_jobs(component: ManagementAgreement, at: str) -> Iterator[tuple[str, str]]:
    for index, agreement in enumerate(component.agreements):
        if isinstance(agreement.fee, FeeHourly):
            for place, job in enumerate(agreement.fee.job_codes):
                yield f"{at}/agreements/{index}/fee/jobCodes/{place}/code", job.code


def _jobs(places: Iterable[tuple[str, str]], codes: KnownCodes) -> Iterator[Finding]:
    for place, code in places:
        if key(code) not in codes.jobs:
            message = f"{code!r} is none of the known job codes, so time sheets may not have its hours"
            yield Finding("JOB_CODE_UNKNOWN", place, message, "error" if codes.jobs_closed else "warning")


def _revenue(component: RevenueShare, at: str, codes: KnownCodes) -> Iterator[Finding]:
    for index, structure in enumerate(component.structures):
        for place, code in enumerate(structure.revenue_codes):
            if key(code) and key(code) not in codes.revenue:
                message = f"there is no revenue code {code!r}"
                yield Finding("REVENUE_CODE_UNKNOWN", f"{at}/structures/{index}/revenueCodes/{place}", message)


def _accounts(selection: AccountSelection, at: str, codes: KnownCodes) -> Iterator[Finding]:
    for index, row in enumerate(selection.rows):
        if key(row.code) not in codes.accounts:
            message = f"the chart of accounts has no account {row.code!r}"
            yield Finding("ACCOUNT_UNKNOWN", f"{at}/rows/{index}/code", message)

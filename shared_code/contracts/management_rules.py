"""Checks of account blocks and management agreements, and of what may be billed in advance.

As in `component_rules`, each points from its row.
"""

from collections.abc import Sequence

from shared_code.contracts.component_rules import key, missing, percent, tier_findings, validation_findings
from shared_code.contracts.findings import Finding
from shared_code.contracts.schema import (
    AccountBlock,
    Agreement,
    Component,
    FeeHourly,
    Insurance,
    ManagementFee,
    NonGlLine,
)


def accounts_findings(block: AccountBlock) -> Sequence[Finding]:
    """Findings inside an account block."""
    pteb, support = block.pteb, block.support
    found: list[Finding] = []
    if pteb.kind == "Percentage":
        found += percent(pteb.pct, "/pteb/pct", "the PTEB percentage")
    if support.kind == "Percentage":
        found += percent(support.pct, "/support/pct", "the support percentage")
    elif support.kind == "Fixed" and support.amount is None:
        found.append(missing("/support/amount", "the support amount"))
    return found


def agreement_findings(agreement: Agreement, *, accounts_on: bool) -> list[Finding]:
    """Findings inside a management agreement; `accounts_on` says whether the account block is on."""
    claims, share = agreement.claims, agreement.profit_share
    found = [*_fee(agreement.fee), *_insurance(agreement.insurance)]
    if claims.kind != "off" and claims.kind != "PerClaim" and claims.cap == 0:
        message = "the annual claims cap is 0, so no claim would be billed"
        found.append(Finding("CAP_ZERO", "/claims/cap", message, "incomplete"))
    if share.kind == "on":
        if not share.tiers:
            message = "the profit share is on and has no tiers, so it bills nothing"
            found.append(Finding("TIERS_INVALID", "/profitShare/tiers", message, "warning"))
        found += tier_findings(share.tiers, "/profitShare/tiers")
    found += validation_findings(agreement.validation)
    if agreement.non_gl_enabled and agreement.non_gl:
        found += _non_gl(agreement.non_gl)
    if not accounts_on:
        found += _accounts_off(agreement)
    return found


def _fee(fee: ManagementFee) -> Sequence[Finding]:
    match fee.kind:
        case "FixedFee":
            return (missing("/fee/amount", "the management fee"),) if fee.amount is None else ()
        case "RevenuePercentage":
            return percent(fee.pct, "/fee/pct", "the management fee percentage")
        case "PerLaborHour":
            return _fee_jobs(fee)


def _fee_jobs(fee: FeeHourly) -> list[Finding]:
    found: list[Finding] = []
    if not fee.job_codes:
        message = "the management fee by labor hour lists no jobs"
        found.append(Finding("NO_JOBS", "/fee/jobCodes", message, "incomplete"))
    seen: set[str] = set()
    for index, job in enumerate(fee.job_codes):
        at = f"/fee/jobCodes/{index}"
        if job.rate is None:
            found.append(missing(f"{at}/rate", f"the rate of job {job.code}"))
        if job.ot_rate is None:
            found.append(missing(f"{at}/otRate", f"the overtime rate of job {job.code}", "warning"))
        if key(job.code) in seen:
            found.append(Finding("JOB_CODE_REPEATED", f"{at}/code", f"job code {job.code} stands twice"))
        seen.add(key(job.code))
    return found


def _insurance(insurance: Insurance) -> Sequence[Finding]:
    if insurance.kind == "BasedOnBillableAccounts" and insurance.additional_pct is None:
        # Above 100 is legal here: surcharges up to 300 % are agreed (contract-corpus 2.2).
        return (missing("/insurance/additionalPct", "the insurance percentage"),)
    if insurance.kind == "FixedFee" and insurance.amount is None:
        return (missing("/insurance/amount", "the insurance amount"),)
    return ()


def _non_gl(lines: Sequence[NonGlLine]) -> list[Finding]:
    found: list[Finding] = []
    for index, line in enumerate(lines):
        at = f"/nonGl/{index}"
        if line.kind != "FixedAmount":
            found += percent(line.pct, f"{at}/pct", f"the percentage of {line.title!r}")
        elif line.amount is None:
            found.append(missing(f"{at}/amount", f"the amount of {line.title!r}"))
    return found


def _accounts_off(agreement: Agreement) -> list[Finding]:
    """What rests on accounts needs the account block (rules R62)."""
    resting = {
        "insurance": agreement.insurance.kind == "BasedOnBillableAccounts",
        "claims": agreement.claims.kind != "off",
        "nonGl": bool(agreement.non_gl_enabled) and "Payroll" in [line.kind for line in agreement.non_gl],
    }
    return [
        Finding("ACCOUNTS_OFF", f"/{name}", f"{name} rests on the billable accounts, and their block is off")
        for name, rests in resting.items()
        if rests
    ]


def advanced_findings(component: Component) -> list[Finding]:
    """Only fixed fees, advances and fixed management items may be billed in advance (rules R50)."""
    match component.kind:
        case "fixedFee" | "midMonthAdvance":
            return []
        case "managementAgreement":
            rows = enumerate(component.agreements)
            return [_needs_facts(f"/agreements/{index}") for index, row in rows if not _fixed_only(row)]
        case _:
            return [_needs_facts("")]


def _needs_facts(at: str) -> Finding:
    message = "this needs facts of the month, which a contract billed in advance cannot have"
    return Finding("ADVANCED_WITH_FACTS", at, message)


def _fixed_only(agreement: Agreement) -> bool:
    lines = agreement.non_gl if agreement.non_gl_enabled else ()
    return (
        agreement.fee.kind == "FixedFee"
        and agreement.insurance.kind in ("off", "FixedFee")
        and agreement.claims.kind == "off"
        and agreement.profit_share.kind == "off"
        and agreement.validation.kind == "none"
        and all(line.kind == "FixedAmount" for line in lines)
    )

"""Checks of account blocks and management agreements, and of what may be billed in advance."""

from collections.abc import Iterator

from shared_code.contracts.component_rules import (
    empty,
    key,
    missing,
    percent,
    tier_findings,
    validation_findings,
)
from shared_code.contracts.findings import Finding
from shared_code.contracts.schema import (
    Agreement,
    BillableAccounts,
    Component,
    FeeHourly,
    ManagementAgreement,
    ManagementFee,
)


def accounts_findings(component: BillableAccounts, at: str) -> Iterator[Finding]:
    """Findings inside an enabled account block."""
    if not component.blocks:
        yield empty(f"{at}/blocks")
    for index, block in enumerate(component.blocks):
        place = f"{at}/blocks/{index}"
        pteb, support = block.pteb, block.support
        if pteb.kind == "Percentage":
            yield from percent(pteb.pct, f"{place}/pteb/pct", "the PTEB percentage")
        if support.kind == "Percentage":
            yield from percent(support.pct, f"{place}/support/pct", "the support percentage")
        elif support.kind == "Fixed" and support.amount is None:
            yield missing(f"{place}/support/amount", "the support amount")


def management_findings(component: ManagementAgreement, at: str, *, accounts_on: bool) -> Iterator[Finding]:
    """Findings inside an enabled management agreement; `accounts_on` says whether the account block is on."""
    if not component.agreements:
        yield empty(f"{at}/agreements")
    for index, agreement in enumerate(component.agreements):
        place = f"{at}/agreements/{index}"
        yield from _fee(agreement.fee, f"{place}/fee")
        yield from _insurance_and_claims(agreement, place)
        yield from _profit_share(agreement, f"{place}/profitShare")
        yield from validation_findings(agreement.validation, f"{place}/validation")
        if agreement.non_gl_enabled:
            yield from _non_gl(agreement, f"{place}/nonGl")
        if not accounts_on:
            yield from _accounts_off(agreement, place)


def _fee(fee: ManagementFee, at: str) -> Iterator[Finding]:
    match fee.kind:
        case "FixedFee":
            if fee.amount is None:
                yield missing(f"{at}/amount", "the management fee")
        case "RevenuePercentage":
            yield from percent(fee.pct, f"{at}/pct", "the management fee percentage")
        case "PerLaborHour":
            yield from _fee_jobs(fee, f"{at}/jobCodes")


def _fee_jobs(fee: FeeHourly, at: str) -> Iterator[Finding]:
    if not fee.job_codes:
        yield Finding("NO_JOBS", at, "the management fee by labor hour lists no jobs", "incomplete")
    seen: set[str] = set()
    for index, job in enumerate(fee.job_codes):
        if job.rate is None:
            yield missing(f"{at}/{index}/rate", f"the rate of job {job.code}")
        if job.ot_rate is None:
            yield missing(f"{at}/{index}/otRate", f"the overtime rate of job {job.code}", "warning")
        if key(job.code) in seen:
            yield Finding("JOB_CODE_REPEATED", f"{at}/{index}/code", f"job code {job.code} stands twice")
        seen.add(key(job.code))


def _insurance_and_claims(agreement: Agreement, at: str) -> Iterator[Finding]:
    insurance, claims = agreement.insurance, agreement.claims
    if insurance.kind == "BasedOnBillableAccounts" and insurance.additional_pct is None:
        # Above 100 is legal here: surcharges up to 300 % are agreed (contract-corpus 2.2).
        yield missing(f"{at}/insurance/additionalPct", "the insurance percentage")
    elif insurance.kind == "FixedFee" and insurance.amount is None:
        yield missing(f"{at}/insurance/amount", "the insurance amount")
    if claims.kind != "off" and claims.kind != "PerClaim" and claims.cap == 0:
        message = "the annual claims cap is 0, so no claim would be billed"
        yield Finding("CAP_ZERO", f"{at}/claims/cap", message, "incomplete")


def _profit_share(agreement: Agreement, at: str) -> Iterator[Finding]:
    share = agreement.profit_share
    if share.kind == "off":
        return
    if not share.tiers:
        message = "the profit share is on and has no tiers, so it bills nothing"
        yield Finding("TIERS_INVALID", f"{at}/tiers", message, "warning")
    yield from tier_findings(share.tiers, f"{at}/tiers")


def _non_gl(agreement: Agreement, at: str) -> Iterator[Finding]:
    for index, line in enumerate(agreement.non_gl):
        if line.kind != "FixedAmount":
            yield from percent(line.pct, f"{at}/{index}/pct", f"the percentage of {line.title!r}")
        elif line.amount is None:
            yield missing(f"{at}/{index}/amount", f"the amount of {line.title!r}")


def _accounts_off(agreement: Agreement, at: str) -> Iterator[Finding]:
    """What rests on accounts needs the account block (rules R62)."""
    resting = {
        "insurance": agreement.insurance.kind == "BasedOnBillableAccounts",
        "claims": agreement.claims.kind != "off",
        "nonGl": bool(agreement.non_gl_enabled) and any(line.kind == "Payroll" for line in agreement.non_gl),
    }
    for name, rests in resting.items():
        if rests:
            message = f"{name} rests on the billable accounts, and their block is off"
            yield Finding("ACCOUNTS_OFF", f"{at}/{name}", message)


def advanced_findings(component: Component, at: str) -> Iterator[Finding]:
    """Only fixed fees, advances and fixed management items may be billed in advance (rules R50)."""
    match component.kind:
        case "fixedFee" | "midMonthAdvance":
            return
        case "managementAgreement":
            for index, agreement in enumerate(component.agreements):
                if not _fixed_only(agreement):
                    yield _needs_facts(f"{at}/agreements/{index}")
        case _:
            yield _needs_facts(at)


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

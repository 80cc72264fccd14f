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
    ClaimsCapped,
    Component,
    FeeFixed,
    FeeHourly,
    FeePercentage,
    FixedFee,
    InsuranceFixed,
    InsuranceOnAccounts,
    ManagementAgreement,
    ManagementFee,
    MidMonthAdvance,
    NonGlAmount,
    NonGlPayroll,
    ProfitShareOn,
    PtebPercentage,
    SupportFixed,
    SupportPercentage,
)


def accounts_findings(component: BillableAccounts, at: str) -> Iterator[Finding]:
    """Findings inside an enabled account block."""
    yield from empty(component.blocks, f"{at}/blocks")
    for index, block in enumerate(component.blocks):
        place = f"{at}/blocks/{index}"
        if isinstance(block.pteb, PtebPercentage):
            yield from percent(block.pteb.pct, f"{place}/pteb/pct", "the PTEB percentage")
        match block.support:
            case SupportPercentage():
                yield from percent(block.support.pct, f"{place}/support/pct", "the support percentage")
            case SupportFixed():
                yield from missing(block.support.amount, f"{place}/support/amount", "the support amount")


def management_findings(component: ManagementAgreement, at: str, *, accounts_on: bool) -> Iterator[Finding]:
    """Findings inside an enabled management agreement; `accounts_on` says whether the account block is on."""
    yield from empty(component.agreements, f"{at}/agreements")
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
    match fee:
        case FeeFixed():
            yield from missing(fee.amount, f"{at}/amount", "the management fee")
        case FeePercentage():
            yield from percent(fee.pct, f"{at}/pct", "the management fee percentage")
        case FeeHourly():
            yield from _fee_jobs(fee, f"{at}/jobCodes")


def _fee_jobs(fee: FeeHourly, at: str) -> Iterator[Finding]:
    if not fee.job_codes:
        yield Finding("NO_JOBS", at, "the management fee by labor hour lists no jobs", "incomplete")
    seen: set[str] = set()
    for index, job in enumerate(fee.job_codes):
        yield from missing(job.rate, f"{at}/{index}/rate", f"the rate of job {job.code}")
        yield from missing(job.ot_rate, f"{at}/{index}/otRate", f"the overtime rate of job {job.code}", "warning")
        if key(job.code) in seen:
            yield Finding("JOB_CODE_REPEATED", f"{at}/{index}/code", f"job code {job.code} stands twice")
        seen.add(key(job.code))


def _insurance_and_claims(agreement: Agreement, at: str) -> Iterator[Finding]:
    match agreement.insurance:
        case InsuranceOnAccounts(additional_pct=pct):
            # Above 100 is legal here: surcharges up to 300 % are agreed (contract-corpus 2.2).
            yield from missing(pct, f"{at}/insurance/additionalPct", "the insurance percentage")
        case InsuranceFixed(amount=amount):
            yield from missing(amount, f"{at}/insurance/amount", "the insurance amount")
    claims = agreement.claims
    if isinstance(claims, ClaimsCapped) and claims.kind != "PerClaim" and claims.cap == 0:
        message = "the annual claims cap is 0, so no claim would be billed"
        yield Finding("CAP_ZERO", f"{at}/claims/cap", message, "incomplete")


def _profit_share(agreement: Agreement, at: str) -> Iterator[Finding]:
    share = agreement.profit_share
    if not isinstance(share, ProfitShareOn):
        return
    if not share.tiers:
        message = "the profit share is on and has no tiers, so it bills nothing"
        yield Finding("TIERS_INVALID", f"{at}/tiers", message, "warning")
    yield from tier_findings(share.tiers, f"{at}/tiers")


def _non_gl(agreement: Agreement, at: str) -> Iterator[Finding]:
    for index, line in enumerate(agreement.non_gl):
        if isinstance(line, NonGlAmount):
            yield from missing(line.amount, f"{at}/{index}/amount", f"the amount of {line.title!r}")
        else:
            yield from percent(line.pct, f"{at}/{index}/pct", f"the percentage of {line.title!r}")


def _accounts_off(agreement: Agreement, at: str) -> Iterator[Finding]:
    """What rests on accounts needs the account block (rules R62)."""
    resting = {
        "insurance": isinstance(agreement.insurance, InsuranceOnAccounts),
        "claims": isinstance(agreement.claims, ClaimsCapped),
        "nonGl": bool(agreement.non_gl_enabled) and any(isinstance(line, NonGlPayroll) for line in agreement.non_gl),
    }
    for name, rests in resting.items():
        if rests:
            message = f"{name} rests on the billable accounts, and their block is off"
            yield Finding("ACCOUNTS_OFF", f"{at}/{name}", message)


def advanced_findings(component: Component, at: str) -> Iterator[Finding]:
    """Only fixed fees, advances and fixed management items may be billed in advance (rules R50)."""
    match component:
        case FixedFee() | MidMonthAdvance():
            return
        case ManagementAgreement():
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
        isinstance(agreement.fee, FeeFixed)
        and agreement.insurance.kind in ("off", "FixedFee")
        and agreement.claims.kind == "off"
        and agreement.profit_share.kind == "off"
        and agreement.validation.kind == "none"
        and all(isinstance(line, NonGlAmount) for line in lines)
    )

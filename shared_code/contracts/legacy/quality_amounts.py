"""Data quality of amounts and variants: what is switched on without effect, odd, or unanchored."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from shared_code.contracts.findings import LegacyWarning
from shared_code.contracts.legacy.suggestions import BLOCKS, warn
from shared_code.contracts.schema import (
    Agreement,
    ClaimsCapped,
    Contract,
    FeeFixed,
    FeeHourly,
    FeePercentage,
    InsuranceOnAccounts,
    JobRate,
    ManagementAgreement,
    MidMonthAdvance,
    PerLaborHour,
    ProfitShareOn,
    RevenueShare,
    Structure,
    Tier,
)
from shared_code.foundation.money import CENT, to_cents

_ONE_AND_A_HALF = Decimal("1.5")
_ANNIVERSARY = "AnnualAnniversary"


def amount_warnings(contract: Contract) -> Iterator[LegacyWarning]:
    """Warnings about the enabled components of a contract."""
    for component in contract.components:
        if not component.enabled or component.kind not in BLOCKS:
            continue
        at = BLOCKS[component.kind]
        match component:
            case PerLaborHour():
                yield from _overtime(component, at)
            case MidMonthAdvance():
                yield from _advances(component, at)
            case RevenueShare():
                for index, structure in enumerate(component.structures):
                    yield from _structure(contract, structure, f"{at}/{index}")
            case ManagementAgreement():
                for index, agreement in enumerate(component.agreements):
                    yield from _agreement(contract, agreement, f"{at}/{index}")


def _overtime(component: PerLaborHour, at: str) -> Iterator[LegacyWarning]:
    for index, line in enumerate(component.lines):
        if _odd(line):
            message = f"overtime {line.ot_rate} is neither the rate {line.rate} nor one and a half times it"
            yield warn("DQ27", f"{at}/{index}/overtimeRate", message)


def _odd(line: JobRate) -> bool:
    if line.rate is None or line.ot_rate is None or line.ot_rate == line.rate:
        return False
    return abs(line.ot_rate - to_cents(line.rate * _ONE_AND_A_HALF)) > CENT


def _advances(component: MidMonthAdvance, at: str) -> Iterator[LegacyWarning]:
    for index, item in enumerate(component.items):
        if item.amount == 0:
            yield warn("DQ20", f"{at}/{index}/amount", "the advance is on with an amount of 0")
        if item.line_title is None:
            yield warn("DQ24", f"{at}/{index}/lineTitle", "the advance has no title")


def _structure(contract: Contract, structure: Structure, at: str) -> Iterator[LegacyWarning]:
    if structure.tiers and _without_effect(structure.tiers):
        yield warn("DQ20", f"{at}/tiers", "every tier shares 0 %")
    if structure.validation.kind != "none" and not structure.validation.value:
        yield warn("DQ23", f"{at}/validationThresholdAmount", "the validation rule has no amount or 0")
    if structure.accumulation == _ANNIVERSARY:
        yield from _unanchored(contract, f"{at}/accumulationType")


def _without_effect(tiers: Sequence[Tier]) -> bool:
    return all(tier.share_pct == 0 for tier in tiers)


def _unanchored(contract: Contract, at: str) -> Iterator[LegacyWarning]:
    if contract.anchor_date is None:
        yield warn("DQ33", at, "the anniversary year has no commencement date")


def unanchored_years(contract: Contract) -> Iterator[str]:
    """What counts anniversary years in a contract that has no date for them to start (DQ33)."""
    for warning in amount_warnings(contract):
        if warning.code == "DQ33":
            yield warning.pointer.rpartition("/")[2]


def _agreement(contract: Contract, agreement: Agreement, at: str) -> Iterator[LegacyWarning]:
    share, claims, insurance = agreement.profit_share, agreement.claims, agreement.insurance
    if bills_nothing(agreement):
        message = "the agreement has no fee, insurance, claims, profit share or other expense"
        yield warn("DQ19", at, message)
    if isinstance(share, ProfitShareOn) and _without_effect(share.tiers):
        yield warn("DQ20", f"{at}/profitShareTierData", "the profit share is on without tiers or at 0 %")
    if isinstance(insurance, InsuranceOnAccounts) and insurance.additional_pct == 0:
        yield warn("DQ20", f"{at}/insuranceAdditionalPercentage", "the insurance surcharge is 0 %")
    if agreement.validation.kind != "none" and agreement.validation.value is None:
        yield warn("DQ23", f"{at}/validationThresholdAmount", "the validation rule has no amount")
    if isinstance(claims, ClaimsCapped) and claims.kind == _ANNIVERSARY:
        yield from _unanchored(contract, f"{at}/claimsType")
    if isinstance(share, ProfitShareOn) and share.accumulation == _ANNIVERSARY:
        yield from _unanchored(contract, f"{at}/profitShareAccumulationType")


def bills_nothing(agreement: Agreement) -> bool:
    """Whether a management agreement has nothing that bills (DQ19)."""
    variants = (agreement.insurance, agreement.claims, agreement.profit_share)
    return not _fee_bills(agreement) and not agreement.non_gl and all(part.kind == "off" for part in variants)


def _fee_bills(agreement: Agreement) -> bool:
    match agreement.fee:
        case FeeFixed(amount=number) | FeePercentage(pct=number):
            return bool(number)
        case FeeHourly():
            return bool(agreement.fee.job_codes)

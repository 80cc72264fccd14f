"""The escalators that today's application keeps beside fees, PTEB and profit tiers (contract-corpus 2.8).

Each becomes an escalator of the contract with the source `field`, and is written back from there. A step that is
switched off, or lacks its month, kind or number, escalates nothing: the residue carries it.
"""

from collections.abc import Iterator
from decimal import Decimal

from shared_code.contracts.legacy import form
from shared_code.contracts.legacy.shapes import sorted_tiers
from shared_code.contracts.parsing import Tree
from shared_code.contracts.schema.accounts import AccountBlock
from shared_code.contracts.schema.base import Month
from shared_code.contracts.schema.contract import Contract
from shared_code.contracts.schema.escalation import Escalator, FixedAmount, FixedPct, PercentagePoints
from shared_code.contracts.schema.management import Agreement, FeeHourly, FeeJob, ProfitShareOn

type Step = FixedPct | FixedAmount | PercentagePoints
type Steps = dict[tuple[str, str | None], Step]

_FEE = "managementAgreement.fee"
_RATE = "managementAgreement.fee.rate"
_OVERTIME = "managementAgreement.fee.otRate"
_PROFIT = "managementAgreement.profitShare"
_PTEB = "billableAccounts.pteb"


def read_steps(original: form.OriginalForm) -> tuple[Escalator, ...]:
    """The steps of every account block and agreement, in the order of the file."""
    blocks, deals = original.billable_accounts, original.management_agreement
    return (
        *(step for row in blocks.billable_accounts_data for step in _pteb(row)),
        *(step for row in deals.management_fees for step in _fee(row)),
        *(step for row in deals.management_fees for step in _profit_share(row)),
    )


def _pteb(row: form.AccountsForm) -> Iterator[Step]:
    if row.payroll_taxes_escalator_enable and row.payroll_taxes_enabled and row.payroll_taxes_billing_type != "Actual":
        when, kind = row.payroll_taxes_escalator_month, row.payroll_taxes_escalator_type
        yield from _step(_PTEB, row.id, when, kind, row.payroll_taxes_escalator_value, of_percentage=True)


def _fee(row: form.AgreementForm) -> Iterator[Step]:
    if not row.management_fee_escalator_enabled:
        return
    when, kind = row.management_fee_escalator_month, row.management_fee_escalator_type
    if row.management_agreement_type != "PerLaborHour":
        share = row.management_agreement_type == "RevenuePercentage"
        yield from _step(_FEE, row.id, when, kind, row.management_fee_escalator_value, of_percentage=share)
        return
    for job in row.per_labor_hour_job_code_data:
        yield from _step(_RATE, job.code, when, kind, job.standard_rate_step)
        yield from _step(_OVERTIME, job.code, when, kind, job.overtime_rate_step)


def _profit_share(row: form.AgreementForm) -> Iterator[Step]:
    if not (row.profit_share_escalator_enabled and row.profit_share_enabled):
        return
    when, kind = row.profit_share_escalator_month, row.profit_share_escalator_type
    for number, tier in enumerate(sorted_tiers(row.profit_share_tier_data), start=1):
        yield from _step(_PROFIT, str(number), when, kind, tier.escalator_value, of_percentage=True)


def _step(
    target: str,
    row: str,
    month: Month | None,
    kind: form.StepType,
    number: Decimal | None,
    *,
    of_percentage: bool = False,
) -> Iterator[Step]:
    if month is None or kind is None or not number:
        return
    if kind == "Percentage":
        yield FixedPct(target=target, target_id=row, month=month, source="field", pct=number)
    elif of_percentage:
        yield PercentagePoints(target=target, target_id=row, month=month, source="field", points=number)
    else:
        yield FixedAmount(target=target, target_id=row, month=month, source="field", amount=number)


def steps_of(contract: Contract) -> Steps:
    """What the legacy form can say of a contract's escalators: those that it stated itself, by target and row."""
    return {
        (rule.target, rule.target_id): rule
        for rule in contract.escalators
        if rule.source == "field"
        and rule.target_id is not None
        and isinstance(rule, FixedPct | FixedAmount | PercentagePoints)
    }


def write_pteb_step(row: AccountBlock, steps: Steps) -> Tree:
    """The four keys of a PTEB step; none where there is no step."""
    step = steps.get((_PTEB, row.id))
    if step is None:
        return {}
    return {
        "payrollTaxesEscalatorEnable": True,
        "payrollTaxesEscalatorMonth": step.month,
        "payrollTaxesEscalatorvalue": _number(step),
        "payrollTaxesEscalatorType": _kind(step),
    }


def write_fee_step(row: Agreement, steps: Steps) -> Tree:
    """The keys of a management-fee step beside the fee; those of its jobs stand with the jobs."""
    hourly = [_of_job(job, steps) for job in row.fee.job_codes] if isinstance(row.fee, FeeHourly) else []
    step = steps.get((_FEE, row.id)) or next((found for pair in hourly for found in pair if found), None)
    if step is None:
        return {}
    written = {
        "managementFeeEscalatorEnabled": True,
        "managementFeeEscalatorMonth": step.month,
        "managementFeeEscalatorType": _kind(step),
    }
    return written if hourly else {**written, "managementFeeEscalatorValue": _number(step)}


def write_job_steps(job: FeeJob, steps: Steps) -> Tree:
    """The yearly steps of a job of the fee."""
    names = ("StandardRateEscalatorValue", "OvertimeRateEscalatorValue")
    return {name: _number(step) for name, step in zip(names, _of_job(job, steps), strict=True) if step is not None}


def _of_job(job: FeeJob, steps: Steps) -> tuple[Step | None, Step | None]:
    return steps.get((_RATE, job.code)), steps.get((_OVERTIME, job.code))


def write_profit_step(share: ProfitShareOn, steps: Steps) -> Tree:
    """The keys of a profit-share step beside its tiers."""
    step = next((found for number in range(1, len(share.tiers) + 1) if (found := _of_tier(number, steps))), None)
    if step is None:
        return {}
    return {
        "profitShareEscalatorEnabled": True,
        "profitShareEscalatorMonth": step.month,
        "profitShareEscalatorType": _kind(step),
    }


def write_tier_step(number: int, steps: Steps) -> Tree:
    """The yearly step of a profit tier, numbered from 1."""
    step = _of_tier(number, steps)
    return {} if step is None else {"escalatorValue": _number(step)}


def _of_tier(number: int, steps: Steps) -> Step | None:
    return steps.get((_PROFIT, str(number)))


def _kind(step: Step) -> str:
    return "Percentage" if isinstance(step, FixedPct) else "FixedAmount"


def _number(step: Step) -> Decimal:
    match step:
        case FixedPct():
            return step.pct
        case FixedAmount():
            return step.amount
        case PercentagePoints():
            return step.points

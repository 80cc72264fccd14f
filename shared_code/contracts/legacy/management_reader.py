"""Management agreements and account blocks of the legacy form, variant by variant (contract-corpus 5.2)."""

from typing import TypedDict

from shared_code.contracts.legacy import form
from shared_code.contracts.legacy.shapes import group_of, read_tiers, read_validation
from shared_code.contracts.schema.accounts import (
    AccountBlock,
    BillableAccounts,
    Pteb,
    PtebActual,
    PtebOff,
    PtebPercentage,
    Support,
    SupportFixed,
    SupportOff,
    SupportPercentage,
)
from shared_code.contracts.schema.base import PayrollBase
from shared_code.contracts.schema.components import NoValidation
from shared_code.contracts.schema.management import (
    Agreement,
    Claims,
    ClaimsCapped,
    ClaimsOff,
    FeeFixed,
    FeeHourly,
    FeeJob,
    FeePercentage,
    Insurance,
    InsuranceFixed,
    InsuranceOff,
    InsuranceOnAccounts,
    ManagementAgreement,
    ManagementFee,
    NonGlAmount,
    NonGlLine,
    NonGlPayroll,
    NonGlRevenue,
    ProfitShare,
    ProfitShareOff,
    ProfitShareOn,
)
from shared_code.foundation.calendar import Period


class _NonGlShared(TypedDict):
    id: str
    base: PayrollBase
    title: str
    final_period: Period | None
    sequence: int | None


def read_accounts_block(block: form.BillableForm) -> BillableAccounts:
    """The billable-accounts component."""
    return BillableAccounts(enabled=block.enabled, blocks=tuple(_accounts(row) for row in block.billable_accounts_data))


def _accounts(row: form.AccountsForm) -> AccountBlock:
    return AccountBlock(
        id=row.id,
        payroll=row.payroll_accounts_data,
        payroll_group=group_of(row.payroll_accounts_invoice_group),
        payroll_title=row.payroll_accounts_line_title,
        additional_payroll=row.additional_payroll_amount,
        pteb=_pteb(row),
        pteb_title=row.payroll_taxes_line_title,
        support=_support(row),
        support_title=row.payroll_support_line_title,
        expense=row.payroll_expense_accounts_data,
        expense_group=group_of(row.payroll_expense_accounts_invoice_group),
        expense_title=row.payroll_expense_accounts_line_title,
    )


def _pteb(row: form.AccountsForm) -> Pteb:
    if not row.payroll_taxes_enabled:
        return PtebOff()
    if row.payroll_taxes_billing_type == "Actual":
        return PtebActual()
    return PtebPercentage(pct=row.payroll_taxes_percentage)


def _support(row: form.AccountsForm) -> Support:
    if not row.payroll_support_enabled:
        return SupportOff()
    amount, base = row.payroll_support_amount, row.payroll_support_payroll_type
    if row.payroll_support_billing_type == "Fixed":
        return SupportFixed(amount=amount, base=base)
    return SupportPercentage(pct=amount, base=base)


def read_management(block: form.ManagementForm) -> ManagementAgreement:
    """The management-agreement component."""
    return ManagementAgreement(
        enabled=block.enabled, agreements=tuple(_agreement(row) for row in block.management_fees)
    )


def _agreement(row: form.AgreementForm) -> Agreement:
    enabled = row.validation_threshold_enabled
    amount = row.validation_threshold_amount
    return Agreement(
        id=row.id,
        group=group_of(row.invoice_group),
        fee=_fee(row),
        insurance=_insurance(row),
        claims=_claims(row),
        profit_share=_profit_share(row),
        validation=read_validation(row.validation_threshold_type, amount) if enabled else NoValidation(),
        non_gl_enabled=row.non_gl_billable_expenses_enabled,
        non_gl=tuple(_non_gl(line) for line in row.non_gl_billable_expenses),
    )


def _fee(row: form.AgreementForm) -> ManagementFee:
    match row.management_agreement_type:
        case "FixedFee":
            return FeeFixed(amount=row.fixed_fee_amount)
        case "RevenuePercentage":
            return FeePercentage(pct=row.revenue_percentage_amount)
        case "PerLaborHour":
            jobs = tuple(_fee_job(job) for job in row.per_labor_hour_job_code_data)
            return FeeHourly(job_codes=jobs, rate=row.labor_hour_rate, ot_rate=row.labor_hour_overtime_rate)


def _fee_job(job: form.FeeJobForm) -> FeeJob:
    return FeeJob(code=job.code, description=job.description, rate=job.standard_rate, ot_rate=job.overtime_rate)


def _insurance(row: form.AgreementForm) -> Insurance:
    if not row.insurance_enabled:
        return InsuranceOff()
    if row.insurance_type == "FixedFee":
        return InsuranceFixed(amount=row.insurance_fixed_fee_amount, title=row.insurance_line_title)
    return InsuranceOnAccounts(additional_pct=row.insurance_additional_percentage, title=row.insurance_line_title)


def _claims(row: form.AgreementForm) -> Claims:
    if not row.claims_enabled:
        return ClaimsOff()
    return ClaimsCapped(kind=row.claims_type, cap=row.claims_cap_amount, title=row.claims_line_title)


def _profit_share(row: form.AgreementForm) -> ProfitShare:
    if not row.profit_share_enabled:
        return ProfitShareOff()
    tiers = read_tiers(row.profit_share_tier_data)
    return ProfitShareOn(accumulation=row.profit_share_accumulation_type, tiers=tiers)


def _non_gl(line: form.NonGlForm) -> NonGlLine:
    shared: _NonGlShared = {
        "id": line.id,
        "base": line.expensepayrolltype,
        "title": line.expensetitle,
        "final_period": line.finalperiodbilled,
        "sequence": line.sequence_number,
    }
    match line.nonglexpensetype:
        case "FixedAmount":
            return NonGlAmount(**shared, amount=line.expenseamount)
        case "Revenue":
            return NonGlRevenue(**shared, pct=line.expenseamount)
        case "Payroll":
            return NonGlPayroll(**shared, pct=line.expenseamount)

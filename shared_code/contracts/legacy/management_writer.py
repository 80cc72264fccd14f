"""Management agreements and account blocks in the legacy form; a variant that is off gets its form default."""

from shared_code.contracts.legacy.account_text import write_accounts
from shared_code.contracts.legacy.steps import (
    Steps,
    write_fee_step,
    write_job_steps,
    write_profit_step,
    write_pteb_step,
    write_tier_step,
)
from shared_code.contracts.legacy.values import ZERO, month_text, stated, write_tiers, write_validation
from shared_code.contracts.parsing import Tree
from shared_code.contracts.schema.accounts import (
    AccountBlock,
    BillableAccounts,
    PtebOff,
    PtebPercentage,
    SupportFixed,
    SupportOff,
)
from shared_code.contracts.schema.components import NoValidation
from shared_code.contracts.schema.management import (
    Agreement,
    ClaimsOff,
    FeeFixed,
    FeeHourly,
    FeePercentage,
    InsuranceFixed,
    InsuranceOff,
    InsuranceOnAccounts,
    ManagementAgreement,
    NonGlAmount,
    NonGlLine,
    ProfitShareOn,
)


def write_accounts_block(block: BillableAccounts, steps: Steps) -> Tree:
    """The `billableAccounts` block."""
    return {"enabled": block.enabled, "billableAccountsData": [_accounts(row, steps) for row in block.blocks]}


def _accounts(row: AccountBlock, steps: Steps) -> Tree:
    pteb, support = row.pteb, row.support
    amount = None
    if not isinstance(support, SupportOff):
        amount = support.amount if isinstance(support, SupportFixed) else support.pct
    return {
        "id": row.id,
        "payrollAccountsData": write_accounts(row.payroll),
        "payrollAccountsInvoiceGroup": row.payroll_group,
        "payrollAccountsLineTitle": row.payroll_title,
        "payrollTaxesEnabled": not isinstance(pteb, PtebOff),
        "payrollTaxesBillingType": "Percentage" if isinstance(pteb, PtebPercentage) else "Actual",
        "payrollTaxesLineTitle": row.pteb_title,
        "payrollTaxesPercentage": pteb.pct if isinstance(pteb, PtebPercentage) else None,
        "payrollSupportAmount": amount,
        "payrollSupportBillingType": "Fixed" if isinstance(support, SupportOff) else support.kind,
        "payrollSupportEnabled": not isinstance(support, SupportOff),
        "payrollSupportLineTitle": row.support_title,
        "payrollSupportPayrollType": "Billable" if isinstance(support, SupportOff) else support.base,
        "payrollExpenseAccountsData": write_accounts(row.expense),
        "payrollExpenseAccountsInvoiceGroup": row.expense_group,
        "payrollExpenseAccountsLineTitle": row.expense_title,
        **stated(additionalPayrollAmount=row.additional_payroll),
        **write_pteb_step(row, steps),
    }


def write_management(block: ManagementAgreement, steps: Steps) -> Tree:
    """The `managementAgreement` block."""
    return {"enabled": block.enabled, "ManagementFees": [_agreement(row, steps) for row in block.agreements]}


def _agreement(row: Agreement, steps: Steps) -> Tree:
    off = isinstance(row.validation, NoValidation)
    kind, amount = ("ValidationAmount", None) if off else write_validation(row.validation)
    return {
        "id": row.id,
        "invoiceGroup": row.group,
        **write_fee_step(row, steps),
        **_fee(row, steps),
        **_insurance(row),
        **_claims(row),
        **_profit_share(row, steps),
        "validationThresholdAmount": amount,
        "validationThresholdEnabled": not off,
        "validationThresholdType": kind,
        "nonGlBillableExpensesEnabled": row.non_gl_enabled,
        "nonGlBillableExpenses": [_non_gl(line) for line in row.non_gl],
    }


def _fee(row: Agreement, steps: Steps) -> Tree:
    fee = row.fee
    hourly = fee if isinstance(fee, FeeHourly) else FeeHourly(rate=ZERO, ot_rate=ZERO)
    return {
        "managementAgreementType": fee.kind,
        "fixedFeeAmount": fee.amount if isinstance(fee, FeeFixed) else ZERO,
        "laborHourJobCode": None,
        "perLaborHourJobCodeData": [
            {
                "Code": job.code,
                "Description": job.description,
                "StandardRate": job.rate,
                "OvertimeRate": job.ot_rate,
                **write_job_steps(job, steps),
            }
            for job in hourly.job_codes
        ],
        "laborHourRate": hourly.rate,
        "laborHourOvertimeRate": hourly.ot_rate,
        "revenuePercentageAmount": fee.pct if isinstance(fee, FeePercentage) else ZERO,
    }


def _insurance(row: Agreement) -> Tree:
    insurance = row.insurance
    off = isinstance(insurance, InsuranceOff)
    return {
        "insuranceAdditionalPercentage": (
            insurance.additional_pct if isinstance(insurance, InsuranceOnAccounts) else ZERO
        ),
        "insuranceEnabled": not off,
        "insuranceFixedFeeAmount": insurance.amount if isinstance(insurance, InsuranceFixed) else ZERO,
        "insuranceLineTitle": None if isinstance(insurance, InsuranceOff) else insurance.title,
        "insuranceType": "FixedFee" if isinstance(insurance, InsuranceFixed) else "BasedOnBillableAccounts",
    }


def _claims(row: Agreement) -> Tree:
    claims = row.claims
    if isinstance(claims, ClaimsOff):
        return {
            "claimsCapAmount": ZERO,
            "claimsEnabled": False,
            "claimsLineTitle": None,
            "claimsType": "AnnualAnniversary",
        }
    return {
        "claimsCapAmount": claims.cap,
        "claimsEnabled": True,
        "claimsLineTitle": claims.title,
        "claimsType": claims.kind,
    }


def _profit_share(row: Agreement, steps: Steps) -> Tree:
    share = row.profit_share
    if not isinstance(share, ProfitShareOn):
        return {"profitShareAccumulationType": "Monthly", "profitShareEnabled": False, "profitShareTierData": []}
    tiers = [{**tier, **write_tier_step(number, steps)} for number, tier in enumerate(write_tiers(share.tiers), 1)]
    return {
        "profitShareAccumulationType": share.accumulation,
        "profitShareEnabled": True,
        "profitShareTierData": tiers,
        **write_profit_step(share, steps),
    }


def _non_gl(line: NonGlLine) -> Tree:
    return {
        "id": line.id,
        "nonglexpensetype": line.kind,
        "expensepayrolltype": line.base,
        "expenseamount": line.amount if isinstance(line, NonGlAmount) else line.pct,
        "expensetitle": line.title,
        "finalperiodbilled": month_text(line.final_period),
        **stated(sequenceNumber=line.sequence),
    }

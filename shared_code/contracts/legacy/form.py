"""The exact shape of a legacy file: every key, its type and its choices (contract-corpus 1.2).

A key that is missing, unknown or of the wrong type is a finding with its place; nothing is coerced. Fields with a
default are those that today's application has and older exports lack (contract-corpus 2.8): they may be missing.
"""

import re
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from shared_code.contracts.legacy.account_text import read_accounts
from shared_code.contracts.parsing import NAN, Missing
from shared_code.contracts.schema.accounts import AccountSelection, Template
from shared_code.contracts.schema.base import Accumulation, Month, PayrollBase, Report
from shared_code.foundation.calendar import Period

# One legacy key carries the operator's name; only its ending is fixed.
TAX_KEY = re.compile(r"^[a-z][A-Za-z]*ResponsibleForParkingTax$")
_TAX_ALIAS = "responsibleForParkingTax"
_MONTHS = get_args(Month)
_JOB_KEYS = frozenset(
    ("Code", "Description", "StandardRate", "OvertimeRate", "StandardRateEscalatorValue", "OvertimeRateEscalatorValue")
)


def _number(value: object) -> object:
    if value is None or type(value) is Decimal:
        return value
    if type(value) is int:
        return Decimal(value)
    raise PydanticCustomError("number_expected", "a number is expected")


def _text_or_nan(value: object) -> str | Missing:
    if value is NAN or isinstance(value, str):
        return value
    raise PydanticCustomError("text_expected", "text or NaN is expected")


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    raise PydanticCustomError("date_expected", "a date is expected, for example 2025-03-01T00:00:00")


def _stamp(value: object) -> date | None:
    """Midnight is a date; a time of day is a creation stamp, hence an unknown date (rules R14)."""
    moment = _moment(value)
    return moment.date() if moment is not None and moment.time() == time.min else None


def _month(value: object) -> Period | None:
    moment = _moment(value)
    return None if moment is None else Period.of(moment.date())


def _payroll_accounts(value: object) -> AccountSelection:
    return _accounts(value, "payroll-1")


def _expense_accounts(value: object) -> AccountSelection:
    return _accounts(value, "expense-1")


def _accounts(value: object, template: Template) -> AccountSelection:
    if not isinstance(value, str):
        raise PydanticCustomError("text_expected", "JSON text with the list of accounts is expected")
    return read_accounts(value, template)


def _month_name(value: object) -> object:
    """Months of escalators are stored as 1 to 12, that of the increment as a name; both are read."""
    if type(value) is int and 1 <= value <= len(_MONTHS):
        return _MONTHS[value - 1]
    return value


def _job_keys(row: Any) -> Any:
    """Jobs of a fee are written with either case of the first letter; a key in both spellings is left, and refused."""
    if not isinstance(row, dict):
        return row
    spelled = {key: f"{key[:1].upper()}{key[1:]}" for key in row}
    return {big if (big := spelled[key]) in _JOB_KEYS and big not in row else key: row[key] for key in row}


Num = Annotated[Decimal | None, Field(ge=0, max_digits=18, decimal_places=6), BeforeValidator(_number)]
# A percentage, or a number that the type beside it makes an amount or a percentage: as wide as a percentage may be.
Pct = Annotated[Decimal | None, Field(ge=0, max_digits=12, decimal_places=6), BeforeValidator(_number)]
MaybeNaN = Annotated[str | Missing, PlainValidator(_text_or_nan)]
Stamp = Annotated[date | None, PlainValidator(_stamp)]
FinalMonth = Annotated[Period | None, PlainValidator(_month)]
Group = int | None
StepMonth = Annotated[Month | None, BeforeValidator(_month_name)]
StepType = Literal["Percentage", "FixedAmount"] | None


def _spelled(*names: str) -> Any:
    """A field that exports spell in several ways; the residue keeps which."""
    return Field(validation_alias=AliasChoices(*names))


class Form(BaseModel):
    """A closed object of the legacy file, without any coercion."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, defer_build=True)


class LocationForm(Form):
    region: MaybeNaN
    district: str
    state: str
    city: str
    address: str
    site_type: str


class MetadataForm(Form):
    site_number: Annotated[str, Field(min_length=1)]
    customer_name: str
    customer_id: Annotated[str, Field(alias="customerID")]
    contract_effective_date: str
    contract_end_date: str
    contract_status: str
    last_modified_date: str
    contract_version: str
    contract_type: str
    account_manager: MaybeNaN
    payment_terms: str
    notes: MaybeNaN
    location: LocationForm


class GroupForm(Form):
    id: str
    group_number: int
    title: str | None
    description: str | None
    vendor_id: str | None
    site_number: str | None
    customer_name: str | None
    billing_contact_emails: str | None


class GroupingForm(Form):
    enabled: bool
    invoice_groups: list[GroupForm]


class ServiceRateForm(Form):
    id: str
    name: str
    display_name: str
    code: str | None
    fee: Num
    start_date: Stamp
    end_date: Stamp
    invoice_group: Group


class FixedFeeForm(Form):
    enabled: bool
    service_rates: list[ServiceRateForm]


class JobRateForm(Form):
    id: str
    name: str
    display_name: str
    rate: Num
    overtime_rate: Num
    job_code: Annotated[str, Field(min_length=1)]
    start_date: Stamp
    end_date: Stamp
    invoice_group: Group


class LaborForm(Form):
    enabled: bool
    hours_backup_report: bool
    job_rates: list[JobRateForm]


class RoomForm(Form):
    enabled: bool
    room_rate: Num
    invoice_group: Group
    occupied_room_code: Annotated[str | None, _spelled("occupiedRoomCode", "occupiedroomcode")] = None


class TierForm(Form):
    share_percentage: Pct
    amount: Num
    escalator_value: Pct = None


ValidationType = Literal["RevenuePercentage", "VehicleCount", "ValidationAmount"]


class StructureForm(Form):
    id: str
    revenue_codes: list[str]
    accumulation_type: Accumulation
    tiers: list[TierForm]
    validation_threshold_type: ValidationType | None
    validation_threshold_amount: Pct
    invoice_group: Group


class RevenueShareForm(Form):
    enabled: bool
    threshold_structures: list[StructureForm]


class BellForm(Form):
    id: str
    invoice_group: Group


class BellServiceForm(Form):
    enabled: bool
    bell_services: list[BellForm]


class AdvanceForm(Form):
    id: str
    amount: Num
    line_title: Literal["MidMonthBilling", "PreBill"] | None
    invoice_group: Group


class MidMonthForm(Form):
    enabled: bool
    mid_month_advances: list[AdvanceForm]


class DepositForm(Form):
    id: str
    responsible_for_parking_tax: bool
    deposited_revenue_enabled: bool
    invoice_group: Group

    @model_validator(mode="before")
    @classmethod
    def _neutral_key(cls, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        spelled = [key for key in row if TAX_KEY.match(key)]
        # A second spelling of the one key is left, and refused as unknown.
        return {_TAX_ALIAS if key in spelled[:1] else key: value for key, value in row.items()}


class DepositedForm(Form):
    enabled: bool
    deposit_data: list[DepositForm]


class AccountsForm(Form):
    id: str
    payroll_accounts_data: Annotated[AccountSelection, PlainValidator(_payroll_accounts)]
    payroll_accounts_invoice_group: Group
    payroll_accounts_line_title: str | None
    payroll_taxes_enabled: bool
    payroll_taxes_billing_type: Literal["Actual", "Percentage"]
    payroll_taxes_line_title: str | None
    payroll_taxes_percentage: Pct
    payroll_support_amount: Pct
    payroll_support_billing_type: Literal["Fixed", "Percentage"]
    payroll_support_enabled: bool
    payroll_support_line_title: str | None
    payroll_support_payroll_type: PayrollBase
    payroll_expense_accounts_data: Annotated[AccountSelection, PlainValidator(_expense_accounts)]
    payroll_expense_accounts_invoice_group: Group
    payroll_expense_accounts_line_title: str | None
    additional_payroll_amount: Num = None
    payroll_taxes_escalator_enable: bool | None = None
    payroll_taxes_escalator_month: StepMonth = None
    payroll_taxes_escalator_value: Annotated[
        Pct, _spelled("payrollTaxesEscalatorvalue", "payrollTaxesEscalatorValue")
    ] = None
    payroll_taxes_escalator_type: StepType = None


class BillableForm(Form):
    enabled: bool
    billable_accounts_data: list[AccountsForm]


class FeeJobForm(Form):
    """Never filled in the corpus; the keys are those of the stored job list (billing-flows 2.1)."""

    code: Annotated[str, Field(alias="Code", min_length=1)]
    description: Annotated[str | None, Field(alias="Description")]
    standard_rate: Annotated[Num, Field(alias="StandardRate")]
    overtime_rate: Annotated[Num, Field(alias="OvertimeRate")]
    standard_rate_step: Annotated[Pct, Field(alias="StandardRateEscalatorValue")] = None
    overtime_rate_step: Annotated[Pct, Field(alias="OvertimeRateEscalatorValue")] = None

    @model_validator(mode="before")
    @classmethod
    def _either_case(cls, row: Any) -> Any:
        return _job_keys(row)


class NonGlForm(Form):
    id: str
    nonglexpensetype: Literal["FixedAmount", "Payroll", "Revenue"]
    expensepayrolltype: PayrollBase
    expenseamount: Pct
    expensetitle: str
    finalperiodbilled: FinalMonth
    sequence_number: int | None = None


class AgreementForm(Form):
    id: str
    invoice_group: Group
    management_agreement_type: Literal["FixedFee", "PerLaborHour", "RevenuePercentage"]
    fixed_fee_amount: Num
    labor_hour_job_code: str | None
    per_labor_hour_job_code_data: list[FeeJobForm]
    labor_hour_rate: Num
    labor_hour_overtime_rate: Num
    revenue_percentage_amount: Pct
    insurance_additional_percentage: Pct
    insurance_enabled: bool
    insurance_fixed_fee_amount: Num
    insurance_line_title: str | None
    insurance_type: Literal["BasedOnBillableAccounts", "FixedFee"]
    claims_cap_amount: Num
    claims_enabled: bool
    claims_line_title: str | None
    claims_type: Literal["AnnualCalendar", "AnnualAnniversary", "PerClaim"]
    profit_share_accumulation_type: Accumulation
    profit_share_enabled: bool
    profit_share_tier_data: list[TierForm]
    validation_threshold_amount: Pct
    validation_threshold_enabled: bool
    validation_threshold_type: ValidationType
    non_gl_billable_expenses_enabled: bool | None
    non_gl_billable_expenses: list[NonGlForm]
    management_fee_escalator_enabled: bool | None = None
    management_fee_escalator_month: StepMonth = None
    management_fee_escalator_type: StepType = None
    management_fee_escalator_value: Pct = None
    profit_share_escalator_enabled: bool | None = None
    profit_share_escalator_month: StepMonth = None
    profit_share_escalator_type: StepType = None


class ManagementForm(Form):
    enabled: bool
    management_fees: Annotated[list[AgreementForm], Field(alias="ManagementFees")]


class OriginalForm(Form):
    id: Annotated[str, Field(min_length=1)]
    purchase_order: str | None
    payment_terms: str
    billing_type: Literal["Arrears", "Advanced"]
    increment_month: Month
    increment_amount: Pct
    consumer_price_index: bool
    notes: str | None
    deviation_amount: Num
    deviation_percentage: Pct
    deposits: bool
    contract_type: str | None
    accounts_payable: Annotated[str | None, _spelled("accountsPayable", "accountspayable")] = None
    supporting_reports: list[Report]
    invoice_grouping: GroupingForm
    fixed_fee: FixedFeeForm
    per_labor_hour: LaborForm
    per_occupied_room: RoomForm
    revenue_share: RevenueShareForm
    bell_service_fee: BellServiceForm
    mid_month_advance: MidMonthForm
    deposited_revenue: DepositedForm
    billable_accounts: BillableForm
    management_agreement: ManagementForm


class LegacyForm(Form):
    """The whole file; `flattened` is compared with its recomputation, never read."""

    metadata: MetadataForm
    original: OriginalForm
    flattened: dict[str, Any]

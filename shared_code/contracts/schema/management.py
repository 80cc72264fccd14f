"""The management agreement: fee, insurance, claims, profit share, validations and expenses outside the ledger."""

from typing import Annotated, Literal

from pydantic import Field

from shared_code.contracts.schema.base import (
    Accumulation,
    Money,
    MonthOf,
    Part,
    PayrollBase,
    Percent,
    Switch,
    Text,
    Whole,
)
from shared_code.contracts.schema.components import Tier, Validation


class FeeFixed(Part):
    """A monthly fee; 0 is legal."""

    kind: Literal["FixedFee"] = "FixedFee"
    amount: Money | None


class FeePercentage(Part):
    """A percentage of the month's revenue."""

    kind: Literal["RevenuePercentage"] = "RevenuePercentage"
    pct: Percent | None


class FeeJob(Part):
    """A job whose hours earn the fee."""

    code: Text
    description: str | None = None
    rate: Money | None
    ot_rate: Money | None = None


class FeeHourly(Part):
    """A fee by hours worked. `rate` and `ot_rate` are the older single columns, read and never billed."""

    kind: Literal["PerLaborHour"] = "PerLaborHour"
    job_codes: tuple[FeeJob, ...] = ()
    rate: Money | None = None
    ot_rate: Money | None = None


ManagementFee = Annotated[FeeFixed | FeePercentage | FeeHourly, Field(discriminator="kind")]


class InsuranceOff(Part):
    """No insurance line."""

    kind: Literal["off"] = "off"


class InsuranceOnAccounts(Part):
    """Insurance accounts billed with a surcharge; they leave the expense line (rules R16)."""

    kind: Literal["BasedOnBillableAccounts"] = "BasedOnBillableAccounts"
    additional_pct: Percent | None
    title: str | None = None


class InsuranceFixed(Part):
    """Insurance as a monthly amount."""

    kind: Literal["FixedFee"] = "FixedFee"
    amount: Money | None
    title: str | None = None


Insurance = Annotated[InsuranceOff | InsuranceOnAccounts | InsuranceFixed, Field(discriminator="kind")]


class ClaimsOff(Part):
    """No claims line."""

    kind: Literal["off"] = "off"


class ClaimsCapped(Part):
    """Claims up to a cap. Per claim is uncapped, and a null cap is no cap (rules R16)."""

    kind: Literal["AnnualCalendar", "AnnualAnniversary", "PerClaim"]
    cap: Money | None
    title: str | None = None


Claims = Annotated[ClaimsOff | ClaimsCapped, Field(discriminator="kind")]


class ProfitShareOff(Part):
    """No profit share."""

    kind: Literal["off"] = "off"


class ProfitShareOn(Part):
    """The operator's share of profit by tiers (billing-flows 7)."""

    kind: Literal["on"] = "on"
    accumulation: Accumulation
    tiers: tuple[Tier, ...]


ProfitShare = Annotated[ProfitShareOff | ProfitShareOn, Field(discriminator="kind")]


class _NonGlLine(Part):
    id: str
    base: PayrollBase = "Billable"
    title: str
    final_period: MonthOf | None = None
    sequence: Whole | None = None


class NonGlAmount(_NonGlLine):
    """An expense outside the ledger as a monthly amount, billed through `final_period` (rules R33)."""

    kind: Literal["FixedAmount"] = "FixedAmount"
    amount: Money | None


class NonGlRevenue(_NonGlLine):
    """An expense outside the ledger as a percentage of revenue."""

    kind: Literal["Revenue"] = "Revenue"
    pct: Percent | None


class NonGlPayroll(_NonGlLine):
    """An expense outside the ledger as a percentage of payroll (rules R19)."""

    kind: Literal["Payroll"] = "Payroll"
    pct: Percent | None


NonGlLine = Annotated[NonGlAmount | NonGlRevenue | NonGlPayroll, Field(discriminator="kind")]


class Agreement(Part):
    """One management agreement. `non_gl_enabled` is tri-state: None was saved before the switch existed (DQ36)."""

    id: str
    group: Whole = 1
    fee: ManagementFee
    insurance: Insurance
    claims: Claims
    profit_share: ProfitShare
    validation: Validation
    non_gl_enabled: Switch | None = None
    non_gl: tuple[NonGlLine, ...] = ()


class ManagementAgreement(Part):
    """The management agreement block (billing-flows 6.10 to 6.12, 7). One active agreement (rules R9)."""

    kind: Literal["managementAgreement"] = "managementAgreement"
    enabled: Switch
    agreements: tuple[Agreement, ...] = ()

"""The components that stand by themselves: fees, hours, rooms, revenue share, bell, advance, deposited revenue.

Every component has its own switch and keeps its data when it is off (contract-corpus 5.1 R2). A missing
group means 1 in every block (rules R7). A number that is None was never entered (rules R48).
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator

from shared_code.contracts.schema.base import (
    Accumulation,
    Money,
    MonthOf,
    Part,
    Percent,
    Switch,
    Text,
    Whole,
)


class ServiceLine(Part):
    """A monthly fee. `start` None = unknown, treated as always (rules R14); `end` is the last day."""

    id: str
    name: str
    code: str | None
    display_name: str
    fee: Money | None
    start: date | None = None
    end: date | None = None
    group: Whole = 1


class FixedFee(Part):
    """Monthly fees (billing-flows 6.1)."""

    kind: Literal["fixedFee"] = "fixedFee"
    enabled: Switch
    lines: tuple[ServiceLine, ...] = ()


class JobRate(Part):
    """An hourly rate. The overtime rate is stored, never derived (rules R15).

    `job_code` is the work role of the time sheets, `code` the ledger account (None: the configured one, rules R54).
    """

    id: str
    name: str
    display_name: str
    job_code: Text
    rate: Money | None
    ot_rate: Money | None = None
    code: str | None = None
    start: date | None = None
    end: date | None = None
    group: Whole = 1


class PerLaborHour(Part):
    """Hours worked at a rate per job (billing-flows 6.2)."""

    kind: Literal["perLaborHour"] = "perLaborHour"
    enabled: Switch
    hours_backup: Switch = True
    lines: tuple[JobRate, ...] = ()


class PerOccupiedRoom(Part):
    """Occupied rooms at a rate (billing-flows 6.3)."""

    kind: Literal["perOccupiedRoom"] = "perOccupiedRoom"
    enabled: Switch
    room_rate: Money | None = None
    group: Whole = 1
    code: str | None = None


class Tier(Part):
    """The operator's share of one band. `up_to` is the cumulative bound; None = unbounded (rules R10).

    `escalator_value` is a record of today's application beside the tiers of a revenue share, where nothing says when
    it would serve; what bills is an escalator of the contract.
    """

    share_pct: Percent | None
    up_to: Money | None = None
    escalator_value: Percent | None = None

    @field_validator("up_to")
    @classmethod
    def _unbounded(cls, value: Decimal | None) -> Decimal | None:
        return value or None  # 0 means unbounded, like null


class NoValidation(Part):
    """Validations are not charged."""

    kind: Literal["none"] = "none"


class ValidationPercentage(Part):
    """Validations above a percentage of revenue are charged; 0 = all of them (DQ23)."""

    kind: Literal["RevenuePercentage"] = "RevenuePercentage"
    value: Percent | None


class ValidationVehicles(Part):
    """Validations by vehicle count: the full validation revenue is charged (rules R6)."""

    kind: Literal["VehicleCount"] = "VehicleCount"
    value: Money | None


class ValidationMoney(Part):
    """Validations above a monthly amount are charged."""

    kind: Literal["ValidationAmount"] = "ValidationAmount"
    value: Money | None


Validation = Annotated[
    NoValidation | ValidationPercentage | ValidationVehicles | ValidationMoney, Field(discriminator="kind")
]


class Structure(Part):
    """One threshold structure: its revenue codes, tiers and validation rule.

    `charge_in_full` bills validations whole instead of weighted by the shares (rules R6).
    """

    id: str
    revenue_codes: tuple[str, ...]
    accumulation: Accumulation
    tiers: tuple[Tier, ...]
    validation: Validation
    group: Whole = 1
    charge_in_full: Switch = False


class RevenueShare(Part):
    """Shares of revenue by tiers (billing-flows 6.4, 6.5)."""

    kind: Literal["revenueShare"] = "revenueShare"
    enabled: Switch
    structures: tuple[Structure, ...] = ()


class BellItem(Part):
    """The invoice group that carries the bell service fee; the amount comes from revenue."""

    id: str
    group: Whole = 1


class BellService(Part):
    """Bell service revenue of the month (billing-flows 6.6). One active row (rules R9)."""

    kind: Literal["bellServiceFee"] = "bellServiceFee"
    enabled: Switch
    items: tuple[BellItem, ...] = ()


class AdvanceItem(Part):
    """An advance that is credited. `start` and `end` are service periods, both inclusive (rules R21)."""

    id: str
    amount: Money | None
    line_title: Literal["MidMonthBilling", "PreBill"] | None = None
    group: Whole = 1
    start: MonthOf | None = None
    end: MonthOf | None = None


class MidMonthAdvance(Part):
    """Advances credited on every statement while active (billing-flows 6.7)."""

    kind: Literal["midMonthAdvance"] = "midMonthAdvance"
    enabled: Switch
    items: tuple[AdvanceItem, ...] = ()


class DepositItem(Part):
    """Two independent switches: revenue that the operator deposited, and who remits parking tax (DQ26)."""

    id: str
    deposited_revenue_enabled: Switch
    operator_pays_parking_tax: Switch
    group: Whole = 1


class DepositedRevenue(Part):
    """Revenue deposited by the operator, less taxes (billing-flows 6.8). One active row (rules R9)."""

    kind: Literal["depositedRevenue"] = "depositedRevenue"
    enabled: Switch
    items: tuple[DepositItem, ...] = ()

"""Terms: clauses of the deal that no component holds. Open list, each with its raw text and a review status.

Source: contract-corpus 2.7 and 5.2 (Term). Nothing here bills before a person approves it (rules R32).
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shared_code.contracts.schema.base import Money, Part, Percent, Report, Signed, Text, Whole
from shared_code.contracts.schema.escalation import Status

Interval = Literal["month", "year", "once"]


class _Term(Part):
    status: Status = "proposed"
    text: str | None = None
    note_start: Whole | None = None
    note_end: Whole | None = None


class ExcessHours(_Term):
    """Only hours beyond a base are billable."""

    type: Literal["excess_hours"] = "excess_hours"
    base_hours: Money
    per: Literal["week", "month"] = "week"
    rate: Money | None = None


class OvertimePolicy(_Term):
    """How overtime is billed."""

    type: Literal["overtime_policy"] = "overtime_policy"
    mode: Literal["straight_rate", "overtime_rate", "not_billable"]


class ClaimsCapPerClaim(_Term):
    """A cap for each claim."""

    type: Literal["claims_cap_per_claim"] = "claims_cap_per_claim"
    amount: Money


class ClaimsOverflowSplit(_Term):
    """The client's part of claims above the cap."""

    type: Literal["claims_overflow_split"] = "claims_overflow_split"
    client_pct: Percent


class ProfitShareCap(_Term):
    """A cap on the profit share."""

    type: Literal["profit_share_cap"] = "profit_share_cap"
    amount: Money
    period: Interval = "month"


class ClientCredit(_Term):
    """A recurring credit to the client."""

    type: Literal["client_credit"] = "client_credit"
    amount: Money
    period: Interval = "month"
    occurrences: Whole | None = None
    until: date | None = None


class SigningBonus(_Term):
    """A bonus paid to the client."""

    type: Literal["signing_bonus"] = "signing_bonus"
    amount: Money


class KpiFee(_Term):
    """A fee for reaching a target."""

    type: Literal["kpi_fee"] = "kpi_fee"
    amount: Money
    per: str | None = None


class EquipmentBillback(_Term):
    """Equipment billed back to the client."""

    type: Literal["equipment_billback"] = "equipment_billback"
    amount: Money | None = None


class EarlyTermination(_Term):
    """What is due when the contract ends early."""

    type: Literal["early_termination"] = "early_termination"
    amount: Money | None = None


class ClientPaidExpense(_Term):
    """An expense that the client pays directly."""

    type: Literal["client_paid_expense"] = "client_paid_expense"
    title: str | None = None
    amount: Money | None = None


class RentPassThrough(_Term):
    """Parking rent passed on."""

    type: Literal["rent_pass_through"] = "rent_pass_through"
    amount: Money | None = None
    pct: Percent | None = None


class PooledWith(_Term):
    """A threshold or cap shared by several sites (contract-corpus 5.1 R15)."""

    type: Literal["pooled_with"] = "pooled_with"
    what: Text
    site_numbers: tuple[str, ...]


class ParkingTax(_Term):
    """Who remits parking tax."""

    type: Literal["parking_tax"] = "parking_tax"
    responsible: Literal["client", "operator", "exempt"]


class NonBillableAccounts(_Term):
    """Accounts that are never passed on."""

    type: Literal["non_billable_accounts"] = "non_billable_accounts"
    codes: tuple[str, ...]


class RefundableDeposit(_Term):
    """A deposit held for the client."""

    type: Literal["refundable_deposit"] = "refundable_deposit"
    amount: Money


class ScheduledChange(_Term):
    """A field that changes on a date."""

    type: Literal["scheduled_change"] = "scheduled_change"
    target: Text
    effective: date
    value: Signed | None = None


class AnniversaryAnchor(_Term):
    """The commencement date of an anniversary window (DQ33)."""

    type: Literal["anniversary_anchor"] = "anniversary_anchor"
    anchor: date | None = None


class ReportSuppression(_Term):
    """Reports that the client does not want."""

    type: Literal["report_suppression"] = "report_suppression"
    reports: tuple[Report, ...] = ()


class Unstructured(_Term):
    """A clause that nobody has structured yet; `text` holds it."""

    type: Literal["unstructured"] = "unstructured"


Term = Annotated[
    ExcessHours
    | OvertimePolicy
    | ClaimsCapPerClaim
    | ClaimsOverflowSplit
    | ProfitShareCap
    | ClientCredit
    | SigningBonus
    | KpiFee
    | EquipmentBillback
    | EarlyTermination
    | ClientPaidExpense
    | RentPassThrough
    | PooledWith
    | ParkingTax
    | NonBillableAccounts
    | RefundableDeposit
    | ScheduledChange
    | AnniversaryAnchor
    | ReportSuppression
    | Unstructured,
    Field(discriminator="type"),
]

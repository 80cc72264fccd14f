"""Clauses of a note that the contract document has no slot for: data only, for the person who enters them.

Source: contract-corpus 2.7. A clause that the schema knows is a model of `contracts.schema`; these are the others.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shared_code.contracts.schema.base import Money, Part, Percent, Switch, Text, Whole


class NoteOnly(Part):
    """A clause that the document has no slot of its own for."""


class ContractStart(NoteOnly):
    """The first day of the agreement."""

    type: Literal["contract_start"] = "contract_start"
    date: date


class ContractEnd(NoteOnly):
    """The last day of the agreement."""

    type: Literal["contract_end"] = "contract_end"
    date: date


class ContractLength(NoteOnly):
    """How long the agreement runs, in months."""

    type: Literal["contract_length"] = "contract_length"
    months: Whole


class Renewal(NoteOnly):
    """How the agreement goes on after its end: `periods` times `months`, by itself or when somebody asks for it."""

    type: Literal["renewal"] = "renewal"
    mode: Literal["automatic", "option", "month_to_month"]
    periods: Whole | None = None
    months: Whole | None = None


class TerminationNotice(NoteOnly):
    """Days of notice before the agreement can end."""

    type: Literal["termination_notice"] = "termination_notice"
    days: Whole


class MinimumFee(NoteOnly):
    """A floor of a fee or of what the client receives."""

    type: Literal["minimum_fee"] = "minimum_fee"
    target: Text
    amount: Money
    per: Literal["month", "year"] = "month"


class MaximumFee(NoteOnly):
    """A ceiling of a fee."""

    type: Literal["maximum_fee"] = "maximum_fee"
    target: Text
    amount: Money
    per: Literal["month", "year"] = "month"


class HourlyRate(NoteOnly):
    """An hourly rate of a job, with the day from which it holds."""

    type: Literal["hourly_rate"] = "hourly_rate"
    rate: Money
    job: str | None = None
    ot_rate: Money | None = None
    effective: date | None = None


class YearlyStep(Part):
    """The value in a year of the agreement, counted from 1."""

    year: Whole
    value: Money


class YearlySteps(NoteOnly):
    """Values by year of the agreement: a schedule once somebody says when the first year begins."""

    type: Literal["yearly_steps"] = "yearly_steps"
    target: Text
    steps: tuple[YearlyStep, ...]


class NoIncrease(NoteOnly):
    """Nothing rises: in one year, or at all."""

    type: Literal["no_increase"] = "no_increase"
    year: Whole | None = None


class AdvanceAmount(NoteOnly):
    """The mid-month advance restated, or taken away."""

    type: Literal["advance_amount"] = "advance_amount"
    amount: Money | None = None
    removed: Switch = False


class CardFee(NoteOnly):
    """Card fees passed on as a percentage."""

    type: Literal["card_fee"] = "card_fee"
    pct: Percent


class ValidationThreshold(NoteOnly):
    """Validations beyond a percentage of revenue, a number of vehicles or an amount are charged."""

    type: Literal["validation_threshold"] = "validation_threshold"
    pct: Percent | None = None
    vehicles: Whole | None = None
    amount: Money | None = None


class ClaimsCap(NoteOnly):
    """The client's yearly cap on claims."""

    type: Literal["claims_cap"] = "claims_cap"
    amount: Money


class Split(NoteOnly):
    """The operator's percentage of revenue or profit; the owner has the rest (rules R30)."""

    type: Literal["split"] = "split"
    of: Literal["revenue", "profit"]
    operator_pct: Percent


class MinimumWage(NoteOnly):
    """Rates follow the legal minimum wage."""

    type: Literal["minimum_wage_adjustment"] = "minimum_wage_adjustment"


class PendingDocument(NoteOnly):
    """A paper that is not signed yet, or a promise by e-mail: where a term comes from, not a term."""

    type: Literal["pending_document"] = "pending_document"


NoteTerm = Annotated[
    ContractStart
    | ContractEnd
    | ContractLength
    | Renewal
    | TerminationNotice
    | MinimumFee
    | MaximumFee
    | HourlyRate
    | YearlySteps
    | NoIncrease
    | AdvanceAmount
    | CardFee
    | ValidationThreshold
    | ClaimsCap
    | Split
    | MinimumWage
    | PendingDocument,
    Field(discriminator="type"),
]

"""Escalators: how a rate changes over the years. Data only; evaluating them for a period is another module.

An escalator that was mined from a note is `proposed` until a person approves it (rules R32).
"""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from shared_code.contracts.schema.base import Money, Month, Part, Percent, Signed, Text, Year

Status = Literal["proposed", "approved", "rejected"]

# What an escalator raises, and what its `target_id` narrows it to (None: every such rate of the contract).
TARGETS: Final[dict[str, str]] = {
    "fixedFee.fee": "the id of a line",
    "perLaborHour.rate": "the id of a line; a percentage raises the overtime rate with it",
    "perLaborHour.otRate": "the id of a line; stands in for what the rate would bring",
    "perOccupiedRoom.roomRate": "nothing",
    "revenueShare.tiers.sharePct": "the id of a structure",
    "revenueShare.tiers.upTo": "the id of a structure",
    "midMonthAdvance.amount": "the id of an advance",
    "billableAccounts.pteb": "the id of an account block",
    "billableAccounts.support": "the id of an account block",
    "managementAgreement.fee": "the id of an agreement; the amount, the percentage, or the jobs as for hours",
    "managementAgreement.fee.rate": "the code of a job",
    "managementAgreement.fee.otRate": "the code of a job",
    "managementAgreement.insurance": "the id of an agreement",
    "managementAgreement.claims.cap": "the id of an agreement",
    "managementAgreement.profitShare": "the number of a tier, from 1",
    "managementAgreement.nonGl": "the id of an expense",
}


class EscalatorException(Part):
    """One year in which the escalator is skipped, deferred to a month, or replaced by a value."""

    year: Year
    action: Literal["skip", "defer", "replace"]
    to: Month | None = None
    value: Signed | None = None


class ScheduleStep(Part):
    """From `date` on the target has `value`."""

    date: date
    value: Money


class _Escalator(Part):
    """`target` names a rate (see TARGETS), for example `fixedFee.fee`; `target_id` narrows it to one row."""

    target: Text
    target_id: str | None = None
    month: Month | Literal["anniversary"] | None = None
    first_year: Year | None = None
    until: date | None = None
    exceptions: tuple[EscalatorException, ...] = ()
    source: Literal["field", "note", "api"] = "api"
    status: Status = "approved"
    text: str | None = None


class FixedPct(_Escalator):
    """Grows by a percentage each year."""

    rule: Literal["fixed_pct"] = "fixed_pct"
    pct: Percent


class FixedAmount(_Escalator):
    """Grows by an amount each year."""

    rule: Literal["fixed_amount"] = "fixed_amount"
    amount: Money


class PercentagePoints(_Escalator):
    """A percentage grows by points each year."""

    rule: Literal["percentage_points"] = "percentage_points"
    points: Percent


class IndexRule(_Escalator):
    """Grows with a price index."""

    rule: Literal["index"] = "index"
    index: Text


class GreaterOf(_Escalator):
    """Grows by the greater of a percentage and an index."""

    rule: Literal["greater_of"] = "greater_of"
    pct: Percent
    index: Text


class LesserOf(_Escalator):
    """Grows by the lesser of a percentage and an index."""

    rule: Literal["lesser_of"] = "lesser_of"
    pct: Percent
    index: Text


class Negotiated(_Escalator):
    """Agreed anew each year, perhaps below a ceiling: a reminder, never a calculation."""

    rule: Literal["negotiated"] = "negotiated"
    ceiling: Percent | None = None


class Schedule(_Escalator):
    """Values by date; the only rule that can reduce a rate (rules R43)."""

    rule: Literal["schedule"] = "schedule"
    steps: tuple[ScheduleStep, ...]


Escalator = Annotated[
    FixedPct | FixedAmount | PercentagePoints | IndexRule | GreaterOf | LesserOf | Negotiated | Schedule,
    Field(discriminator="rule"),
]

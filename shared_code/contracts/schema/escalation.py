"""Escalators: how a rate changes over the years. Data only; evaluating them for a period is another module.

An escalator that was mined from a note is `proposed` until a person approves it (rules R32).
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shared_code.contracts.schema.base import Money, Month, Part, Percent, Signed, Text, Year

Status = Literal["proposed", "approved", "rejected"]


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
    """`target` names a field of a component, for example `fixedFee.fee`; `target_id` narrows it to one row."""

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

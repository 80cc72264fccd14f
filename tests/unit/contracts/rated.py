"""Contracts whose rates have dates: the bases of a first version, and what a period then bills."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from shared_code.contracts.rates.bases import RatedVersion, bases_of_version
from shared_code.contracts.rates.model import NO_INDEXES, Indexes
from shared_code.contracts.schema import (
    Component,
    Contract,
    Escalator,
    FeeFixed,
    FeeHourly,
    FeeJob,
    FeePercentage,
    FixedAmount,
    FixedPct,
    PercentagePoints,
    ProfitShareOn,
    PtebPercentage,
    Schedule,
)
from shared_code.contracts.terms import PeriodTerms, terms_for
from shared_code.foundation.calendar import Period
from tests.unit.contracts import parts
from tests.unit.contracts.documents import contract, money

JUNE_2026 = date(2026, 6, 1)


def first_version(deal: Contract, stated: date = JUNE_2026) -> RatedVersion:
    """Version 1, which serves from the beginning; its rates are those of `stated`."""
    return RatedVersion(1, None, deal, bases_of_version(deal, 1, stated, None, None))


def next_version(before: RatedVersion, deal: Contract, effective: date) -> RatedVersion:
    """The version that takes over from `before` on `effective`; what it changes is stated as of that day."""
    version = before.version + 1
    return RatedVersion(version, effective, deal, bases_of_version(deal, version, effective, effective, before))


def terms(deal: Contract, period: str, stated: date = JUNE_2026, indexes: Indexes = NO_INDEXES) -> PeriodTerms:
    """What the first version of a contract bills in a period."""
    return terms_for(deal, Period.parse(period), first_version(deal, stated).bases, indexes)


def values(found: PeriodTerms) -> dict[str, Decimal | None]:
    """The rates of the period by key."""
    return {rate.key: rate.value for rate in found.rates}


def eci(**by_year: str) -> Indexes:
    """Values of ECI: eci(y2027="4.2")."""
    return {("ECI", int(year[1:])): money(value) for year, value in by_year.items()}


def rule(kind: type[Escalator], target: str, month: str | None = "January", **fields: object) -> Escalator:
    """An approved escalator; numbers as text."""
    given: Mapping[str, object] = {"target": target, "month": month, **fields}
    return kind.model_validate(given)


FEE = "fixedFee.fee"


def bills(part: Component, *rules: Escalator, period: str, **fields: Any) -> list[str]:
    """The rates of one component in a period, in document order."""
    found = terms(contract(part, escalators=rules, **fields), period)
    assert not found.errors
    return [str(rate.value) for rate in found.rates]


def pct(target: str, size: str, month: str = "January", **fields: object) -> Escalator:
    return rule(FixedPct, target, month, pct=size, **fields)


def amount(target: str, size: str, month: str = "January", **fields: object) -> Escalator:
    return rule(FixedAmount, target, month, amount=size, **fields)


def points(target: str, size: str, month: str = "January") -> Escalator:
    return rule(PercentagePoints, target, month, points=size)


def schedule(target: str, **steps: str) -> Escalator:
    """Values by date: schedule(FEE, d2027_03_01="5")."""
    given = [{"date": day[1:].replace("_", "-"), "value": value} for day, value in steps.items()]
    return rule(Schedule, target, None, steps=given)


def fee(value: str, **fields: object) -> Component:
    return parts.fees(parts.fee(fee=money(value), **fields))


def hours(rate: str, overtime: str | None) -> Component:
    return parts.hours(parts.job(rate=money(rate), ot_rate=overtime and money(overtime)))


def pteb(value: str) -> Component:
    return parts.accounts(pteb=PtebPercentage(pct=money(value)))


def fee_jobs(*rates: tuple[str, str]) -> Component:
    jobs = [FeeJob(code=f"J{n}", rate=money(rate), ot_rate=money(ot)) for n, (rate, ot) in enumerate(rates)]
    return parts.agreement(fee=FeeHourly(job_codes=tuple(jobs)))


def fee_pct(value: str) -> Component:
    return parts.agreement(fee=FeePercentage(pct=money(value)))


def profit(*shares: str) -> Component:
    tiers = (*(parts.tier(share, str(n)) for n, share in enumerate(shares[:-1], start=1)), parts.tier(shares[-1]))
    return parts.agreement(
        fee=FeeFixed(amount=money("0")), profit_share=ProfitShareOn(accumulation="Monthly", tiers=tiers)
    )

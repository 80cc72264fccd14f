"""Amounts worked out anew from what an explanation says, as an auditor does it: with the inputs, and nothing else.

It takes the JSON of GET /lines/{id}/explanation and shares no code with the calculators. Numbers are exact fractions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

type Inputs = Mapping[str, Any]


def recomputed(explanation: Mapping[str, Any]) -> Fraction:
    """The amount that the inputs of an explanation come to. Raises KeyError for a block that is not known here."""
    return BLOCKS[explanation["block"]](explanation["inputs"])


def cents(exact: Fraction) -> Fraction:
    """Rounded to cents, halves away from zero."""
    return Fraction(floor(abs(exact) * 100 + Fraction(1, 2)) * (1 if exact >= 0 else -1), 100)


def number(inputs: Inputs, name: str) -> Fraction:
    """An exact number; 0 where it is null or not there."""
    return Fraction(inputs.get(name) or 0)


def share(inputs: Inputs, whole: Fraction) -> Fraction:
    return cents(whole * number(inputs, "percent") / 100)


def total(items: Sequence[Inputs]) -> Fraction:
    return sum((number(item, "amount") for item in items), Fraction(0))


def fixed_fee(inputs: Inputs) -> Fraction:
    return cents(number(inputs, "fee") * inputs["days"] / inputs["daysOfMonth"])


def labor(inputs: Inputs) -> Fraction:
    regular = cents(number(inputs, "rate") * number(inputs, "regularHours"))
    overtime = cents(number(inputs, "overtimeRate") * number(inputs, "overtimeHours"))
    return {"regular": regular, "overtime": overtime, "all": regular + overtime}[inputs["billed"]]


def charge(amount: Fraction, tiers: Sequence[Inputs]) -> Fraction:
    """Each part of an amount at the share of its tier, exactly; above a last bound it is charged nothing."""
    due, lower = Fraction(0), Fraction(0)
    for tier in tiers:
        upper = number(tier, "upTo") or None
        top = amount if upper is None else min(amount, upper)
        due += max(top - lower, Fraction(0)) * number(tier, "percent") / 100
        if upper is None:
            break
        lower = upper
    return due


def window(inputs: Inputs, month: Fraction) -> Fraction:
    """What a month owes in its window."""
    to_date, tiers = number(inputs, "toDate"), inputs["tiers"]
    after = charge(to_date + month, tiers)
    if inputs["lossRule"] == "reference":
        return cents(max(after - charge(max(to_date, Fraction(0)), tiers), Fraction(0)))
    return max(cents(after) - cents(charge(number(inputs, "highWaterMark"), tiers)), Fraction(0))


def revenue_share(inputs: Inputs) -> Fraction:
    structures = [found for name, found in inputs.items() if name.startswith("structure")]
    return sum((window(found, number(found, "month")) for found in structures), Fraction(0))


def above(inputs: Inputs, kind: str | None, validated: Fraction, revenue: Fraction) -> Fraction:
    """Validations above their threshold; by vehicle count all of them."""
    if kind is None or kind == "VehicleCount":
        return Fraction(0) if kind is None else validated
    limit = number(inputs, "stated")
    return validated - (limit if kind == "ValidationAmount" else max(revenue, Fraction(0)) * limit / 100)


def validations(inputs: Inputs) -> Fraction:
    over = above(inputs, inputs["type"], number(inputs, "validated"), number(inputs, "monthRevenue"))
    if inputs.get("chargedInFull"):
        return cents(over)
    weight = total(inputs["weights"])
    if not weight:
        return cents(over * number(inputs, "firstShare") / 100)
    due = sum((number(band, "amount") * number(band, "percent") for band in inputs["weights"]), Fraction(0))
    return cents(over * due / weight / 100)


def payroll(inputs: Inputs) -> Fraction:
    return cents(number(inputs, "balance") + max(number(inputs, "additionalPayroll"), Fraction(0)))


def expenses(inputs: Inputs) -> Fraction:
    taken = number(inputs, "insuranceAccounts") + number(inputs, "claimsAccounts")
    return cents(number(inputs, "balance") - taken)


def pteb(inputs: Inputs) -> Fraction:
    if inputs["type"] == "Percentage":
        return share(inputs, number(inputs, "payroll"))
    return cents(sum(map(Fraction, inputs["accounts"].values()), Fraction(0)))


def support(inputs: Inputs) -> Fraction:
    if inputs["type"] == "Fixed":
        return cents(number(inputs, "amount"))
    return share(inputs, number(inputs, "payroll") + number(inputs, "pteb"))


def insurance(inputs: Inputs) -> Fraction:
    if inputs["type"] == "FixedFee":
        return cents(number(inputs, "amount"))
    return cents(number(inputs, "balance") * (100 + number(inputs, "additionalPercent")) / 100)


def claims(inputs: Inputs) -> Fraction:
    month, to_date = number(inputs, "month"), number(inputs, "toDate")
    if "toDate" not in inputs or to_date + month <= number(inputs, "cap"):
        return cents(month)
    return cents(max(number(inputs, "cap") - to_date, Fraction(0)))


def management_fee(inputs: Inputs) -> Fraction:
    if inputs["type"] == "FixedFee":
        return cents(number(inputs, "amount"))
    if inputs["type"] == "RevenuePercentage":
        return share(inputs, number(inputs, "revenue"))
    regular = cents(number(inputs, "regularMinutes") * number(inputs, "rate") / 60)
    return regular + cents(number(inputs, "overtimeMinutes") * number(inputs, "overtimeRate") / 60)


def non_gl_expense(inputs: Inputs) -> Fraction:
    if inputs["type"] == "FixedAmount":
        return cents(number(inputs, "amount"))
    return share(inputs, sum((number(inputs, name) for name in ("revenue", "payroll", "pteb")), Fraction(0)))


def profit_share(inputs: Inputs) -> Fraction:
    revenue = number(inputs, "revenue")
    over = above(inputs, inputs["validationType"], number(inputs, "validations"), revenue)
    taken = sum((total(inputs[name]) for name in ("deductions", "clientPaid", "nonBillable", "nonGl")), Fraction(0))
    if inputs["validationType"] != "VehicleCount":
        over = max(over, Fraction(0))
    profit = revenue + over - taken
    assert abs(profit - number(inputs, "profit")) <= Fraction(1, 2 * 10**10)  # it is kept with ten decimals
    return window(inputs, number(inputs, "profit"))


def deposited(inputs: Inputs) -> Fraction:
    return cents(number(inputs, "tax")) if "tax" in inputs else cents(-number(inputs, "deposited"))


BLOCKS: Mapping[str, Callable[[Inputs], Fraction]] = {
    "fixedFee": fixed_fee,
    "perOccupiedRoom": lambda inputs: cents(number(inputs, "rooms") * number(inputs, "rate")),
    "bellServiceFee": lambda inputs: cents(number(inputs, "collected")),
    "depositedRevenue": deposited,
    "billableExpenses": expenses,
    "billablePayroll": payroll,
    "pteb": pteb,
    "supportServices": support,
    "insurance": insurance,
    "claims": claims,
    "managementFee": management_fee,
    "nonGlExpense": non_gl_expense,
    "midMonthAdvance": lambda inputs: cents(-number(inputs, "advance")),
    "perLaborHour": labor,
    "adHoc": lambda inputs: number(inputs, "amount"),
    "revenueShare": revenue_share,
    "validations": validations,
    "profitShare": profit_share,
}

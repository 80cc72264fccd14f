"""One fault put into a good contract-month: a contract error, or facts and history that are not there."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

from tests.oracle.case import Case

DIFFERENT = (
    ({"kind": "none"}, {"kind": "VehicleCount", "value": None}),
    ({"kind": "ValidationAmount", "value": "100"}, {"kind": "ValidationAmount", "value": "100.01"}),
    ({"kind": "ValidationAmount", "value": "2"}, {"kind": "RevenuePercentage", "value": "2"}),
    ({"kind": "RevenuePercentage", "value": "2"}, {"kind": "RevenuePercentage", "value": "2.0"}),  # the same
    ({"kind": "RevenuePercentage", "value": "2"}, {"kind": "none"}),  # a missing setting is no different one
)


def break_contract(random: Random, case: Case) -> None:
    """Puts one contract error into an enabled block; some blocks offer none of those tried, and stay good."""
    part: dict[str, Any] = random.choice([part for part in case.contract["components"] if part["enabled"]])
    rows = next(
        (part[name] for name in ("lines", "structures", "items", "blocks", "agreements") if name in part), [part]
    )
    if random.random() < 0.1:
        rows.clear()  # a block that is on and says nothing
    elif random.random() < 0.25:
        name = random.choice(("payrollGroup", "expenseGroup")) if part["kind"] == "billableAccounts" else "group"
        rows[0][name] = 99
    elif part["kind"] in ("bellServiceFee", "depositedRevenue", "billableAccounts") and random.random() < 0.7:
        rows.append({**rows[0], "id": "second"})
    elif random.random() < 0.1:
        case.contract["billingType"] = "Advanced"
    elif random.random() < 0.15:
        _break_anchor(random, case)
    else:
        _break_row(random, case, part["kind"], rows[0])


def _break_anchor(random: Random, case: Case) -> None:
    """No date that an anniversary window could start from, or one that lies ahead."""
    ahead = date(case.month[0] + 1, case.month[1], 1)
    case.contract.pop("anchorDate", None)
    case.site_start = None
    if random.random() < 0.5:
        case.contract["anchorDate"] = ahead.isoformat()


def _break_row(random: Random, case: Case, kind: str, row: dict[str, Any]) -> None:
    simple = {"fixedFee": "fee", "perLaborHour": "rate", "perOccupiedRoom": "roomRate", "midMonthAdvance": "amount"}
    if kind in simple:
        row[simple[kind]] = None
    elif kind == "revenueShare":
        _break_share(random, case, row)
    elif kind == "billableAccounts":
        row["pteb"] = {"kind": "Percentage", "pct": None}
    elif kind == "managementAgreement":
        _break_agreement(random, case, row)


def _break_share(random: Random, case: Case, row: dict[str, Any]) -> None:
    structures = next(part["structures"] for part in case.contract["components"] if part["kind"] == "revenueShare")
    if len(structures) > 1 and random.random() < 0.5:  # one setting of validations for all structures (R9)
        row["validation"], other = random.choice(DIFFERENT)
        structures[-1]["validation"] = other
    else:
        _break_tiers(random, row["tiers"])


def _break_tiers(random: Random, tiers: list[dict[str, Any]]) -> None:
    if random.random() < 0.4:
        tiers[0]["sharePct"] = None
    else:
        bounds = random.choice((("500", "500", None), ("500", "499.99", "0"), (None, "500", None), ("0", "500", None)))
        tiers[:] = [{"sharePct": "10", "upTo": bound} for bound in bounds]


def _break_agreement(random: Random, case: Case, row: dict[str, Any]) -> None:
    choice = random.choice(("fee", "cap", "jobs", "tiers", "accounts", "overtime"))
    if choice == "fee":
        row["fee"] = {"kind": "FixedFee", "amount": None}
    elif choice == "cap":
        row["claims"] = {"kind": "AnnualCalendar", "cap": "0", "title": "Loss & Damage"}
    elif choice == "jobs":
        row["fee"] = {"kind": "PerLaborHour", "jobCodes": []}
    elif choice == "overtime":  # an error only where the role worked overtime
        row["fee"] = {"kind": "PerLaborHour", "jobCodes": [{"code": "Valet", "rate": "20", "otRate": None}]}
    elif choice == "tiers" and row["profitShare"]["kind"] == "on":
        _break_tiers(random, row["profitShare"]["tiers"])
    else:
        row["insurance"] = {"kind": "BasedOnBillableAccounts", "additionalPct": "5", "title": "Insurance"}
        for part in case.contract["components"]:
            if part["kind"] == "billableAccounts":
                part["enabled"] = False


def break_facts(random: Random, case: Case) -> None:
    """Takes away the rows of some datasets for the service month or an earlier month, or leaves rows that hardly count.

    Draft rows do not make a site present, rows of excluded entities do (R60).
    """
    month = case.month if random.random() < 0.5 else random.choice(sorted(case.profits)[-6:])
    if random.random() < 0.2:
        case.ledger = [row._replace(entity="06") if row.month == month else row for row in case.ledger]
        case.statistics = [row._replace(draft=True) for row in case.statistics]
        return
    for name in random.sample(("revenue", "ledger", "statistics", "timesheet", "profits"), random.randint(1, 4)):
        if name == "profits":
            case.profits.pop(month, None)
        elif name == "ledger":
            case.ledger = [row for row in case.ledger if row.month != month]
        else:
            rows = [row for row in getattr(case, name) if (row.day.year, row.day.month) != month]
            setattr(case, name, rows)

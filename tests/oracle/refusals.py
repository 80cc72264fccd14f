"""Why a contract-month cannot be billed, as the rules say it (R7 to R10, R48, R50, R60 to R62). Part of the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any

from tests.oracle.case import Case, Month
from tests.oracle.charts import CLAIMS_ACCOUNTS, enabled
from tests.oracle.windows import has_anchor, needed_months, opening_of

ANNUAL = ("AnnualCalendar", "AnnualAnniversary")
ROWS = {
    "fixedFee": "lines", "perLaborHour": "lines", "revenueShare": "structures", "bellServiceFee": "items",
    "midMonthAdvance": "items", "depositedRevenue": "items", "billableAccounts": "blocks",
    "managementAgreement": "agreements",
}  # fmt: skip
ONE_ROW = ("bellServiceFee", "depositedRevenue", "billableAccounts", "managementAgreement")


def _blocks(case: Case) -> dict[str, dict[str, Any]]:
    return {part["kind"]: part for part in case.contract["components"] if part["enabled"]}


def _agreements(case: Case) -> list[dict[str, Any]]:
    block = _blocks(case).get("managementAgreement")
    return block["agreements"] if block else []


def contract_errors(case: Case) -> set[str]:
    """Codes of every contract error (R61)."""
    return set(_errors(case))


def _errors(case: Case) -> Iterator[str]:
    blocks = _blocks(case)
    known = {1}
    if case.contract.get("groupingEnabled") and case.contract.get("groups"):  # R52
        known = {group["number"] for group in case.contract["groups"]}
    for kind, block in blocks.items():
        rows = block[ROWS[kind]] if kind in ROWS else [block]
        for row in rows:
            names = ("payrollGroup", "expenseGroup") if kind == "billableAccounts" else ("group",)
            if any(row.get(name, 1) not in known for name in names):
                yield "GROUP_UNKNOWN"  # R7
        if kind in ONE_ROW and len(rows) > 1:
            yield "SECOND_ROW"  # R9
    yield from _missing_numbers(case, blocks)
    yield from _bad_tiers(blocks, _agreements(case))
    yield from _different_validations(blocks.get("revenueShare", {}).get("structures", []))
    yield from _agreement_errors(case, blocks)
    if _accumulates_by_anniversary(blocks, _agreements(case)) and not has_anchor(case):
        yield "ANCHOR_MISSING"
    if case.contract["billingType"] == "Advanced" and _reads_facts(case, blocks):
        yield "ADVANCED_WITH_FACTS"  # R50


def _missing_numbers(case: Case, blocks: dict[str, Any]) -> Iterator[str]:
    """R48: a null where a number is needed."""
    numbers: list[Any] = [row["fee"] for row in blocks.get("fixedFee", {}).get("lines", ())]
    numbers += [row["rate"] for row in blocks.get("perLaborHour", {}).get("lines", ())]
    numbers += [row["amount"] for row in blocks.get("midMonthAdvance", {}).get("items", ())]
    if "perOccupiedRoom" in blocks:
        numbers.append(blocks["perOccupiedRoom"]["roomRate"])
    rules = []
    for block in blocks.get("billableAccounts", {}).get("blocks", ()):
        rules += [block["pteb"], block["support"]]
    for row in _agreements(case):
        rules += [row["fee"], row["insurance"], *(row["nonGl"] if row.get("nonGlEnabled") else ())]
    for row in (*blocks.get("revenueShare", {}).get("structures", ()), *_agreements(case)):
        if row["validation"]["kind"] in ("RevenuePercentage", "ValidationAmount"):
            numbers.append(row["validation"]["value"])
    numbers += [rule[name] for rule in rules for name in ("pct", "amount", "additionalPct") if name in rule]
    jobs = [job for row in _agreements(case) for job in row["fee"].get("jobCodes", ())]
    numbers += [job["rate"] for job in jobs]
    if None in numbers:
        yield "NULL_NUMBER"
    first = date(*case.month, 1).isoformat()
    lines = [r for r in blocks.get("perLaborHour", {}).get("lines", ()) if _on(r, first)]
    for role in [r["jobCode"] for r in lines if r["otRate"] is None] + [j["code"] for j in jobs if j["otRate"] is None]:
        if any(
            r.role == role.strip().upper()
            and (r.day.year, r.day.month) == case.month
            and r.overtime + r.holiday + r.double_time
            for r in case.timesheet
        ):
            yield "NULL_NUMBER"  # only when there are overtime hours


def _on(row: dict[str, Any], first: str) -> bool:
    return (row.get("start") or first) <= first <= (row.get("end") or first)


def _bad_tiers(blocks: dict[str, Any], agreements: list[dict[str, Any]]) -> Iterator[str]:
    """R10: bounds rise, an unbounded tier is the last."""
    rows = [*blocks.get("revenueShare", {}).get("structures", ())]
    rows += [row["profitShare"] for row in agreements if row["profitShare"]["kind"] == "on"]
    for row in rows:
        bounds = [float(tier.get("upTo") or 0) or float("inf") for tier in row["tiers"]]
        if any(upper <= lower for lower, upper in pairwise(bounds)):
            yield "TIERS_INVALID"
        if any(tier["sharePct"] is None for tier in row["tiers"]):
            yield "NULL_NUMBER"


def _accumulates_by_anniversary(blocks: dict[str, Any], agreements: list[dict[str, Any]]) -> bool:
    kinds = [row["accumulation"] for row in blocks.get("revenueShare", {}).get("structures", ())]
    kinds += [row["profitShare"]["accumulation"] for row in agreements if row["profitShare"]["kind"] == "on"]
    kinds += [row["claims"]["kind"] for row in agreements if row["claims"].get("cap") is not None]
    return "AnnualAnniversary" in kinds


def _different_validations(structures: list[dict[str, Any]]) -> Iterator[str]:
    """R9: validations are charged once, so another structure says the same or nothing."""
    settings = []
    for row in structures:
        value = row["validation"].get("value")
        settings.append((row["validation"]["kind"], None if value is None else float(value)))
    if any(setting[0] != "none" and setting != settings[0] for setting in settings[1:]):
        yield "VALIDATION_DIFFERS"


def _agreement_errors(case: Case, blocks: dict[str, Any]) -> Iterator[str]:
    for row in _agreements(case):
        claims = row["claims"]
        if claims["kind"] in ANNUAL and claims["cap"] is not None and float(claims["cap"]) == 0:
            yield "CAP_ZERO"  # R48
        if row["fee"]["kind"] == "PerLaborHour" and not row["fee"]["jobCodes"]:
            yield "NO_JOBS"
        # R62: an error of the contract while the block is off; a block without a row stops what is still billed (R60).
        text = "{:04d}-{:02d}".format(*case.month) if "billableAccounts" in blocks else ""
        lines = [
            line
            for line in row.get("nonGl", ())
            if row.get("nonGlEnabled") and (line.get("finalPeriod") or text) >= text
        ]
        payroll = any(line["kind"] == "Payroll" for line in lines)
        based = row["insurance"]["kind"] == "BasedOnBillableAccounts" or claims["kind"] != "off" or payroll
        if based and not blocks.get("billableAccounts", {}).get("blocks"):
            yield "ACCOUNTS_OFF"


def _reads_facts(case: Case, blocks: dict[str, Any]) -> bool:
    if not blocks.keys() <= {"fixedFee", "midMonthAdvance", "managementAgreement"}:
        return True
    return any(
        row["fee"]["kind"] != "FixedFee"
        or row["insurance"]["kind"] == "BasedOnBillableAccounts"
        or row["claims"]["kind"] != "off"
        or row["profitShare"]["kind"] == "on"
        or row["validation"]["kind"] != "none"
        or (row.get("nonGlEnabled") and any(line["kind"] != "FixedAmount" for line in row["nonGl"]))
        for row in _agreements(case)
    )


def fact_errors(case: Case) -> set[str]:
    """The first fact reason: of the service month MISSING_FACTS, of an earlier month of a window MISSING_HISTORY."""
    present = {(name, month) for name, month in _present(case)}
    needs = set(_needs(case))
    if any(month == case.month and (name, month) not in present for name, month in needs):
        return {"MISSING_FACTS"}
    return {"MISSING_HISTORY"} if needs - present else set()


def _present(case: Case) -> Iterator[tuple[str, Month]]:
    for row in case.revenue:
        yield "revenue", (row.day.year, row.day.month)
    for rooms in case.statistics:
        if not rooms.draft:  # R60: draft rows do not make a site present
            yield "statistics", (rooms.day.year, rooms.day.month)
    for sheet in case.timesheet:
        yield "timesheet", (sheet.day.year, sheet.day.month)
    for entry in case.ledger:  # R60: rows of excluded entities do
        yield "ledger", entry.month
    for month in case.profits:
        yield "profits", month


def _needs(case: Case) -> Iterator[tuple[str, Month]]:
    """R60: what a predicate of an active row reads."""
    blocks, month = _blocks(case), case.month
    first = date(*month, 1).isoformat()
    if any(_on(row, first) for row in blocks.get("perLaborHour", {}).get("lines", ())):
        yield "timesheet", month
    if "perOccupiedRoom" in blocks:
        yield "statistics", month
    if blocks.get("bellServiceFee", {}).get("items"):
        yield "revenue", month
    for row in blocks.get("depositedRevenue", {}).get("items", ()):
        if row["operatorPaysParkingTax"] or row["depositedRevenueEnabled"]:
            yield "revenue", month
    for row in blocks.get("revenueShare", {}).get("structures", ()):
        yield "revenue", month
        opening = opening_of(case, "structure", row["id"], row["accumulation"])
        yield from (("revenue", earlier) for earlier in needed_months(case, row["accumulation"], opening))
    if any(_reads_ledger(row) for row in blocks.get("billableAccounts", {}).get("blocks", ())):
        yield "ledger", month
    for row in _agreements(case):
        yield from _agreement_needs(case, row)


def _reads_ledger(row: dict[str, Any]) -> bool:
    return bool(enabled(row["payroll"]) or enabled(row["expense"]) or row["pteb"]["kind"] == "Actual")


def _bills_claims(case: Case) -> bool:
    """Whether a claims account is on: without one the predicate reads nothing."""
    accounts = _blocks(case).get("billableAccounts", {}).get("blocks", ())
    return any(enabled(row["expense"]).intersection(CLAIMS_ACCOUNTS) for row in accounts)


def _agreement_needs(case: Case, row: dict[str, Any]) -> Iterator[tuple[str, Month]]:
    month, share, claims = case.month, row["profitShare"], row["claims"]
    text = f"{month[0]:04d}-{month[1]:02d}"
    lines = row["nonGl"] if row.get("nonGlEnabled") else ()
    by_revenue = any(line["kind"] == "Revenue" and (line.get("finalPeriod") or text) >= text for line in lines)
    if by_revenue or row["fee"]["kind"] == "RevenuePercentage" or share["kind"] == "on":
        yield "revenue", month
    if row["fee"]["kind"] == "PerLaborHour":
        yield "timesheet", month
    if claims["kind"] in ANNUAL and claims["cap"] is not None and _bills_claims(case):
        opening = opening_of(case, "claims", row["id"], claims["kind"])
        yield from (("ledger", earlier) for earlier in needed_months(case, claims["kind"], opening))
    if share["kind"] == "on":
        opening = opening_of(case, "profitShare", row["id"], share["accumulation"])
        yield from (("profits", earlier) for earlier in needed_months(case, share["accumulation"], opening))

"""Contract blocks that do not need the ledger: fixed fee, hours, rooms, revenue share, advance, deposits, groups.

Weights and ranges follow contract-corpus 2.2; amounts are drawn from its quantiles and are nobody's.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from sample_data.draw import Draw
from sample_data.legacy_form import REVENUE_CODES, Json
from shared_code.foundation.money import to_cents

_FEE: Final = ((0.0, 50), (0.1, 200), (0.5, 4_400), (0.9, 25_000), (1.0, 62_000))
_HOURLY: Final = ((0.0, 14), (0.1, 19), (0.5, 27), (0.9, 44), (1.0, 63))
_ROOM: Final = ((0.0, 0.63), (0.1, 0.9), (0.5, 1.2), (0.9, 1.4), (1.0, 2.5))
_ONE_TIER: Final = ((0.0, 10), (0.1, 15), (0.5, 31), (0.88, 80), (1.0, 100))
_MONTHLY_BOUND: Final = ((0.0, 12_000), (0.1, 15_000), (0.5, 75_000), (0.9, 130_000), (1.0, 210_000))
_ANNUAL_BOUND: Final = ((0.0, 300_000), (0.1, 500_000), (0.5, 1_100_000), (0.9, 3_500_000), (1.0, 5_000_000))
_VALIDATION: Final = ((0.0, 1), (0.1, 2), (0.5, 5), (0.9, 12), (1.0, 40))
_ADVANCE: Final = ((0.0, 2_800), (0.1, 7_500), (0.5, 15_000), (0.9, 40_000), (1.0, 75_000))

_SERVICES: Final = {
    ("Valet Services", "4700"): 61,
    ("Parking Management", "4715"): 30,
    ("Shuttle Services", "4705"): 18,
    ("General Revenue", "4790"): 7,
    ("Greeter", "4750"): 6,
    ("Concierge", "4710"): 2,
    ("Patient Transport", "4775"): 2,
    ("Bell", "4725"): 1,
}
JOBS: Final = {
    ("GSA", "GSA", "Valet Services"): 110,
    ("GSC", "GSC", "Valet Services"): 91,
    ("ACCTMGR", "Account Manager", "Account Manager"): 70,
    ("GSA2", "Valet", "Valet Services"): 23,
    ("ASSOCM", "Associate Manager", "Valet Services"): 23,
    ("GREETER", "Greeter", "Greeter"): 19,
    ("CASH", "Cashier", "Valet Services"): 16,
    ("TEAMLDR", "Team Lead", "Valet Services"): 14,
    ("SHUTL1", "Shuttle", "Shuttle Services"): 13,
    ("GSA3", "Lead Valet", "Valet Services"): 11,
    ("TRAFFIC", "Traffic Control", "Parking Management"): 9,
    ("DOO", "Director", "Director"): 9,
    ("SHUTL2", "Shuttle 2", "Shuttle Services"): 8,
    ("SHUTL3", "Shuttle 3", "Shuttle Services"): 8,
    ("BELL", "Bell Services", "Bell"): 6,
    ("DOOR", "Door Services", "Valet Services"): 5,
    ("WHELESC", "Wheelchair Escort", "Patient Transport"): 4,
}
_JOB_ROWS: Final = {1: 19, 2: 31, 3: 41, 4: 21, 5: 12, 6: 4, 7: 7, 8: 6, 9: 8}
_CARVE_OUTS: Final = {("SM1",): 13, ("SM2",): 3, ("SD2",): 3, ("VO2",): 2, ("SO1", "SO2"): 1}
_VALIDATIONS: Final = {"percentage": 171, "none": 35, "zero": 11, "vehicles": 3, "amount": 2}
_GROUP_TITLES: Final = ("Billing Details", "Valet", "Shuttle", "Guest Services", "Expenses", "East Entrance")


def service_rates(draw: Draw, groups: int) -> list[Json]:
    """Fixed-fee lines; with invoice grouping on, enough lines that every group has one."""
    count = max(draw.weighted({1: 89, 2: 8, 3: 4, 4: 1, 6: 1}), groups)
    rows: list[Json] = []
    for position in range(count):
        name, code = draw.weighted(_SERVICES)
        row = {"id": draw.guid(), "name": name, "displayName": _service_title(name, position), "code": code}
        dated = {"startDate": _start(draw), "endDate": None, "invoiceGroup": position % max(groups, 1) + 1}
        rows.append(row | {"fee": draw.money(_FEE, "5")} | dated)
    return rows


def job_rates(draw: Draw, groups: int) -> list[Json]:
    """Hourly jobs, each job code once; overtime flat, at one and a half, or mixed (contract-corpus 2.2)."""
    count = max(draw.weighted(_JOB_ROWS), groups)
    overtime = draw.weighted({"flat": 83, "half": 47, "mixed": 19})
    rows: list[Json] = []
    for position, (code, title, service) in enumerate(draw.several(JOBS, count)):
        rate = draw.money(_HOURLY, "0.05")
        half = overtime == "half" or (overtime == "mixed" and position % 2 == 1)
        row = {"id": draw.guid(), "name": service, "displayName": title, "rate": rate}
        row["overtimeRate"] = time_and_a_half(rate) if half else rate
        dated = {"startDate": None, "endDate": None, "invoiceGroup": position % max(groups, 1) + 1}
        rows.append(row | {"jobCode": code} | dated)
    return rows


def time_and_a_half(rate: float) -> float:
    """The rate and a half, rounded to cents as a person would."""
    return float(to_cents(Decimal(repr(rate)) * Decimal("1.5")))


def room_rate(draw: Draw) -> float:
    return draw.money(_ROOM, "0.01")


def threshold_structures(draw: Draw) -> list[Json]:
    """Revenue-share structures: codes disjoint and complete, tiers ascending, the last one unbounded."""
    if draw.chance(22 / 222):
        carved = draw.weighted(_CARVE_OUTS)
        rest = [code for code in REVENUE_CODES if code not in carved]
        share = 100.0 if draw.chance(0.9) else draw.money(_ONE_TIER, "0.25")
        own = _structure(draw, list(carved), "Monthly", [_tier(share, 0.0)], (None, 0.0))
        return [_main_structure(draw, rest, tiers=1), own]
    return [_main_structure(draw, list(REVENUE_CODES), tiers=draw.weighted({1: 162, 2: 55, 3: 5}))]


def _main_structure(draw: Draw, codes: list[str], tiers: int) -> Json:
    accumulation = "Monthly" if tiers == 1 else draw.weighted(_ACCUMULATION)
    bound = draw.money(_MONTHLY_BOUND if accumulation == "Monthly" else _ANNUAL_BOUND, "5000")
    rows = [_tier(draw.money(_ONE_TIER, "0.25"), 0.0)]
    for _ in range(tiers - 1):
        rows[-1]["amount"] = bound
        step = draw.number(3, 12) + 0.25 * draw.number(0, 3)
        rows.append(_tier(max(rows[-1]["sharePercentage"] - step, 1.0), 0.0))
        bound *= 2
    return _structure(draw, codes, accumulation, rows, _validation(draw))


_ACCUMULATION: Final = {"AnnualCalendar": 40, "Monthly": 16, "AnnualAnniversary": 4}


def _structure(
    draw: Draw, codes: list[str], accumulation: str, tiers: list[Json], validation: tuple[str | None, float]
) -> Json:
    return {
        "id": draw.guid(),
        "revenueCodes": codes,
        "accumulationType": accumulation,
        "tiers": tiers,
        "validationThresholdType": validation[0],
        "validationThresholdAmount": validation[1],
        "invoiceGroup": 1,
    }


def _tier(share: float, amount: float) -> Json:
    return {"sharePercentage": share, "amount": amount}


def _validation(draw: Draw) -> tuple[str | None, float]:
    match draw.weighted(_VALIDATIONS):
        case "percentage":
            return "RevenuePercentage", draw.money(_VALIDATION, "0.5")
        case "zero":
            return "RevenuePercentage", 0.0
        case "vehicles":
            return "VehicleCount", float(draw.number(5, 20) * 10)
        case "amount":
            return "ValidationAmount", float(draw.number(2, 40) * 250)
        case _:
            return None, 0.0


def advances(draw: Draw) -> list[Json]:
    title = draw.weighted({"MidMonthBilling": 87, "PreBill": 10, None: 2})
    return [{"id": draw.guid(), "amount": draw.money(_ADVANCE, "250"), "lineTitle": title, "invoiceGroup": 1}]


def deposits(draw: Draw, group: int) -> list[Json]:
    """One row of two independent switches: who deposits, and who owes the parking tax (contract-corpus DQ26)."""
    collects, operator_pays = draw.weighted(
        {(True, False): 235, (True, True): 33, (False, True): 19, (False, False): 8}
    )
    return [
        {
            "id": draw.guid(),
            "operatorResponsibleForParkingTax": operator_pays,
            "depositedRevenueEnabled": collects,
            "invoiceGroup": group,
        }
    ]


def invoice_groups(draw: Draw, count: int, site_name: str, site_number: str) -> list[Json]:
    """Groups 1 to `count`; one in ten names its own customer and contacts."""
    rows: list[Json] = []
    for number in range(1, count + 1):
        own = draw.chance(0.1)
        row = {"id": draw.guid(), "groupNumber": number, "title": draw.pick(_GROUP_TITLES)}
        row["description"] = f"PO#: {draw.number(100_000, 999_999)}" if draw.chance(0.33) else None
        row["vendorId"] = None
        row["siteNumber"] = site_number if own else None
        row["customerName"] = f"{site_name} - Wing {number}" if own else None
        row["billingContactEmails"] = "ap@example.com;parking@example.com" if own else None
        rows.append(row)
    return rows


def _service_title(name: str, position: int) -> str:
    return name if position == 0 else f"{name} - Area {position + 1}"


def _start(draw: Draw) -> str:
    """Mostly a record's creation stamp, sometimes midnight, which is a date (rules R14)."""
    day = f"2025-{draw.number(1, 5):02d}-{draw.number(1, 28):02d}"
    if draw.chance(28 / 127):
        return f"{day}T00:00:00"
    return f"{day}T{draw.number(8, 17):02d}:{draw.number(0, 59):02d}:{draw.number(1, 59):02d}"

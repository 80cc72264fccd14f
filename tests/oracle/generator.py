"""Seeded contract-months: contracts of every shape, and what happened at their sites. Everything is invented.

`case(seed)` always gives the same contract-month for the same seed. About one in five carries one fault.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from random import Random
from typing import Any

from tests.oracle.case import AdHocRow, Case, LedgerRow, Month, OpeningRow, RevenueRow, StatisticsRow, TimesheetRow
from tests.oracle.choices import Choices, text_of
from tests.oracle.faults import break_contract, break_facts
from tests.oracle.variants import vary

# Component sets of real operators, the frequent ones first; F fixed fee, L labor, O rooms, R share, B bell,
# A advance, D deposits, P accounts, M management.
SETS = (  # noqa: SIM905, a list would hide the order
    "RD MPD MP L R MPA F FL RDA MPDA FMPD RA OB LA FLP FR FLD O LD FA FD LRA LR LRPD LRD LRDA FMP LP FLRD FPD FP RMPDA "
    "FLA FLRPDA FRDA LRDAB LMPDA MPB LPA LAB LPD LDA RDB RB RAB RPA RPDA RPD FRP FLORBADPM M M "
    "FM RM BM"
).split()
CODES = ("SD1", "SD2", "SM1", "SO1", "VD1", "OR1", "OR2", "ADJ")
ROLES = ("Valet", "Bell", "CASHIER", "Doorman")
PAYROLL = ("6000", "6002", "6015", "6017", "6100")
EXPENSE = ("7000", "7010", "7080", "7082", "7085", "7099", "7100", "7101", "7102", "7113")
PTEB = ("6200", "6399", "6500")
CATEGORIES = ("PARKING", "PARKING", "PARKING", "OTHER REVENUE", "PER MAN HOUR")
COLLECTIONS = (
    "CASH", "CASH", "BELL SERVICE FEE", "BAG DROPS", "BELL PORTERAGE", "BELL REVENUE", "BILLABLE TIPS/GRATUITIES",
    "PORTORAGE", "BELL GRATUITIES", "GRATUITIES", "SERVICE CHARGE", "PORTERAGE SERVICE FEE", "GRATUITIES/TIPS",
    "PORTERAGE", "ROOM DROPS",
)  # fmt: skip
ACCUMULATIONS = ("Monthly", "AnnualCalendar", "AnnualAnniversary")


def case(seed: int) -> Case:
    """The contract-month of a seed."""
    return _Maker(Random(seed)).make()  # noqa: S311, it invents test data


def back(month: Month, count: int) -> Month:
    index = month[0] * 12 + month[1] - 1 - count
    return (index // 12, index % 12 + 1)


class _Maker(Choices):
    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.month: Month = (random.choice((2025, 2026, 2027)), random.randint(1, 12))
        self.ids = 0
        self.groups = [1]

    def id(self) -> str:
        self.ids += 1
        return f"row-{self.ids}"

    def grouped(self, row: dict[str, Any]) -> dict[str, Any]:
        if self.groups != [1] or self.chance(0.5):  # a missing group means 1
            row["group"] = self.one(*self.groups)
        return row

    def make(self) -> Case:
        letters = self.one(*SETS)
        advanced = set(letters) <= set("FAM") and self.chance(0.4)
        if self.chance(0.25):
            self.groups = [1, 2, 3] if self.chance(0.5) else [1, 7]
        start = self._site_start()
        found = Case({}, self.month, start)
        self.facts(found)
        parts = {
            "F": self.fixed_fee, "L": self.labor, "O": self.rooms, "R": self.share, "B": self.bell,
            "A": self.advance, "D": self.deposits, "P": self.accounts, "M": self.management,
        }  # fmt: skip
        components = [parts[letter](found, advanced) for letter in letters]
        if self.chance(0.1):
            others = [letter for letter in parts if letter not in letters]
            if others:  # a block that is off keeps its data and bills nothing
                components.append({**parts[self.one(*others)](found, False), "enabled": False})
        self.random.shuffle(components)
        found.contract = self._document(components, advanced, start)
        self._openings(found)
        self._adhoc(found)
        vary(self.random, found)
        if self.chance(0.08):
            break_contract(self.random, found)
        elif self.chance(0.15):
            break_facts(self.random, found)
        return found

    def _site_start(self) -> date | None:
        if self.chance(0.1):
            return None
        year, month = back(self.month, self.one(-2, 0, 1, 3, 11, 12, 13, 24, 60))
        return self._start_in(year, month)

    def _start_in(self, year: int, month: int) -> date:
        return date(year, month, self.one(1, 1, 2, 15, 28, monthrange(year, month)[1]))

    def _document(self, components: list[dict[str, Any]], advanced: bool, start: date | None) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": "contract-1",
            "site": {"number": "0815", "customerName": "Pier Hotel"},
            "paymentTerms": {"kind": "on_receipt"},
            "billingType": "Advanced" if advanced else "Arrears",
            "components": components,
            "lossRule": self.one("highWaterMark", "highWaterMark", "highWaterMark", "reference"),
        }
        if start is None or self.chance(0.4):
            year, month = back(self.month, self.one(0, 1, 5, 11, 12, 13, 23, 24, 25))
            found["anchorDate"] = self._start_in(year, month).isoformat()
        if self.chance(0.15):
            found["proration"] = "daily"
        if self.groups != [1]:
            found["groupingEnabled"] = True
            found["groups"] = [{"id": f"group-{number}", "number": number} for number in self.groups]
        return found

    # Facts.
    def facts(self, found: Case) -> None:
        """The service month, and the thirteen months before it for windows."""
        quiet = self.chance(0.05)
        for count in range(13, -1, -1):
            month = back(self.month, count)
            rows = 3 if count else self.one(1, 6, 14)
            for _ in range(rows):
                found.revenue.append(self._revenue(month, quiet))
            for _ in range(2 if count else 1):
                self._ledger(found, month, EXPENSE, quiet)
            if self.chance(0.9):
                found.profits[month] = 0 if quiet else self.units(9_000) // 100 * 100
            else:
                found.profits[month] = -self.units(9_000)
        found.profits.pop(self.month)
        for accounts in (EXPENSE, EXPENSE, EXPENSE, PAYROLL, PAYROLL, PAYROLL, PTEB, PTEB):
            self._ledger(found, self.month, accounts, quiet)
        for _ in range(self.one(1, 3)):
            category = self.one("OCCUPIED ROOMS", "OCCUPIED ROOMS", "AVAILABLE ROOMS")
            value = 0 if quiet else self.random.randint(0, 900) * 10_000
            found.statistics.append(StatisticsRow(self._day(self.month), category, value, self.chance(0.1)))
        if all(row.draft for row in found.statistics):
            found.statistics.append(StatisticsRow(self._day(self.month), "AVAILABLE ROOMS", 0, False))
        for _ in range(self.one(1, 4, 9)):
            found.timesheet.append(self._timesheet(quiet))

    def _day(self, month: Month) -> date:
        return date(month[0], month[1], int(self.random.random() * 28) + 1)

    def _revenue(self, month: Month, quiet: bool) -> RevenueRow:
        net = 0 if quiet else self.units()
        flag = self.one("N", "N", "N", "Y", "Y", "V")
        code, category = self.one(*CODES), self.one(*CATEGORIES)
        rate = self.one(0, 60_000, 82_500, 100_000)
        validation = 0 if quiet or flag != "V" else self.units()
        return RevenueRow(
            self._day(month), code, category, self.one(*COLLECTIONS), flag, net, net + net // 10, rate, validation
        )

    def _ledger(self, found: Case, month: Month, accounts: tuple[str, ...], quiet: bool) -> None:
        entity = self.one("01", "01", "01", "06")
        found.ledger.append(LedgerRow(month, self.one(*accounts), entity, 0 if quiet else self.units()))

    def _timesheet(self, quiet: bool) -> TimesheetRow:
        regular = 0 if quiet else self.one(0, 455, 480, int(self.random.random() * 700))
        overtime = self.one(0, 0, 0, int(self.random.random() * 200))
        holiday, double = self.one(0, 0, 0, 0, 13), self.one(0, 0, 0, 0, 25)
        role = self.one(*ROLES).upper()
        return TimesheetRow(self._day(self.month), role, regular, overtime, holiday, double)

    # Blocks.
    def _dated(self, row: dict[str, Any]) -> dict[str, Any]:
        first = date(*self.month, 1)
        last = date(*self.month, monthrange(*self.month)[1])
        if self.chance(0.3):
            row["start"] = self.one(
                first, last, date(first.year - 1, 5, 1), date(first.year, first.month, 2)
            ).isoformat()
        if self.chance(0.2):
            row["end"] = self.one(first, last, date(first.year + 1, 5, 1)).isoformat()
        if row.get("start", "") > row.get("end", "9999"):
            del row["start"]
        return row

    def fixed_fee(self, found: Case, advanced: bool) -> dict[str, Any]:
        lines = []
        for _ in range(self.one(1, 1, 2, 4)):
            row = {"id": self.id(), "name": "Fee", "displayName": self.one("Valet Service", "Shuttle")}
            row |= {"code": self.one("4700", "4705", "4715"), "fee": self.money(40_000)}
            lines.append(self._dated(self.grouped(row)))
        return {"kind": "fixedFee", "enabled": True, "lines": lines}

    def labor(self, found: Case, advanced: bool) -> dict[str, Any]:
        lines = []
        for role in self.random.sample(ROLES, self.one(1, 2, 4)):
            rate = self.money(60)
            worked = any(r.overtime + r.holiday + r.double_time for r in found.timesheet if r.role == role.upper())
            overtime = self.one(rate, rate, self.money(90), None)
            if worked and overtime is None and self.chance(0.9):
                overtime = rate
            row = {"id": self.id(), "name": role, "displayName": f"{role} Hours", "jobCode": role, "rate": rate}
            row |= {"otRate": overtime, "code": self.one(None, "4720", "4791")}
            lines.append(self._dated(self.grouped(row)))
        return {"kind": "perLaborHour", "enabled": True, "lines": lines}

    def rooms(self, found: Case, advanced: bool) -> dict[str, Any]:
        rate = self.one("0.63", "1.39", "8", "1.005", "0.0001")
        row = {"kind": "perOccupiedRoom", "enabled": True, "roomRate": rate, "code": self.one("4791", "4730", None)}
        return self.grouped(row)

    def bell(self, found: Case, advanced: bool) -> dict[str, Any]:
        return {"kind": "bellServiceFee", "enabled": True, "items": [self.grouped({"id": self.id()})]}

    def advance(self, found: Case, advanced: bool) -> dict[str, Any]:
        items = []
        for _ in range(self.one(1, 1, 2)):
            row = {"id": self.id(), "amount": self.money(30_000)}
            row["lineTitle"] = self.one("MidMonthBilling", "PreBill", None)
            near = sorted(back(self.month, self.one(-1, 0, 0, 1)) for _ in range(2))
            if self.chance(0.4):
                row["start"] = "{:04d}-{:02d}".format(*near[0])
            if self.chance(0.4):
                row["end"] = "{:04d}-{:02d}".format(*near[1])
            items.append(self.grouped(row))
        return {"kind": "midMonthAdvance", "enabled": True, "items": items}

    def deposits(self, found: Case, advanced: bool) -> dict[str, Any]:
        row = {"id": self.id(), "depositedRevenueEnabled": self.chance(0.7), "operatorPaysParkingTax": self.chance(0.5)}
        return {"kind": "depositedRevenue", "enabled": True, "items": [self.grouped(row)]}

    def tiers(self, amounts: list[int]) -> list[dict[str, Any]]:
        """Rising bounds, often exactly on an amount that occurs or one cent around it."""
        bounds = set()
        for _ in range(self.one(0, 0, 1, 2, 3)):
            amount = self.one(*amounts) + self.one(0, 0, 100, -100)
            bounds.add(amount if amount > 0 and self.chance(0.6) else int(self.random.random() * 40_000) * 10_000 + 1)
        found = [{"sharePct": self.percent(), "upTo": text_of(bound)} for bound in sorted(bounds)]
        if not found or self.chance(0.9):
            found.append({"sharePct": self.percent(), "upTo": self.one(None, "0")})
        return found

    def validation(self, amounts: list[int]) -> dict[str, Any]:
        kind = self.one("none", "RevenuePercentage", "VehicleCount", "ValidationAmount")
        if kind == "none":
            return {"kind": kind}
        if kind == "RevenuePercentage":
            return {"kind": kind, "value": self.one("0", "2", "7.5", self.percent())}
        if kind == "VehicleCount":
            return {"kind": kind, "value": self.one(None, "5", "0")}
        edge = max(self.one(*amounts) + self.one(0, 100, -100), 0)
        return {"kind": kind, "value": self.one("0", text_of(edge), self.money(2_000))}

    def _validated(self, found: Case) -> int:
        return sum(row.validation for row in found.revenue if (row.day.year, row.day.month) == self.month)

    def share(self, found: Case, advanced: bool) -> dict[str, Any]:
        codes = list(CODES)
        self.random.shuffle(codes)
        count = self.one(1, 1, 2, 3)
        accumulation = self.one(*ACCUMULATIONS)
        structures = []
        rule = self.validation([self._validated(found)])
        for index in range(count):
            mine = codes[index::count]
            row = {"id": self.id(), "revenueCodes": mine, "accumulation": accumulation}
            row |= {"tiers": self.tiers(self._running(found, mine)), "validation": {"kind": "none"}}
            if index == 0 or self.chance(0.3):
                row["validation"] = rule
            if self.chance(0.3):
                row["chargeInFull"] = True
            structures.append(self.grouped(row))
            if self.chance(0.2):
                accumulation = self.one(*ACCUMULATIONS)
        return {"kind": "revenueShare", "enabled": True, "structures": structures}

    def _running(self, found: Case, codes: list[str]) -> list[int]:
        """Revenue of the month, of the year before it in this calendar year, and both: amounts that windows reach."""
        this = before = 0
        for row in found.revenue:
            if row.code in codes and row.flag != "V" and row.category != "PER MAN HOUR":
                if (row.day.year, row.day.month) == self.month:
                    this += row.net
                elif row.day.year == self.month[0]:
                    before += row.net
        return [this, before, this + before]

    def accounts(self, found: Case, advanced: bool) -> dict[str, Any]:
        pteb = self.one({"kind": "off"}, {"kind": "Actual"}, {"kind": "Percentage", "pct": self.percent()})
        support = self.one(
            {"kind": "off"},
            {"kind": "Fixed", "amount": self.money(7_000), "base": self.one("Billable", "Total")},
            {"kind": "Percentage", "pct": self.percent(), "base": self.one("Billable", "Total")},
        )
        row = {"id": self.id(), "payroll": self._selection(PAYROLL), "expense": self._selection(EXPENSE)}
        row |= {
            "pteb": pteb,
            "support": support,
            "payrollTitle": "Salaries of the site",
            "expenseTitle": "Expenses of the site",
        }
        row |= {
            "ptebTitle": "Taxes and benefits",
            "supportTitle": "Support of the site",
            "payrollGroup": self.one(*self.groups),
        }
        row |= {"expenseGroup": self.one(*self.groups), "additionalPayroll": self.one(None, "0", self.money(3_000))}
        return {"kind": "billableAccounts", "enabled": True, "blocks": [row]}

    def _selection(self, accounts: tuple[str, ...]) -> dict[str, Any]:
        share = self.one(0.8, 0.8, 0.8, 0.8, 0.3, 0)  # all off is frequent
        rows = [{"code": code, "title": code, "enabled": self.chance(share)} for code in accounts]
        return {"rows": rows}

    def management(self, found: Case, advanced: bool) -> dict[str, Any]:
        row: dict[str, Any] = {"id": self.id(), "fee": {"kind": "FixedFee", "amount": self.money(15_000)}}
        row |= {"insurance": {"kind": "off"}, "claims": {"kind": "off"}, "profitShare": {"kind": "off"}}
        row |= {"validation": {"kind": "none"}, "nonGlEnabled": self.one(True, True, False, None), "nonGl": []}
        row["nonGl"] = [self._non_gl("FixedAmount") for _ in range(self.one(0, 1, 3))]
        if self.chance(0.3):
            row["insurance"] = {"kind": "FixedFee", "amount": self.money(2_000), "title": "Cover"}
        if not advanced:
            self._with_facts(row, found)
        return {"kind": "managementAgreement", "enabled": True, "agreements": [self.grouped(row)]}

    def _with_facts(self, row: dict[str, Any], found: Case) -> None:
        if self.chance(0.4):
            row["fee"] = self.one({"kind": "RevenuePercentage", "pct": self.percent()}, self._hourly(found))
        if self.chance(0.5):
            extra = self.one("12.5", "0", "280", self.percent())
            row["insurance"] = {"kind": "BasedOnBillableAccounts", "additionalPct": extra, "title": "Cover"}
        if self.chance(0.5):
            month = sum(r.balance for r in found.ledger if r.month == self.month and r.account in EXPENSE[5:9])
            year = sum(r.balance for r in found.ledger if r.month[0] == self.month[0] and r.account in EXPENSE[5:9])
            edge = text_of(max(self.one(month, year) + self.one(0, 0, 100, -100), 100))
            cap = self.one(None, edge, edge, "5000", "20000")
            row["claims"] = {"kind": self.one("PerClaim", *ACCUMULATIONS[1:]), "cap": cap, "title": "Claims of guests"}
        if self.chance(0.6):
            profits = [value for month, value in found.profits.items() if month[0] == self.month[0]]
            total = sum(profits)
            tiers = self.tiers([total, total + self.units(), self.units()])
            row["profitShare"] = {"kind": "on", "accumulation": self.one(*ACCUMULATIONS), "tiers": tiers}
            row["validation"] = self.validation([self._validated(found)])
        row["nonGl"] += [self._non_gl(self.one("Revenue", "Payroll")) for _ in range(self.one(0, 1, 2))]

    def _hourly(self, found: Case) -> dict[str, Any]:
        roles = self.random.sample(ROLES, self.one(1, 2))
        jobs = [{"code": role, "rate": self.money(60), "otRate": self.money(90)} for role in roles]
        return {"kind": "PerLaborHour", "jobCodes": jobs}

    def _non_gl(self, kind: str) -> dict[str, Any]:
        row = {"kind": kind, "id": self.id(), "title": self.one("Credit card fees", "Uniforms"), "base": "Billable"}
        row["base"] = self.one("Billable", "Total")
        row["amount" if kind == "FixedAmount" else "pct"] = self.one("3.03", self.percent())
        if self.chance(0.4):
            row["finalPeriod"] = "{:04d}-{:02d}".format(*back(self.month, self.one(-1, 0, 1)))
        return row

    # What came before, and what people added.
    def _openings(self, found: Case) -> None:
        for part in found.contract["components"]:
            for row in part.get("structures", ()):
                self._opening(found, "structure", row["id"])
            for row in part.get("agreements", ()):
                self._opening(found, "claims", row["id"])
                self._opening(found, "profitShare", row["id"])

    def _opening(self, found: Case, kind: str, row: str) -> None:
        if self.chance(0.2):
            to_date = self.units(20_000)
            mark = max(to_date, 0) + self.one(0, 0, abs(self.units()))
            found.openings[kind, row] = OpeningRow(back(self.month, self.one(0, 1, 1, 3, 8, 14)), to_date, mark)

    def _adhoc(self, found: Case) -> None:
        share_on = any(
            row["profitShare"]["kind"] == "on"
            for part in found.contract["components"]
            if part["enabled"]
            for row in part.get("agreements", ())
        )
        types = ["miscellaneous", "reimbursableExpense", "clientPaidExpense"] + ["nonBillableExpense"] * share_on
        for number in range(self.one(0, 0, 0, 1, 3)):
            kind = self.one(*types)
            cents = abs(self.units(900)) // 100 + 1
            sign = self.one(1, -1) if kind == "miscellaneous" else 1 if kind == "reimbursableExpense" else -1
            code = self.one("4790", "4792", "7010")
            found.adhoc.append(AdHocRow(self.one(*self.groups), kind, f"Extra {number}", code, sign * cents))

"""A second, independent calculation of one contract-month, written from the rules with plain loops and exact fractions.

It shares no code with the calculators. Rule numbers stand where a rule decides. Amounts are exact fractions of dollars
until a line is made; a line is whole cents (rules R1).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from tests.oracle.amounts import HUNDRED, NOTHING, bands_charged, cents, dollars, hundredths, number
from tests.oracle.case import UNITS, Case, Printed, Result
from tests.oracle.charts import CLAIMS_ACCOUNTS, enabled
from tests.oracle.refusals import contract_errors, fact_errors
from tests.oracle.windows import balance, earlier_months, net_of_codes, next_month, opening_of

OPERATOR = "Harbor Lot Parking"
FEE_CODE, SHARE_CODE, BELL_CODE = "4791", "4790", "4795"
PTEB_ACCOUNTS = ("6200", "6399", "6500")
DEFAULT_TITLES = {  # where the contract has none (requirements BA-02, BA-03)
    "payrollTitle": "Site Salaries & Wages",
    "ptebTitle": "PTEB",
    "supportTitle": "Support Services",
    "expenseTitle": "Total Other Expenses",
}
INSURANCE_ACCOUNTS = ("7080", "7082", "7085")
BELL_TYPES = {
    "BELL SERVICE FEE", "BAG DROPS", "BELL PORTERAGE", "BELL REVENUE", "BILLABLE TIPS/GRATUITIES", "PORTORAGE",
    "BELL GRATUITIES", "GRATUITIES", "SERVICE CHARGE", "PORTERAGE SERVICE FEE", "GRATUITIES/TIPS", "PORTERAGE",
    "ROOM DROPS",
}  # fmt: skip


class Bill:
    """One contract-month while it is being billed: what is on, and the lines of each block."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.month = case.month
        self.first = date(*case.month, 1)
        self.blocks = {part["kind"]: part for part in case.contract["components"] if part["enabled"]}
        self.lines: dict[str, list[Printed]] = {}
        self.here = [row for row in case.revenue if (row.day.year, row.day.month) == case.month]

    def rows(self, kind: str, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.blocks[kind][name] if kind in self.blocks else []
        return found

    def print(self, block: str, group: int, title: str, code: str, amount: int) -> None:
        self.lines.setdefault(block, []).append(Printed(group, title, code, amount))

    def of(self, *blocks: str) -> Iterable[Printed]:
        return (line for block in blocks for line in self.lines.get(block, ()))


def bill(case: Case) -> Result:
    """Every line of the contract-month in print order, or why it cannot be billed."""
    if refused := contract_errors(case) or fact_errors(case):
        return Result(reasons=refused)
    now = Bill(case)
    _fixed_fees(now)
    _rooms(now)
    _bell(now)
    _deposits(now)
    payroll, pteb = _accounts(now)
    _fee(now)
    _outside_the_ledger(now, payroll, pteb)
    _advances(now)
    _labor(now)
    _shares(now)
    profit, share_on = _profit(now)
    return Result(_in_order(now, share_on), profit=profit if share_on else None)


def _group(row: dict[str, Any], name: str = "group") -> int:
    found: int = row.get(name, 1)  # R7: a missing group means 1
    return found


def _active(row: dict[str, Any], first: date) -> bool:
    """R14: a dated row bills when it is active on the first day of the period."""
    start, end = row.get("start"), row.get("end")
    return (start is None or date.fromisoformat(start) <= first) and (end is None or first <= date.fromisoformat(end))


def _fixed_fees(now: Bill) -> None:
    days = (date(*next_month(now.month), 1) - now.first).days
    for row in now.rows("fixedFee", "lines"):
        fee = number(row["fee"])
        if now.case.contract.get("proration") == "daily":  # R14: by active days of the month
            opens = max(now.first, date.fromisoformat(row.get("start") or "2000-01-01"))
            closes = min(now.first.replace(day=days), date.fromisoformat(row.get("end") or "2199-12-31"))
            active = max((closes - opens).days + 1, 0)
            fee = fee * active / days
        elif not _active(row, now.first):
            continue
        now.print("fixedFee", _group(row), row["displayName"], row["code"], cents(fee))


def _rooms(now: Bill) -> None:
    block = now.blocks.get("perOccupiedRoom")
    if block is None:
        return
    rooms = 0
    for row in now.case.statistics:  # R47: not draft
        same = (row.day.year, row.day.month) == now.month
        if same and row.category == "OCCUPIED ROOMS" and not row.draft:
            rooms += row.value
    amount = cents(dollars(rooms) * number(block["roomRate"]))
    now.print("rooms", _group(block), "Occupied Rooms", block.get("code") or FEE_CODE, amount)


def _bell(now: Bill) -> None:
    for row in now.rows("bellServiceFee", "items"):
        net = sum(
            r.net for r in now.here if r.category == "OTHER REVENUE" and r.collection_type in BELL_TYPES
        )  # any deposit flag (A.1)
        now.print("bell", _group(row), "Bell Service Fee", BELL_CODE, cents(dollars(net)))


def _deposits(now: Bill) -> None:
    for row in now.rows("depositedRevenue", "items"):
        pays = row["operatorPaysParkingTax"]
        if pays:  # R20: each daily row at its own rate, flag N only
            tax = 0
            for r in now.here:
                if r.flag == "N" and r.category not in ("PER MAN HOUR", "OTHER REVENUE"):
                    tax += r.net * r.tax_rate
            title = f"Client Collected Parking Tax due to {OPERATOR}"
            now.print("deposits", _group(row), title, SHARE_CODE, cents(Fraction(tax, UNITS * 1_000_000)))
        if row["depositedRevenueEnabled"]:
            kept = sum(r.net if pays else r.gross for r in now.here if r.flag == "Y")
            title = f"Less: {OPERATOR} Deposited Revenue"
            now.print("deposits", _group(row), title, SHARE_CODE, cents(dollars(-kept)))


def _accounts(now: Bill) -> tuple[Fraction, Fraction]:
    """Payroll, PTEB, support, expense, insurance, claims; gives exact payroll and PTEB (R19, R45)."""
    payroll = pteb = NOTHING
    agreements = now.rows("managementAgreement", "agreements")
    taken = NOTHING
    codes: set[str] = set()
    for block in now.rows("billableAccounts", "blocks"):
        codes = enabled(block["expense"])
        payroll, pteb = _payroll(now, block)
    for agreement in agreements:
        taken = _insurance(now, agreement, codes) + _claims(now, agreement, codes)
    for block in now.rows("billableAccounts", "blocks"):
        amount = dollars(balance(now.case, now.month, codes)) - taken  # R16
        now.print(
            "expense",
            _group(block, "expenseGroup"),
            block.get("expenseTitle") or DEFAULT_TITLES["expenseTitle"],
            FEE_CODE,
            cents(amount),
        )
    return payroll, pteb


def _payroll(now: Bill, block: dict[str, Any]) -> tuple[Fraction, Fraction]:
    group = _group(block, "payrollGroup")
    payroll = dollars(balance(now.case, now.month, enabled(block["payroll"])))
    payroll += number(block.get("additionalPayroll") or "0")
    now.print("payroll", group, block.get("payrollTitle") or DEFAULT_TITLES["payrollTitle"], FEE_CODE, cents(payroll))
    kind, pteb = block["pteb"]["kind"], NOTHING  # R59: off is 0
    if kind == "Actual":
        pteb = dollars(balance(now.case, now.month, PTEB_ACCOUNTS))
    if kind == "Percentage":
        pteb = payroll * number(block["pteb"]["pct"]) / HUNDRED
    if kind != "off":
        now.print("payroll", group, block.get("ptebTitle") or DEFAULT_TITLES["ptebTitle"], FEE_CODE, cents(pteb))
    support = block["support"]
    if support["kind"] != "off":
        amount = number(support["amount"]) if support["kind"] == "Fixed" else NOTHING
        if support["kind"] == "Percentage":
            base = payroll + pteb if support["base"] == "Total" else payroll
            amount = base * number(support["pct"]) / HUNDRED
        now.print(
            "payroll", group, block.get("supportTitle") or DEFAULT_TITLES["supportTitle"], FEE_CODE, cents(amount)
        )
    return payroll, pteb


def _insurance(now: Bill, agreement: dict[str, Any], codes: set[str]) -> Fraction:
    """Makes the insurance line; gives what leaves the expense line."""
    rule = agreement["insurance"]
    if rule["kind"] == "off":
        return NOTHING
    leaves = NOTHING
    if rule["kind"] == "FixedFee":
        amount = number(rule["amount"])
    else:
        leaves = dollars(balance(now.case, now.month, codes.intersection(INSURANCE_ACCOUNTS)))
        amount = leaves * (HUNDRED + number(rule["additionalPct"])) / HUNDRED
    now.print("insurance", _group(agreement), rule["title"], FEE_CODE, cents(amount))
    return leaves


def _claims(now: Bill, agreement: dict[str, Any], codes: set[str]) -> Fraction:
    """Makes the claims line; gives what leaves the expense line: always all of the month."""
    rule = agreement["claims"]
    if rule["kind"] == "off":
        return NOTHING
    wanted = codes.intersection(CLAIMS_ACCOUNTS)
    current = dollars(balance(now.case, now.month, wanted))
    amount = current
    if rule["kind"] != "PerClaim" and rule["cap"] is not None:  # R16: per claim is uncapped, null is no cap
        cap = number(rule["cap"])
        opening = opening_of(now.case, "claims", agreement["id"], rule["kind"])
        to_date = dollars(opening.to_date) if opening else NOTHING
        for month in earlier_months(now.case, rule["kind"], opening):
            to_date += dollars(balance(now.case, month, wanted))
        if to_date + current > cap:
            amount = max(cap - to_date, NOTHING)
    now.print("claims", _group(agreement), rule["title"], FEE_CODE, cents(amount))
    return current


def _fee(now: Bill) -> None:
    for agreement in now.rows("managementAgreement", "agreements"):
        fee, group = agreement["fee"], _group(agreement)
        if fee["kind"] == "FixedFee":
            now.print("fee", group, "Management Fee", FEE_CODE, cents(number(fee["amount"])))
        elif fee["kind"] == "RevenuePercentage":
            amount = _site_revenue(now) * number(fee["pct"]) / HUNDRED
            now.print("fee", group, "Management Fee", FEE_CODE, cents(amount))
        else:
            for job in fee["jobCodes"]:  # R15: minutes are summed first
                regular, overtime = minutes_of(now.case, job["code"])
                earned = cents(number(job["rate"]) * regular / 60)
                earned += cents(number(job["otRate"] or "0") * overtime / 60)
                now.print("fee", group, "Management Fee", FEE_CODE, earned)


def minutes_of(case: Case, role: str) -> tuple[int, int]:
    """Regular and overtime minutes of a role; holiday and double time count as overtime (R15)."""
    regular = overtime = 0
    for row in case.timesheet:
        if row.role == role.strip().upper() and (row.day.year, row.day.month) == case.month:
            regular += row.regular
            overtime += row.overtime + row.holiday + row.double_time
    return regular, overtime


def _site_revenue(now: Bill) -> Fraction:
    """Net revenue of the month whatever its code, bell included (R57)."""
    return dollars(sum(r.net for r in now.here if r.flag != "V" and r.category != "PER MAN HOUR"))


def _outside_the_ledger(now: Bill, payroll: Fraction, pteb: Fraction) -> None:
    for agreement in now.rows("managementAgreement", "agreements"):
        if not agreement.get("nonGlEnabled"):
            continue
        for row in agreement["nonGl"]:
            final = row.get("finalPeriod")
            if final is not None and now.month > (int(final[:4]), int(final[5:])):  # R33: inclusive
                continue
            if row["kind"] == "FixedAmount":
                amount = number(row["amount"])
            elif row["kind"] == "Revenue":
                amount = _site_revenue(now) * number(row["pct"]) / HUNDRED
            else:  # R19
                base = payroll + pteb if row["base"] == "Total" else payroll
                amount = base * number(row["pct"]) / HUNDRED
            now.print("nonGl", _group(agreement), row["title"], FEE_CODE, cents(amount))


def _advances(now: Bill) -> None:
    text = f"{now.month[0]:04d}-{now.month[1]:02d}"
    for row in now.rows("midMonthAdvance", "items"):
        if (row.get("start") or text) <= text <= (row.get("end") or text):  # R21
            title = "Less: Pre-Bill" if row.get("lineTitle") == "PreBill" else "Less: Mid-Month Billing"  # R55
            now.print("advance", _group(row), title, SHARE_CODE, -cents(number(row["amount"])))


def _labor(now: Bill) -> None:
    for job in now.rows("perLaborHour", "lines"):
        if not _active(job, now.first):
            continue
        regular = overtime = 0
        for row in now.case.timesheet:
            if row.role == job["jobCode"].strip().upper() and (row.day.year, row.day.month) == now.month:
                regular += hundredths(row.regular)  # R15: per row
                overtime += hundredths(row.overtime + row.holiday + row.double_time)
        first = cents(number(job["rate"]) * regular / HUNDRED)
        second = cents(number(job["otRate"] or "0") * overtime / HUNDRED)  # R45: rounded apart
        code, title, group = job.get("code") or FEE_CODE, job["displayName"], _group(job)  # R54
        if job["otRate"] is not None and number(job["otRate"]) == number(job["rate"]):
            now.print("labor", group, title, code, first + second)
        else:
            now.print("labor", group, title, code, first)
            now.print("labor", group, title, code, second)


def _shares(now: Bill) -> None:
    """Revenue share and the validations of its first structure."""
    structures = now.rows("revenueShare", "structures")
    leaving = {"OR1", "OR2"} if "bellServiceFee" in now.blocks else set()  # R4
    by_group: dict[int, int] = {}
    all_revenue = NOTHING
    first_bands: list[tuple[Fraction, Fraction]] = []
    for index, row in enumerate(structures):
        codes = {code.strip().upper() for code in row["revenueCodes"]} - leaving
        this = dollars(net_of_codes(now.case, now.month, codes))
        opening = opening_of(now.case, "structure", row["id"], row["accumulation"])
        earlier = earlier_months(now.case, row["accumulation"], opening)
        months = [dollars(net_of_codes(now.case, month, codes)) for month in earlier]
        due, bands = bands_charged(now.case, row["tiers"], opening, months, this)
        by_group[_group(row)] = by_group.get(_group(row), 0) + due  # R45
        all_revenue += this
        first_bands = bands if index == 0 else first_bands
    for group, due in by_group.items():
        now.print("share", group, f"{OPERATOR} Fees for Services", SHARE_CODE, due)
    if structures:
        _validations(now, structures[0], all_revenue, first_bands)


def _validations(now: Bill, row: dict[str, Any], revenue: Fraction, bands: list[tuple[Fraction, Fraction]]) -> None:
    rule = row["validation"]
    validated = dollars(sum(r.validation for r in now.here if r.flag == "V"))
    over = _over(rule, validated, revenue)
    if over <= 0:
        return
    weight = sum((width for width, _ in bands), NOTHING)
    if rule["kind"] == "VehicleCount" and row.get("chargeInFull"):  # R6
        amount = over
    elif weight == 0:  # R5
        amount = over * number(row["tiers"][0]["sharePct"]) / HUNDRED
    else:  # R49
        amount = over * sum((width * pct for width, pct in bands), NOTHING) / weight / HUNDRED
    now.print("validation", _group(row), f"{OPERATOR} Fees for Validated Parking", SHARE_CODE, cents(amount))


def _over(rule: dict[str, Any], validated: Fraction, revenue: Fraction) -> Fraction:
    """Validations above the threshold; the percentage threshold is not below 0 (R49)."""
    if rule["kind"] == "none":
        return NOTHING
    if rule["kind"] == "VehicleCount":
        return validated
    if rule["kind"] == "ValidationAmount":
        return max(validated - number(rule["value"]), NOTHING)
    return max(validated - max(revenue, NOTHING) * number(rule["value"]) / HUNDRED, NOTHING)


def _profit(now: Bill) -> tuple[Fraction | None, bool]:
    """The profit share line; gives the exact profit and whether the share is on."""
    for agreement in now.rows("managementAgreement", "agreements"):
        share = agreement["profitShare"]
        if share["kind"] != "on":
            return None, False
        revenue = _site_revenue(now)
        validated = sum(r.validation for r in now.here if r.flag == "V" and r.category != "PER MAN HOUR")
        profit = revenue + _over(agreement["validation"], dollars(validated), revenue)
        for line in now.of("payroll", "expense", "insurance", "claims", "fee", "nonGl"):  # R44, R45
            profit -= Fraction(line.cents, 100)
        for row in now.case.adhoc:
            if row.type in ("clientPaidExpense", "nonBillableExpense"):  # R18: stored negative
                profit += Fraction(row.cents, 100)
        opening = opening_of(now.case, "profitShare", agreement["id"], share["accumulation"])
        earlier = earlier_months(now.case, share["accumulation"], opening)
        months = [dollars(now.case.profits.get(month, 0)) for month in earlier]
        due, _ = bands_charged(now.case, share["tiers"], opening, months, profit)
        now.print("profit", _group(agreement), f"{OPERATOR} Profit Share", FEE_CODE, due)
        return profit, True
    return None, False


def _in_order(now: Bill, share_on: bool) -> list[Printed]:
    """Print order (billing-flows 5.5, R54); what is 0.00 is dropped, but a profit share stays on an invoice."""
    agreements = now.rows("managementAgreement", "agreements")
    reduced = any(
        a["insurance"]["kind"] == "BasedOnBillableAccounts" or a["claims"]["kind"] != "off" for a in agreements
    )
    accounts = ("payroll", "expense") if reduced else ("expense", "payroll")
    for row in now.case.adhoc:
        hidden = row.type == "nonBillableExpense" or (row.type == "clientPaidExpense" and share_on)  # R18
        if not hidden:
            now.print("adhoc", row.group, row.title, row.code, row.cents)
    order: tuple[str, ...] = ("fixedFee", "rooms", "bell", "deposits", *accounts, "insurance", "claims", "fee", "nonGl")
    order += ("advance", "labor", "adhoc", "share", "validation")
    printed = [line for line in now.of(*order) if line.cents]
    invoices = {line.group for line in printed}
    return printed + [line for line in now.of("profit") if line.cents or line.group in invoices]

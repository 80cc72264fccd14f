"""Invented legacy files in the variety of a real portfolio: every block, choice, oddity and kind of missing value.

`invented(seed)` is one file; the same seed makes the same file. Written apart from the code under test: blocks are
drawn independently, as contract-corpus 2 and 3 describe them, so that most files are unlike any other.
"""

import json
import math
import random
from typing import Any

from shared_code.contracts.schema.chart import CHARTS
from tests.fixtures.contracts.expand import CODES, LABELS, TAX_KEY, _flattened

Row = dict[str, Any]

TERMS = [
    *("Due in 30 Days", "Due in 7 Days", "Due in 1 Days", "Due in 1 Day", "due in 45 days", "Due on Receipt", "Net 30"),
    *("Due by 20th", "Due by 20th of the Month", "Due by 1st of the Month", "Due by 30th", "Due by 3rd", "Due by 22nd"),
    *("Due by 1st Day of the Month", "Due by the 5th", "", "Due by 31th", "Due upon receipt"),
]
MONTHS = [
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
]
NOTES = [
    *(
        None,
        "\n",
        "Plain words.\n",
        "Rates rise 3% or CPI, whichever is greater.\r\nStart 7/1.",
        "caf\u00e9 \u2013 see mail",
    ),
    *("Hours above 80 a week are billable.", "  trailing  ", "\u00a0no\u00a0break", "tab\there", '"quoted" \\ slash /'),
]
ORDERS = [
    None,
    None,
    "PO 4471",
    "PO#: 88\u00a0",
    "Cost center 12 / GL 7000",
    "a\tb\t3",
    "",
    "attn: J. Doe",
    "\u201cA\u201d",
]
LABEL_TEXTS = [
    *("Revenue Share", "Management Agmt", "Per Labor Hour", "Fixed Fee", "Other", "Management Agreement", None, ""),
]
REPORTS = [
    *("MixOfSales", "HoursBackupReport", "TaxReport", "LaborDistributionReport", "OtherExpensesReport"),
    *("ParkingDepartmentReport", "ValidationReport"),
]
SERVICES = [("Valet Services", "4700"), ("Parking Management", "4715"), ("Bell", "4725"), ("General Revenue", "4790")]
ACCUMULATIONS = ["Monthly", "AnnualCalendar", "AnnualAnniversary"]
DATES = [None, "2025-03-11T14:07:31", "2025-04-01T00:00:00", "2025-03-11T14:07:31.1234567"]
FINALS = [None, None, "2026-05-01T00:00:00", "2026-05-17T00:00:00", "2026-05-31T23:59:59"]


class _Draw:
    """The dice of one file."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - invented data
        self.place = 0

    def one(self, choices: Any) -> Any:
        return self.dice.choice(list(choices))

    def flag(self, chance: float = 0.5) -> bool:
        return self.dice.random() < chance

    def id(self) -> str:
        self.place += 1
        return f"00000000-0000-4000-8000-{self.dice.randrange(10**6):06}{self.place:06}"

    def money(self, *more: float | None) -> float | None:
        return self.dice.choice(
            [*more, 0.0, 1.0, 12.5, 27.35, 4400.0, 62000.0, round(self.dice.uniform(0.5, 90000), 2)]
        )

    def percent(self, *more: float | None) -> float | None:
        return self.dice.choice([*more, 0.0, 1.5, 3.03, 8.75, 34.75, 100.0, round(self.dice.uniform(0, 100), 2)])

    def rows(self, most: int) -> range:
        return range(self.dice.randint(0, most))


def invented(seed: int) -> tuple[bytes, str]:
    """The bytes and the name of one file."""
    document, name = invented_document(seed)
    return json.dumps(document, indent=2).encode("ascii"), name


def invented_document(seed: int) -> tuple[Row, str]:
    """One file as a tree, and its name."""
    draw = _Draw(seed)
    site = f"{draw.dice.randrange(10_000):04}"
    known = draw.flag(0.9)
    original = _original(draw)
    metadata = _metadata(draw, site, original, known=known)
    document = {"metadata": metadata, "original": original, "flattened": _flattened(original, metadata)}
    guid = draw.id().upper().replace("-", "_")
    return document, f"{site}_{guid if known else 'Unknown'}.json"


def _metadata(draw: _Draw, site: str, original: Row, *, known: bool) -> Row:
    absent: Any = math.nan if known else ""
    notes = original["notes"]
    blank = dict.fromkeys(("district", "state", "city", "address"), "")
    place = {
        "district": "D - Sample",
        "state": draw.one(["OH", "MA"]),
        "city": "Mockville",
        "address": draw.one(["1 Road, Mockville, MA 2134", "1  Road\u00a0, Mockville, OH 00000", "9 Road"]),
    }
    label = "; ".join(text for block, text in LABELS.items() if original[block]["enabled"])
    return {
        "siteNumber": site,
        "customerName": draw.one(["Larch Garage", " Two  Spaces ", "Caf\u00e9 Lot"]) if known else f"Site_{site}",
        "customerID": f"CUST-{site}",
        "contractEffectiveDate": "2025-05-20",
        "contractEndDate": "",
        "contractStatus": "active",
        "lastModifiedDate": "2025-05-20",
        "contractVersion": "1.0",
        "contractType": label if known else "Unknown",
        "accountManager": draw.one([math.nan, "JO DOE", "jo doe", "Jo Doe"]) if known else "",
        "paymentTerms": original["paymentTerms"] if known else "Due on Receipt",
        "notes": (absent if notes is None else notes) if known else "",
        "location": {"region": absent, **(place if known else blank), "siteType": ""},
    }


def _original(draw: _Draw) -> Row:
    groups = draw.one([[], [], [], [1, 2], [3, 1, 2], [1, 2, 3, 4]])
    numbers = groups or [1]
    return {
        "id": draw.id(),
        "purchaseOrder": draw.one(ORDERS),
        "paymentTerms": draw.one(TERMS),
        "billingType": "Arrears",
        "incrementMonth": draw.one(MONTHS),
        "incrementAmount": draw.one([0.0, 2.0, 3.0, 6.0, 2.25]),
        "consumerPriceIndex": draw.flag(0.1),
        "notes": draw.one(NOTES),
        "deviationAmount": draw.one([0.0, 2500.0, 25000.0]),
        "deviationPercentage": draw.one([0.0, 10.0]),
        "deposits": draw.flag(),
        "contractType": draw.one(LABEL_TEXTS),
        "supportingReports": [report for report in REPORTS if draw.flag()],
        "invoiceGrouping": {"enabled": bool(groups), "invoiceGroups": [_group(draw, number) for number in groups]},
        "fixedFee": _block(draw, "serviceRates", [_service(draw, numbers) for _ in draw.rows(6)]),
        "perLaborHour": _labor(draw, numbers),
        "perOccupiedRoom": {"enabled": draw.flag(0.2), "roomRate": draw.one([0.0, 0.63, 8.0]), "invoiceGroup": 1},
        "revenueShare": _block(draw, "thresholdStructures", _structures(draw)),
        "bellServiceFee": _block(draw, "bellServices", _single(draw, {})),
        "midMonthAdvance": _block(draw, "midMonthAdvances", _advances(draw)),
        "depositedRevenue": _block(draw, "depositData", _deposits(draw, numbers)),
        **_management(draw, numbers),
    }


def _block(draw: _Draw, name: str, rows: list[Row]) -> Row:
    """A block with rows is mostly on; an empty one mostly off."""
    return {"enabled": draw.flag(0.8 if rows else 0.1), name: rows}


def _single(draw: _Draw, fields: Row) -> list[Row]:
    return [{"id": draw.id(), **fields, "invoiceGroup": 1}] if draw.flag() else []


def _group(draw: _Draw, number: int) -> Row:
    return {
        "id": draw.id(),
        "groupNumber": number,
        "title": draw.one(["Billing Details", "Rev Share", "Rev & Share "]),
        "description": draw.one([None, "PO # 731", "East wing "]),
        "vendorId": draw.one([None, None, "V-1"]),
        "siteNumber": draw.one([None, None, "0917"]),
        "customerName": draw.one([None, None, "12 Elm Road"]),
        "billingContactEmails": draw.one([None, "ap@example.org;b@example.org", "ap@example.org; b@example.org;", ""]),
    }


def _service(draw: _Draw, groups: list[int]) -> Row:
    name, code = draw.one(SERVICES)
    title = draw.one(["Valet", "3 Devices @ $12.50", "Shuttle\u00a0Bus", "Lot 40% share"])
    return {
        "id": draw.id(),
        "name": name,
        "displayName": title,
        "code": code,
        "fee": draw.money(),
        "startDate": draw.one(DATES),
        "endDate": None,
        "invoiceGroup": draw.one(groups),
    }


def _labor(draw: _Draw, groups: list[int]) -> Row:
    codes = [code for code in ("GSA", "GSC", "ACCTMGR", "GSA2", "CASH", "SHUTL1") if draw.flag(0.4)]
    rows = [
        {
            "id": draw.id(),
            "name": draw.one(["Valet Services", "Booth/Cashier"]),
            "displayName": draw.one(["GSA", "Lead Valet ", "Cashier"]),
            "rate": draw.one([20.0, 27.35, 3.9]),
            "overtimeRate": draw.one([20.0, 30.0, 41.03, 19.5, 3.9]),
            "jobCode": code,
            "startDate": None,
            "endDate": None,
            "invoiceGroup": draw.one(groups),
        }
        for code in codes
    ]
    return {"enabled": draw.flag(0.8 if rows else 0.1), "hoursBackupReport": draw.flag(), "jobRates": rows}


def _tiers(draw: _Draw) -> list[Row]:
    bounds = sorted(draw.dice.sample([12000.0, 75000.0, 300000.0, 1100000.0, 33333.33], draw.dice.randint(0, 2)))
    return [{"sharePercentage": draw.percent(), "amount": bound} for bound in [*bounds, 0.0]]


def _structures(draw: _Draw) -> list[Row]:
    if draw.flag(0.4):
        return []
    carved = draw.one([[], [], ["SM1"], ["SO1", "SO2"]])
    codes = [code for code in CODES if code not in carved]
    if draw.flag(0.2):
        draw.dice.shuffle(codes)
    kind = draw.one([None, "RevenuePercentage", "VehicleCount", "ValidationAmount"])
    amount = 0.0 if kind is None else draw.percent()
    return [
        {
            "id": draw.id(),
            "revenueCodes": claimed,
            "accumulationType": draw.one(ACCUMULATIONS),
            "tiers": _tiers(draw),
            "validationThresholdType": kind,
            "validationThresholdAmount": amount,
            "invoiceGroup": 1,
        }
        for claimed in (codes, carved)
        if claimed
    ]


def _advances(draw: _Draw) -> list[Row]:
    return _single(draw, {"amount": draw.money(), "lineTitle": draw.one([None, "MidMonthBilling", "PreBill"])})


def _deposits(draw: _Draw, groups: list[int]) -> list[Row]:
    rows = _single(draw, {TAX_KEY: draw.flag(), "depositedRevenueEnabled": draw.flag(0.9)})
    return [{**row, "invoiceGroup": draw.one(groups)} for row in rows]


def _management(draw: _Draw, groups: list[int]) -> Row:
    agreements = [_agreement(draw)] if draw.flag(0.6) else []
    managed = _block(draw, "ManagementFees", agreements)
    accounts = [_accounts(draw, groups)] if agreements or draw.flag(0.4) else []
    billed = _block(draw, "billableAccountsData", accounts)
    billed["enabled"] = billed["enabled"] or managed["enabled"]  # an agreement always comes with its accounts
    return {"billableAccounts": billed, "managementAgreement": managed}


def _accounts(draw: _Draw, groups: list[int]) -> Row:
    return {
        "id": draw.id(),
        "payrollAccountsData": _list(draw, "payroll-1"),
        "payrollAccountsInvoiceGroup": 1,
        "payrollAccountsLineTitle": draw.one(["Site Salaries & Wages", "Payroll Accounts"]),
        "payrollTaxesEnabled": draw.flag(),
        "payrollTaxesBillingType": draw.one(["Actual", "Percentage"]),
        "payrollTaxesLineTitle": "PTEB",
        "payrollTaxesPercentage": draw.percent(None, 32.0, 32.25),
        "payrollSupportAmount": draw.percent(None, 3.0, 35.0),
        "payrollSupportBillingType": draw.one(["Fixed", "Percentage"]),
        "payrollSupportEnabled": draw.flag(),
        "payrollSupportLineTitle": draw.one(["Support Services", "Business Support Services"]),
        "payrollSupportPayrollType": draw.one(["Billable", "Total"]),
        "payrollExpenseAccountsData": _list(draw, "expense-1"),
        "payrollExpenseAccountsInvoiceGroup": draw.one(groups),
        "payrollExpenseAccountsLineTitle": draw.one(["Total Other Expenses", "Billable Parking Rents"]),
    }


def _list(draw: _Draw, chart: str) -> str:
    """An account list as text: the usual four off, none, few, any; now and then irregular or spaced otherwise."""
    off = draw.one([{"6010", "6014", "7005", "7016"}, {code for code, _ in CHARTS[chart]}, set()])
    rows = [
        {"code": code, "title": title, "isEnabled": code not in off and draw.flag(0.98)}
        for code, title in CHARTS[chart]
    ]
    if draw.flag(0.1):
        rows = [*(row for row in rows if row["code"] not in ("7125", "7190")), rows[-1], rows[-1], rows[-1]]
    spacing = draw.one([(",", ":"), (",", ":"), (", ", ": ")])
    indent = draw.one([None, None, None, 2])
    return json.dumps(rows, separators=spacing, indent=indent, ensure_ascii=draw.flag())


def _agreement(draw: _Draw) -> Row:
    claims = draw.one(["AnnualCalendar", "AnnualAnniversary", "PerClaim"])
    return {
        "id": draw.id(),
        "invoiceGroup": 1,
        "managementAgreementType": draw.one(["FixedFee", "FixedFee", "RevenuePercentage", "PerLaborHour"]),
        "fixedFeeAmount": draw.money(),
        "laborHourJobCode": draw.one([None, None, "GSA"]),
        "perLaborHourJobCodeData": _fee_jobs(draw),
        "laborHourRate": draw.one([0.0, 21.5, None]),
        "laborHourOvertimeRate": draw.one([0.0, None]),
        "revenuePercentageAmount": draw.percent(),
        "insuranceAdditionalPercentage": draw.one([0.0, 10.0, 12.5, 300.0]),
        "insuranceEnabled": draw.flag(),
        "insuranceFixedFeeAmount": draw.money(),
        "insuranceLineTitle": draw.one([None, "Insurance"]),
        "insuranceType": draw.one(["BasedOnBillableAccounts", "FixedFee"]),
        "claimsCapAmount": draw.money(None),
        "claimsEnabled": draw.flag(),
        "claimsLineTitle": draw.one([None, "Loss & Damage Claims"]),
        "claimsType": claims,
        "profitShareAccumulationType": draw.one(ACCUMULATIONS),
        "profitShareEnabled": draw.flag(),
        "profitShareTierData": draw.one([[], _tiers(draw)]),
        "validationThresholdAmount": draw.percent(None),
        "validationThresholdEnabled": draw.flag(),
        "validationThresholdType": draw.one(["RevenuePercentage", "VehicleCount", "ValidationAmount"]),
        "nonGlBillableExpensesEnabled": draw.one([None, True, False]),
        "nonGlBillableExpenses": [_expense(draw) for _ in draw.rows(5)],
    }


def _fee_jobs(draw: _Draw) -> list[Row]:
    codes = draw.one([[], [], ["GSA"], ["GSA", "GSC"]])
    return [
        {"Code": code, "Description": draw.one([None, "Attendant"]), "StandardRate": 21.5, "OvertimeRate": 30.0}
        for code in codes
    ]


def _expense(draw: _Draw) -> Row:
    return {
        "id": draw.id(),
        "nonglexpensetype": draw.one(["FixedAmount", "Revenue", "Payroll"]),
        "expensepayrolltype": draw.one(["Billable", "Total"]),
        "expenseamount": draw.percent(),
        "expensetitle": draw.one(["Credit Card Fees", "2 Gates x $95", "Card  Fees"]),
        "finalperiodbilled": draw.one(FINALS),
    }


def newer(seed: int) -> bytes:
    """The same file from an export that knows the fields of today's application (contract-corpus 2.8)."""
    document, _ = invented_document(seed)
    draw = _Draw(seed + 1)
    original = document["original"]
    original[draw.one(["accountsPayable", "accountspayable"])] = draw.one([None, "AP-4"])
    original["perOccupiedRoom"][draw.one(["occupiedRoomCode", "occupiedroomcode"])] = draw.one([None, "4791"])
    for row in original["revenueShare"]["thresholdStructures"]:
        row["tiers"] = [{**tier, "escalatorValue": draw.percent(None)} for tier in row["tiers"]]
    for row in original["billableAccounts"]["billableAccountsData"]:
        row["additionalPayrollAmount"] = draw.money(None)
        row |= _step(draw, "payrollTaxes", "Enable", "value")
    for row in original["managementAgreement"]["ManagementFees"]:
        _newer_agreement(draw, row)
    document["flattened"] = _flattened(original, document["metadata"])
    return json.dumps(document, indent=2).encode("ascii")


def _newer_agreement(draw: _Draw, row: Row) -> None:
    row |= _step(draw, "managementFee", "Enabled", "Value")
    share = _step(draw, "profitShare", "Enabled", "Value")
    row |= {key: value for key, value in share.items() if not key.endswith("Value")}
    row["profitShareTierData"] = [{**tier, "escalatorValue": draw.percent(None)} for tier in row["profitShareTierData"]]
    lower = draw.flag()
    row["perLaborHourJobCodeData"] = [
        {
            (f"{key[0].lower()}{key[1:]}" if lower else key): value
            for key, value in {
                **job,
                "StandardRateEscalatorValue": draw.percent(None),
                "OvertimeRateEscalatorValue": draw.percent(None),
            }.items()
        }
        for job in row["perLaborHourJobCodeData"]
    ]
    row["nonGlBillableExpenses"] = [
        {**line, "sequenceNumber": draw.one([None, place])}
        for place, line in enumerate(row["nonGlBillableExpenses"], 1)
    ]


def _step(draw: _Draw, name: str, switch: str, value: str) -> Row:
    return {
        f"{name}Escalator{switch}": draw.one([None, True, True, False]),
        f"{name}EscalatorMonth": draw.one([None, *MONTHS, 1, 12]),
        f"{name}EscalatorType": draw.one([None, "Percentage", "FixedAmount"]),
        f"{name}Escalator{value}": draw.percent(None),
    }

"""What the inputs of an explanation mean: the names that calculators write, as the schema of explanations shows them.

A block may write names that are not here: they are allowed, in the same forms, and merely not described.
"""

from __future__ import annotations

from typing import Any, Final

type Schema = dict[str, Any]

EXACT: Final = r"^-?[0-9]+(\.[0-9]+)?$"
MONTH: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])$"


def _exact(meaning: str) -> Schema:
    return {"type": ["string", "null"], "pattern": EXACT, "description": f"{meaning}; an exact number as text"}


def _text(meaning: str) -> Schema:
    return {"type": ["string", "null"], "description": meaning}


def _choice(meaning: str, *choices: str) -> Schema:
    return {"type": "string", "enum": list(choices), "description": meaning}


def _month(meaning: str) -> Schema:
    return {"type": ["string", "null"], "pattern": MONTH, "description": f"{meaning}, written YYYY-MM"}


def _count(meaning: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": meaning}


def _list_of(meaning: str, fields: dict[str, Schema]) -> Schema:
    items = {"type": "object", "required": [*fields], "additionalProperties": False, "properties": fields}
    return {"type": "array", "description": meaning, "items": items}


def _by_name(meaning: str, value: Schema) -> Schema:
    return {"type": "object", "description": meaning, "additionalProperties": value}


_ROW = _text("the id of the contract's row that states the terms")
_TIERS = _list_of(
    "the tiers, in order",
    {"percent": _exact("the share in percent"), "upTo": _exact("the bound, counted from zero; null is unbounded")},
)
_ITEMS = {"title": _text("what it is"), "amount": _exact("what it takes off the profit, in dollars")}
_WINDOW: dict[str, Schema] = {
    "accumulation": _choice("how long amounts add up", "Monthly", "AnnualCalendar", "AnnualAnniversary"),
    "windowStart": _month("the first month that counts"),
    "opening": _exact("what the window held before the first month that is known here, in dollars; null without one"),
    "openingAsOf": _month("the last month that is in the opening; null without one"),
    "toDate": _exact("what the months before this one come to, the opening included, in dollars"),
    "highWaterMark": _exact("the highest total of the window before this month, in dollars: up to it all is charged"),
    "lossRule": _choice("how a month after a loss is charged", "highWaterMark", "reference"),
    "tiers": _TIERS,
}
_STRUCTURE: Schema = {
    "type": "object",
    "description": "a revenue share of the line: structure1, structure2 and so on, in the order of the contract",
    "properties": {"row": _ROW, "month": _exact("the month's revenue of its codes, in dollars"), **_WINDOW},
}
_BANDS = _list_of(
    "how the month's revenue is charged by the first structure: the parts that validations are weighted by",
    {"percent": _exact("the share in percent"), "amount": _exact("the revenue that it is taken of, in dollars")},
)

KNOWN: Final[dict[str, Schema]] = {
    "row": _ROW,
    "type": _text("the kind of terms that the row states"),
    "rateHistory": _by_name(
        "rates of the row that have changed since they were stated, by key: where each was stated, then every step",
        {"type": "array", "items": {"type": "string"}},
    ),
    # fees and amounts that are agreed
    "service": _text("the service that is billed"),
    "fee": _exact("the monthly fee, in dollars"),
    "days": _count("the days of the month that are billed"),
    "daysOfMonth": _count("the days of the month"),
    "amount": _exact("the amount that is agreed or was entered, in dollars"),
    "advance": _exact("what the client pays in advance, in dollars"),
    "author": _text("who entered the line"),
    "reason": _text("why the line was entered"),
    # hours and rooms
    "job": _text("the job code"),
    "rate": _exact("the price of an hour or of a room, in dollars"),
    "overtimeRate": _exact("the price of an hour of overtime, in dollars"),
    "billed": _choice("which of the hours the line bills", "regular", "overtime", "all"),
    "regularHours": _exact("hours, rounded by time sheet"),
    "overtimeHours": _exact("hours of overtime and holidays, rounded by time sheet"),
    "regularMinutes": _exact("minutes of the month"),
    "overtimeMinutes": _exact("minutes of overtime, holidays and double time of the month"),
    "rooms": _exact("occupied rooms of the month"),
    # revenue
    "collected": _exact("what was collected in the month, in dollars"),
    "clientCollected": _exact("the net revenue that the client collected, in dollars"),
    "tax": _exact("the tax on it, each row at its own rate, in dollars"),
    "deposited": _exact("the revenue that the operator deposited, in dollars"),
    "revenue": _exact("the month's revenue, whatever its code, in dollars"),
    "validated": _exact("validated parking of the month, in dollars"),
    "stated": _exact("the threshold as the contract states it: dollars, or percent of the month's revenue"),
    "monthRevenue": _exact("the month's revenue that a threshold in percent is taken of, in dollars"),
    "threshold": _exact("the threshold, in dollars"),
    "over": _exact("what is above the threshold, in dollars"),
    "chargedInFull": {"type": "boolean", "description": "whether all of it is charged, without a share"},
    "firstShare": _exact("the first tier's share in percent, which holds where the month charges nothing"),
    "weights": _BANDS,
    # accounts of the ledger, and what is a share of them
    "accounts": _by_name("balances of the month by account; accounts without rows are left out", _exact("a balance")),
    "balance": _exact("their sum, in dollars"),
    "additionalPayroll": _exact("payroll that is agreed on top; nothing is added below zero"),
    "insuranceAccounts": _exact("what insurance has taken out of the expenses, in dollars"),
    "claimsAccounts": _exact("what claims have taken out of the expenses, in dollars"),
    "percent": _exact("the share in percent"),
    "additionalPercent": _exact("what is added on top, in percent"),
    "base": _text("which payroll the share is taken of"),
    "payroll": _exact("the billable payroll, additional payroll included, in dollars"),
    "pteb": _exact("payroll taxes and employee benefits, in dollars"),
    "cap": _exact("the yearly cap, in dollars; null is none"),
    "month": _exact("what the accounts come to in the month, in dollars"),
    # profit share
    "validations": _exact("validated parking of the month, in dollars; null where it does not count"),
    "validationType": _text("how a threshold of validations is stated; null where they do not count"),
    "validationsOverThreshold": _exact("what validations add to the profit, in dollars"),
    "deductions": _list_of("lines of the statement that lower the profit", _ITEMS),
    "clientPaid": _list_of("expenses that the client paid", _ITEMS),
    "nonBillable": _list_of("expenses that are not billable", _ITEMS),
    "nonGl": _list_of("expenses outside the ledger", _ITEMS),
    "profit": _exact("the month's profit, in dollars"),
    "earlierProfits": _by_name("stored profits of the months before, by month", _exact("a profit in dollars")),
    **_WINDOW,
}

INPUTS: Final[Schema] = {
    "type": "object",
    "description": "Terms and intermediate figures by name; exact numbers as text. `row` is the id of the contract's "
    "row. Names that are not described here may come with new blocks.",
    "properties": KNOWN,
    "patternProperties": {"^structure[1-9][0-9]*$": _STRUCTURE},
    "additionalProperties": {"type": ["string", "integer", "boolean", "null", "array", "object"]},
}

SELECTION: Final[Schema] = {
    "type": "object",
    "description": "The same for programs: measure and codes, accounts, roles, or category.",
    "properties": {
        "measure": _text("of revenue: which rows count, and which of their amounts"),
        "codes": {"type": "array", "items": {"type": "string"}, "description": "revenue codes; absent for all"},
        "accounts": {"type": "array", "items": {"type": "string"}, "description": "main accounts of the ledger"},
        "excludedEntities": {
            "type": "array",
            "items": {"type": "string"},
            "description": "entities whose ledger rows never count",
        },
        "roles": {"type": "array", "items": {"type": "string"}, "description": "work roles of time sheets"},
        "unit": _choice("what time sheets are counted in", "hours", "minutes"),
        "category": _text("the category of statistics"),
        "valueTypes": {"type": "array", "items": {"type": "string"}, "description": "value types; empty for all"},
    },
    "additionalProperties": True,
}

"""The datasets as data: columns, types, keys and control totals. Source: the warehouse's own headers.

A column's `target` is the column of the fact table; a column without one is checked and not stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from shared_code.facts import tables as facts


class Kind(StrEnum):
    """How a text is read: see `values` for each."""

    TEXT = "text"  # trimmed
    CODE = "code"  # trimmed, upper case: compared without regard to case (rules R46)
    SITE = "site"  # a code that must be in the site master
    NUMBER = "number"  # exact decimal, stored as an integer of `scale` decimals
    DATE = "date"
    FLAG = "flag"  # one of `values`
    PERIOD = "period"  # must be the period of the file


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file. `digits` bounds a number's significant digits, so that sums of a batch cannot overflow."""

    source: str
    target: str | None
    kind: Kind
    required: bool = True  # every row has a value
    in_every_file: bool = True  # the header must have it
    length: int = 0
    scale: int = 4
    digits: int = 13
    values: Mapping[str, str | int] | None = None
    blank: str | None = None  # what a missing value of a column that is not required is stored as
    in_period: bool = True  # a date must lie in the period of the file


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset: where its rows go, what identifies a row, and which stored columns its control total sums."""

    name: str
    table: sa.Table
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()  # target columns; empty: rows add up and nothing is collapsed (datasets 5)
    control: tuple[str, ...] = ()
    whole: bool = False  # small reference data, read in one slice

    @property
    def dated(self) -> bool:
        """Whether its rows have a day, so that completeness can be judged by site and day (rules R8)."""
        return "day" in self.table.c

    def required_headers(self) -> tuple[str, ...]:
        return tuple(c.source for c in self.columns if c.in_every_file)


DEPOSIT = {"Y": "Y", "N": "N", "V": "V"}
DRAFT = {"0": 0, "1": 1, "FALSE": 0, "TRUE": 1, "N": 0, "Y": 1, "NO": 0, "YES": 1}
# One day's figure of one code stays below ten million, and a rate below ten, so that rate × figure fits 64 bits.
_DAILY = 11
_RATE = 7


def _code(source: str, target: str, length: int) -> Column:
    return Column(source, target, Kind.CODE, length=length)


def _optional(source: str, target: str, length: int, kind: Kind = Kind.TEXT) -> Column:
    return Column(source, target, kind, required=False, length=length)


def _number(source: str, target: str | None, digits: int = 13, scale: int = 4) -> Column:
    return Column(source, target, Kind.NUMBER, scale=scale, digits=digits)


def _site(source: str) -> Column:
    return Column(source, "site", Kind.SITE, length=10)


MINUTE_COLUMNS = (
    "REGULAR",
    "OVERTIME",
    "HOLIDAY",
    "DOUBLE_OVERTIME",
    "HOLIDAY_OVERTIME",
    "HOLIDAY_DOUBLE_OVERTIME",
)

REVENUE_DAILY = Dataset(
    "revenue_daily",
    facts.revenue_daily,
    (
        _site("SITE"),
        Column("DATE", "day", Kind.DATE),
        _code("REVENUE_CODE", "revenue_code", 20),
        _code("REVENUE_CATEGORY", "revenue_category", 60),
        # only bell collections need a type, so the warehouse leaves it blank elsewhere
        Column("COLLECTION_TYPE", "collection_type", Kind.CODE, required=False, length=60, blank=""),
        Column("DEPOSIT_FLAG", "deposit_flag", Kind.FLAG, values=DEPOSIT),
        _number("NETEXTERNALREVENUE", "net", _DAILY),
        _number("EXTERNALREVENUE", "gross", _DAILY),
        _number("TAXRATE", "tax_rate", _RATE, 6),
        _number("BILLABLE_NET_VALIDATION", "validation", _DAILY),
    ),
    control=("net",),
)

SITE_STATISTICS = Dataset(
    "site_statistics",
    facts.site_statistics,
    (
        _optional("FILE_NAME", "file_name", 260),
        _site("SITE"),
        Column("DATE", "day", Kind.DATE),
        _code("REVENUE_CODE", "revenue_code", 20),
        _code("REVENUE_CATEGORY", "revenue_category", 60),
        _code("VALUE_TYPE", "value_type", 60),
        _number("VALUE", "value"),
        Column("IS_DRAFT", "is_draft", Kind.FLAG, values=DRAFT),
        _optional("DW_LOADED_DTTM", "loaded_at", 40),
    ),
    key=("site", "day", "revenue_code", "revenue_category", "value_type"),
    control=("value",),
)

ACCOUNT_SUMMARY = Dataset(
    "account_summary",
    facts.account_summary,
    (
        Column("PERIOD", None, Kind.PERIOD),
        _site("COST_CENTER"),
        _code("MAIN_ACCOUNT", "main_account", 20),
        _code("ENTITY", "entity", 10),
        _optional("ACCOUNT_INDEX", "account_index", 60),
        _number("BALANCE", "balance"),
    ),
    control=("balance",),
)

TIMESHEET = Dataset(
    "timesheet",
    facts.timesheet,
    (
        Column("TIMESHEET_ID", "timesheet_id", Kind.TEXT, required=False, in_every_file=False, length=60),
        _site("LOCATION_EXTERNAL_ID"),
        Column("YEAR", None, Kind.NUMBER, scale=0, digits=4),
        Column("DAY_OF_THE_YEAR", None, Kind.NUMBER, scale=0, digits=3),
        _code("WORK_ROLE", "work_role", 40),
        _optional("EMPLOYEE_KEY", "employee_key", 40),
        *(_number(name + twin, None) for name in MINUTE_COLUMNS for twin in ("", "_NEXT_DAY")),
    ),
    key=("timesheet_id",),
    control=("regular_minutes", "overtime_minutes"),
)

FORECAST = Dataset(
    "forecast",
    facts.forecast,
    (
        _site("COST_CENTER"),
        Column("PERIOD", None, Kind.PERIOD),
        _code("IS_SUMMARY_CATEGORY", "category", 100),
        _number("FD_BALANCE", "balance"),
        _optional("DW_LOADED_DTTM", "loaded_at", 40),
    ),
    key=("site", "category"),
    control=("balance",),
)

SITE_MASTER = Dataset(
    "site_master",
    facts.site,
    (
        Column("SITE", "site_number", Kind.SITE, length=10),
        Column("NAME", "name", Kind.TEXT, length=200),
        _optional("DISTRICT", "district", 100),
        _optional("STREET", "street", 200),
        _optional("CITY", "city", 100),
        _optional("STATE", "state", 20, Kind.CODE),
        _optional("ZIP", "zip", 20),
        _optional("CONTRACT_TYPE", "contract_type", 100),
        Column("FIRST_WORKED_DATE", "first_worked_date", Kind.DATE, required=False, in_period=False),
        Column("DEPOSIT_FLAG", "deposit_flag", Kind.FLAG, required=False, values=DEPOSIT),
        _optional("GL_STRING", "gl_string", 60),
        _optional("MANAGER_FIRST", "manager_first", 100),
        _optional("MANAGER_LAST", "manager_last", 100),
        _optional("MANAGER_ID", "manager_id", 40),
        _optional("BILLING_EMAIL", "billing_email", 1000),
        Column("TOTAL_ROOMS", "total_rooms", Kind.NUMBER, required=False, scale=0, digits=7),
        Column("TOTAL_SPACES", "total_spaces", Kind.NUMBER, required=False, scale=0, digits=7),
    ),
    key=("site_number",),
    whole=True,
)

DATASETS: Mapping[str, Dataset] = {
    d.name: d for d in (REVENUE_DAILY, SITE_STATISTICS, ACCOUNT_SUMMARY, TIMESHEET, FORECAST, SITE_MASTER)
}
NOT_YET = frozenset({"budget", "unit_accounts"})

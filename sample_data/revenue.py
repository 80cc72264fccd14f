"""Daily revenue: sales, validations, bell and other income by code, collection type and deposit flag.

gross = net × (1 + tax rate of the state), to the cent. A validation row carries its value as net and gross and
its billable part in BILLABLE_NET_VALIDATION (billing-flows 2.4, 6.4, 6.5, 6.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from sample_data.columns import Chunk, day_texts, money_column, site_rows, text_column
from sample_data.figures import KINDS, SEASONS, WEEKDAYS
from sample_data.noise import Floats, Ints, rounded, share_of, uniform, wobble
from shared_code.foundation.calendar import Period

CATEGORIES: Final = {
    "VD": "Valet Daily", "VO": "Valet Overnight", "VM": "Valet Monthly",
    "SD": "Self Daily", "SO": "Self Overnight", "SM": "Self Monthly",
    "OR": "Other Revenue", "AD": "Other",
}  # fmt: skip
"""First two letters of a revenue code → category (integrations 1.2.1)."""

PARKING: Final = tuple(CATEGORIES.values())[:6]
PER_MAN_HOUR: Final = "Per Man Hour"

_SALES: Final = {
    "hotel": ("VO1", "VD1", "VO2", "SO1", "VD2", "SD1", "VM1", "SM1"),
    "resort": ("VO1", "SO1", "VD1", "VO2", "SO2", "VD3", "VO3", "SM1"),
    "hospital": ("SD1", "VD1", "SD2", "SM1", "VD2", "SM2", "VM1", "SD3"),
    "office": ("SM1", "SD1", "SM2", "VM1", "SD2", "VD1", "SM3", "SO1"),
    "lot": ("SD1", "SO1", "SD2", "SM1", "SO2", "SD3", "SM2", "SO3"),
}
_SALES_WEIGHTS: Final = (0.30, 0.20, 0.14, 0.10, 0.09, 0.07, 0.06, 0.04)
_COLLECTIONS: Final = {
    "Credit Card": 0.45, "Room Charge": 0.25, "Mobile App": 0.13, "Cash": 0.12, "Account Billing": 0.05,
}  # fmt: skip
_DEPOSITED: Final = frozenset({"Credit Card", "Mobile App", "Cash"})
_OTHER: Final = (
    ("OR1", "Bell Service Fee"), ("OR1", "Porterage"), ("OR1", "Bag Drops"),
    ("OR2", "Service Charge"), ("OR2", "Gratuities"), ("OR2", "Room Drops"),
)  # fmt: skip
_LIGHT_SLOTS: Final = 5
_DAYS_PER_MONTH: Final = 30.4
_SALE, _VALIDATION, _OTHER_INCOME, _ADJUSTMENT = range(4)


@dataclass(frozen=True, slots=True)
class Slot:
    """One row of every day: what it sells and its share of the month's net revenue."""

    code: str
    category: str
    collection: str
    role: int
    deposited: bool
    weight: float


@dataclass(frozen=True, slots=True)
class RevenueMonth:
    """The rows of a chunk and, per site, the sums that other datasets must agree with. All in cents.

    `external`: net of all rows but validations and Per Man Hour. `by_category`: the same for the six parking
    categories, shape (sites, 6). `deposited_gross`: gross of the rows with deposit flag Y.
    """

    frame: pl.DataFrame
    external: Ints
    by_category: Ints
    deposited_gross: Ints


def slots_of(kind: str, full: bool) -> tuple[Slot, ...]:
    """The daily rows of a site of this kind: 56 in the full form, 5 in the light one."""
    sales = [
        Slot(code, CATEGORIES[code[:2]], name, _SALE, name in _DEPOSITED, weight * share)
        for code, weight in zip(_SALES[kind], _SALES_WEIGHTS, strict=True)
        for name, share in _COLLECTIONS.items()
    ]
    validations = [
        Slot(code, CATEGORIES[code[:2]], "Validation", _VALIDATION, False, weight)
        for code, weight in zip(_SALES[kind], _SALES_WEIGHTS, strict=True)
    ]
    other = [Slot(code, "Other Revenue", name, _OTHER_INCOME, False, 0.006) for code, name in _OTHER]
    rare = [
        Slot("ADJ", "Other", "Adjustment", _ADJUSTMENT, False, 0.004),
        Slot("ADJ", PER_MAN_HOUR, "Invoice", _OTHER_INCOME, False, 0.01),
    ]
    if full:
        return (*sales, *validations, *other, *rare)
    monthly = next(slot for slot in sales if slot.code == "SM1")
    return _heavier(sales[:2], 0.4) + _heavier([monthly], 0.15) + _heavier(validations[:1], 1.0) + (other[0],)


def _heavier(slots: list[Slot], weight: float) -> tuple[Slot, ...]:
    """The light form's rows stand for all the others of their sort."""
    return tuple(Slot(slot.code, slot.category, slot.collection, slot.role, slot.deposited, weight) for slot in slots)


def revenue_month(chunk: Chunk) -> RevenueMonth:
    """Daily revenue of the chunk's sites for its month, every day of it."""
    tables = [slots_of(kind, chunk.full) for kind in KINDS]
    per_day = len(tables[0])
    rows = chunk.period.days * per_day
    roles = np.array([[slot.role for slot in table] for table in tables])[chunk.kinds]
    net = _net(chunk, tables, rows).reshape(chunk.size, chunk.period.days, per_day)
    rates = chunk.whole([figure.site.tax_ppm for figure in chunk.figures])[:, None, None]
    gross = net + share_of(net, rates)
    validated = roles[:, None, :] == _VALIDATION
    billable_share = chunk.whole([figure.billable_ppm for figure in chunk.figures])[:, None, None]
    billable = np.where(validated, share_of(net, billable_share), 0)
    flags = _flags(chunk, tables, roles)
    collected = gross.sum(axis=1)
    totals = net.sum(axis=1)
    kinds = chunk.kinds
    return RevenueMonth(
        frame=_frame(chunk, tables, flags, (net, gross, billable)),
        external=(totals * _in_external(tables)[kinds]).sum(axis=1),
        by_category=np.stack([(totals * mask[kinds]).sum(axis=1) for mask in _category_masks(tables)], axis=1),
        deposited_gross=np.where(flags == _FLAGS.index("Y"), collected, 0).sum(axis=1),
    )


_FLAGS: Final = ("Y", "N", "V")


def _net(chunk: Chunk, tables: list[tuple[Slot, ...]], rows: int) -> Ints:
    """Net revenue in cents; shape (sites, rows). Adjustments are mostly negative."""
    keys = chunk.keys("revenue_daily")
    factors = np.stack([_factors(kind, table, chunk.period) for kind, table in zip(KINDS, tables, strict=True)])
    amounts = factors[chunk.kinds] * wobble(keys, rows, 1, 0.6)
    amounts *= _daily_scale(chunk)[:, None]
    roles = np.array([[slot.role for slot in table] * chunk.period.days for table in tables])[chunk.kinds]
    shares = np.array([figure.validation_ppm / 1_000_000 for figure in chunk.figures])[:, None]
    amounts = np.where(roles == _VALIDATION, amounts * shares, amounts)
    cents = rounded(amounts)
    downward = (roles == _ADJUSTMENT) & (uniform(keys, rows, 2) < 0.7)
    result: Ints = np.where(downward, -cents, cents)
    return result


def _daily_scale(chunk: Chunk) -> Floats:
    growth = 1.0 + 0.03 * (chunk.period.year - 2026)
    result: Floats = np.array([figure.monthly_net for figure in chunk.figures]) * (growth / _DAYS_PER_MONTH)
    return result


def _factors(kind: str, table: tuple[Slot, ...], period: Period) -> Floats:
    """Weight × season × day of the week of each row; monthly parkers mostly pay on the 1st."""
    first = period.first_day.weekday()
    season = SEASONS[kind][period.month - 1]
    values = []
    for day in range(period.days):
        weekday = WEEKDAYS[kind][(first + day) % 7]
        for slot in table:
            monthly = slot.code[1] == "M" and slot.role == _SALE
            values.append(slot.weight * ((16.0 if day == 0 else 0.5) if monthly else season * weekday))
    return np.array(values)


def _flags(chunk: Chunk, tables: list[tuple[Slot, ...]], roles: Ints) -> Ints:
    """Position in Y, N, V of each slot; shape (sites, slots). Cash and cards are Y where the operator collects."""
    collects = np.array([figure.collects for figure in chunk.figures])[:, None]
    deposited = np.array([[slot.deposited for slot in table] for table in tables])[chunk.kinds]
    flags = np.where(collects & deposited, _FLAGS.index("Y"), _FLAGS.index("N"))
    result: Ints = np.where(roles == _VALIDATION, _FLAGS.index("V"), flags)
    return result


def _in_external(tables: list[tuple[Slot, ...]]) -> Ints:
    wanted = [[int(slot.role != _VALIDATION and slot.category != PER_MAN_HOUR) for slot in table] for table in tables]
    return np.array(wanted, dtype=np.int64)


def _category_masks(tables: list[tuple[Slot, ...]]) -> list[Ints]:
    return [
        np.array([[int(s.category == category and s.role == _SALE) for s in table] for table in tables], dtype=np.int64)
        for category in PARKING
    ]


def _frame(chunk: Chunk, tables: list[tuple[Slot, ...]], flags: Ints, money: tuple[Ints, Ints, Ints]) -> pl.DataFrame:
    days, per_day = chunk.period.days, len(tables[0])
    sites = site_rows(chunk, days * per_day)
    # A row's slot texts sit at (kind, slot) in lists that put the kinds one after the other.
    slots = np.arange(per_day)[None, None, :] + chunk.kinds[:, None, None] * per_day
    slots = np.broadcast_to(slots, (chunk.size, days, per_day))
    day = np.broadcast_to(np.arange(days)[None, :, None], slots.shape)
    flag = np.broadcast_to(flags[:, None, :], slots.shape)
    flat = [slot for table in tables for slot in table]
    net, gross, billable = money
    rates = [rate_text(figure.site.tax_ppm) for figure in chunk.figures]
    return pl.DataFrame(
        [
            text_column("SITE", chunk.numbers, sites),
            text_column("DATE", day_texts(chunk.period), day),
            text_column("REVENUE_CODE", [slot.code for slot in flat], slots),
            text_column("REVENUE_CATEGORY", [slot.category for slot in flat], slots),
            text_column("COLLECTION_TYPE", [slot.collection for slot in flat], slots),
            text_column("DEPOSIT_FLAG", _FLAGS, flag),
            money_column("NETEXTERNALREVENUE", net),
            money_column("EXTERNALREVENUE", gross),
            text_column("TAXRATE", rates, sites),
            money_column("BILLABLE_NET_VALIDATION", billable),
        ]
    )


def rate_text(millionths: int) -> str:
    """A tax rate as the warehouse writes it: a fraction with at least two decimals, `0.0825`."""
    text = f"0.{millionths:06d}".rstrip("0")
    return text if len(text) >= 4 else text.ljust(4, "0")

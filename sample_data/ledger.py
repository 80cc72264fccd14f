"""Ledger balances, forecast, budget and unit statistics that agree with the month's revenue and hours.

Revenue balances are negative, expenses positive. Account 4785 holds the cash that the operator deposited: minus
the gross of the revenue rows with deposit flag Y, to the cent (billing-flows 15.6, rules R35).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from sample_data.columns import Chunk, money_column, text_column, whole_column
from sample_data.noise import Ints, rounded, share_of, uniform, wobble
from sample_data.revenue import PARKING, RevenueMonth
from sample_data.statistics import StatisticsMonth
from sample_data.timesheets import TimesheetMonth

CASH_DEPOSITS: Final = "4785"

_PAYROLL: Final = {
    "6000": 60_000, "6002": 520_000, "6007": 20_000, "6010": 15_000, "6015": 30_000, "6016": 20_000,
    "6017": 90_000, "6019": 25_000, "6110": 40_000, "6115": 180_000,
}  # fmt: skip
_PTEB: Final = {"6200": 170_000, "6399": 90_000, "6500": 40_000}
_EXPENSES: Final = {
    "7005": 1_000, "7010": 2_000, "7011": 28_000, "7017": 3_000, "7026": 6_000, "7030": 800, "7045": 1_200,
    "7050": 1_500, "7055": 7_000, "7060": 4_000, "7065": 2_500, "7070": 2_200, "7075": 5_000, "7090": 1_100,
    "7095": 900, "7105": 700, "7110": 1_300, "7113": 1_000, "7115": 3_500, "7120": 1_600, "7130": 300,
    "7170": 9_000, "7175": 2_800, "7178": 1_900, "7180": 700, "7185": 3_200, "7200": 1_700, "7205": 2_600,
    "7215": 900, "7220": 2_000, "7225": 1_500, "7230": 1_200,
}  # fmt: skip
_INSURANCE: Final = {"7080": 18_000, "7082": 7_000, "7085": 3_000}
_CLAIMS: Final = ("7099", "7100", "7101", "7102")
_POSTED: Final = {"4700": 4_000, "4715": 1_500, "4790": 2_500}

_ACCOUNTS: Final = (*_PAYROLL, *_PTEB, *_EXPENSES, *_INSURANCE, *_CLAIMS, *_POSTED, CASH_DEPOSITS)
_OTHER_ENTITY: Final = ("7115", "7185", "4790")
"""Accounts that some sites also have under entity 06, which billing leaves out (rules R17)."""

_WAGE: Final = 1_850  # cents per hour
_FORECAST: Final = (
    "EXTERNAL REVENUE", "INTERNAL REVENUE", "PAYROLL", "PTEB", "INSURANCE", "OTHER EXPENSE", "CLAIMS",
)  # fmt: skip
_UNITS: Final = {
    "Valet Daily": ("9411", "9510"), "Valet Overnight": ("9412", "9520"), "Valet Monthly": ("9413", "9530"),
    "Self Daily": ("9414", "9550"), "Self Overnight": ("9415", "9560"), "Self Monthly": ("9416", "9570"),
}  # fmt: skip
_ROOMS_ACCOUNT: Final = "9440"


@dataclass(frozen=True, slots=True)
class LedgerMonth:
    """The ledger-side files of a chunk, by dataset."""

    account_summary: pl.DataFrame
    forecast: pl.DataFrame
    budget: pl.DataFrame
    unit_accounts: pl.DataFrame


def ledger_month(chunk: Chunk, revenue: RevenueMonth, work: TimesheetMonth, statistics: StatisticsMonth) -> LedgerMonth:
    """Balances and plans of the chunk's sites, from what happened there in the month."""
    balances, present = _balances(chunk, revenue, work)
    plan = _plan(chunk, balances, revenue, work, statistics)
    return LedgerMonth(
        account_summary=_account_summary(chunk, balances, present),
        forecast=_forecast(chunk, plan),
        budget=_budget(chunk, plan),
        unit_accounts=_unit_accounts(chunk, revenue, statistics),
    )


def _balances(chunk: Chunk, revenue: RevenueMonth, work: TimesheetMonth) -> tuple[Ints, Ints]:
    """Cents by site and account, and which of them the ledger has a row for. Claims are often missing."""
    keys = chunk.keys("account_summary")
    payroll = work.minutes * _WAGE // 60
    volume = np.maximum(revenue.external, 0)
    expenses = volume + 1_000_000  # a small site has costs too
    vary = wobble(keys, len(_EXPENSES), 1, 0.35)
    claims = np.where(
        uniform(keys, len(_CLAIMS), 2) < 0.35, rounded(5_000 + 245_000 * uniform(keys, len(_CLAIMS), 3)), 0
    )
    columns = [
        _parts(payroll, _PAYROLL),
        _parts(payroll, _PTEB),
        rounded(_parts(expenses, _EXPENSES) * vary),
        _parts(expenses, _INSURANCE),
        claims,
        -_parts(volume, _POSTED),
        -revenue.deposited_gross[:, None],
    ]
    balances = np.concatenate(columns, axis=1)
    optional = np.isin(_ACCOUNTS, (*_CLAIMS, CASH_DEPOSITS))
    present = ~optional[None, :] | (balances != 0)
    return balances, present


def _parts(whole: Ints, shares: dict[str, int]) -> Ints:
    """Shares (millionths) of a whole per site; shape (sites, accounts)."""
    return share_of(whole[:, None], np.array(list(shares.values()), dtype=np.int64)[None, :])


def _account_summary(chunk: Chunk, balances: Ints, present: Ints) -> pl.DataFrame:
    sites, accounts = np.nonzero(present)
    extra = [position for position, figure in enumerate(chunk.figures) if figure.site.index % 10 == 3]
    other_accounts = np.array([_ACCOUNTS.index(account) for account in _OTHER_ENTITY])
    other_sites = np.repeat(np.array(extra, dtype=np.int64), len(other_accounts))
    other = np.tile(other_accounts, len(extra))
    where = (np.concatenate([sites, other_sites]), np.concatenate([accounts, other]))
    entity = np.concatenate([np.zeros(len(sites), dtype=np.int64), np.ones(len(other), dtype=np.int64)])
    amounts = np.concatenate([balances[sites, accounts], share_of(balances[other_sites, other], np.array(50_000))])
    order = np.lexsort((entity, where[1], where[0]))
    site, account, entity = where[0][order], where[1][order], entity[order]
    index = chunk.whole(chunk.indexes)[site]
    return pl.DataFrame(
        [
            text_column("PERIOD", [chunk.period.compact], np.zeros_like(site)),
            text_column("COST_CENTER", chunk.numbers, site),
            text_column("MAIN_ACCOUNT", _ACCOUNTS, account),
            text_column("ENTITY", ("01", "06"), entity),
            whole_column("ACCOUNT_INDEX", (index * 2 + entity) * 100 + account),
            money_column("BALANCE", amounts[order]),
        ]
    )


def _plan(
    chunk: Chunk, balances: Ints, revenue: RevenueMonth, work: TimesheetMonth, statistics: StatisticsMonth
) -> Ints:
    """What a planner who knew the month would expect, by site and category of `_FORECAST`; cents."""
    figures = chunk.figures
    total = {name: balances[:, _positions(accounts)].sum(axis=1) for name, accounts in _GROUPS.items()}
    costs = total["PAYROLL"] + total["PTEB"] + total["OTHER EXPENSE"] + total["INSURANCE"]
    billed = (
        chunk.whole([figure.fixed_fees for figure in figures])
        + work.billed_minutes * chunk.whole([figure.hourly_rate for figure in figures]) // 60
        + statistics.rooms * chunk.whole([figure.room_rate for figure in figures])
        + share_of(revenue.external, chunk.whole([figure.share_ppm for figure in figures]))
        + costs * chunk.whole([int(figure.bills_costs) for figure in figures])
    )
    rows = [revenue.external, total["POSTED"] - billed, total["PAYROLL"], total["PTEB"], total["INSURANCE"]]
    return np.stack([*rows, total["OTHER EXPENSE"], total["CLAIMS"]], axis=1)


_GROUPS: Final = {
    "PAYROLL": tuple(_PAYROLL),
    "PTEB": tuple(_PTEB),
    "OTHER EXPENSE": tuple(_EXPENSES),
    "INSURANCE": tuple(_INSURANCE),
    "CLAIMS": _CLAIMS,
    "POSTED": tuple(_POSTED),
}


def _positions(accounts: tuple[str, ...]) -> list[int]:
    return [_ACCOUNTS.index(account) for account in accounts]


def _planned(chunk: Chunk, plan: Ints, dataset: str, spread: float) -> tuple[Ints, Ints, Ints]:
    """Rows of a plan: site, category and cents, near the actual; categories without value have no row."""
    factor = wobble(chunk.keys(dataset), len(_FORECAST), 1, spread)
    values = np.sign(plan) * rounded(np.abs(plan) * factor)
    sites, categories = np.nonzero(plan)
    return sites, categories, values[sites, categories]


def _forecast(chunk: Chunk, plan: Ints) -> pl.DataFrame:
    sites, categories, cents = _planned(chunk, plan, "forecast", 0.08)
    return pl.DataFrame(
        [
            text_column("COST_CENTER", chunk.numbers, sites),
            text_column("PERIOD", [chunk.period.compact], np.zeros_like(sites)),
            text_column("IS_SUMMARY_CATEGORY", _FORECAST, categories),
            money_column("FD_BALANCE", cents),
            text_column("DW_LOADED_DTTM", [f"{chunk.period.first_day} 06:00:00"], np.zeros_like(sites)),
        ]
    )


def _budget(chunk: Chunk, plan: Ints) -> pl.DataFrame:
    sites, categories, cents = _planned(chunk, plan, "budget", 0.15)
    return pl.DataFrame(
        [
            text_column("COST_CENTER", chunk.numbers, sites),
            text_column("PERIOD", [chunk.period.compact], np.zeros_like(sites)),
            text_column("CATEGORY", _FORECAST, categories),
            money_column("BALANCE", cents),
        ]
    )


def _unit_accounts(chunk: Chunk, revenue: RevenueMonth, statistics: StatisticsMonth) -> pl.DataFrame:
    """Statistical accounts: revenue and vehicles by parking category, rooms where there are any."""
    rooms = statistics.rooms[:, None] * 100
    values = np.concatenate([revenue.by_category, statistics.vehicles * 100, rooms], axis=1)
    accounts = [*(_UNITS[name][0] for name in PARKING), *(_UNITS[name][1] for name in PARKING), _ROOMS_ACCOUNT]
    categories = [*PARKING, *PARKING, "Occupied Rooms"]
    types = [*["Revenue"] * len(PARKING), *["Vehicles"] * len(PARKING), "Other"]
    sites, units = np.nonzero(values)
    strings = [f"{figure.site.gl_string}-{account}" for figure in chunk.figures for account in accounts]
    return pl.DataFrame(
        [
            text_column("SITE", chunk.numbers, sites),
            text_column("MAIN_ACCOUNT", accounts, units),
            text_column("REVENUE_CATEGORY", categories, units),
            text_column("CATEGORY", types, units),
            text_column("GL_STRING", strings, sites * len(accounts) + units),
            money_column("VALUE", values[sites, units]),
            text_column(
                "ACCOUNT_DESCRIPTION",
                [f"{name} - {kind}" for name, kind in zip(categories, types, strict=True)],
                units,
            ),
            text_column("STATUS", ["Active"], np.zeros_like(units)),
            text_column("PERIOD", [chunk.period.compact], np.zeros_like(units)),
        ]
    )

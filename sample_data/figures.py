"""The scale of a site: what its monthly figures hang on, drawn once from the site and its contract."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sample_data.draw import Draw
from sample_data.legacy_form import Json
from sample_data.sites import Site

SEASONS: Final = {
    "hotel": (0.82, 0.86, 0.98, 1.02, 1.06, 1.12, 1.15, 1.10, 1.02, 1.06, 0.92, 0.89),
    "resort": (0.70, 0.76, 0.95, 0.98, 1.05, 1.25, 1.40, 1.32, 1.02, 0.90, 0.78, 0.89),
    "hospital": (1.02, 1.00, 1.03, 1.01, 1.00, 0.98, 0.95, 0.98, 1.00, 1.02, 1.01, 1.00),
    "office": (1.01, 1.02, 1.04, 1.03, 1.02, 0.99, 0.92, 0.93, 1.02, 1.05, 1.01, 0.96),
    "lot": (0.90, 0.92, 0.98, 1.00, 1.03, 1.06, 1.10, 1.08, 1.02, 1.00, 0.96, 0.95),
}
"""Kind → factor of each month, January first; the year averages about 1."""

WEEKDAYS: Final = {
    "hotel": (0.86, 0.90, 0.96, 1.00, 1.14, 1.20, 0.94),
    "resort": (0.78, 0.80, 0.86, 0.96, 1.22, 1.34, 1.04),
    "hospital": (1.18, 1.20, 1.18, 1.15, 1.08, 0.62, 0.59),
    "office": (1.28, 1.34, 1.34, 1.28, 1.12, 0.36, 0.28),
    "lot": (0.94, 0.94, 0.96, 1.00, 1.12, 1.14, 0.90),
}
"""Kind → factor of each day of the week, Monday first."""

KINDS: Final = tuple(SEASONS)

_SCALE: Final = ((0.0, 8_000), (0.1, 18_000), (0.5, 70_000), (0.9, 190_000), (1.0, 420_000))


@dataclass(frozen=True, slots=True)
class Figures:
    """A site's scale. Amounts are whole cents per month, shares are millionths.

    `collects`: the operator deposits the site's cash and card money (deposit flag Y).
    `jobs`: job codes that the contract bills by the hour. The last five fields only serve to guess the bill,
    so that the forecast lies near it.
    """

    site: Site
    collects: bool
    jobs: tuple[str, ...]
    monthly_net: int
    validation_ppm: int
    billable_ppm: int
    fixed_fees: int
    hourly_rate: int
    room_rate: int
    share_ppm: int
    bills_costs: bool


def make_figures(seed: int, site: Site, original: Json) -> Figures:
    """The scale of `site` under its contract (`original` of the legacy document)."""
    draw = Draw(seed, "figures", site.index)
    deposits = original["depositedRevenue"]
    jobs = original["perLaborHour"]["jobRates"]
    structures = original["revenueShare"]["thresholdStructures"]
    return Figures(
        site=site,
        collects=deposits["enabled"] and deposits["depositData"][0]["depositedRevenueEnabled"],
        jobs=tuple(job["jobCode"] for job in jobs),
        monthly_net=_monthly_net(draw, structures),
        validation_ppm=draw.number(15_000, 110_000),
        billable_ppm=draw.number(14, 20) * 50_000,
        fixed_fees=_fixed_fees(original),
        hourly_rate=sum(_cents(job["rate"]) for job in jobs) // max(len(jobs), 1),
        room_rate=_cents(original["perOccupiedRoom"]["roomRate"]),
        share_ppm=int(structures[0]["tiers"][0]["sharePercentage"] * 10_000) if structures else 0,
        bills_costs=_bills_costs(original),
    )


def _monthly_net(draw: Draw, structures: list[Json]) -> int:
    """Around the first tier's bound where there is one, so that tiers are really used."""
    bound = structures[0]["tiers"][0]["amount"] if structures else 0.0
    if not bound:
        return draw.number(0, 99) + 100 * int(draw.quantile(_SCALE))
    months = 1 if structures[0]["accumulationType"] == "Monthly" else 9
    return int(bound * 100 * (0.6 + draw.share()) / months)


def _fixed_fees(original: Json) -> int:
    fees = sum(_cents(row["fee"]) for row in original["fixedFee"]["serviceRates"])
    agreement = original["managementAgreement"]
    if agreement["enabled"]:
        fees += _cents(agreement["ManagementFees"][0]["fixedFeeAmount"])
    return fees


def _bills_costs(original: Json) -> bool:
    accounts = original["billableAccounts"]
    if not accounts["enabled"]:
        return False
    return any(row["isEnabled"] for row in json.loads(accounts["billableAccountsData"][0]["payrollAccountsData"]))


def _cents(amount: float) -> int:
    return int(Decimal(repr(amount)) * 100)

"""One complete legacy contract per invented site, in the mix of the corpus (contract-corpus 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sample_data import blocks, management
from sample_data.difficult import make_difficult
from sample_data.draw import Draw
from sample_data.legacy_form import EXPORT_DATE, Json, document, label_of
from sample_data.sites import Site

_TERMS: Final = {
    "Due in 30 Days": 288, "Due by 20th": 86, "Due on Receipt": 86, "Due in 15 Days": 65, "Due in 45 Days": 31,
    "Due by 20th of the Month": 20, "Due in 60 Days": 14, "Due by 15th": 13, "Due in 10 Days": 10,
    "Due in 20 Days": 8, "Due by 5th": 3, "Due by 10th": 3, "Due by 1st of the Month": 2, "Due by 30th": 2,
    "Due by 30th of the Month": 1, "Due in 7 Days": 1, "Due by 6th": 1, "Due in 25 Days": 1, "Due by 7th": 1,
    "Due by 15th of the Month": 1,
}  # fmt: skip
_INCREMENTS: Final = {3.0: 109, 2.0: 9, 5.0: 7, 4.0: 3, 6.0: 2}
_INCREMENT_MONTHS: Final = {
    "January": 53, "July": 19, "November": 9, "December": 9, "March": 9, "August": 7, "September": 6,
    "February": 5, "May": 4, "April": 4, "June": 3, "October": 2,
}  # fmt: skip
_GROUP_COUNTS: Final = {2: 18, 3: 6, 4: 1}
_RS_REPORTS: Final[dict[tuple[str, ...], int]] = {
    ("MixOfSales", "ParkingDepartmentReport", "ValidationReport"): 163,
    ("MixOfSales", "ParkingDepartmentReport"): 22,
    ("MixOfSales", "TaxReport", "ParkingDepartmentReport", "ValidationReport"): 18,
    (): 15,
}
_MA_REPORTS: Final[dict[tuple[str, ...], int]] = {
    ("MixOfSales", "LaborDistributionReport", "OtherExpensesReport", "ParkingDepartmentReport"): 55,
    (
        "MixOfSales", "LaborDistributionReport", "OtherExpensesReport", "ParkingDepartmentReport", "ValidationReport",
    ): 49,
    ("LaborDistributionReport", "OtherExpensesReport", "ParkingDepartmentReport"): 37,
    ("ParkingDepartmentReport",): 6,
    (): 62,
}  # fmt: skip
_UNMATCHED_SHARE: Final = 51 / 70
"""Share of the plain management agreements that the export could not match to a site (contract-corpus DQ02)."""


@dataclass(frozen=True, slots=True)
class InventedContract:
    """A legacy document, the name of its file, and whether it is one of the difficult ones."""

    file_name: str
    document: Json
    difficult: bool

    @property
    def original(self) -> Json:
        original: Json = self.document["original"]
        return original


def make_contract(seed: int, site: Site, difficult_share: float) -> InventedContract:
    """Invent the contract of `site`: a complete and valid legacy document.

    Groups exist and are all used, revenue codes are disjoint and complete, tiers ascend to an unbounded last
    one. The components are those of `site.component_set`.
    """
    draw = Draw(seed, "contract", site.index)
    original = _original(draw, site)
    manager: str | float = f"{site.manager_first} {site.manager_last}"
    if draw.chance(0.27):
        manager = float("nan")
    awkward = Draw(seed, "difficult", site.index)
    difficult = awkward.chance(difficult_share)
    if difficult:
        manager = make_difficult(awkward, original, manager)
    matched = not (site.component_set == "MA+BA" and draw.chance(_UNMATCHED_SHARE))
    metadata = _matched(site, original, manager) if matched else _unmatched(site)
    name = draw.guid().upper().replace("-", "_") if matched else "Unknown"
    return InventedContract(f"{site.number}_{name}.json", document(metadata, original), difficult)


def _original(draw: Draw, site: Site) -> Json:
    on = site.blocks
    style = _management_style(draw, on)
    groups = _group_count(draw, on)
    increment = draw.weighted(_INCREMENTS) if draw.chance(_increment_share(on)) else 0.0
    advanced = on <= {"FF", "IG", "MMA"} and draw.chance(9 / 38)
    limits = draw.weighted({(2500.0, 10.0): 622, (0.0, 0.0): 13, (25000.0, 10.0): 2})
    return {
        "id": draw.guid(),
        "purchaseOrder": f"PO {draw.number(100_000, 999_999)}" if draw.chance(_po_share(on)) else None,
        "paymentTerms": draw.weighted(_TERMS),
        "billingType": "Advanced" if advanced else "Arrears",
        "incrementMonth": draw.weighted(_INCREMENT_MONTHS) if increment or draw.chance(0.02) else "January",
        "incrementAmount": increment,
        "consumerPriceIndex": False,
        "notes": None,
        "deviationAmount": limits[0],
        "deviationPercentage": limits[1],
        "deposits": "DR" in on and draw.chance(104 / 295),
        "contractType": _typed_label(draw, on, style),
        "supportingReports": _reports(draw, on),
        "invoiceGrouping": {
            "enabled": groups > 0,
            "invoiceGroups": blocks.invoice_groups(draw, groups, site.name, site.number),
        },
        **_components(draw, on, style, groups),
    }


def _components(draw: Draw, on: frozenset[str], style: str, groups: int) -> Json:
    """The nine blocks in the document's order. With both fees and hours, the hours carry the later groups."""
    fee_groups = groups if "PLH" not in on else min(groups, 1)
    expense_group = 2 if groups and "FF" not in on else 1
    return {
        "fixedFee": _block(on, "FF", "serviceRates", blocks.service_rates(draw, fee_groups)),
        "perLaborHour": {
            "enabled": "PLH" in on,
            "hoursBackupReport": "PLH" in on or draw.chance(398 / 488),
            "jobRates": blocks.job_rates(draw, groups) if "PLH" in on else [],
        },
        "perOccupiedRoom": {
            "enabled": "POR" in on,
            "roomRate": blocks.room_rate(draw) if "POR" in on else 0.0,
            "invoiceGroup": 1,
        },
        "revenueShare": _block(on, "RS", "thresholdStructures", blocks.threshold_structures(draw)),
        "bellServiceFee": _block(on, "BELL", "bellServices", [{"id": draw.guid(), "invoiceGroup": 1}]),
        "midMonthAdvance": _block(on, "MMA", "midMonthAdvances", blocks.advances(draw)),
        "depositedRevenue": _block(on, "DR", "depositData", blocks.deposits(draw, 1)),
        "billableAccounts": _block(
            on, "BA", "billableAccountsData", [management.accounts_block(draw, style, expense_group)]
        ),
        "managementAgreement": _block(on, "MA", "ManagementFees", [management.agreement_block(draw, style)]),
    }


def _block(on: frozenset[str], name: str, rows_key: str, rows: list[Json]) -> Json:
    return {"enabled": name in on, rows_key: rows if name in on else []}


def _group_count(draw: Draw, on: frozenset[str]) -> int:
    """No group stays empty: only fees and hours have rows enough for more than two."""
    if "IG" not in on:
        return 0
    return draw.weighted(_GROUP_COUNTS) if on & {"FF", "PLH"} else 2


def _management_style(draw: Draw, on: frozenset[str]) -> str:
    if "MA" not in on:
        return "reimbursed"
    lot = draw.chance(0.58) if "DR" in on else False  # net-profit lots deposit their revenue
    return "lot" if lot or on == {"FF", "MA", "BA", "DR"} else "agreement"


def _increment_share(on: frozenset[str]) -> float:
    """How often a contract has a yearly increment, by kind (contract-corpus 1.5)."""
    main = on & {"FF", "PLH", "RS", "MA"}
    shares = {frozenset({"FF"}): 0.68, frozenset({"PLH"}): 0.75, frozenset[str](): 0.11}
    return shares.get(main, 0.40 if main & {"FF", "PLH"} else 0.0)


def _po_share(on: frozenset[str]) -> float:
    if "FF" in on:
        return 0.25
    return 0.2 if "PLH" in on else 0.03


def _typed_label(draw: Draw, on: frozenset[str], style: str) -> str:
    """The label that users typed: it follows the main component, but lots call themselves revenue share."""
    if "RS" in on:
        return "Revenue Share"
    if "MA" in on:
        return "Revenue Share" if style == "lot" and draw.chance(0.97) else "Management Agmt"
    if "PLH" in on:
        return "Per Labor Hour"
    return "Fixed Fee" if "FF" in on else "Other"


def _reports(draw: Draw, on: frozenset[str]) -> list[str]:
    reports: tuple[str, ...] = ()
    if "RS" in on:
        reports = draw.weighted(_RS_REPORTS)
    elif "MA" in on:
        reports = draw.weighted(_MA_REPORTS)
    chosen = list(reports)
    if "PLH" in on and draw.chance(0.88):
        chosen.insert(1 if chosen[:1] == ["MixOfSales"] else 0, "HoursBackupReport")
    return chosen


def _matched(site: Site, original: Json, manager: str | float) -> Json:
    notes = float("nan") if original["notes"] is None else original["notes"]
    people = {"accountManager": manager, "paymentTerms": original["paymentTerms"], "notes": notes}
    location = {
        "region": float("nan"),
        "district": site.district,
        "state": site.state,
        "city": site.city,
        "address": site.address,
        "siteType": "",
    }
    return _metadata(site, site.name, label_of(original), people, location)


def _unmatched(site: Site) -> Json:
    """What the export writes when the site master did not know the site: blanks, and terms that are wrong."""
    people: Json = {"accountManager": "", "paymentTerms": "Due on Receipt", "notes": ""}
    location = dict.fromkeys(("region", "district", "state", "city", "address", "siteType"), "")
    return _metadata(site, f"Site_{site.number}", "Unknown", people, location)


def _metadata(site: Site, customer: str, label: str, people: Json, location: Json) -> Json:
    return {
        "siteNumber": site.number,
        "customerName": customer,
        "customerID": f"CUST-{site.number}",
        "contractEffectiveDate": EXPORT_DATE,
        "contractEndDate": "",
        "contractStatus": "active",
        "lastModifiedDate": EXPORT_DATE,
        "contractVersion": "1.0",
        "contractType": label,
        **people,
        "location": location,
    }

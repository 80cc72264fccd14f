"""What makes a contract awkward but readable: notes with terms, dormant data, odd order, odd spelling."""

from __future__ import annotations

from typing import Final

from sample_data import blocks, management
from sample_data.draw import Draw
from sample_data.legacy_form import Json

_NOTES: Final = {
    "Rates increase every January by the greater of {n}% or the labor cost index.": 33,
    "Annual increase is the lesser of {n}% and CPI, confirmed with the client each year.\n": 7,
    "Management fee increases {n}% each July 1; written notice needed 60 days before.": 16,
    "Insurance: {n}% increase each September.": 11,
    "Thresholds move with CPI every year, not below {n}%.": 13,
    "Overtime is billed at the straight rate except on holidays.": 13,
    "Only hours above {n}0 per week are billable.\r\nHours below are part of the fee. ": 9,
    "Parking tax is paid by the client.": 20,
    "Client credit of ${n}50 per month until the equipment is paid off.": 13,
    "Claims above the yearly cap are shared equally.": 9,
    "Addendum {n} is agreed by e-mail; signed copy pending.": 37,
}
_DORMANT: Final = {"billableAccounts": 94, "midMonthAdvance": 6, "bellServiceFee": 3}


def make_difficult(draw: Draw, original: Json, manager: str | float) -> str | float:
    """Change `original` in one or more awkward ways and return the manager's name as somebody typed it.

    Nothing that it adds bills anything: notes are for people, dormant data stands under a false switch.
    """
    noted = draw.chance(0.7)
    if noted:
        original["notes"] = draw.weighted(_NOTES).format(n=draw.number(2, 5))
    if not noted or draw.chance(0.4):
        _leave_dormant_data(draw, original)
    groups = original["invoiceGrouping"]["invoiceGroups"]
    if len(groups) > 1:
        groups.insert(0, groups.pop())  # order is kept by readers and means nothing
        groups[0]["title"] = "Gäste-Service – Nord"
    for row in original["fixedFee"]["serviceRates"][:1]:
        row["displayName"] = f" Caf\u00e9\u00a0{row['displayName']} "
    return manager.upper() if isinstance(manager, str) and draw.chance(0.5) else manager


def _leave_dormant_data(draw: Draw, original: Json) -> None:
    """Put rows under a block that is switched off (contract-corpus DQ21)."""
    off = {block: weight for block, weight in _DORMANT.items() if not original[block]["enabled"]}
    if not off:
        return
    match draw.weighted(off):
        case "billableAccounts":
            original["billableAccounts"]["billableAccountsData"] = [management.accounts_block(draw, "agreement")]
        case "midMonthAdvance":
            original["midMonthAdvance"]["midMonthAdvances"] = blocks.advances(draw)
        case _:
            original["bellServiceFee"]["bellServices"] = [{"id": draw.guid(), "invoiceGroup": 1}]

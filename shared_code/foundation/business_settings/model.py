"""The catalogue of business settings: name, kind, default, and what each means. Pure.

A setting has one name in three spellings: `gap_days` in code, `gapDays` in the API and the database, `GAP_DAYS` as an
app setting. A new one is one field here and the place that reads it; it is read in the transaction that uses it, so a
change counts from the next transaction on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any

from shared_code.foundation.errors import Detail
from shared_code.foundation.setting_kinds import Codes, Flag, Kind, Share, Whole


def _decided[Value](kind: Kind[Value], default: Value, meaning: str) -> Value:
    return field(default=default, metadata={"kind": kind, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessSettings:
    """The values that hold. Meanings are for the people who change them, and say the unit."""

    # rules R8
    gap_days: int = _decided(
        Whole(1, 31), 7, "A site whose rows pause or stop for more days than this has an incomplete month."
    )
    # rules R4
    bell_excluded_codes: frozenset[str] = _decided(
        Codes(), frozenset({"OR1", "OR2"}), "Revenue codes that are not counted as bell revenue."
    )
    # rules R17
    excluded_entities: frozenset[str] = _decided(
        Codes(), frozenset({"06"}), "Entities of the ledger that no sum counts."
    )
    # rules R47
    occupied_rooms_value_types: frozenset[str] = _decided(
        Codes(), frozenset(), "Value types of room statistics that count as occupied rooms; none means all of them."
    )
    # rules R25
    deviation_needs_both: bool = _decided(
        Flag(), True, "A statement goes to the approval team when both limits are exceeded; false: when either is."
    )
    forecast_expected: bool = _decided(
        Flag(), True, "A month that has revenue and no forecast goes to the approval team."
    )
    # rules R26, R64
    largest_invoice: int = _decided(
        Whole(0, 1_000_000_000), 5_000_000, "A statement with a larger invoice, in dollars, is held; 0 for no limit."
    )
    largest_change_percent: int = _decided(
        Whole(0, 1_000_000),
        900,
        "A statement whose total is further away from the contract's median month, in percent of it, is held; 0 for no"
        " limit.",
    )
    median_months: int = _decided(
        Whole(3, 24), 6, "The number of earlier months that the usual month is taken of; fewer than 3 say nothing."
    )
    largest_line_count: int = _decided(Whole(0, 100_000), 500, "A statement with more lines is held; 0 for no limit.")
    # rules R26
    separate_duties: bool = _decided(Flag(), True, "Who started a run may not approve the statements of it.")
    # http-api, Who may do what
    billing_admin_approves: bool = _decided(Flag(), False, "Billing administrators may approve statements, too.")
    # requirements CON-17
    further_gl_codes: frozenset[str] = _decided(
        Codes(), frozenset(), "GL codes that contracts may name besides those of the chart that the app comes with."
    )
    job_codes: frozenset[str] = _decided(
        Codes(), frozenset(), "Job codes that contracts may name; none means that any may be, with a warning."
    )
    # datasets 6
    import_hold_rejected_share: Decimal = _decided(  # noqa: RUF009 - a field
        Share(),
        Decimal("0.05"),
        "A file of which a larger share of rows is rejected is held for a person; 0.05 is 5 %.",
    )
    # decision 0012
    run_patience_minutes: int = _decided(
        Whole(1, 1440), 15, "After so many minutes without progress, the open work of a run is sent again."
    )
    # billing-flows 5.2
    scheduled_billing_day: int = _decided(
        Whole(0, 28), 3, "The day of the month on which scheduled billing starts; 0 for never."
    )


def _wire(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting of the catalogue, apart from its value."""

    name: str
    field: str
    app_setting: str
    kind: Kind[Any]
    meaning: str


DEFAULTS = BusinessSettings()
CATALOGUE = {
    _wire(one.name): Entry(_wire(one.name), one.name, one.name.upper(), one.metadata["kind"], one.metadata["meaning"])
    for one in fields(BusinessSettings)
}
"""Every setting by its name."""


def from_environment(environment: Mapping[str, str]) -> tuple[dict[str, Any], list[Detail]]:
    """What app settings say, by field, and what is wrong with them, by the names of the app settings."""
    given, problems = {}, []
    for entry in CATALOGUE.values():
        if entry.app_setting in environment:
            try:
                given[entry.field] = entry.kind.of_text(environment[entry.app_setting])
            except ValueError as fault:
                problems.append(Detail(entry.app_setting, f"cannot be used; {fault}"))
    return given, problems


def merge(base: BusinessSettings, values: Mapping[str, Any]) -> tuple[BusinessSettings, list[Detail]]:
    """`base` with `values` (of JSON, by the names of the settings) over it, and everything that is wrong with these."""
    given, problems = {}, []
    for name, value in values.items():
        entry = CATALOGUE[name]
        try:
            given[entry.field] = entry.kind.of_json(value)
        except ValueError as fault:
            problems.append(Detail(name, f"cannot be used; {fault}"))
    return replace(base, **given), problems


def value_of(values: BusinessSettings, name: str) -> Any:
    """The value of a setting, by its name, as JSON has it: codes as a sorted list."""
    value = getattr(values, CATALOGUE[name].field)
    return sorted(value) if isinstance(value, frozenset) else value


def to_text(value: Any) -> str:
    """A value as it is stored: JSON, a decimal as text so that it stays exact."""
    return json.dumps(value, default=str, separators=(",", ":"))

"""What a line rests on: source rows in words for people, and as a selection that finds the rows again."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest

from shared_code.contracts.schema import Component, FeeHourly, FeeJob
from shared_code.facts.model import SiteFacts
from tests.unit.billing.builders import (
    bell,
    bill,
    contract,
    facts,
    job,
    labor,
    managed,
    measured,
    money,
    monthly,
    october,
    on_accounts,
    rooms,
    selected,
    share,
    structure,
    worked,
)

BATCHES = ("batch-2026-10",)


class Named(NamedTuple):
    """All that a reference says."""

    dataset: str
    words: str
    rows: int
    amount: Decimal
    batches: tuple[str, ...]
    period: str
    selection: Mapping[str, object]


def only_reference(component: Component, found: SiteFacts) -> Named:
    (line,) = bill(contract(component), found).lines
    (one,) = line.trace.facts
    return Named(one.dataset, one.predicate, one.rows, one.amount, one.batches, one.period, one.selection)


HOURLY = managed(fee=FeeHourly(job_codes=(FeeJob(code="VALET", rate=money("9"), ot_rate=money("9")),)))
PAYROLL = on_accounts(payroll=selected("6002", "6015"), additional_payroll=money("5"))
REFERENCES = [
    (
        "revenue of some codes",
        share(structure(("10", None), codes=["SD1", "SM1"])),
        facts(revenue={"2026-10": {"SD1": "100", "SM1": "20", "VL2": "9"}}),
        Named(
            "revenue_daily",
            "site 0042, month 2026-10, deposit flag not V, category not Per Man Hour, codes SD1, SM1",
            6,
            money("120"),
            BATCHES,
            "2026-10",
            {"measure": "shareable", "codes": ("SD1", "SM1")},
        ),
    ),
    (
        "what a predicate counts, whatever its code",
        bell(),
        measured(facts(revenue=monthly("0")), bell="50"),
        Named(
            "revenue_daily",
            "site 0042, month 2026-10, category Other Revenue, collection type of bell service",
            4,
            money("50"),
            ("batch-m",),
            "2026-10",
            {"measure": "bell"},
        ),
    ),
    (
        "R17: ledger accounts without the entities that are left out",
        PAYROLL,
        replace(october(a6002="100", a6015="20", a7000="9"), excluded_entities=("06",)),
        Named(
            "account_summary",
            "site 0042, month 2026-10, accounts 6002, 6015",
            4,
            money("120"),
            BATCHES,
            "2026-10",
            {"accounts": ("6002", "6015"), "excludedEntities": ("06",)},
        ),
    ),
    (
        "a ledger that has no rows of these accounts says so, and names no batch",
        PAYROLL,
        october(a7000="9"),
        Named(
            "account_summary",
            "site 0042, month 2026-10, none of the accounts has rows",
            0,
            money("0"),
            (),
            "2026-10",
            {"accounts": (), "excludedEntities": ()},
        ),
    ),
    (
        "hours of a role, overtime included",
        labor(job("valet", "20", "20")),
        facts(hours={"VALET": ("100.5", "10")}),
        Named(
            "timesheet",
            "site 0042, month 2026-10, work role VALET, hours",
            5,
            money("110.5"),
            BATCHES,
            "2026-10",
            {"roles": ["VALET"], "unit": "hours"},
        ),
    ),
    (
        "R15: minutes of a role",
        HOURLY,
        worked(VALET=("1472", "38")),
        Named(
            "timesheet",
            "site 0042, month 2026-10, work role VALET, minutes",
            5,
            money("1510"),
            BATCHES,
            "2026-10",
            {"roles": ["VALET"], "unit": "minutes"},
        ),
    ),
    (
        "R47: rooms without drafts, of the value types that count",
        rooms("1.39"),
        replace(facts(rooms="1234"), room_value_types=("Actual",)),
        Named(
            "site_statistics",
            "site 0042, month 2026-10, category Occupied Rooms, not draft",
            31,
            money("1234"),
            BATCHES,
            "2026-10",
            {"category": "OCCUPIED ROOMS", "valueTypes": ("Actual",)},
        ),
    ),
]


@pytest.mark.parametrize(("_case", "component", "found", "reference"), REFERENCES, ids=[row[0] for row in REFERENCES])
def test_a_line_names_its_rows_in_full(_case: str, component: Component, found: SiteFacts, reference: Named) -> None:
    """Dataset, words, number of rows, sum, batches, month and selection: the drill-down needs each of them."""
    assert only_reference(component, found) == reference

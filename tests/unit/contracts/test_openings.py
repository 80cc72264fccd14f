"""Opening balances: for what accumulates, an amount or zero by choice, versioned with reason and audit (rules R39)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from shared_code.contracts.legacy import read_legacy
from shared_code.contracts.openings import repository
from shared_code.contracts.openings.model import OpeningBalances
from shared_code.contracts.openings.places import Place, places_of
from shared_code.contracts.openings.requests import OpeningsRequest
from shared_code.contracts.openings.service import change, opening_of, show
from shared_code.contracts.saving import Saving, read_document, save_document
from shared_code.contracts.schema import (
    Agreement,
    ClaimsCapped,
    FeeFixed,
    InsuranceOff,
    ManagementAgreement,
    NoValidation,
    ProfitShareOn,
    RevenueShare,
    Structure,
    Tier,
)
from shared_code.contracts.schema.base import Accumulation
from shared_code.contracts.tables import contract
from shared_code.foundation import clock
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.context import Context, acting
from shared_code.foundation.database import reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING, Visibility
from tests.unit.contracts import documents

pytestmark = pytest.mark.usefixtures("stored")
SITE = "8899"
NOVEMBER = datetime(2026, 11, 3, 9, tzinfo=UTC)
TIERS = (Tier(share_pct=Decimal(50), up_to=None),)


def structure(name: str, code: str, accumulation: Accumulation) -> Structure:
    return Structure(id=name, revenue_codes=(code,), accumulation=accumulation, tiers=TIERS, validation=NoValidation())


DEAL = documents.contract(
    RevenueShare(
        enabled=True,
        structures=(structure("yearly", "SD1", "AnnualCalendar"), structure("monthly", "SD2", "Monthly")),
    ),
    ManagementAgreement(
        enabled=True,
        agreements=(
            Agreement(
                id="deal",
                fee=FeeFixed(amount=Decimal(100)),
                insurance=InsuranceOff(),
                claims=ClaimsCapped(kind="AnnualAnniversary", cap=Decimal(5000)),
                profit_share=ProfitShareOn(accumulation="AnnualCalendar", tiers=TIERS),
                validation=NoValidation(),
            ),
        ),
    ),
)


@pytest.fixture(autouse=True)
def deal(stored: sa.Engine) -> Iterator[None]:
    """A contract with one place of each kind, and one that does not accumulate."""
    clock.set_clock(lambda: NOVEMBER)
    with acting(Context(actor_id="ann", actor_name="Ann", actor_kind="person")):
        # Claims need billable accounts to be billed; what can have an opening does not depend on that.
        accounts = {"kind": "billableAccounts", "enabled": True, "blocks": []}
        document = json.loads(DEAL.model_dump_json(by_alias=True))
        document["components"].append(accounts)
        save_document(read_document(json.dumps(document).encode(), legacy=False), Saving("ann", "import"))
        yield


def amount(kind: str, name: str, to_date: Any, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "id": name, "basis": "amount", "asOf": "2026-09", "toDate": to_date, **fields}


def zero(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "id": name, "basis": "zero", "asOf": "2026-09", **fields}


def enter(*balances: dict[str, Any], reason: str = "from the other system", if_match: str = "*") -> OpeningBalances:
    body = json.dumps({"balances": balances, "reason": reason})
    return change(SITE, None, OpeningsRequest.model_validate_json(body), if_match, EVERYTHING)


def refusal(*balances: dict[str, Any]) -> BillingError:
    with pytest.raises(BillingError) as caught:
        enter(*balances)
    assert show(SITE, None, EVERYTHING).version == 0
    return caught.value


def test_before_anything_is_entered_the_places_say_what_is_missing() -> None:
    found = show(SITE, None, EVERYTHING)

    assert (found.version, found.balances, found.changed_by) == (0, (), None)
    assert [(place.kind, place.id, place.accumulation, place.stated) for place in found.places] == [
        ("structure", "yearly", "AnnualCalendar", False),
        ("claims", "deal", "AnnualAnniversary", False),
        ("profitShare", "deal", "AnnualCalendar", False),
    ]


def test_amounts_and_zero_by_choice_are_kept_exactly() -> None:
    enter(
        amount("structure", "yearly", 120000.1234, highWaterMark=125000),
        zero("claims", "deal"),
        amount("profitShare", "deal", -4000.5),
    )

    found = show(SITE, None, EVERYTHING)

    assert [(b.kind, b.basis, b.as_of, b.to_date, b.high_water_mark) for b in found.balances] == [
        ("structure", "amount", "2026-09", Decimal("120000.1234"), Decimal(125000)),
        ("claims", "zero", "2026-09", Decimal(0), Decimal(0)),
        ("profitShare", "amount", "2026-09", Decimal("-4000.5"), Decimal(0)),
    ]
    assert all(place.stated for place in found.places)


def test_without_a_mark_of_its_own_the_total_is_the_highest_so_far() -> None:
    (balance,) = enter(amount("structure", "yearly", 10)).balances

    assert balance.high_water_mark == 10


def test_a_change_replaces_the_set_and_says_who_and_why() -> None:
    enter(amount("structure", "yearly", 10), zero("claims", "deal"))
    with acting(Context(actor_id="bob")):
        later = enter(amount("structure", "yearly", 20), reason="typing error")

    assert [(b.kind, b.to_date) for b in later.balances] == [("structure", Decimal(20))]
    assert (later.version, later.changed_by, later.reason) == (2, "bob", "typing error")
    with reading() as connection:
        ids = connection.scalars(sa.select(contract.c.contract_id)).all()
        assert [opening_of(row) for row in repository.balances(connection, ids)] == list(later.balances)
        bodies = connection.scalars(sa.select(audit_event.c.body).where(audit_event.c.action == "openings.changed"))
        events = [json.loads(body) for body in bodies]
    assert [(event["reason"], event["site"]) for event in events] == [
        ("from the other system", SITE),
        ("typing error", SITE),
    ]
    assert [len(events[1]["data"][side]) for side in ("before", "after")] == [2, 1]


def test_the_same_set_again_changes_nothing_and_an_empty_one_is_a_statement() -> None:
    first = enter(amount("structure", "yearly", 10))

    assert enter(amount("structure", "yearly", 10.00)) == first
    assert [enter().version, enter().version] == [2, 2]


def test_only_who_has_read_the_latest_changes_it() -> None:
    before = show(SITE, None, EVERYTHING).etag
    after = enter(amount("structure", "yearly", 10), if_match=before).etag

    with pytest.raises(BillingError) as caught:
        enter(amount("structure", "yearly", 20), if_match=before)
    assert caught.value.code == "OPENINGS_CHANGED"
    assert enter(amount("structure", "yearly", 20), if_match=after).version == 2


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("no such structure", amount("structure", "other", 1), "OPENING_PLACE_UNKNOWN", ".id"),
    ("an agreement is no structure", amount("structure", "deal", 1), "OPENING_PLACE_UNKNOWN", ".id"),
    ("monthly", amount("structure", "monthly", 1), "OPENING_NOT_NEEDED", ".kind"),
    ("amount without amount", amount("structure", "yearly", None), "OPENING_INVALID", ".toDate"),
    ("zero with an amount", zero("structure", "yearly", toDate=0), "OPENING_INVALID", ".basis"),
    ("zero with a mark", zero("profitShare", "deal", highWaterMark=5), "OPENING_INVALID", ".basis"),
    (
        "mark below the total",
        amount("structure", "yearly", 10, highWaterMark=9.9999),
        "OPENING_INVALID",
        ".highWaterMark",
    ),
    ("mark below zero", amount("profitShare", "deal", -10, highWaterMark=-5), "OPENING_INVALID", ".highWaterMark"),
    ("claims below zero", amount("claims", "deal", -1), "OPENING_INVALID", ".toDate"),
    ("claims with a mark", amount("claims", "deal", 1, highWaterMark=2), "OPENING_INVALID", ".toDate"),
    ("a month to come", amount("structure", "yearly", 1, asOf="2026-12"), "OPENING_INVALID", ".asOf"),
    ("no month", amount("structure", "yearly", 1, asOf="2026-13"), "OPENING_INVALID", ".asOf"),
]  # fmt: skip


@pytest.mark.parametrize(("balance", "code", "field"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_does_not_fit_is_refused_at_its_place(balance: dict[str, Any], code: str, field: str) -> None:
    error = refusal(balance)

    assert (error.code, [detail.field for detail in error.details]) == (code, [f"balances[0]{field}"])


def test_everything_that_is_wrong_is_said_at_once() -> None:
    error = refusal(
        amount("structure", "yearly", 1), amount("structure", "yearly", 2), amount("claims", "none", 1, asOf="x")
    )

    assert error.code == "OPENING_REPEATED"
    assert [detail.field for detail in error.details] == [
        "balances[0].id",
        "balances[1].id",
        "balances[2].id",
        "balances[2].asOf",
    ]


def test_the_present_month_may_be_the_last_in_it() -> None:
    assert enter(amount("structure", "yearly", 1, asOf="2026-11")).version == 1


def test_who_may_not_see_the_site_finds_nothing() -> None:
    nothing = Visibility(sa.select(contract.c.site_number).where(contract.c.site_number == "none"))
    for number, visible in ((SITE, nothing), ("0001", EVERYTHING)):
        with pytest.raises(BillingError) as caught:
            show(number, None, visible)
        assert caught.value.code == "CONTRACT_NOT_FOUND"


@pytest.mark.parametrize("name", sorted(documents.ARCHETYPES))
def test_every_annual_accumulation_of_a_legacy_contract_is_a_place(name: str) -> None:
    data, _ = documents.legacy_file(name)
    text = json.loads(data)["original"]
    shares = [s["accumulationType"] for s in text["revenueShare"]["thresholdStructures"]]
    fees = text["managementAgreement"]["ManagementFees"]
    profits = [fee["profitShareAccumulationType"] for fee in fees if fee["profitShareEnabled"]]
    claims = [fee["claimsType"] for fee in fees if fee["claimsEnabled"]]

    places = places_of(read_legacy(data).contract)

    assert [place.accumulation for place in places if place.kind == "structure"] == shares
    assert sorted(place.accumulation for place in places if place.kind == "profitShare") == sorted(profits)
    assert sorted(place.accumulation for place in places if place.kind == "claims") == sorted(claims)


@pytest.mark.parametrize(
    ("accumulation", "accumulates"),
    [("Monthly", False), ("AnnualCalendar", True), ("AnnualAnniversary", True), ("PerClaim", False)],
)
def test_what_runs_over_a_year_accumulates(accumulation: str, accumulates: bool) -> None:
    assert Place("structure", "s", accumulation).accumulates is accumulates

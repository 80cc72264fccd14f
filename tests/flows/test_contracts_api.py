"""Contracts over HTTP, a story each: imported, changed, checked, raised by indexes and notes, closed, and billed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared_code.documents.paths import CONTRACT_DROPS
from tests.fixtures.contracts.expand import archetypes, expand, file_name
from tests.flows.conftest import (
    PERIOD,
    App,
    contract_files,
    csv_file,
    error_of,
    exact,
    fixed_fees,
    room_charge,
    running_app,
    site_master,
)

pytestmark = pytest.mark.flow
LEGACY = "application/vnd.powerbill.legacy+json"
RISE = "Fixed fee: 3% increase each January."
SITES = [f"05{number:02d}" for number in range(1, 18)]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Each story has sites of its own."""
    with running_app(tmp_path_factory.mktemp("contracts")) as running:
        running.take_in({f"site_master/{PERIOD}/sites.csv": site_master(*SITES)})
        yield running


def put(app: App, document: dict[str, Any], query: str = "", **headers: str) -> httpx.Response:
    path = f"sites/{document['site']['number']}/contract{query}"
    return app.call("PUT", path, "contractAdmin", json=document, headers=headers)


def patch(app: App, site: str, change: dict[str, Any], query: str = "", match: str | None = "*") -> httpx.Response:
    headers = {"Content-Type": "application/merge-patch+json"} | ({} if match is None else {"If-Match": match})
    return app.call(
        "PATCH", f"sites/{site}/contract{query}", "contractAdmin", content=json.dumps(change), headers=headers
    )


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(error_of(answer)["code"])


def fees(app: App, site: str, first: str, last: str) -> dict[str, Any]:
    """What the timeline shows for a contract's only rate, by month."""
    months = app.get(f"contracts/{site}/timeline", "contractAdmin", **{"from": first, "to": last})["months"]
    return {month["period"]: month["rates"][0]["value"] if month["rates"] else None for month in months}


def billed(app: App, period: str, *sites: str, source: str = "manual") -> dict[str, Decimal]:
    """The totals of a month's run by site."""
    run = app.bill(period, siteNumbers=list(sites), source=source)
    return {row["siteNumber"]: row["total"] for row in app.every("statements", run=run.id)}


# -- legacy files -----------------------------------------------------------------------------------------------------

ARCHETYPES = {archetype["id"]: archetype for archetype in archetypes()}


def test_a_folder_of_legacy_files_is_taken_in_and_given_back_byte_for_byte_and_a_bad_one_stops_none(app: App) -> None:
    files = {file_name(archetype): expand(archetype) for archetype in ARCHETYPES.values()}
    broken = {"8899_Unknown.json": b'{"original": {', "0500.json": b'{"schemaVersion": "1", "id": "c"}'}

    batches = app.take_in(files | broken, CONTRACT_DROPS)

    assert {name: batch["state"] for name, batch in batches.items()} == {
        **dict.fromkeys(files, "current"),
        **dict.fromkeys(broken, "rejected"),
    }
    assert all(batches[name]["message"] for name in broken)
    for archetype in ARCHETYPES.values():
        answer = app.call("GET", f"contracts/legacy-export/{archetype['siteNumber']}", "contractAdmin")
        assert (answer.status_code, answer.headers["content-type"]) == (200, LEGACY)
        assert answer.content == files[file_name(archetype)]
        assert f'filename="{file_name(archetype)}"' in answer.headers["content-disposition"]


def test_a_legacy_file_that_is_changed_here_is_exported_with_the_change_and_nothing_else(app: App) -> None:
    original = expand(ARCHETYPES["A20"])
    headers = {"Content-Type": LEGACY, "If-Match": "*"}
    answer = app.call("PUT", "sites/8820/contract", "contractAdmin", content=original, headers=headers)
    assert answer.is_success, answer.text

    patch(app, "8820", {"deviationAmount": 250})
    exported = json.loads(app.call("GET", "contracts/legacy-export/8820", "contractAdmin").content)

    expected = json.loads(original)
    expected["original"]["deviationAmount"] = 250
    assert exported["original"] == expected["original"]
    patch(app, "8820", {"escalators": [yearly("3")]})
    assert refused(app.call("GET", "contracts/legacy-export/8820", "contractAdmin"), 409) == (
        "CONTRACT_LEGACY_FORM_TOO_NARROW"
    )


def yearly(pct: str, **fields: Any) -> dict[str, Any]:
    return {"rule": "fixed_pct", "target": "fixedFee.fee", "month": "January", "pct": pct, **fields}


# -- saving -----------------------------------------------------------------------------------------------------------


def test_nobody_overwrites_what_they_have_not_read(app: App) -> None:
    deal = fixed_fees("0501", ("100.00", 1))
    created = put(app, deal)
    assert (created.status_code, created.json()["version"]) == (201, 1)
    read = app.call("GET", "sites/0501/contract", "contractAdmin")
    assert read.headers["ETag"] == created.headers["ETag"] == f'"{read.json()["hash"]}"'

    dearer = fixed_fees("0501", ("110.00", 1))
    assert refused(put(app, dearer), 400) == "IF_MATCH_REQUIRED"
    assert refused(put(app, dearer, **{"If-Match": '"another"'}), 412) == "CONTRACT_CHANGED"
    changed = put(app, dearer, **{"If-Match": read.headers["ETag"]})
    assert (changed.status_code, changed.json()["version"], changed.json()["changed"]) == (200, 2, True)
    assert refused(put(app, deal, **{"If-Match": read.headers["ETag"]}), 412) == "CONTRACT_CHANGED"
    again = put(app, dearer, **{"If-Match": changed.headers["ETag"]})
    assert (again.json()["version"], again.json()["changed"]) == (2, False)


def test_a_merge_patch_changes_the_fields_it_names_and_removes_those_it_says_null_for(app: App) -> None:
    put(app, fixed_fees("0502", ("100.00", 1), purchaseOrder="PO 1", notes="Call before noon."))
    before = app.get("sites/0502/contract", "contractAdmin")

    assert refused(patch(app, "0502", {"notes": None}, match=None), 400) == "IF_MATCH_REQUIRED"
    assert refused(patch(app, "0502", {"notes": None}, match='"another"'), 412) == "CONTRACT_CHANGED"
    assert refused(patch(app, "0502", {"id": "another"}), 400) == "CONTRACT_FIELD_INVALID"
    tried = patch(app, "0502", {"notes": None}, "?dryRun=true")
    assert (tried.status_code, tried.json()["valid"]) == (200, True)
    done = patch(app, "0502", {"purchaseOrder": "PO 2", "notes": None}, match=f'"{before["hash"]}"')
    assert (done.status_code, done.json()["version"]) == (200, 2)

    after = app.get("sites/0502/contract", "contractAdmin")["document"]
    assert after == before["document"] | {"purchaseOrder": "PO 2", "notes": None}


def test_every_version_tells_who_why_and_what_place_by_place(app: App) -> None:
    put(app, fixed_fees("0503", ("100.00", 1)), "?reason=signed%20in%20May")
    dearer = fixed_fees("0503", ("110.00", 1))["components"]
    patch(app, "0503", {"components": dearer, "notes": "See the addendum."}, "?reason=addendum%20of%20June")

    newest, first = app.every("sites/0503/contract/versions")
    assert [(one["version"], one["previous"], one["reason"]) for one in (newest, first)] == [
        (2, 1, "addendum of June"),
        (1, None, "signed in May"),
    ]
    detail = app.get("sites/0503/contract/versions/2", "auditor")
    assert {change["pointer"]: (change["kind"], change["before"], change["after"]) for change in detail["changes"]} == {
        "/components/0/lines/0/fee": ("changed", "100.00", "110.00"),
        "/notes": ("changed", None, "See the addendum."),
    }
    assert detail["document"] == app.get("sites/0503/contract")["document"]
    assert app.get("sites/0503/contract/versions/1")["changes"] == []
    assert refused(app.call("GET", "sites/0503/contract/versions/3"), 404) == "CONTRACT_VERSION_NOT_FOUND"
    events = app.every("operations/audit", site="0503", action="contract.saved")
    assert sorted(event["reason"] for event in events) == ["addendum of June", "signed in May"]


def test_all_that_is_wrong_with_a_document_is_said_at_once_and_at_its_place(app: App) -> None:
    wrong = fixed_fees("0504", ("100.00", 7), ("50.00", 100))
    wrong["groups"] = [{"id": "g1", "number": 1}, {"id": "g100", "number": 100}]
    wrong["components"].append({"kind": "perOccupiedRoom", "enabled": True, "roomRate": "1.25", "group": 9})

    answer = app.call("POST", "contracts/validate", "contractAdmin", json=wrong)

    assert answer.status_code == 422
    found = {detail["field"]: detail["message"].partition(":")[0] for detail in error_of(answer)["details"]}
    assert found["/components/0/lines/0/group"] == found["/components/1/group"] == "GROUP_UNKNOWN"
    assert "GROUP_TOO_HIGH" in found.values()
    misshapen = fixed_fees("0504", ("-1", 1)) | {"billingType": "Sometimes", "endDate": "31.12.2026"}
    places = {
        detail["field"]
        for detail in error_of(app.call("POST", "contracts/validate", "contractAdmin", json=misshapen))["details"]
    }
    assert places == {"/components/0/lines/0/fee", "/billingType", "/endDate"}
    assert refused(app.call("GET", "sites/0504/contract"), 404) == "CONTRACT_NOT_FOUND"


# -- rates and their dates --------------------------------------------------------------------------------------------


def test_a_version_serves_from_the_first_of_a_month_on_and_never_a_month_that_is_billed(app: App) -> None:
    put(app, fixed_fees("0505", ("100.00", 1)))
    dearer = {"components": fixed_fees("0505", ("110.00", 1))["components"]}
    patch(app, "0505", dearer, "?effectiveFrom=2027-01-15")  # inside a month: from the next first of a month

    assert fees(app, "0505", "2026-10", "2027-02") == {
        "2026-10": Decimal(100),
        "2026-11": Decimal(100),
        "2026-12": Decimal(100),
        "2027-01": Decimal(100),
        "2027-02": Decimal(110),
    }
    assert billed(app, PERIOD, "0505") == {"0505": Decimal("100.00")}
    other = {"components": fixed_fees("0505", ("120.00", 1))["components"]}
    assert refused(patch(app, "0505", other, "?effectiveFrom=2026-10-01"), 409) == "CONTRACT_PERIOD_BILLED"
    for never in ("1900-01-01", "2199-12-02", "9999-12-30"):
        assert refused(patch(app, "0505", other, f"?effectiveFrom={never}"), 400) == "PARAMETER_INVALID"
    assert patch(app, "0505", other, "?effectiveFrom=2026-11-01").status_code == 200
    assert fees(app, "0505", "2026-10", "2026-11") == {"2026-10": Decimal(100), "2026-11": Decimal(120)}


def test_an_index_value_raises_the_months_of_its_year_and_none_before(app: App) -> None:
    rule = {"rule": "greater_of", "target": "fixedFee.fee", "month": "January", "pct": "3", "index": "CPI"}
    put(app, fixed_fees("0506", ("100.00", 1), escalators=[rule]), "?ratesAsOf=2026-06")

    def months() -> list[Decimal]:
        shown = fees(app, "0506", "2026-12", "2028-01")
        return [shown[month] for month in ("2026-12", "2027-01", "2027-12", "2028-01")]

    def enter(year: int, value: float, match: str) -> httpx.Response:
        body = {"values": [{"name": "cpi", "year": year, "value": value}], "reason": "as published"}
        return app.call("PUT", "index-values", "contractAdmin", json=body, headers={"If-Match": match})

    [waiting] = app.get("contracts/0506/timeline", **{"from": "2027-01", "to": "2027-01"})["months"]
    assert [note["code"] for note in waiting["rates"][0]["notes"]] == ["INDEX_MISSING"]
    assert months() == [100, 100, 100, 100]
    read = app.call("GET", "index-values", "contractAdmin").headers["ETag"]
    entered = enter(2027, 4.5, read)
    assert months() == [100, Decimal("104.50"), Decimal("104.50"), Decimal("104.50")]
    assert refused(enter(2028, 1, read), 412) == "INDEX_VALUES_CHANGED"
    assert enter(2028, 1, entered.headers["ETag"]).status_code == 200
    assert months() == [100, Decimal("104.50"), Decimal("104.50"), Decimal("107.64")]  # the greater of 3 % and 1 %
    assert [one["value"] for one in app.every("index-values/CPI/2027/history")] == [Decimal("4.50")]


def test_a_timeline_says_how_each_rate_came_about(app: App) -> None:
    put(app, fixed_fees("0507", ("100.00", 1), escalators=[yearly("3")]), "?ratesAsOf=2025-06")

    [month] = app.get("contracts/0507/timeline", **{"from": "2027-01", "to": "2027-01"})["months"]

    [rate] = month["rates"]
    assert (rate["value"], rate["baseValue"], rate["baseDate"], rate["unit"]) == (
        Decimal("106.09"),
        Decimal(100),
        "2025-06-01",
        "amount",
    )
    assert [(step["day"], step["result"]) for step in rate["steps"]] == [
        ("2026-01-01", Decimal("103.00")),
        ("2027-01-01", Decimal("106.09")),
    ]
    assert len(rate["explanation"]) == 3
    too_long = app.call("GET", "contracts/0507/timeline", params={"from": "2020-01", "to": "2040-01"})
    assert refused(too_long, 400) == "CONTRACT_TIMELINE_RANGE_INVALID"


# -- notes ------------------------------------------------------------------------------------------------------------


def decide(app: App, site: str, proposal: str, *, match: str | None, **body: Any) -> httpx.Response:
    headers = {} if match is None else {"If-Match": match}
    path = f"contracts/{site}/proposals/{proposal}"
    return app.call("POST", path, "billingManager", json={"reason": "as in the addendum", **body}, headers=headers)


def test_a_rise_from_a_note_bills_where_it_was_approved_and_nowhere_else(app: App) -> None:
    for site in ("0508", "0509", "0510"):
        put(app, fixed_fees(site, ("100.00", 1), notes=RISE), "?ratesAsOf=2025-06")
    [proposal] = app.every("contracts/0508/proposals", state="proposed")
    assert (proposal["text"], proposal["slot"], proposal["inContract"]) == ("3% increase", "escalators", False)
    assert fees(app, "0508", PERIOD, PERIOD) == {PERIOD: Decimal(100)}
    key = proposal["id"]
    etag = app.call("GET", f"contracts/0508/proposals/{key}").headers["ETag"]

    assert refused(decide(app, "0508", key, match=None, decision="approve"), 400) == "IF_MATCH_REQUIRED"
    assert refused(decide(app, "0508", key, match='"another"', decision="approve"), 412) == "CONTRACT_CHANGED"
    approved = decide(app, "0508", key, match=etag, decision="approve")
    assert approved.status_code == 200, approved.text
    assert (approved.json()["state"], approved.json()["decision"]["contractVersion"]) == ("approved", 2)
    assert decide(app, "0508", key, match=etag, decision="approve").json() == approved.json()
    assert decide(app, "0509", key, match=None, decision="reject").json()["state"] == "rejected"

    assert fees(app, "0508", "2025-12", "2026-01") == {"2025-12": Decimal(100), "2026-01": Decimal("103.00")}
    assert billed(app, PERIOD, "0508", "0509", "0510") == {
        "0508": Decimal("103.00"),
        "0509": Decimal("100.00"),
        "0510": Decimal("100.00"),
    }
    [event] = app.every("operations/audit", site="0508", action="proposal.approved")
    assert (event["actor"]["id"], event["reason"]) == ("billingManager@example.com", "as in the addendum")


def test_of_many_who_approve_at_once_one_writes_and_the_others_find_it_done(app: App) -> None:
    put(app, fixed_fees("0515", ("100.00", 1), notes=RISE))
    [proposal] = app.every("contracts/0515/proposals")
    etag = f'"{proposal["contractHash"]}"'

    def approve(_: int) -> httpx.Response:
        return decide(app, "0515", proposal["id"], match=etag, decision="approve")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(approve, range(8)))

    assert {answer.status_code for answer in answers} <= {200, 409}, [answer.text for answer in answers]
    assert all(error_of(answer)["code"] == "CONCURRENT_CHANGE" for answer in answers if answer.status_code == 409)
    assert {answer.text for answer in answers if answer.is_success} == {approve(0).text}
    assert app.get("sites/0515/contract/versions")["total"] == 2
    assert len(app.every("operations/audit", site="0515", action="proposal.approved")) == 1


def test_a_person_completes_what_the_note_leaves_open(app: App) -> None:
    put(app, fixed_fees("0511", ("100.00", 1), notes="Rates go up 3% annually. Contract ends 12/31/2028."))
    rise, end = app.every("contracts/0511/proposals")
    approve = {"decision": "approve", "match": "*"}

    assert refused(decide(app, "0511", rise["id"], **approve), 422) == "NOTE_TARGET_MISSING"
    wish = approve | {"target": "fixedFee.fee"}
    assert refused(decide(app, "0511", rise["id"], **wish), 422) == "NOTE_CORRECTION_INVALID"
    done = exact(decide(app, "0511", rise["id"], **wish, values={"month": "March", "pct": 2.75}))
    assert done["decision"]["value"]["pct"] == Decimal("2.75")
    assert (done["decision"]["value"]["month"], done["value"]["month"]) == ("March", None)
    assert refused(decide(app, "0511", rise["id"], decision="reject", match=None), 409) == "NOTE_PROPOSAL_IN_CONTRACT"

    stored = decide(app, "0511", end["id"], decision="approve", match=None).json()
    assert (stored["state"], stored["slot"], stored["decision"]["contractVersion"]) == ("approved", None, None)
    assert app.get("sites/0511/contract")["version"] == 2
    assert refused(decide(app, "0511", "0" * 16, decision="reject", match=None), 404) == "NOTE_PROPOSAL_NOT_FOUND"


# -- the first month --------------------------------------------------------------------------------------------------


def test_opening_balances_are_stated_for_what_accumulates_and_checked_place_by_place(app: App) -> None:
    share = {
        "kind": "revenueShare",
        "enabled": True,
        "structures": [
            {
                "id": name,
                "revenueCodes": [code],
                "accumulation": accumulation,
                "tiers": [{"sharePct": "50", "upTo": None}],
                "validation": {"kind": "none"},
            }
            for name, code, accumulation in (("yearly", "SD1", "AnnualCalendar"), ("monthly", "SD2", "Monthly"))
        ],
    }
    answer = put(app, fixed_fees("0512") | {"groupingEnabled": False, "groups": [], "components": [share]})
    assert answer.status_code == 201, answer.text
    read = app.call("GET", "opening-balances/0512", "contractAdmin")
    assert [(place["id"], place["stated"]) for place in read.json()["places"]] == [("yearly", False)]

    def enter(*balances: dict[str, Any], match: str = "*") -> httpx.Response:
        body = {"balances": list(balances), "reason": "from the system before"}
        return app.call("PUT", "opening-balances/0512", "contractAdmin", json=body, headers={"If-Match": match})

    opening = {"kind": "structure", "id": "yearly", "basis": "amount", "asOf": "2026-09", "toDate": 412500.25}
    wrong = enter({**opening, "id": "weekly"}, {**opening, "id": "monthly"}, {**opening, "highWaterMark": 1})
    assert refused(wrong, 422) == "OPENING_PLACE_UNKNOWN"
    assert [detail["field"] for detail in error_of(wrong)["details"]] == [
        "balances[0].id",
        "balances[1].kind",
        "balances[2].highWaterMark",
    ]
    entered = enter(opening, match=read.headers["ETag"])
    assert exact(entered)["balances"][0]["toDate"] == Decimal("412500.25")
    assert refused(enter(match=read.headers["ETag"]), 412) == "OPENINGS_CHANGED"
    assert app.get("opening-balances/0512", "auditor")["places"][0]["stated"] is True


def test_an_opening_balance_stands_in_for_the_months_before_it(app: App) -> None:
    """Rules R39: 50 % up to 412,600.00 of the year, then 10 %; 412,500.25 were earned before October."""
    tiers = [{"sharePct": "50", "upTo": "412600.00"}, {"sharePct": "10", "upTo": None}]
    row = {"id": "yearly", "revenueCodes": ["SD1"], "accumulation": "AnnualCalendar", "tiers": tiers}
    share = {"kind": "revenueShare", "enabled": True, "structures": [{**row, "validation": {"kind": "none"}}]}
    assert put(app, fixed_fees("0517", components=[share])).status_code == 201
    header = "SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,COLLECTION_TYPE,DEPOSIT_FLAG,"
    header += "NETEXTERNALREVENUE,EXTERNALREVENUE,TAXRATE,BILLABLE_NET_VALIDATION"
    days = [f"0517,{PERIOD}-{day:02},SD1,Parking,Cash,N,10.00,10.70,0.07,0" for day in range(1, 32)]
    app.take_in({f"revenue_daily/{PERIOD}/opening.csv": csv_file(header, days)})
    run = app.bill(siteNumbers=["0517"], source="before")
    assert run.run["reasons"] == {"MISSING_HISTORY": 1}

    opening = {"kind": "structure", "id": "yearly", "basis": "amount", "asOf": "2026-09", "toDate": 412500.25}
    body = {"balances": [opening], "reason": "from the system before"}
    entered = app.call("PUT", "opening-balances/0517", "contractAdmin", json=body, headers={"If-Match": "*"})
    assert entered.status_code == 200, entered.text

    # 99.75 at 50 % and 210.25 at 10 %, each running total rounded by itself
    assert billed(app, PERIOD, "0517", source="after") == {"0517": Decimal("70.90")}


def test_a_closed_month_is_billed_only_after_it_was_reopened_with_a_reason(app: App) -> None:
    month = "2026-07"
    put(app, fixed_fees("0513", ("100.00", 1)))

    def say(action: str, role: str = "billingManager", **body: Any) -> httpx.Response:
        return app.call("POST", f"periods/{month}", role, json={"action": action, **body})

    assert refused(say("close", "billingAdmin"), 403) == "FORBIDDEN"
    assert say("close").json()["state"] == "Closed"
    run = {"period": month, "siteNumbers": ["0513"]}
    assert refused(app.call("POST", "statement-runs", json=run), 409) == "PERIOD_CLOSED"
    assert refused(say("reopen"), 422) == "PERIOD_REOPEN_NEEDS_REASON"
    reopened = say("reopen", reason="a file was corrected")
    assert [change["action"] for change in reopened.json()["history"]] == ["reopen", "close"]
    assert billed(app, month, "0513") == {"0513": Decimal("100.00")}


# -- several contracts of a site --------------------------------------------------------------------------------------


def test_two_contracts_of_a_site_are_told_apart_and_billed_each_by_itself(app: App) -> None:
    one, other = fixed_fees("0514", ("100.00", 1)), fixed_fees("0514", ("40.00", 2), id="second", notes=RISE)
    first = put(app, one).json()["contractId"]
    assert refused(put(app, other), 409) == "CONTRACT_OTHER"
    second = put(app, other, "?additional=true").json()["contractId"]

    listed = {row["documentId"]: row["contractId"] for row in app.every("sites/0514/contracts")}
    assert listed == {"contract-0514": first, "second": second}
    for path in ("sites/0514/contract/versions", "contracts/0514/timeline", "contracts/0514/proposals"):
        assert refused(app.call("GET", path), 409) == "CONTRACT_AMBIGUOUS"
    [proposal] = app.every("contracts/0514/proposals", contractId=second)
    assert proposal["contractId"] == second
    assert patch(app, "0514", {"purchaseOrder": "PO 2"}, f"?contractId={second}").json()["version"] == 2
    assert app.get("sites/0514/contract", contractId=second)["document"]["purchaseOrder"] == "PO 2"
    assert app.get("sites/0514/contract", contractId=first)["version"] == 1

    run = app.bill(PERIOD, siteNumbers=["0514"])
    totals = sorted(row["total"] for row in app.every("statements", run=run.id))
    assert totals == [Decimal("40.00"), Decimal("100.00")]


def test_files_of_own_contracts_are_taken_in_one_by_one_whatever_is_wrong_with_another(app: App) -> None:
    good = contract_files(fixed_fees("0516", ("100.00", 1)))
    bad = contract_files(room_charge("0599", "-1"))

    batches = app.take_in(good | bad, CONTRACT_DROPS)

    assert (batches["0516.json"]["state"], batches["0599.json"]["state"]) == ("current", "rejected")
    assert batches["0599.json"]["reason"] == "CONTRACT_FIELD_INVALID"
    assert app.get("sites/0516/contract")["version"] == 1
    assert refused(app.call("GET", "sites/0599/contract"), 404) == "CONTRACT_NOT_FOUND"

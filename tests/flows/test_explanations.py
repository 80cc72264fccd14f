"""The guide to explanations, word by word, and what callers may ask of an explanation and may not.

The commands of the guide are run as they stand, against the app on real parts.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

import function_app  # noqa: F401 - declares every route
from functions.declarations import routes
from localhost.stack import ROOT
from shared_code.access.tables import site_assignment
from shared_code.billing.blocks import BLOCKS
from shared_code.documents.paths import CONTRACT_DROPS
from shared_code.statements.tables import statement
from tests.flows.conftest import PERIOD, App, contract_files, csv_file, error_of, fixed_fees, running_app, site_master
from tests.unit.statements.recompute import recomputed

pytestmark = pytest.mark.flow
GUIDE = ROOT / "docs" / "guides" / "explain-an-amount.md"
SITE, OTHER, CORRECTED, LONG_AGO = "0951", "0952", "0953", "0954"
HEADER = (
    "SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,COLLECTION_TYPE,DEPOSIT_FLAG,"
    "NETEXTERNALREVENUE,EXTERNALREVENUE,TAXRATE,BILLABLE_NET_VALIDATION"
)
SHARE: dict[str, Any] = {
    "kind": "revenueShare",
    "enabled": True,
    "structures": [
        {
            "id": "s-1",
            "revenueCodes": ["SD1"],
            "accumulation": "Monthly",
            "tiers": [{"sharePct": "20", "upTo": "25000"}, {"sharePct": "30", "upTo": None}],
            "validation": {"kind": "none"},
        }
    ],
}


def days(daily: str, *sites: str) -> bytes:
    """A month of revenue, the same every day, of which one code in two is shared."""
    rows = [
        f"{site},{PERIOD}-{day:02},{code},Parking,Cash,N,{daily},{daily},0.07,0"
        for site in sites
        for day in range(1, 32)
        for code in ("SD1", "SD2")
    ]
    return csv_file(HEADER, rows)


@dataclass(frozen=True, slots=True)
class Billed:
    """Sites with a share of their revenue, billed for October."""

    app: App

    def line(self, site: str, role: str = "billingAdmin") -> str:
        (found,) = self.app.every("statements", siteNumber=site)
        (invoice,) = self.app.get(f"statements/{found['id']}", role)["invoices"]
        return str(invoice["lines"][0]["id"])


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Billed]:
    with running_app(tmp_path_factory.mktemp("explanations")) as app:
        app.take_in({f"site_master/{PERIOD}/sites.csv": site_master(SITE, OTHER, CORRECTED, LONG_AGO)})
        app.take_in({f"revenue_daily/{PERIOD}/month.csv": days("1000.00", SITE, OTHER, CORRECTED, LONG_AGO)})
        sites = (SITE, OTHER, CORRECTED, LONG_AGO)
        deals = [fixed_fees(site, components=[SHARE], groupingEnabled=False, groups=[]) for site in sites]
        app.take_in(contract_files(*deals), CONTRACT_DROPS)
        app.bill()
        mine = [{"user_id": "accountManager@example.com", "site_number": site} for site in (SITE, LONG_AGO)]
        with app.database() as connection:
            connection.execute(site_assignment.insert(), mine)
        yield Billed(app)


# -- the guide --------------------------------------------------------------------------------------------------------


def blocks(kind: str) -> list[str]:
    """The blocks of the guide of a kind, in order."""
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_commands_of_the_guide_lead_from_an_invoice_to_the_rows_of_a_file(billed: Billed) -> None:
    app = billed.app
    start, find, read, explain, page, further, file, clause, rates = blocks("bash")
    start = start.replace("http://127.0.0.1:7071", app.stack.host.url)

    def do(block: str, **variables: str) -> Any:
        """The answer that a block prints; it must succeed."""
        environment = {**os.environ, "SITE": SITE, **variables}
        environment["AUDITOR"] = app.stack.headers("auditor")["Authorization"].removeprefix("Bearer ")
        script = f"set -euo pipefail\n{start}\n{block}"
        done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout, parse_float=Decimal)

    [found] = do(find)["items"]
    [invoice] = do(read, STATEMENT=found["id"])["invoices"]
    [line] = invoice["lines"]
    explanation = do(explain, LINE=line["id"])
    first = do(page, LINE=line["id"])
    second = do(further, LINE=line["id"], CURSOR=first["nextCursor"])
    batch = do(file, BATCH=first["items"][0]["batchId"])
    version = do(clause, VERSION=str(explanation["contractVersion"]))
    [month] = do(rates)["months"]

    assert explanation["amount"] == line["amount"] == recomputed(explanation)
    assert (len(first["items"]), len(second["items"]), second["nextCursor"]) == (20, 11, None)
    amounts = [row["amount"] for row in (*first["items"], *second["items"])]
    assert sum(amounts) == explanation["facts"][0]["amount"]
    assert batch["batch"]["sourceName"] == first["items"][0]["file"] == f"revenue_daily/{PERIOD}/month.csv"
    [share] = version["document"]["components"]
    assert share["structures"][0]["id"] == explanation["inputs"]["structure1"]["row"]
    assert month["period"] == PERIOD


def test_the_guide_shows_what_the_app_answers(billed: Billed) -> None:
    [shown] = [json.loads(block, parse_float=Decimal) for block in blocks("json")]

    answer = billed.app.get(f"lines/{billed.line(SITE)}/explanation", "auditor")

    operator = answer["title"].removesuffix(" Fees for Services")
    shown["title"] = shown["title"].replace("Harbor Lot Parking", operator)
    assert {name: answer[name] for name in shown if name not in ("facts", "ratesAsOf")} == {
        name: value for name, value in shown.items() if name not in ("facts", "ratesAsOf")
    }
    assert {name: answer["facts"][0][name] for name in shown["facts"][0]} == shown["facts"][0]


def test_the_guide_tells_how_every_block_is_worked_out() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("| block | amount |")[2]

    assert {block.name for block in BLOCKS} == set(re.findall(r"^\| (\w+) \|", table, re.MULTILINE))


def test_the_guide_names_routes_that_there_are() -> None:
    declared = {re.sub(r"\{\w+\}", "{}", route.path) for route in routes().values()}
    named = re.findall(r"(?:GET|PUT|PATCH|POST) /([\w/{}-]+)", GUIDE.read_text(encoding="utf-8"))

    assert named
    assert {re.sub(r"\{\w+\}", "{}", path) for path in named} <= declared


# -- what may be asked ------------------------------------------------------------------------------------------------

LINES = ["none", "0" * 32, "é", "a" * 400, "%00", "a%27%20or%20%271%27=%271", "-1"]


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_there_is_not(billed: Billed, line: str) -> None:
    for path in (f"lines/{line}/explanation", f"lines/{line}/explanation/facts/1"):
        answer = billed.app.call("GET", path)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "LINE_NOT_FOUND")


@pytest.mark.parametrize("fact", ["0", "2", "01", "-1", "1.0", "one", "9" * 40, "²"])
def test_a_fact_that_the_line_has_not(billed: Billed, fact: str) -> None:
    answer = billed.app.call("GET", f"lines/{billed.line(SITE)}/explanation/facts/{fact}")

    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (404, "FACT_NOT_FOUND")
    assert "1 facts" in error["message"]


WRONG = [
    # query, code of the refusal
    ({"limit": "0"}, "PARAMETER_INVALID"),
    ({"limit": "1001"}, "PARAMETER_INVALID"),
    ({"limit": "ten"}, "PARAMETER_INVALID"),
    ({"cursor": "nonsense"}, "CURSOR_INVALID"),
    ({"sort": "amount"}, "SORT_INVALID"),
    ({"fact": "1"}, "PARAMETER_UNKNOWN"),
]


@pytest.mark.parametrize(("query", "code"), WRONG)
def test_a_page_that_there_is_not(billed: Billed, query: dict[str, str], code: str) -> None:
    answer = billed.app.call("GET", f"lines/{billed.line(SITE)}/explanation/facts/1", params=query)

    assert (answer.status_code, error_of(answer)["code"]) == (400, code)


def test_a_cursor_of_another_order_is_refused(billed: Billed) -> None:
    path = f"lines/{billed.line(SITE)}/explanation/facts/1"
    cursor = billed.app.get(path, limit=1, sort="-rowNumber")["nextCursor"]

    assert error_of(billed.app.call("GET", path, params={"cursor": cursor}))["code"] == "CURSOR_INVALID"


@pytest.mark.parametrize("limit", [1, 7, 31, 1000])
@pytest.mark.parametrize("sort", ["rowNumber", "-rowNumber"])
def test_pages_of_any_size_make_all_rows_in_order(billed: Billed, limit: int, sort: str) -> None:
    rows = billed.app.every(f"lines/{billed.line(SITE)}/explanation/facts/1", limit=limit, sort=sort)

    numbers = [row["rowNumber"] for row in rows]
    assert numbers == sorted(set(numbers), reverse=sort.startswith("-"))
    assert (len(rows), sum(row["amount"] for row in rows)) == (31, Decimal(31000))
    assert {row["fields"]["revenue_code"] for row in rows} == {"SD1"}


# -- who may ask ------------------------------------------------------------------------------------------------------

ALLOWED = [
    # role, site, status
    ("auditor", OTHER, 200),
    ("contractAdmin", OTHER, 200),
    ("billingManager", OTHER, 200),
    ("integration", OTHER, 200),
    ("accountManager", SITE, 200),
    ("accountManager", OTHER, 404),
    ("districtManager", OTHER, 404),
    ("systemAdmin", OTHER, 403),
]


@pytest.mark.parametrize(("role", "site", "status"), ALLOWED)
def test_who_may_read_an_explanation(billed: Billed, role: str, site: str, status: int) -> None:
    line = billed.line(site)

    for path in (f"lines/{line}/explanation", f"lines/{line}/explanation/facts/1"):
        answer = billed.app.call("GET", path, role)
        assert answer.status_code == status
        if status == 404:
            assert error_of(answer)["code"] == "LINE_NOT_FOUND"


def test_a_manager_looks_back_as_far_as_into_statements_and_no_further(billed: Billed) -> None:
    """Who may not read a statement of long ago reads no explanation of its lines either."""
    line = billed.line(LONG_AGO)
    with billed.app.database() as connection:
        mine = statement.c.site_number == LONG_AGO
        connection.execute(statement.update().where(mine).values(period="2020-01"))

    for path in (f"lines/{line}/explanation", f"lines/{line}/explanation/facts/1"):
        assert error_of(billed.app.call("GET", path, "accountManager"))["code"] == "LINE_NOT_FOUND"
        assert billed.app.call("GET", path, "auditor").status_code == 200
    with billed.app.database() as connection:  # as it was: its number would say another month
        connection.execute(statement.update().where(mine).values(period="2026-10"))


# -- when the facts have changed since --------------------------------------------------------------------------------


def test_rows_that_were_replaced_since_are_still_those_that_were_billed(billed: Billed) -> None:
    app, line = billed.app, billed.line(CORRECTED)
    before = app.get(f"lines/{line}/explanation")
    rows = app.every(f"lines/{line}/explanation/facts/1", limit=10)

    app.take_in({f"revenue_daily/{PERIOD}/corrected.csv": days("999.00", CORRECTED)})
    after = app.get(f"lines/{line}/explanation")

    assert [fact["replaced"] for fact in before["facts"]] == [False]
    assert [fact["replaced"] for fact in after["facts"]] == [True]
    assert {**after, "facts": []} == {**before, "facts": []}
    assert app.every(f"lines/{line}/explanation/facts/1", limit=10) == rows
    assert {row["file"] for row in rows} == {f"revenue_daily/{PERIOD}/month.csv"}
    assert sum(row["amount"] for row in rows) == after["facts"][0]["amount"] == Decimal(31000)
    untouched = app.get(f"lines/{billed.line(SITE)}/explanation")
    assert [fact["replaced"] for fact in untouched["facts"]] == [False]

"""A file that is corrected after its month was billed, over the app as its users see it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from localhost.processes import wait_until
from shared_code.documents.paths import CONTRACT_DROPS, EDW_DROPS
from tests.flows.conftest import (
    PERIOD,
    App,
    contract_files,
    csv_file,
    error_of,
    room_charge,
    running_app,
    site_master,
)

pytestmark = pytest.mark.flow
HEADER = "FILE_NAME,SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,VALUE_TYPE,VALUE,IS_DRAFT,DW_LOADED_DTTM"
CORRECTED, QUIET, SENT, CLOSED = "0901", "0902", "0903", "0904"
SITES = (CORRECTED, QUIET, SENT, CLOSED)
_keys = itertools.count()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Four sites that bill a dollar for each occupied room: 3,100.00 for October."""
    with running_app(tmp_path_factory.mktemp("stale")) as running:
        running.take_in({f"site_master/{PERIOD}/sites.csv": site_master(*SITES)})
        running.take_in(contract_files(*(room_charge(site, "1.00") for site in SITES)), CONTRACT_DROPS)
        running.take_in({f"site_statistics/{PERIOD}/rooms.csv": rooms(*SITES)})
        running.bill()
        yield running


def rooms(*sites: str, each_day: int = 100, note: str = "x") -> bytes:
    """The occupied rooms of every day of October."""
    days = range(1, 32)
    return csv_file(
        HEADER,
        [f"{note},{s},{PERIOD}-{d:02},OR1,OCCUPIED ROOMS,Actual,{each_day},0,x" for s in sites for d in days],
    )


def look(app: App) -> None:
    """What the minute's timer does, fired by hand and waited for."""
    timer = "watch_statements"
    before = len(app.stack.host.invocations(timer))
    app.stack.host.fire(timer)
    wait_until(lambda: len(app.stack.host.invocations(timer)) > before, app.stack.host)
    assert app.stack.host.invocations(timer, "failed") == []


def statement_of(app: App, site: str) -> dict[str, Any]:
    """The latest version of a site's October that counts."""
    found = app.every("statements", siteNumber=site, period=PERIOD)
    latest = max(found, key=lambda one: one["version"])
    detail: dict[str, Any] = app.get(f"statements/{latest['id']}")
    return detail


def ask(app: App, statement_id: str, what: str, **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": f"stale {next(_keys)}"}
    return app.call("POST", f"statements/{statement_id}/{what}", "billingManager", json=body, headers=headers)


def stale(app: App, **query: Any) -> list[str]:
    return sorted(one["siteNumber"] for one in app.every("statements", period=PERIOD, stale="true", **query))


def sent(app: App, site: str) -> str:
    one = str(statement_of(app, site)["id"])
    assert ask(app, one, "transitions", to="ReadyToSend").status_code == 200
    assert ask(app, one, "transitions", to="Sent", reason="mailed by hand").status_code == 200
    return one


def test_a_corrected_file_marks_its_statement_until_it_is_made_anew(app: App) -> None:
    one = str(statement_of(app, CORRECTED)["id"])
    assert ask(app, one, "transitions", to="ReadyToSend").status_code == 200
    app.take_in({f"site_statistics/{PERIOD}/again.csv": rooms(QUIET, note="dropped once more")})
    app.take_in({f"site_statistics/{PERIOD}/corrected.csv": rooms(CORRECTED, each_day=101)})

    look(app)

    assert stale(app) == [CORRECTED]
    marked = statement_of(app, CORRECTED)
    assert (marked["staleReason"], marked["total"]) == ("FACTS_CHANGED", Decimal(3100))
    difference = marked["staleDifference"]
    assert (difference["before"], difference["after"]) == ("3100.00", "3131.00")
    assert [(one["change"], one["after"]) for one in difference["lines"]] == [("changed", "3131.00")]
    assert app.get("errors/FACTS_CHANGED")["code"] == "FACTS_CHANGED"
    refused = ask(app, one, "transitions", to="Sent", reason="mailed by hand")
    assert (refused.status_code, error_of(refused)["code"]) == (409, "STATEMENT_STALE")
    assert app.get(f"periods/{PERIOD}")["readiness"]["stale"] == 1

    key = {"Idempotency-Key": f"stale {next(_keys)}"}
    assert app.call("POST", f"statements/{one}/regenerate", headers=key).status_code == 202
    wait_until(lambda: statement_of(app, CORRECTED)["generation"] == 2, app.stack.host)

    look(app)
    fresh = statement_of(app, CORRECTED)
    assert (fresh["total"], fresh["staleSince"], fresh["staleDifference"]) == (Decimal(3131), None, None)
    assert stale(app) == []


def test_a_sent_statement_shows_a_true_up_and_stays_as_it_was(app: App) -> None:
    one = sent(app, SENT)
    app.take_in({f"site_statistics/{PERIOD}/late.csv": rooms(SENT, each_day=90)})

    look(app)

    found = app.get(f"statements/{one}")
    assert (found["status"], found["staleReason"], found["total"]) == ("Sent", "TRUE_UP", Decimal(3100))
    assert found["staleDifference"]["after"] == "2790.00"
    assert stale(app, status="Sent") == [SENT]
    assert len(app.every("statements", siteNumber=SENT, period=PERIOD)) == 1


def test_r41_late_facts_of_a_closed_month_wait_and_show_once_it_is_reopened(app: App) -> None:
    one = str(statement_of(app, CLOSED)["id"])
    assert app.call("POST", f"periods/{PERIOD}", "billingManager", json={"action": "close"}).status_code == 200
    name = f"site_statistics/{PERIOD}/closed.csv"
    app.drop(EDW_DROPS, name, rooms(CLOSED, each_day=80))
    wait_until(lambda: _state_of(app, name) == "waiting", app.stack.host, seconds=60)

    look(app)

    assert statement_of(app, CLOSED)["staleSince"] is None
    key = {"Idempotency-Key": f"stale {next(_keys)}"}
    refused = app.call("POST", f"statements/{one}/regenerate", headers=key)
    assert (refused.status_code, error_of(refused)["code"]) == (409, "PERIOD_CLOSED")

    wish = {"action": "reopen", "reason": "a file came late"}
    assert app.call("POST", f"periods/{PERIOD}", "billingManager", json=wish).status_code == 200
    wait_until(lambda: _state_of(app, name) == "current", app.stack.host, seconds=60)
    look(app)
    assert statement_of(app, CLOSED)["staleDifference"]["after"] == "2480.00"


def _state_of(app: App, name: str) -> str | None:
    return {batch["sourceName"]: batch["state"] for batch in app.imports()}.get(name)

"""Dry run, cancel, regenerate and missed months over HTTP, as the front end and a flow of Power Automate call them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from localhost.processes import wait_until
from shared_code.documents.paths import CONTRACT_DROPS
from tests.flows.conftest import (
    PERIOD,
    App,
    contract_files,
    error_of,
    exact,
    fixed_fees,
    running_app,
    site_master,
)

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Two sites; 0901 is billed in two groups."""
    with running_app(tmp_path_factory.mktemp("doors")) as app:
        app.take_in({f"site_master/{PERIOD}/sites.csv": site_master("0901", "0902")})
        deals = fixed_fees("0901", ("100.00", 1), ("20.50", 2)), fixed_fees("0902", ("30.00", 1))
        app.take_in(contract_files(*deals), CONTRACT_DROPS)
        yield app


def follow(app: App, answer: httpx.Response) -> Any:
    """Poll the Location of a 202 until it answers 200, as Power Automate does; its body."""
    assert answer.status_code == 202, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    headers = app.stack.headers("billingAdmin")

    def done() -> httpx.Response | None:
        polled = httpx.get(answer.headers["Location"], headers=headers)
        return None if polled.status_code == 202 else polled

    found = wait_until(done, app.stack.host, seconds=60)
    assert found is not None
    assert found.status_code == 200, found.text
    return exact(found)


def test_a_dry_run_is_previewed_and_then_billed_as_it_said(app: App) -> None:
    dry = app.bill(dryRun=True)
    shown = app.every(f"statement-runs/{dry.id}/preview", limit=1)
    assert (dry.run["kind"], dry.run["statements"], app.get("statements")["total"]) == ("DryRun", 0, 0)

    real = app.bill()

    written = [app.get(f"statements/{row['id']}") for row in app.every("statements", period=PERIOD)]
    own = ("runId", "createdAt")
    assert [{k: v for k, v in one.items() if k not in own} for one in shown] == [
        {k: v for k, v in one.items() if k not in own} for one in written
    ]
    assert [one["siteNumber"] for one in shown] == ["0901", "0902"]
    assert real.run["timings"]["seconds"] >= 0
    refused = error_of(app.call("GET", f"statement-runs/{real.id}/preview"))
    assert refused["code"] == "NOT_A_DRY_RUN"


def test_a_statement_is_made_anew_once_for_a_key(app: App) -> None:
    app.bill()
    (old,) = app.every("statements", siteNumber="0901", period=PERIOD)
    path = f"statements/{old['id']}/regenerate"
    assert error_of(app.call("POST", path))["code"] == "IDEMPOTENCY_KEY_REQUIRED"

    started = app.call("POST", path, headers={"Idempotency-Key": "flow-1"})
    run = follow(app, started)
    again = app.call("POST", path, headers={"Idempotency-Key": "flow-1"})

    (new,) = app.every("statements", siteNumber="0901", period=PERIOD)
    assert (run["kind"], run["outcomes"]["generated"], run["id"]) == ("Regenerate", 1, new["runId"])
    assert (again.json()["id"], again.headers["Idempotent-Replayed"]) == (run["id"], "true")
    assert (new["version"], new["generation"]) == (old["version"], old["generation"] + 1)
    kept = app.get(f"statements/{old['id']}")
    assert (kept["status"], kept["total"], kept["supersededAt"] is not None) == ("Superseded", old["total"], True)
    assert [one["id"] for one in app.every("statements", status="Superseded")] == [old["id"]]
    refused = app.call("POST", path, headers={"Idempotency-Key": "flow-2"})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "STATEMENT_SUPERSEDED")


def test_a_run_that_is_over_is_cancelled_without_effect(app: App) -> None:
    run = app.bill(source="cancelled")

    answer = app.call("DELETE", f"statement-runs/{run.id}")

    assert (answer.status_code, answer.json()["state"]) == (200, "Completed")
    assert app.call("DELETE", f"statement-runs/{'0' * 32}").status_code == 404


def test_missed_months_are_listed_and_billed(app: App) -> None:
    app.bill()
    path = "contracts/0902/missed-periods"
    before = [one["period"] for one in app.get(path, since="2026-08")["items"]]
    assert before[:2] == ["2026-08", "2026-09"]

    named = app.call("POST", path, json={"periods": ["2026-09"]})
    follow(app, named)
    refused = app.call("POST", path, json={"periods": ["2026-09"]})
    rest = app.call("POST", path, params={"since": "2026-08"})
    follow(app, rest)

    assert [(run["period"], run["created"]) for run in named.json()["runs"]] == [("2026-09", True)]
    assert (refused.status_code, error_of(refused)["code"]) == (422, "PERIOD_NOT_MISSED")
    assert rest.json()["runs"][0]["period"] == "2026-08"
    assert not {"2026-08", "2026-09"} & {one["period"] for one in app.get(path, since="2026-08")["items"]}
    assert app.get("statements", siteNumber="0902", period="2026-08")["total"] == 1

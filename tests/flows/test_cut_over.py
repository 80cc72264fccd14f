"""The guide to the first month, word by word: its commands are run as they stand, against the app on real parts."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import function_app  # noqa: F401 - declares every route
from functions.declarations import routes
from localhost.stack import ROOT
from tests.fixtures.contracts.expand import archetypes, expand, file_name
from tests.flows.conftest import PERIOD, App, fixed_fees, running_app, site_master

pytestmark = pytest.mark.flow
GUIDE = ROOT / "docs" / "guides" / "cut-over.md"
NOTED, YEARLY = "0901", "8803"
FOLDER = ("A03", "A20", "A24")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with running_app(tmp_path_factory.mktemp("cut-over")) as running:
        running.take_in({f"site_master/{PERIOD}/sites.csv": site_master(NOTED, YEARLY, "8820", "8824")})
        yield running


def commands() -> list[str]:
    """The shell blocks of the guide, in order."""
    return re.findall(r"```bash\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_commands_of_the_guide_do_what_it_says(app: App, tmp_path: Path) -> None:
    for archetype in archetypes():
        if archetype["id"] in FOLDER:
            (tmp_path / file_name(archetype)).write_bytes(expand(archetype))
    deal = fixed_fees(NOTED, ("100.00", 1), notes="Rates go up 3% annually.")
    app.call("PUT", f"sites/{NOTED}/contract?ratesAsOf={PERIOD}", "contractAdmin", json=deal)
    start, load, rates, index, proposals, decide, openings, run, close = commands()
    start = start.replace("http://127.0.0.1:7071", app.stack.host.url)
    assert app.stack.host.url in start

    def do(block: str, **variables: str) -> str:
        """The output of a block; it must succeed."""
        environment = {**os.environ, "FOLDER": str(tmp_path), **variables}
        for name, role in (("CONTRACT_ADMIN", "contractAdmin"), ("BILLING_MANAGER", "billingManager")):
            environment[name] = app.stack.headers(role)["Authorization"].removeprefix("Bearer ")
        script = f"set -euo pipefail\n{start}\n{block}"
        done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    do(load)
    assert app.get(f"sites/{YEARLY}/contract/versions", "auditor")["items"][0]["ratesAsOf"] == "2026-10"

    months = json.loads(do(rates, SITE=NOTED))["months"]
    assert [months[0]["period"], months[-1]["period"]] == ["2026-10", "2027-12"]
    assert json.loads(do(index))["values"][0]["name"] == "CPI"

    [proposal] = json.loads(do(proposals, SITE=NOTED))["items"]
    approved = json.loads(do(decide, SITE=NOTED, PROPOSAL=proposal["id"]))
    assert (approved["state"], approved["inContract"]) == ("approved", True)

    places: list[dict[str, Any]] = app.get(f"opening-balances/{YEARLY}")["places"]
    structure = next(place["id"] for place in places if place["kind"] == "structure")
    do(openings, SITE=YEARLY, STRUCTURE=structure)
    assert [one["id"] for one in app.get(f"opening-balances/{YEARLY}")["balances"]] == [structure]

    started = json.loads(do(run))
    assert started["created"] is True
    app.bill(PERIOD)  # the same run, followed to its end
    do(close)
    assert app.get(f"periods/{PERIOD}")["state"] == "Closed"


def test_the_guide_names_routes_that_there_are() -> None:
    declared = {re.sub(r"\{\w+\}", "{}", route.path) for route in routes().values()}
    named = re.findall(r"(?:GET|PUT|PATCH|POST) /([\w/{}-]+)", GUIDE.read_text(encoding="utf-8"))

    assert len(named) >= 8
    assert {re.sub(r"\{\w+\}", "{}", path) for path in named} <= declared

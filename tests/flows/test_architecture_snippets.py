"""What a newcomer is told to do works: the recipes of docs/architecture, done on a copy of the project, and run.

Each code block of a recipe names its place in its first line: a new file, or a file with a line after which the block
belongs, a text that it replaces, or the end. All blocks are applied in order; then the copy's own tests run, and the
app that came of it is called over HTTP and by messages.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]  # it comes without types
import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from localhost.identity import user_id
from localhost.processes import wait_until
from localhost.stack import ROOT
from shared_code.access.tables import site_assignment
from shared_code.documents.paths import CONTRACT_DROPS
from tests.flows.conftest import (
    PERIOD,
    App,
    contract_files,
    csv_file,
    error_of,
    fixed_fees,
    running_app,
    site_master,
)

pytestmark = pytest.mark.flow
PAGES = ROOT / "docs" / "architecture"
RECIPES = ("add-a-route.md", "add-a-queue.md", "add-a-setting.md", "add-a-block.md")  # each goes on from the one before
LEFT_OUT = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "docs", "bench")
PYTHON = ".venv/bin/python -m "
# What the recipes say that a newcomer runs: the tests that they write, and those that a new door has to satisfy.
OWN_TESTS = (
    "tests/unit/facts/test_neighbours.py",
    "tests/unit/facts/test_site_checks.py",
    "tests/unit/foundation/test_business_settings.py::test_the_laws_are_about_every_setting",
    "tests/unit/functions/test_indexing.py",
    "tests/unit/functions/test_openapi.py::test_the_public_surface_is_the_one_that_was_agreed",
    "tests/unit/functions/test_openapi.py::test_an_operation_says_what_it_is",
    "tests/flows/test_role_matrix.py::test_every_route_has_an_example",
    "tests/unit/operations/test_error_catalog.py",
    "tests/unit/test_architecture.py",
    "tests/unit/billing/test_parking_permits.py",
    "tests/unit/test_bus_config.py",
)

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
_PLACE = re.compile(
    r"(?:#|//) (?P<path>[\w./-]+\.\w+)(?:, (?P<how>after|in place of) `(?P<anchor>.+)`|, (?P<end>at the end))?"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a page: where it goes, and what it says."""

    page: str
    place: str
    text: str

    def apply(self, project: Path) -> Path:
        """Put it in its place; the file that was written. What the page says of the file has to be so."""
        match = _PLACE.fullmatch(self.place)
        assert match, f"{self.page}: a code block begins with its place, not with {self.place!r}"
        path = project / match["path"]
        if not (match["how"] or match["end"]):
            assert not path.exists(), f"{self.page}: {match['path']} exists already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text)
            return path
        before = path.read_text()
        path.write_text(before + self.text if match["end"] else self._edited(before, match["how"], match["anchor"]))
        return path

    def _edited(self, before: str, how: str, anchor: str) -> str:
        found, text = (f"\n{anchor}\n", self.text) if how == "after" else (anchor, self.text.rstrip("\n"))
        assert before.count(found) == 1, f"{self.page}: {self.place}: it stands there {before.count(found)} times"
        return before.replace(found, found + text if how == "after" else text)


def blocks(page: str) -> list[Block]:
    """The code blocks of a page, in order, without the indentation of the list that they stand in."""
    return [Block(page, lines[0].rstrip("\n"), "".join(lines[1:])) for kind, lines in fences(page) if kind != "sh"]


def commands(page: str) -> list[list[str]]:
    """The commands of a page that run a module of the project, as words after `python -m`."""
    lines = [line.strip() for kind, lines in fences(page) if kind == "sh" for line in lines]
    return [line.removeprefix(PYTHON).split() for line in lines]


def fences(page: str) -> list[tuple[str, list[str]]]:
    """The fenced blocks of a page that say what they hold, each with its lines."""
    return [
        (fence["language"], [line.removeprefix(fence["indent"]) for line in fence["text"].splitlines(keepends=True)])
        for fence in _FENCE.finditer((PAGES / page).read_text())
    ]


def in_copy(project: Path, *command: str) -> None:
    """Run a Python module in the copy."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "OPERATOR_NAME": "Example Parking"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the project in which all recipes were followed, and the files that they wrote."""

    project: Path
    written: frozenset[Path]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    project = tmp_path_factory.mktemp("newcomer") / "powerbill"
    shutil.copytree(ROOT, project, ignore=LEFT_OUT)
    written = {block.apply(project) for page in RECIPES for block in blocks(page)}
    for page in RECIPES:
        for command in commands(page):
            in_copy(project, *command)
    return Copy(project, frozenset(written))


@pytest.fixture(scope="module")
def app(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The copy, running, with three sites in two districts; two of them are an account manager's."""
    with running_app(tmp_path_factory.mktemp("state"), copy.project) as app:
        master = site_master("0041", "0042", "0043", "0044").replace(b"Hotel 0044,East", b"Hotel 0044,West")
        app.take_in({f"site_master/{PERIOD}/sites.csv": master})
        mine = [{"user_id": user_id("accountManager"), "site_number": number} for number in ("0042", "0043", "0044")]
        with app.database() as connection:
            connection.execute(site_assignment.insert(), mine)
        yield app


def test_only_recipes_hold_code_and_they_hold_all_three_kinds() -> None:
    pages = {page.name for page in PAGES.glob("*.md")}
    with_code = {page for page in pages if blocks(page)}

    assert with_code == set(RECIPES)


def test_the_tests_that_the_recipes_name_pass(copy: Copy) -> None:
    in_copy(copy.project, "pytest", "-p", "no:cacheprovider", *OWN_TESTS)


def test_the_code_is_in_the_form_of_the_house(copy: Copy) -> None:
    written = [str(path) for path in sorted(copy.written) if path.suffix == ".py"]

    in_copy(copy.project, "ruff", "check", "--no-cache", *written)
    in_copy(copy.project, "ruff", "format", "--check", "--no-cache", *written)


@pytest.mark.parametrize(
    ("role", "site", "neighbours"),
    [
        ("billingAdmin", "0041", ["0042", "0043"]),
        ("billingAdmin", "0044", []),
        ("accountManager", "0042", ["0043"]),
    ],
)
def test_the_route_lists_what_the_caller_may_see(app: App, role: str, site: str, neighbours: list[str]) -> None:
    page = app.get(f"sites/{site}/neighbours", role)

    assert [item["siteNumber"] for item in page["items"]] == neighbours
    assert page["total"] == len(neighbours)
    assert all(set(item) == {"siteNumber", "name", "city"} for item in page["items"])


def test_the_route_refuses_in_the_form_of_the_api(app: App) -> None:
    unseen = app.call("GET", "sites/0041/neighbours", "accountManager")
    assert (unseen.status_code, error_of(unseen)["code"]) == (404, "NO_SUCH_SITE")
    assert app.get("errors/NO_SUCH_SITE")["number"] == 2981

    assert app.call("GET", "sites/0041/neighbours?limit=none").status_code == 400
    assert app.http.get("sites/0041/neighbours").status_code == 401


def test_the_api_document_describes_the_route(app: App) -> None:
    operation = app.http.get("openapi.json").json()["paths"]["/sites/{siteNumber}/neighbours"]["get"]

    assert operation["operationId"] == "ListNeighbours"
    assert operation["description"].startswith("The other sites of a site's district")


def test_the_block_bills_prints_and_explains(app: App) -> None:
    """A contract that only has the new block, over files, run, statement, PDF and explanation."""
    header = "SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,COLLECTION_TYPE,DEPOSIT_FLAG,"
    header += "NETEXTERNALREVENUE,EXTERNALREVENUE,TAXRATE,BILLABLE_NET_VALIDATION"
    days = [f"0043,{PERIOD}-{day:02},SD1,Parking,Cash,N,10.00,10.70,0.07,0" for day in range(1, 32)]
    app.take_in({f"revenue_daily/{PERIOD}/month.csv": csv_file(header, days)})
    row = {"id": "p-1", "permits": 3, "price": "12.50", "sharePct": "10"}
    permits = {"kind": "parkingPermits", "enabled": True, "items": [row]}
    app.take_in(contract_files(fixed_fees("0043", components=[permits])), CONTRACT_DROPS)
    app.bill()

    (statement,) = app.every("statements", siteNumber="0043")
    (invoice,) = app.get(f"statements/{statement['id']}")["invoices"]
    (line,) = invoice["lines"]
    assert (line["block"], line["title"], str(line["amount"])) == ("parkingPermits", "Parking Permits", "68.50")
    assert line["code"] == "4790"
    explained = app.get(f"lines/{line['id']}/explanation")
    assert [step["text"] for step in explained["steps"]] == [
        "3 permits at $12.50",
        "10 % of the month's revenue of $310.00",
        "Together, in cents",
    ]
    rows = app.every(f"lines/{line['id']}/explanation/facts/1")
    assert (len(rows), rows[-1]["rowNumber"], str(sum(row["amount"] for row in rows))) == (31, 31, "310.00")
    pdf = app.call("GET", f"statements/{statement['id']}/pdf").content
    text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    assert "Parking Permits" in text and "3 permits at $12.50 each." in text


def checks(app: App, site: str) -> list[dict[str, object]]:
    """What the audit holds of checks of a site, newest first."""
    items: list[dict[str, object]] = [
        event["data"] for event in app.every("operations/audit", stream=f"site/{site}", action="site.checked")
    ]
    return items


def ask(app: App, site: str, *occasions: str) -> None:
    """Call the use case that asks for a check, for each occasion, in a process of the copy's own."""
    calls = [f"ask_for_check({site!r}, {occasion!r})" for occasion in occasions]
    call = "; ".join(["from shared_code.facts.sites.checks import ask_for_check", *calls])
    stack = app.stack
    subprocess.run(
        [sys.executable, "-c", call], cwd=stack.root, env={**os.environ, **stack.environment()}, check=True, timeout=60
    )


def send(app: App, body: str, message_id: str) -> None:
    """Put a message into the queue past the app."""
    with (
        ServiceBusClient.from_connection_string(app.stack.bus.connection_string) as client,
        client.get_queue_sender("site-checks") as sender,
    ):
        sender.send_messages(ServiceBusMessage(body, message_id=message_id))


def dead_letters(app: App) -> dict[str, str]:
    """Messages of the queue that the app gave up on, with the reason."""
    items = app.get("operations/dead-letters", "systemAdmin", queue="site-checks")["items"]
    return {item["messageId"]: item["reason"] for item in items}


def test_the_queue_carries_a_check_to_its_consumer_once(app: App) -> None:
    ask(app, "0042", PERIOD, PERIOD)
    (first,) = wait_until(lambda: checks(app, "0042"), app.stack.host)
    assert first["missing"] == []

    for _ in range(2):
        send(app, json.dumps({"site": "0043"}), "same-message")
    wait_until(lambda: checks(app, "0043") and not waiting(app), app.stack.host)
    assert (len(checks(app, "0042")), len(checks(app, "0043"))) == (1, 1)


def waiting(app: App) -> int:
    """Messages that are in the queue, in a consumer's hands included."""
    with (
        ServiceBusClient.from_connection_string(app.stack.bus.connection_string) as client,
        client.get_queue_receiver("site-checks") as receiver,
    ):
        return len(receiver.peek_messages(max_message_count=50))


def test_what_can_never_succeed_becomes_a_dead_letter_with_its_reason(app: App) -> None:
    send(app, json.dumps({"place": "0042"}), "malformed")
    send(app, json.dumps({"site": "9999"}), "unknown")

    wait_until(lambda: len(dead_letters(app)) == 2, app.stack.host)
    assert dead_letters(app) == {"malformed": "MESSAGE_MALFORMED", "unknown": "NO_SUCH_SITE"}


def test_the_setting_is_shown_changed_and_read(app: App) -> None:
    shown = {one["name"]: one for one in app.get("settings", "systemAdmin")["settings"]}
    assert (shown["smallSiteSpaces"]["value"], shown["smallSiteSpaces"]["source"]) == (50, "default")
    ask(app, "0041", "before")
    (before,) = wait_until(lambda: checks(app, "0041"), app.stack.host)

    change = {"changes": {"smallSiteSpaces": 500}, "reason": "larger sites only"}
    answer = app.call("PATCH", "settings", "systemAdmin", json=change, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    ask(app, "0041", "after")
    wait_until(lambda: len(checks(app, "0041")) == 2, app.stack.host)

    assert (before["small"], checks(app, "0041")[0]["small"]) == (False, True)
    history = app.get("settings/smallSiteSpaces/history", "systemAdmin")["items"]
    assert [(one["value"], one["reason"]) for one in history] == [(500, "larger sites only")]

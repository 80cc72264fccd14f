"""From a note of the site to a statement that is sent, over the app as its users see it."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import function_app  # noqa: F401 - declares every route
from functions.declarations import routes
from localhost.stack import ROOT
from shared_code.access.tables import site_assignment
from shared_code.documents.paths import CONTRACT_DROPS
from shared_code.statements.tables import statement
from tests.flows.conftest import (
    PERIOD,
    App,
    contract_files,
    csv_file,
    error_of,
    exact,
    fixed_fees,
    running_app,
    site_master,
)

pytestmark = pytest.mark.flow
GUIDE = ROOT / "docs" / "guides" / "review-and-approve.md"
NOTED, QUIET, OTHER = "0901", "0902", "0903"
NOTE = "The garage was closed for a week, so the month came in below the forecast."
_keys = itertools.count()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Three sites that came in 2,600 dollars and 12 % below their forecasts; limits are 2,500 and 10 % (TV-LIF-2)."""
    with running_app(tmp_path_factory.mktemp("life")) as running:
        sites = (NOTED, QUIET, OTHER)
        forecasts = [f"{site},202610,Internal Revenue,-21666.67,x" for site in sites]
        ledger = [f"{site},202610,6200,01,1,70000.00" for site in sites]
        running.take_in({f"site_master/{PERIOD}/sites.csv": site_master(*sites)})
        running.take_in(
            {
                f"forecast/{PERIOD}/f.csv": csv_file(
                    "COST_CENTER,PERIOD,IS_SUMMARY_CATEGORY,FD_BALANCE,DW_LOADED_DTTM", forecasts
                ),
                f"account_summary/{PERIOD}/l.csv": csv_file(
                    "COST_CENTER,PERIOD,MAIN_ACCOUNT,ENTITY,ACCOUNT_INDEX,BALANCE", ledger
                ),
            }
        )
        limits = {"deviationAmount": "2500", "deviationPct": "10"}
        deals = (fixed_fees(site, ("19066.67", 1), **limits) for site in sites)
        running.take_in(contract_files(*deals), CONTRACT_DROPS)
        with running.database() as connection:
            user = "accountManager@example.com"
            connection.execute(site_assignment.insert().values(user_id=user, site_number=NOTED))
        yield running


def ask(app: App, statement_id: str, what: str, body: dict[str, Any], role: str = "billingManager") -> httpx.Response:
    """A request about a statement, with a key of its own."""
    headers = {"Idempotency-Key": f"press {next(_keys)}"}
    return app.call("POST", f"statements/{statement_id}/{what}", role, json=body, headers=headers)


def went(answer: httpx.Response) -> tuple[str, str | None]:
    assert answer.status_code == 200, answer.text
    found = exact(answer)
    return found["status"], found["statusReason"]


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, error_of(answer)["code"]


def statement_of(app: App, site: str, role: str = "billingAdmin") -> str:
    """The statement of a site, billed by somebody with `role` if it is not yet."""
    if not app.every("statements", siteNumber=site):
        app.bill(siteNumbers=[site]) if role == "billingAdmin" else bill_as(app, role, site)
    (found,) = app.every("statements", siteNumber=site)
    return str(found["id"])


def bill_as(app: App, role: str, site: str) -> None:
    started = app.call("POST", "statement-runs", role, json={"period": PERIOD, "siteNumbers": [site]})
    assert started.status_code == 202, started.text
    app.bill(siteNumbers=[site])  # finds the same run, and follows it to its end


def test_tv_lif_4_a_month_with_a_note_and_a_deviation_is_approved_twice_and_sent(app: App) -> None:
    path = f"sites/{NOTED}/comments"
    said = app.call("POST", path, "accountManager", json={"period": PERIOD, "text": NOTE})
    again = app.call("POST", path, "accountManager", json={"period": PERIOD, "text": NOTE})
    assert (said.status_code, again.status_code, again.json()) == (201, 200, said.json())
    assert said.headers["Location"].endswith(f"/sites/{NOTED}/comments")

    one = statement_of(app, NOTED)
    detail = app.get(f"statements/{one}")
    assert (detail["status"], detail["statusReason"]) == ("ARReview", "SITE_COMMENT")
    assert detail["comparison"]["why"] == ["DEVIATION"]
    assert [c["text"] for c in app.get(f"statements/{one}/comments")["items"]] == [NOTE]

    assert went(ask(app, one, "transitions", {"to": "ReadyToSend"})) == ("ApprovalTeam", "DEVIATION")
    assert went(ask(app, one, "transitions", {"to": "ReadyToSend"})) == ("ReadyToSend", None)
    assert refused(ask(app, one, "transitions", {"to": "Sent"})) == (422, "STATEMENT_REASON_REQUIRED")
    by_hand = {"to": "Sent", "reason": "mailed by the system before"}
    assert went(ask(app, one, "transitions", by_hand)) == ("Sent", None)

    final = ask(app, one, "transitions", {"to": "ReadyToSend"})
    assert refused(final) == (409, "STATEMENT_TRANSITION_ILLEGAL")
    moves = app.get("operations/audit", action="statement.moved", subject=one)["items"]
    steps = {(event["data"]["from"], event["data"]["to"]) for event in moves}
    assert steps == {("ARReview", "ApprovalTeam"), ("ApprovalTeam", "ReadyToSend"), ("ReadyToSend", "Sent")}


def test_a_request_that_is_sent_twice_approves_once(app: App) -> None:
    one = statement_of(app, QUIET)
    path = f"statements/{one}/transitions"
    without = app.call("POST", path, "billingManager", json={"to": "ReadyToSend"})
    assert refused(without) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert app.get(f"statements/{one}")["status"] == "ApprovalTeam"

    wish = {"to": "ARReview", "fromStatus": "ApprovalTeam", "reason": "the site disputes the fee"}
    key = {"Idempotency-Key": "pressed twice"}
    first, second = (app.call("POST", path, "billingManager", json=wish, headers=key) for _ in range(2))

    assert (went(first), went(second)) == (("ARReview", "REVIEW_ASKED"),) * 2
    assert second.headers["Idempotent-Replayed"] == "true"
    late = ask(app, one, "transitions", {"to": "ReadyToSend", "fromStatus": "ApprovalTeam"})
    assert refused(late) == (409, "CONCURRENT_CHANGE")


def test_who_may_approve(app: App) -> None:
    """A billing manager, not of a run of their own; billing administrators while the setting says so."""
    one = statement_of(app, OTHER, "billingManager")
    wish = {"to": "ReadyToSend"}
    assert refused(ask(app, one, "transitions", wish)) == (403, "SAME_PERSON")
    for role in ("billingAdmin", "contractAdmin", "accountManager", "auditor", "systemAdmin", "integration"):
        assert refused(ask(app, one, "transitions", wish, role)) == (403, "FORBIDDEN")

    decision = {"changes": {"billingAdminApproves": True}, "reason": "one manager is on leave"}
    changed = app.call("PATCH", "settings", "systemAdmin", json=decision, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text

    assert went(ask(app, one, "transitions", wish, "billingAdmin")) == ("ReadyToSend", None)


def test_a_stale_statement_waits_for_a_release(app: App) -> None:
    one = statement_of(app, OTHER, "billingManager")
    with app.database() as connection:
        mark = {"status": "ReadyToSend", "stale_since": datetime.now(UTC), "stale_reason": "FACTS_CHANGED"}
        mark["stale_difference"] = '{"before": "19066.67", "after": "19000.00", "lines": []}'
        connection.execute(statement.update().where(statement.c.statement_id == one).values(**mark))
    by_hand = {"to": "Sent", "reason": "mailed by hand"}
    assert refused(ask(app, one, "transitions", by_hand)) == (409, "STATEMENT_STALE")
    why = {"reason": "the difference is billed in the next month"}
    assert refused(ask(app, one, "release", why)) == (403, "SAME_PERSON")
    assert refused(ask(app, one, "release", {"reason": " "}, "billingAdmin")) == (400, "BODY_INVALID")

    released = ask(app, one, "release", why, "billingAdmin")

    assert released.status_code == 200, released.text
    assert (released.json()["staleSince"], released.json()["staleDifference"]) == (None, None)
    assert refused(ask(app, one, "release", why, "billingAdmin")) == (409, "STATEMENT_NOT_RELEASABLE")


COMMENTS = [
    # what, where, role, body, answer
    ("blanks", f"sites/{NOTED}/comments", "billingAdmin", {"period": PERIOD, "text": " \n "}, (400, "BODY_INVALID")),
    ("no month", f"sites/{NOTED}/comments", "billingAdmin", {"text": "x"}, (400, "BODY_INVALID")),
    (
        "a site of others",
        f"sites/{OTHER}/comments",
        "accountManager",
        {"period": PERIOD, "text": "x"},
        (404, "SITE_NOT_FOUND"),
    ),
    (
        "an unknown site",
        "sites/0999/comments",
        "billingAdmin",
        {"period": PERIOD, "text": "x"},
        (404, "SITE_NOT_FOUND"),
    ),
    (
        "an unknown statement",
        f"statements/{'0' * 32}/comments",
        "billingAdmin",
        {"text": "x"},
        (404, "STATEMENT_NOT_FOUND"),
    ),
    (
        "somebody who only reads",
        f"sites/{NOTED}/comments",
        "auditor",
        {"period": PERIOD, "text": "x"},
        (403, "FORBIDDEN"),
    ),
]


@pytest.mark.parametrize(("_what", "path", "role", "body", "expected"), COMMENTS, ids=[case[0] for case in COMMENTS])
def test_comments_that_are_refused(
    app: App, _what: str, path: str, role: str, body: dict[str, str], expected: tuple[int, str]
) -> None:
    assert refused(app.call("POST", path, role, json=body)) == expected


def test_a_comment_on_a_statement_leaves_it_as_it_is(app: App) -> None:
    one = statement_of(app, QUIET)
    before = app.get(f"statements/{one}")

    said = app.call("POST", f"statements/{one}/comments", json={"text": "Seen.\nSecond line."})

    assert (said.status_code, said.json()["source"], said.json()["period"]) == (201, "Statement", PERIOD)
    assert app.get(f"statements/{one}") == before
    assert app.get(f"sites/{QUIET}/comments", period=PERIOD)["items"][-1]["text"] == "Seen.\nSecond line."


# -- the guide --------------------------------------------------------------------------------------------------------


def test_the_commands_of_the_guide_do_what_it_says(app: App) -> None:
    one = statement_of(app, QUIET)
    blocks = re.findall(r"```bash\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    start, waits, comments, approve, send_back, override, release, by_hand, say = blocks
    start = start.replace("http://127.0.0.1:7071", app.stack.host.url)
    assert app.stack.host.url in start

    def do(block: str, status: str = "ApprovalTeam", stale: bool = False) -> dict[str, Any]:
        """The first answer to a block about a statement in this state; every command must succeed."""
        stale_since = datetime.now(UTC) if stale else None
        with app.database() as connection:
            mark = {"status": status, "stale_since": stale_since, "stale_reason": "FACTS_CHANGED" if stale else None}
            connection.execute(statement.update().where(statement.c.statement_id == one).values(**mark))
        token = app.stack.headers("billingManager")["Authorization"].removeprefix("Bearer ")
        environment = {**os.environ, "BILLING_MANAGER": token, "STATEMENT": one, "SITE": QUIET}
        script = f"set -euo pipefail\n{start}\n{block}"
        done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any]
        found, _ = json.JSONDecoder().raw_decode(done.stdout)
        return found

    assert [found["id"] for found in do(waits)["items"]] == [one]
    assert do(comments)["total"] == 1
    assert do(approve, "ARReview")["status"] == "ApprovalTeam"
    assert do(send_back)["status"] == "ARReview"
    assert do(override, "Held")["statusReason"] == "SITE_COMMENT"
    assert do(release, stale=True)["staleSince"] is None
    do(say)
    assert len(app.every(f"statements/{one}/comments")) == 3
    assert do(by_hand, "ReadyToSend")["status"] == "Sent"


def test_the_guide_names_routes_and_codes_that_there_are(app: App) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    declared = {re.sub(r"\{\w+\}", "{}", route.path) for route in routes().values()}
    named = re.findall(r"(?:GET|PUT|PATCH|POST) /([\w/{}-]+)", text)
    codes = {kind["code"] for kind in app.get("errors")["errors"]}

    assert {re.sub(r"\{\w+\}", "{}", path) for path in named} <= declared
    assert set(re.findall(r"`([A-Z]+_[A-Z_]+)`", text)) <= codes

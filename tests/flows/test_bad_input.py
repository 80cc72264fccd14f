"""Whatever comes in wrong gets an answer that names the place and the cure, and nothing else is lost by it.

One app takes every bad file and request of this module beside good ones; the good ones must go on.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from localhost.processes import wait_until
from shared_code.documents.paths import CONTRACT_DROPS, EDW_DROPS, IMPORT_REPORTS, QUARANTINE, RUN_REPORTS
from tests.flows.conftest import (
    PERIOD,
    App,
    as_bytes,
    contract_files,
    csv_file,
    error_of,
    fixed_fees,
    room_charge,
    running_app,
    site_master,
)

pytestmark = pytest.mark.flow

SITES = ("0901", "0902", "0903")
NOT_IN_MASTER = "0990"
NO_FACTS = "2026-08"
MEGABYTE = 1024 * 1024
REVENUE_HEADER = (
    "SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,COLLECTION_TYPE,DEPOSIT_FLAG,"
    "NETEXTERNALREVENUE,EXTERNALREVENUE,TAXRATE,BILLABLE_NET_VALIDATION"
)
ROOMS_HEADER = "FILE_NAME,SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,VALUE_TYPE,VALUE,IS_DRAFT,DW_LOADED_DTTM"


def revenue(site: str, day: int, net: str = "10.00", period: str = PERIOD) -> str:
    return f"{site},{period}-{day:02d},VD1,Valet Daily,,N,{net},{net},0.0825,0"


def rooms(site: str) -> list[str]:
    """Ten rooms on each day of October."""
    return [
        f"book.xlsm,{site},2026-10-{day:02d},OR9,Occupied Rooms,Other,10,false,2026-11-01 02:00" for day in range(1, 32)
    ]


MONTH = [revenue(site, day) for site in SITES for day in range(1, 32)]
GOOD = csv_file(REVENUE_HEADER, MONTH)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Three sites, two of them with contracts: a fixed fee, and a charge per occupied room."""
    with running_app(tmp_path_factory.mktemp("bad")) as running:
        running.take_in({f"site_master/{PERIOD}/sites.csv": site_master(*SITES)})
        running.take_in({f"site_statistics/{PERIOD}/rooms.csv": csv_file(ROOMS_HEADER, rooms("0902"))})
        documents = (fixed_fees("0901", ("100.00", 1)), room_charge("0902", "2.50"))
        running.take_in(contract_files(*documents), CONTRACT_DROPS)
        yield running


def report_of(app: App, batch: dict[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(app.blob(IMPORT_REPORTS, f"{batch['batchId']}.json"))
    return report


def quarantined(app: App, batch: dict[str, Any]) -> bytes:
    """The copy that was kept of a refused file; it lies under its batch."""

    def names() -> list[str]:
        return [name for name in app.names(QUARANTINE) if name.startswith(f"{batch['batchId']}/")]

    (name,) = wait_until(names, app.stack.host)
    return app.blob(QUARANTINE, name)


# -- files that are refused whole ---------------------------------------------------------------------------------

REFUSED_FILES = [
    ("an unknown dataset", f"sales/{PERIOD}/a.csv", GOOD, "DATASET_UNKNOWN", ("'sales'", "revenue_daily")),
    ("an unknown period", "revenue_daily/2026-13/a.csv", GOOD, "DROP_PERIOD_INVALID", ("'2026-13'", "YYYY-MM")),
    ("a period in words", "revenue_daily/October/a.csv", GOOD, "DROP_PERIOD_INVALID", ("'October'", "YYYY-MM")),
    ("no folders", "b.csv", GOOD, "DROP_MISPLACED", ("'b.csv'", "{dataset}/{period}/{name}")),
    ("an unknown format", f"revenue_daily/{PERIOD}/a.doc", GOOD, "FORMAT_UNKNOWN", ("a.doc", ".csv")),
    ("nothing in it", f"revenue_daily/{PERIOD}/empty.csv", b"", "FILE_EMPTY", ("empty", "Export")),
    (
        "missing columns",
        f"revenue_daily/{PERIOD}/columns.csv",
        GOOD.replace(b"TAXRATE,", b"").replace(b"SITE,", b"PLACE,"),
        "COLUMNS_MISSING",
        ("SITE, TAXRATE", "Add the columns"),
    ),
    (
        "semicolons",
        f"revenue_daily/{PERIOD}/semicolons.csv",
        GOOD.replace(b",", b";"),
        "COLUMNS_MISSING",
        ("separated by commas",),
    ),
    (
        "no text",
        f"revenue_daily/{PERIOD}/binary.csv",
        bytes(range(256)) * 9,
        "FILE_UNREADABLE",
        ("binary", "Export the file again"),
    ),
    (
        "a quotation mark left open",
        f"revenue_daily/{PERIOD}/quote.csv",
        GOOD + b'0901,"open\n' + GOOD,
        "QUOTE_UNCLOSED",
        (f"row {len(MONTH) + 1}", "written twice"),
    ),
    (
        "another name than its content",
        f"revenue_daily/{PERIOD}/a.xlsx",
        GOOD,
        "FILE_UNREADABLE",
        (".xlsx", "Export the file again"),
    ),
]


@pytest.mark.parametrize(
    ("what", "name", "data", "code", "hints"), REFUSED_FILES, ids=[case[0] for case in REFUSED_FILES]
)
def test_a_warehouse_file_with(app: App, what: str, name: str, data: bytes, code: str, hints: tuple[str, ...]) -> None:
    batch = app.take_in({name: data})[name]
    assert (batch["state"], batch["reason"]) == ("rejected", code)
    for hint in hints:
        assert hint in batch["message"]
    assert quarantined(app, batch) == data == app.blob(EDW_DROPS, name)
    report = report_of(app, batch)
    assert (report["state"], report["reason"], report["message"]) == ("rejected", code, batch["message"])


REFUSED_CONTRACTS = [
    ("no JSON", b'{\n  "site": oops\n}', "CONTRACT_UNREADABLE", ("line 2, column 11",)),
    ("no text", b"\xff\xfe\x00", "CONTRACT_UNREADABLE", ("byte 0",)),
    ("the same field twice", b'{"schemaVersion": "1", "id": "a", "id": "b"}', "CONTRACT_DUPLICATE_KEY", ("/id",)),
    (
        "a word for a number",
        as_bytes(fixed_fees("0903", ("ten", 1))),
        "CONTRACT_FIELD_INVALID",
        ("/components/0/lines/0/fee",),
    ),
    (
        "a group that is not there",
        as_bytes(fixed_fees("0903", ("10.00", 2), groups=[])),
        "CONTRACT_GROUP_UNKNOWN",
        ("/components/0/lines/0/group", "invoice group 2"),
    ),
    ("neither form", b'{"hello": "world"}', "CONTRACT_FIELD_INVALID", ("/original",)),
]


@pytest.mark.parametrize(
    ("what", "data", "code", "places"), REFUSED_CONTRACTS, ids=[case[0] for case in REFUSED_CONTRACTS]
)
def test_a_contract_file_with(app: App, what: str, data: bytes, code: str, places: tuple[str, ...]) -> None:
    name = f"bad/{what}.json"
    batch = app.take_in({name: data}, CONTRACT_DROPS)[name]
    assert (batch["state"], batch["reason"]) == ("rejected", code)
    assert quarantined(app, batch) == data
    report = report_of(app, batch)
    assert report["accepted"] is False
    assert report["error"]["code"] == code and report["error"]["cure"]
    for place in places:
        assert place in json.dumps(report)
    assert app.call("GET", "sites/0903/contract").status_code == 404


def test_bad_contracts_in_a_hundred_do_not_hold_up_the_good_ones(app: App) -> None:
    good = contract_files(*(fixed_fees(f"07{n:02d}", ("1.00", 1)) for n in range(10)))
    bad = {f"broken-{n}.json": b"{" * (n + 1) for n in range(5)}
    batches = app.take_in(good | bad, CONTRACT_DROPS)
    assert {name for name, batch in batches.items() if batch["state"] == "current"} == set(good)
    assert {name for name, batch in batches.items() if batch["state"] == "rejected"} == set(bad)


# -- rows that are refused ----------------------------------------------------------------------------------------


def test_bad_rows_are_listed_with_row_column_rule_and_value_and_the_good_rows_count(app: App) -> None:
    rows = [revenue(site, day, period="2026-09") for site in SITES for day in range(1, 31)]
    rows[4] = revenue("0999", 5, period="2026-09")
    rows[9] = revenue("0901", 10, "ten", period="2026-09")
    rows[19] = "0901,2026-09-20,VD1"
    rows[24] = revenue("901", 25, period="2026-09")
    name = "revenue_daily/2026-09/rows.csv"
    batch = app.take_in({name: csv_file(REVENUE_HEADER, rows)})[name]
    assert (batch["state"], batch["rowsRead"], batch["rowsAccepted"], batch["rowsRejected"]) == ("current", 90, 86, 4)
    rejected = app.get(f"imports/{batch['batchId']}/rejections")["items"]
    assert [[row[key] for key in ("rowNumber", "column", "rule", "value")] for row in rejected] == [
        [5, "SITE", "SITE_UNKNOWN", "0999"],
        [10, "NETEXTERNALREVENUE", "TYPE_NUMBER", "ten"],
        [20, "", "MALFORMED_ROW", "0901,2026-09-20,VD1"],
        [25, "SITE", "SITE_UNKNOWN", "901 (did you mean 0901?)"],
    ]
    lines = app.blob(IMPORT_REPORTS, f"{batch['batchId']}.csv").decode().splitlines()
    assert [line.split(",")[0] for line in lines] == ["row", "5", "10", "20", "25"]
    assert report_of(app, batch)["rejectedByRule"] == {"MALFORMED_ROW": 1, "SITE_UNKNOWN": 2, "TYPE_NUMBER": 1}


def test_a_file_with_too_many_bad_rows_waits_for_a_decision_and_its_correction_is_taken(app: App) -> None:
    bad = [revenue("0901", day, "x") for day in range(1, 21)]
    held, mended = f"revenue_daily/{PERIOD}/held.csv", f"revenue_daily/{PERIOD}/mended.csv"
    batch = app.take_in({held: csv_file(REVENUE_HEADER, [*bad, *MONTH[20:]])})[held]
    assert (batch["state"], batch["reason"]) == ("held", "REJECTED_SHARE")
    assert "20 of 93 rows" in batch["message"] and "drop the corrected file" in batch["message"]
    batch = app.take_in({mended: GOOD})[mended]
    assert (batch["state"], batch["rowsAccepted"]) == ("current", 93)
    loaded = {facts["dataset"]: facts for facts in app.get(f"facts/{PERIOD}")["items"]}
    assert loaded["revenue_daily"]["batches"] == [batch["batchId"]]


# -- runs that cannot bill ----------------------------------------------------------------------------------------


def outcomes(app: App, run: str) -> dict[str, tuple[str, str | None, str | None]]:
    items = app.every(f"statement-runs/{run}/items")
    return {item["siteNumber"]: (item["outcome"], item["reason"], item["message"]) for item in items}


def test_a_run_for_a_month_without_facts_bills_fees_and_fails_the_rest_by_name(app: App) -> None:
    run = app.bill(NO_FACTS, siteNumbers=["0901", "0902"])
    found = outcomes(app, run.id)
    assert found["0901"] == ("Generated", None, None)
    outcome, reason, message = found["0902"]
    assert (outcome, reason) == ("Failed", "MISSING_FACTS")
    assert (
        message is not None and f"site_statistics of {NO_FACTS} for site 0902" in message and "drop the file" in message
    )
    assert (run.run["outcomes"]["failed"], run.run["reasons"]) == (1, {"MISSING_FACTS": 1})
    assert run.run["total"] == Decimal("100.00")
    report = json.loads(app.blob(RUN_REPORTS, f"{run.id}.json"))
    assert report["reconciles"] and report["reasons"] == {"MISSING_FACTS": 1}
    assert [item["message"] for item in report["items"]] == [None, message]


def test_the_same_month_with_facts_bills_both(app: App) -> None:
    run = app.bill(PERIOD, siteNumbers=["0901", "0902"])
    assert {site: outcome for site, (outcome, _, _) in outcomes(app, run.id).items()} == {
        "0901": "Generated",
        "0902": "Generated",
    }
    assert run.run["total"] == Decimal("100.00") + 31 * 10 * Decimal("2.50")


def test_a_contract_of_a_site_that_the_master_does_not_know_is_kept_and_fails_by_name_until_it_does(app: App) -> None:
    app.take_in(contract_files(fixed_fees(NOT_IN_MASTER, ("5.00", 1))), CONTRACT_DROPS)
    run = app.bill(PERIOD, siteNumbers=[NOT_IN_MASTER])
    outcome, reason, message = outcomes(app, run.id)[NOT_IN_MASTER]
    assert (outcome, reason) == ("Failed", "SITE_UNKNOWN")
    assert message is not None and NOT_IN_MASTER in message and "drop a newer site_master" in message
    app.take_in({f"site_master/{PERIOD}/later.csv": site_master(NOT_IN_MASTER)})
    again = app.bill(PERIOD, siteNumbers=[NOT_IN_MASTER], source="again")
    assert outcomes(app, again.id)[NOT_IN_MASTER][0] == "Generated"


REFUSED_RUNS: list[tuple[str, Any, int, str, str]] = [
    ("no period", {}, 400, "BODY_INVALID", "period"),
    ("a number for the period", {"period": 202610}, 400, "BODY_INVALID", "period"),
    ("a field nobody knows", {"period": PERIOD, "sites": ["0901"]}, 400, "BODY_INVALID", "sites"),
    ("a number for a site", {"period": PERIOD, "siteNumbers": [901]}, 400, "BODY_INVALID", "siteNumbers.0"),
    ("an empty site number", {"period": PERIOD, "siteNumbers": [""]}, 400, "BODY_INVALID", "siteNumbers.0"),
    ("a source of strange letters", {"period": PERIOD, "source": "a|b"}, 400, "BODY_INVALID", "source"),
    ("a month that is none", {"period": "2026-13"}, 422, "PERIOD_INVALID", "2026-13"),
    ("a day", {"period": "2026-10-01"}, 422, "PERIOD_INVALID", "2026-10-01"),
    ("a month far ahead", {"period": "2199-01"}, 422, "PERIOD_UNKNOWN", "2199-01"),
    ("an unknown site", {"period": PERIOD, "siteNumbers": ["0901", "0998"]}, 422, "SITES_UNKNOWN", "0998"),
    ("an unknown component", {"period": PERIOD, "contractTypes": ["nothing"]}, 422, "NO_CONTRACTS", "no contract"),
]


@pytest.mark.parametrize(("what", "body", "status", "code", "place"), REFUSED_RUNS, ids=[c[0] for c in REFUSED_RUNS])
def test_a_run_is_refused_for(app: App, what: str, body: Any, status: int, code: str, place: str) -> None:
    before = len(app.get("statement-runs", limit=1000)["items"])
    answer = app.call("POST", "statement-runs", json=body, headers={"X-Correlation-ID": "flow-7"})
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (status, code)
    assert place in answer.text and error["suggestions"][0]
    assert (error["correlationId"], answer.headers["X-Correlation-ID"]) == ("flow-7", "flow-7")
    assert error["requestId"] == answer.headers["X-Request-ID"]
    assert len(app.get("statement-runs", limit=1000)["items"]) == before


BAD_BODIES = [
    ("no JSON", b"{period: 2026-10}", "line 1 column 2"),
    ("a list", b"[]", "JSON object"),
    ("half of an object", b'{"period": "2026-10"', "line 1"),
    ("no text", b"\xff\xfe", "not JSON"),
    ("nesting without end", b'{"a":' + b"[" * 200_000, "not JSON"),
    ("a number without end", b'{"period":' + b"1" * 5_000 + b"}", "not JSON"),
    ("half a character", b'{"period": "2026-10", "siteNumbers": ["\\uD800"]}', "not JSON"),
    ("half a character in a name", b'{"period": "2026-10", "\\udfff": 1}', "not JSON"),
]


@pytest.mark.parametrize(("what", "data", "hint"), BAD_BODIES, ids=[case[0] for case in BAD_BODIES])
def test_a_body_is_refused_that_is(app: App, what: str, data: bytes, hint: str) -> None:
    answer = app.call("POST", "statement-runs", content=data, headers={"Content-Type": "application/json"})
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "BODY_MALFORMED")
    assert hint in error["message"]


# -- size and keys ------------------------------------------------------------------------------------------------


def padded(size: int) -> bytes:
    """A good contract document, padded with blanks to `size` bytes."""
    return as_bytes(fixed_fees("0903", ("10.00", 1))).ljust(size)


def in_pieces(data: bytes) -> Iterator[bytes]:
    yield from (data[start : start + 64_000] for start in range(0, len(data), 64_000))


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize(
    ("size", "status"),
    [(10_000_000, 200), (10_000_001, 413), (10 * MEGABYTE + 1, 413), (25 * MEGABYTE, 413)],
    ids=["as large as allowed", "a byte more than the app takes", "a byte more than the host takes", "far too large"],
)
def test_a_body(app: App, size: int, status: int, chunked: bool) -> None:
    data = padded(size)
    content: bytes | Iterator[bytes] = in_pieces(data) if chunked else data
    try:
        headers = {"Content-Type": "application/json"}
        answer = app.call(
            "PUT", "sites/0903/contract", "contractAdmin", content=content, params={"dryRun": "true"}, headers=headers
        )
    except httpx.TransportError:
        # the host answers and hangs up while a client is still sending, which some clients see as a broken pipe
        assert size > 10 * MEGABYTE
    else:
        assert answer.status_code == status
        if status == 413:
            assert answer.json()["error"]["code"] == "BODY_TOO_LARGE"
    assert app.http.get("health/live").status_code == 200
    assert app.call("GET", "sites/0903/contract").status_code == 404


def test_a_body_that_only_claims_to_be_large_is_refused_before_it_is_read(app: App) -> None:
    token = app.stack.headers("contractAdmin")["Authorization"]
    head = (
        f"PUT /api/v1/sites/0903/contract HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n"
        f"Content-Length: {2**40}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", app.stack.host.port), timeout=30) as caller:
        caller.sendall(head.encode())
        assert b" 413 " in caller.recv(1000).splitlines()[0]


def test_who_may_not_write_is_told_so_whatever_the_size(app: App) -> None:
    answer = app.call("PUT", "sites/0903/contract", "auditor", content=padded(10_000_001))
    assert (answer.status_code, error_of(answer)["code"]) == (403, "FORBIDDEN")


def test_a_wrong_key_opens_nothing_and_a_function_key_not_the_admin_routes(app: App) -> None:
    host = app.stack.host
    for key in (None, b"", b"wrong", b"\xc3\xa4"):
        headers = [] if key is None else [(b"x-functions-key", key)]
        answer = app.http.get("health/ready", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "KEY_REQUIRED")
        assert host.request("GET", "/admin/host/status", headers=headers).status_code == 401
    fire = host.request(
        "POST",
        "/admin/functions/sweep_unfinished_work",
        json={"input": ""},
        headers={"x-functions-key": host.function_key},
    )
    assert fire.status_code == 401


# -- addresses ----------------------------------------------------------------------------------------------------

STRANGE_PATHS = [
    ("statements/%00", 404),
    ("statements/..%2F..%2Fetc", 404),
    ("statements/%27%20OR%201%3D1--", 404),
    (f"statements/{'x' * 3000}", 404),
    ("sites/%F0%9F%9A%97/contract", 404),
    ("sites/%ED%A0%80/contract", 404),
    ("errors/%3Cscript%3E", 404),
    ("statement-runs?limit=%C2%B2", 400),
    ("statements?siteNumber=%00", 200),
    ("statements?status=%F0%9F%9A%97", 400),
    ("statements?cursor=4pyT", 400),
    ("no-such-route", 404),
]


@pytest.mark.parametrize("given", [b"\xff\xfe", "\u00e4".encode(), b"x" * 300, b"'; --"])
def test_a_strange_correlation_id_does_not_stop_a_run(app: App, given: bytes) -> None:
    token = app.stack.headers("billingAdmin")["Authorization"].encode()
    headers = [(b"authorization", token), (b"x-correlation-id", given)]
    body = {"period": PERIOD, "siteNumbers": ["0901"], "source": f"strange-{len(given)}"}
    answer = app.http.post("statement-runs", headers=headers, json=body)
    assert answer.status_code == 202
    assert len(answer.headers["X-Correlation-ID"]) <= 64
    wait_until(lambda: app.call("GET", answer.headers["Location"]).status_code == 200, app.stack.host)


@pytest.mark.parametrize(("path", "status"), STRANGE_PATHS)
def test_a_strange_address_is_answered_and_never_a_fault(app: App, path: str, status: int) -> None:
    answer = app.call("GET", path)
    assert answer.status_code == status
    assert "INTERNAL_ERROR" not in answer.text and "<script>" not in answer.headers.get("content-type", "")


def test_after_all_of_it_the_app_is_well_and_no_message_or_blob_is_given_up(app: App) -> None:
    wait_until(lambda: not app.left_in_queues(), app.stack.host, app.stack.bus)
    assert app.stack.host.status()["poisonBlobs"] == []
    key = {"x-functions-key": app.stack.host.function_key}
    assert app.http.get("health/ready", headers=key).json()["ready"] is True
    for name in (f"site_master/{PERIOD}/sites.csv", f"site_statistics/{PERIOD}/rooms.csv"):
        (batch,) = [batch for batch in app.imports() if batch["sourceName"] == name]
        assert batch["state"] == "current"

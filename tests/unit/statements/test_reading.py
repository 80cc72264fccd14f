"""Runs and statements as they are read: what a caller may see, in every list and by id, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from functions.wire import dumps
from shared_code.facts.tables import site
from shared_code.foundation import database
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.settings import settings
from shared_code.foundation.visibility import EVERYTHING, Visibility
from shared_code.operations.schema import metadata
from shared_code.statements.reading import queries
from shared_code.statements.reading.filters import RunFilter, StatementFilter
from shared_code.statements.tables import invoice, invoice_line, run_item, statement, statement_document, statement_run

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
ALL = PageRequest(limit=100)
TOTALS = {"0001": "10.00", "0002": "1234.50", "0003": "-3.00", "0004": "10.00"}
NOTHING = Visibility(sa.select(site.c.site_number).where(site.c.name == "nowhere"))


def only(*sites: str) -> Visibility:
    """The row filter of a manager with these sites."""
    return Visibility(sa.select(site.c.site_number).where(site.c.site_number.in_(sites)))


@pytest.fixture(scope="module", autouse=True)
def billed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Four sites with a statement each, in a run of October; the site 0005 failed. A run of September is under way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPERATOR_NAME", "Example Parking")
        patch.setenv("DATABASE_URL", f"sqlite:///{tmp_path_factory.mktemp('reading') / 'app.sqlite'}")
        settings.cache_clear()
        database.engine.cache_clear()
        metadata.create_all(database.engine())
        with database.transaction() as work:
            fill(work.connection)
        yield
        database.engine().dispose()
        settings.cache_clear()
        database.engine.cache_clear()


def fill(connection: sa.Connection) -> None:
    sites = [*TOTALS, "0005"]
    rows = [{"site_number": n, "name": f"Hotel {n}", "batch_no": 0, "row_number": i} for i, n in enumerate(sites)]
    connection.execute(site.insert(), rows)
    connection.execute(statement_run.insert(), [run("october", "2026-10", 0), run("september", "2026-09", 60)])
    for place, (number, total) in enumerate(TOTALS.items()):
        add_statement(connection, number, total, place)
    failed = {"outcome": "Failed", "reason": "SITE_UNKNOWN", "message": "not known", "details": None}
    connection.execute(run_item.insert(), item("0005") | failed)


def run(run_id: str, period: str, seconds: int) -> dict[str, object]:
    done = run_id == "october"
    return {
        "run_id": run_id,
        "natural_key": run_id,
        "kind": "Generate",
        "period": period,
        "source": "manual",
        "scope": '{"siteNumbers": ["0001"]}' if done else "{}",
        "state": "Completed" if done else "Running",
        "requested_by": "ann",
        "requested_by_id": "ann-1",
        "correlation_id": "c",
        "expected": 5,
        "attempt": 1,
        "created_at": START + timedelta(seconds=seconds),
        "resumed_at": START,
        "finished_at": START + timedelta(minutes=5) if done else None,
    }


def item(number: str) -> dict[str, object]:
    return {
        "run_id": "october",
        "contract_id": f"contract-{number}",
        "site_number": number,
        "contract_version": 1,
        "chunk": 0,
    }


def add_statement(connection: sa.Connection, number: str, total: str, place: int) -> None:
    connection.execute(
        statement.insert().values(
            statement_id=f"statement-{number}",
            contract_id=f"contract-{number}",
            period="2026-10",
            version=1,
            generation=1,
            contract_version=1,
            site_number=number,
            site_name=f"Hotel {number}",
            status="ApprovalTeam",
            status_reason="NO_COMPARISON",
            total=Decimal(total),
            run_id="october",
            warnings='[{"code":"RATE_BEFORE_BASE","message":"before the base"}]' if number == "0001" else "[]",
            created_at=START + timedelta(seconds=10 - place),
            checked_at=START,
        )
    )
    connection.execute(
        invoice.insert().values(
            invoice_id=f"invoice-{number}",
            number=f"{number}-202610-01-01",
            statement_id=f"statement-{number}",
            invoice_group=1,
            invoice_date=date(2026, 10, 31),
            payment_terms="Due on Receipt",
            amount=Decimal(total),
        )
    )
    connection.execute(
        invoice_line.insert().values(
            line_id=f"line-{number}",
            invoice_id=f"invoice-{number}",
            ordinal=1,
            block="fixedFee",
            title="Service",
            description="A month",
            code="4700",
            amount=Decimal(total),
            meta="{}",
            trace="{}",
        )
    )
    document = {"statement_id": f"statement-{number}", "run_id": "october", "state": "Pending", "snapshot": "{}"}
    connection.execute(statement_document.insert(), document)
    begun = START + timedelta(minutes=1)
    timed = {"started_at": begun, "finished_at": begun + timedelta(seconds=6 - place, milliseconds=-750)}
    connection.execute(
        run_item.insert(), item(number) | timed | {"outcome": "Generated", "statement_id": f"statement-{number}"}
    )


def sites_listed(visible: Visibility, sort: str | None = None, **wanted: Any) -> list[str]:
    page = queries.list_statements(StatementFilter(**wanted), PageRequest(100, None, sort), visible)
    assert page.total == len(page.items)
    return [found.site_number for found in page.items]


# -- what a caller may see ----------------------------------------------------------------------------------------

SEEN: list[tuple[str, Visibility, list[str]]] = [
    ("everything", EVERYTHING, ["0001", "0002", "0003", "0004"]),
    ("two sites", only("0002", "0004"), ["0002", "0004"]),
    ("a site that is not billed", only("0005"), []),
    ("nothing", NOTHING, []),
]


@pytest.mark.parametrize(("what", "visible", "sites"), SEEN, ids=[case[0] for case in SEEN])
def test_who_may_see(what: str, visible: Visibility, sites: list[str]) -> None:
    """Lists, counts, pages and single statements agree, filters included."""
    assert sites_listed(visible) == sites
    assert sites_listed(visible, period="2026-10", status="approvalteam", run_id="october") == sites
    for number in TOTALS:
        assert sites_listed(visible, site_number=number) == [n for n in sites if n == number]
        reads: tuple[Callable[[str, Visibility], object], ...] = (queries.statement_detail, queries.statement_pdf)
        for read in reads:
            code = code_of(read, f"statement-{number}", visible)
            if number not in sites:
                assert code == "STATEMENT_NOT_FOUND"
            else:
                assert code == ("DOCUMENT_NOT_READY" if read is queries.statement_pdf else None)


def code_of[**Asked](ask: Callable[Asked, object], *with_: Asked.args, **named: Asked.kwargs) -> str | None:
    """The code that asking is refused with, None when it is answered."""
    try:
        ask(*with_, **named)
    except BillingError as refused:
        return refused.code
    return None


# -- lists --------------------------------------------------------------------------------------------------------

ORDERS = [
    (None, ["0001", "0002", "0003", "0004"]),
    ("-siteNumber", ["0004", "0003", "0002", "0001"]),
    ("total", ["0003", "0001", "0004", "0002"]),
    ("-total", ["0002", "0004", "0001", "0003"]),
    ("createdAt", ["0004", "0003", "0002", "0001"]),
]


@pytest.mark.parametrize(("sort", "sites"), ORDERS)
def test_statements_are_sorted_by_site_total_or_age(sort: str | None, sites: list[str]) -> None:
    assert sites_listed(EVERYTHING, sort) == sites


def test_runs_are_listed_newest_first_with_their_counts() -> None:
    page = queries.list_runs(RunFilter(), PageRequest(1))
    rest = queries.list_runs(RunFilter(), PageRequest(1, page.next_cursor))

    assert [(found.id, found.expected) for found in page.items] == [("september", 5)]
    assert [(found.id, found.outcomes.generated, found.outcomes.failed) for found in rest.items] == [("october", 4, 1)]
    assert (page.total, rest.next_cursor) == (2, None)


@pytest.mark.parametrize(
    ("wanted", "runs"),
    [
        (RunFilter(period="202609"), ["september"]),
        (RunFilter(state="completed"), ["october"]),
        (RunFilter(source="scheduled"), []),
    ],
)
def test_runs_are_narrowed_by_period_state_and_source(wanted: RunFilter, runs: list[str]) -> None:
    assert [found.id for found in queries.list_runs(wanted, ALL).items] == runs


def test_items_are_listed_by_site_and_narrowed_by_outcome() -> None:
    assert [found.site_number for found in queries.run_items("october", ALL).items] == [*TOTALS, "0005"]
    (failed,) = queries.run_items("october", ALL, "failed").items
    assert (failed.reason, failed.message, failed.reasons) == ("SITE_UNKNOWN", "not known", ())
    assert failed.suggestion is not None and failed.suggestion.startswith("Drop a site master")


REFUSED: list[tuple[str, Callable[[], object], str]] = [
    ("a period", lambda: sites_listed(EVERYTHING, period="October"), "PERIOD_INVALID"),
    ("a status", lambda: sites_listed(EVERYTHING, status="Lost"), "FILTER_INVALID"),
    ("an order", lambda: sites_listed(EVERYTHING, "siteName"), "SORT_INVALID"),
    ("the state of a run", lambda: queries.list_runs(RunFilter(state="Lost"), ALL), "FILTER_INVALID"),
    ("the period of a run", lambda: queries.list_runs(RunFilter(period="2026"), ALL), "PERIOD_INVALID"),
    ("an outcome", lambda: queries.run_items("october", ALL, "Lost"), "FILTER_INVALID"),
    ("a run", lambda: queries.run_items("august", ALL), "RUN_NOT_FOUND"),
    ("a run's status", lambda: queries.run_status("august"), "RUN_NOT_FOUND"),
]


@pytest.mark.parametrize(("what", "ask", "code"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_there_is_not_is_refused(what: str, ask: Callable[[], object], code: str) -> None:
    assert code_of(ask) == code


# -- the wire -----------------------------------------------------------------------------------------------------


def test_a_run_is_written_as_callers_know_it() -> None:
    assert dumps(queries.run_status("october")) == (
        '{"id":"october","kind":"Generate","period":"2026-10","source":"manual","scope":{"siteNumbers":["0001"]},"state":"Completed",'
        '"attempt":1,"requestedBy":"ann","createdAt":"2026-11-02T08:00:00Z","finishedAt":"2026-11-02T08:05:00Z",'
        '"cancelledAt":null,"expected":5,"outcomes":{"generated":4,"nothingToBill":0,"held":0,"failed":1,"skipped":0,'
        '"cancelled":0,"pending":0},'
        '"reasons":{"SITE_UNKNOWN":1},"documents":{"rendered":0,"pending":4},"statements":4,"invoices":4,'
        '"total":1251.50,"timings":{"firstStarted":"2026-11-02T08:01:00Z","lastFinished":"2026-11-02T08:01:05.250000Z",'
        '"seconds":5.25}}'
    )


def test_a_statement_is_written_as_callers_know_it() -> None:
    assert dumps(queries.statement_detail("statement-0001", EVERYTHING)) == (
        '{"id":"statement-0001","siteNumber":"0001","siteName":"Hotel 0001","contractId":"contract-0001",'
        '"contractVersion":1,"period":"2026-10","version":1,"generation":1,"status":"ApprovalTeam",'
        '"statusReason":"NO_COMPARISON","total":10.00,"runId":"october","createdAt":"2026-11-02T08:00:10Z",'
        '"supersededAt":null,"staleSince":null,"staleReason":null,"comparison":null,"staleDifference":null,'
        '"warnings":[{"code":"RATE_BEFORE_BASE","message":"before the base"}],'
        '"invoices":[{"number":"0001-202610-01-01","group":1,"invoiceDate":"2026-10-31","dueDate":null,'
        '"paymentTerms":"Due on Receipt","purchaseOrder":null,"title":null,"description":null,"customerName":null,'
        '"vendorId":null,"emails":[],"amount":10.00,'
        '"lines":[{"id":"line-0001","block":"fixedFee","title":"Service","description":"A month","code":"4700",'
        '"amount":10.00,"adHocLineId":null}]}]}'
    )


def test_a_page_is_written_with_its_cursor_and_the_number_of_all() -> None:
    text = dumps(queries.run_items("october", PageRequest(5), "Failed"))

    assert text == (
        '{"items":[{"contractId":"contract-0005","siteNumber":"0005","contractVersion":1,"outcome":"Failed",'
        '"reason":"SITE_UNKNOWN","message":"not known","suggestion":"Drop a site master that lists it, then retry '
        'the run.","owner":"billingAdmin","reasons":[],"statementId":null}],"nextCursor":null,"total":1}'
    )

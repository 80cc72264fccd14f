"""Files dropped into storage become facts: on the storage emulator and a database file, use cases called directly.

The queue is played by the outbox: `deliver` hands its messages to the consumer, in any order and as often as a test
likes, which is what the bus may do.
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from localhost.processes import Azurite
from shared_code.documents.paths import CONTRACT_DROPS, EDW_DROPS, IMPORT_REPORTS, QUARANTINE
from shared_code.edw import contract_drops, drops, queries, repository, slices, storage, watch
from shared_code.edw.errors import ConservationError
from shared_code.edw.model import DatasetFacts, Import, ImportFilter, Rejection
from shared_code.edw.repository import Batch
from shared_code.edw.tables import import_slice, rejected_row
from shared_code.facts.tables import (
    current_facts,
    hours_monthly,
    import_batch,
    revenue_daily,
    revenue_monthly,
    site,
    site_statistics,
    statistics_monthly,
    timesheet,
)
from shared_code.foundation import blobs, bus, clock, database
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.paging import Page
from shared_code.foundation.settings import settings
from shared_code.foundation.visibility import EVERYTHING, Visibility
from shared_code.operations.schema import metadata
from tests.flows.conftest import as_bytes, fixed_fees

pytestmark = pytest.mark.flow

OCTOBER = Period(2026, 10)
REVENUE_HEADER = (
    "SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,COLLECTION_TYPE,DEPOSIT_FLAG,"
    "NETEXTERNALREVENUE,EXTERNALREVENUE,TAXRATE,BILLABLE_NET_VALIDATION"
)
STATISTICS_HEADER = "FILE_NAME,SITE,DATE,REVENUE_CODE,REVENUE_CATEGORY,VALUE_TYPE,VALUE,IS_DRAFT,DW_LOADED_DTTM"
MASTER_HEADER = (
    "SITE,NAME,DISTRICT,STREET,CITY,STATE,ZIP,CONTRACT_TYPE,FIRST_WORKED_DATE,DEPOSIT_FLAG,GL_STRING,"
    "MANAGER_FIRST,MANAGER_LAST,MANAGER_ID,BILLING_EMAIL,TOTAL_ROOMS,TOTAL_SPACES"
)


def handle(message: dict[str, Any]) -> None:
    """What the door of the queue does."""
    if message.get("finish"):
        slices.finish_batch(message["batch"])
    else:
        slices.stage_slice(message["batch"], message["slice"])


class Warehouse:
    """What stands outside: someone drops files, the queue delivers messages."""

    def __init__(self) -> None:
        self.delivered: set[str] = set()

    def drop(self, name: str, content: str | bytes) -> str:
        """Drop a file and let its trigger fire. Returns the batch id."""
        self.put(name, content)
        return drops.receive_drop(EDW_DROPS, name)

    def put(self, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        blobs.put(EDW_DROPS, name, data, "text/csv")

    def pending(self) -> list[dict[str, Any]]:
        """Messages that were sent and not yet delivered, oldest first."""
        with database.reading() as connection:
            rows = connection.execute(sa.text("SELECT message_id, body FROM outbox ORDER BY created_at, rowid")).all()
        fresh = [(key, body) for key, body in rows if key not in self.delivered]
        self.delivered.update(key for key, _ in fresh)
        return [json.loads(body) for _, body in fresh]

    def deliver(self) -> None:
        """Deliver messages until there are none."""
        while messages := self.pending():
            for message in messages:
                handle(message)

    def load(self, name: str, content: str | bytes) -> Batch:
        """Drop a file and see it through."""
        batch_id = self.drop(name, content)
        self.deliver()
        return batch(batch_id)


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture
def warehouse(azurite: Azurite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'facts.sqlite'}")
    monkeypatch.setenv("BillingStorage", azurite.connection_string)
    monkeypatch.setenv("SLICE_BYTES", "1000")
    monkeypatch.setattr(bus, "publish_quietly", lambda messages: 0)  # there is no bus: the outbox plays it
    caches: tuple[Callable[[], None], ...] = (
        settings.cache_clear,
        database.engine.cache_clear,
        blobs.service.cache_clear,
        blobs.ensure_container.cache_clear,
    )
    for clear in caches:
        clear()
    metadata.create_all(database.engine())
    empty_storage()
    yield Warehouse()
    database.engine().dispose()
    for clear in caches:
        clear()


def empty_storage() -> None:
    for container in (EDW_DROPS, CONTRACT_DROPS, storage.WORK, IMPORT_REPORTS, QUARANTINE):
        client = blobs.service().get_container_client(container)
        if client.exists():
            for blob in client.list_blobs():
                client.delete_blob(blob.name)


@pytest.fixture
def opened(warehouse: Warehouse) -> Warehouse:
    """A warehouse whose site master is loaded: sites 0001 to 0030."""
    assert warehouse.load("site_master/2026-10/sites.csv", master(range(1, 31))).state == "current"
    return warehouse


def master(numbers: range) -> str:
    rows = [
        f'{n:04d},Hotel {n},East,"{n} Main St, Rear",Springfield,IL,62701,Fixed,2020-01-01,N,01-02-{n:04d}-'
        for n in numbers
    ]
    return "\n".join([MASTER_HEADER, *(row + ",Ann,Lee,M1,a@example.com,120,80" for row in rows)]) + "\n"


def revenue(number: int, day: int, net: str = "10.00", **other: str) -> str:
    values = {"code": "VD1", "category": "Valet Daily", "type": "", "flag": "N", "rate": "0.0825"} | other
    return (
        f"{number:04d},2026-10-{day:02d},{values['code']},{values['category']},{values['type']},{values['flag']},"
        f"{net},{net},{values['rate']},0"
    )


def month(numbers: range, net: str = "10.00") -> list[str]:
    return [revenue(n, day, net) for n in numbers for day in range(1, 32)]


def csv_of(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def batch(batch_id: str) -> Batch:
    with database.reading() as connection:
        found = repository.batch_by_id(connection, batch_id)
    assert found is not None
    return found


def audited(batch_id: str) -> list[tuple[str, str | None]]:
    """What the audit says of a batch, in order, each with its reason."""
    with database.reading() as connection:
        chosen = sa.select(audit_event.c.body).where(audit_event.c.stream == f"import/{batch_id}")
        events = [json.loads(body) for body in connection.scalars(chosen.order_by(audit_event.c.sequence))]
    return [(event["action"].removeprefix("import."), event["reason"]) for event in events]


def count(table: sa.Table) -> int:
    with database.reading() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def report(batch_id: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(blobs.get(IMPORT_REPORTS, f"{batch_id}.json"))
    return document


def loaded() -> tuple[DatasetFacts, ...]:
    """What is loaded for October, as those see it who see all sites."""
    return queries.facts_of_period(OCTOBER, EVERYTHING).items


def rejections(batch_id: str, visible: Visibility = EVERYTHING, **asked: Any) -> Page[Rejection]:
    """A page of the rejected rows of a batch."""
    return queries.list_rejections(batch_id, PageRequest(**asked), visible)


def imports(**wanted: str) -> Page[Import]:
    """The first page of imports, as those see it who see all sites."""
    return queries.list_imports(ImportFilter(**wanted), PageRequest(), EVERYTHING)


def current(dataset: str = "revenue_daily") -> dict[str, tuple[str, int, int]]:
    """Batch, rows and rejected rows per site."""
    for facts in loaded():
        if facts.dataset == dataset:
            return {f.site: (f.batch_id, f.row_count, f.rejected_count) for f in facts.sites}
    return {}


def everything() -> dict[str, list[object]]:
    """Facts, sums, pointers and rejected rows: what must not change when something is repeated."""
    tables = (revenue_daily, revenue_monthly, current_facts, rejected_row, import_slice, import_batch)
    with database.reading() as connection:
        return {
            t.name: [tuple(row) for row in connection.execute(sa.select(t).order_by(*t.primary_key.columns))]
            for t in tables
        }


# -- the plain way ------------------------------------------------------------------------------------------------


def test_a_month_of_revenue_becomes_facts_with_batch_and_row_number(opened: Warehouse) -> None:
    made = opened.load("revenue_daily/2026-10/october.csv", csv_of(REVENUE_HEADER, month(range(1, 6))))
    assert (made.state, made.rows_read, made.rows_accepted, made.rows_rejected) == ("current", 155, 155, 0)
    assert made.slices > 5
    assert made.money_read == made.money_accepted == Decimal("1550.0000")
    assert made.last_day is not None and made.last_day.isoformat() == "2026-10-31"
    with database.reading() as connection:
        numbers = connection.scalars(sa.select(revenue_daily.c.row_number).order_by(revenue_daily.c.row_number)).all()
        row = connection.execute(sa.select(revenue_daily).where(revenue_daily.c.row_number == 32)).one()
        sums = connection.execute(sa.select(revenue_monthly).order_by(revenue_monthly.c.site)).all()
    assert numbers == list(range(1, 156))
    assert (row.batch_no, row.site, row.day.isoformat(), row.revenue_category) == (
        made.batch_no,
        "0002",
        "2026-10-01",
        "VALET DAILY",
    )
    assert (row.net, row.tax_rate, row.collection_type) == (Decimal("10.0000"), Decimal("0.082500"), "")
    assert len(sums) == 5
    assert (sums[0].net, sums[0].tax, sums[0].row_count) == (Decimal("310.0000"), Decimal("25.575"), 31)
    assert current() == {f"{n:04d}": (made.batch_id, 31, 0) for n in range(1, 6)}
    assert report(made.batch_id)["rows"] == {
        "read": 155,
        "accepted": 155,
        "rejected": 0,
        "duplicate": 0,
        "possibleDuplicate": 0,
    }


def test_bad_rows_are_rejected_with_row_column_rule_and_value_and_the_rest_goes_on(opened: Warehouse) -> None:
    rows = month(range(1, 11))
    rows[4] = revenue(99, 5)
    rows[9] = revenue(1, 10, "ten")
    rows[19] = "0001,2026-10-20,VD1"
    rows[29] = revenue(1, 30).replace("0001,", "1,", 1)
    made = opened.load("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, rows))
    assert (made.state, made.rows_read, made.rows_accepted, made.rows_rejected) == ("current", 310, 306, 4)
    assert made.money_read == made.money_accepted + made.money_rejected == Decimal("3080.0000")
    page = rejections(made.batch_id, limit=3)
    assert [(r.row_number, r.column, r.rule, r.value) for r in page.items] == [
        (5, "SITE", "SITE_UNKNOWN", "0099"),
        (10, "NETEXTERNALREVENUE", "TYPE_NUMBER", "ten"),
        (20, "", "MALFORMED_ROW", "0001,2026-10-20,VD1"),
    ]
    assert page.total == 4
    rest = rejections(made.batch_id, cursor=page.next_cursor)
    assert [(r.row_number, r.site, r.value) for r in rest.items] == [(30, "0001", "1 (did you mean 0001?)")]
    assert current()["0001"] == (made.batch_id, 28 - 1, 2)
    lines = blobs.get(IMPORT_REPORTS, f"{made.batch_id}.csv").decode().splitlines()
    assert lines[:2] == ["row,column,rule,value,site,amount", "5,SITE,SITE_UNKNOWN,0099,0099,10.0000"]
    assert report(made.batch_id)["rejectedByRule"] == {"MALFORMED_ROW": 1, "SITE_UNKNOWN": 2, "TYPE_NUMBER": 1}


@pytest.mark.parametrize("form", [".csv.gz", ".parquet", ".xlsx", ".CSV"])
def test_every_format_gives_the_same_facts(opened: Warehouse, form: str) -> None:
    text = csv_of(REVENUE_HEADER, month(range(1, 4)))
    made = opened.load(f"revenue_daily/2026-10/october{form}", as_format(text, form))
    assert (made.state, made.message, made.rows_accepted) == ("current", None, 93)
    assert made.money_accepted == Decimal("930.0000")
    assert set(current()) == {"0001", "0002", "0003"}


def as_format(text: str, form: str) -> bytes:
    frame = pl.read_csv(io.StringIO(text), infer_schema=False)
    out = io.BytesIO()
    if form == ".csv.gz":
        half = len(text) // 2  # two members, as appended archives have
        return gzip.compress(text[:half].encode()) + gzip.compress(text[half:].encode())
    if form == ".parquet":
        frame.with_columns(
            pl.col("DATE").str.to_date(), pl.col("NETEXTERNALREVENUE").cast(pl.Decimal(18, 2))
        ).write_parquet(out)
    elif form == ".xlsx":
        return workbook([tuple(frame.columns), *frame.rows()])
    else:
        return text.encode()
    return out.getvalue()


def workbook(rows: list[tuple[str | None, ...]]) -> bytes:
    """The least that is an Excel workbook, all cells text."""
    import zipfile

    cells = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{value or ""}</t></is></c>' for value in row) + "</row>"
        for row in rows
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}relationships">'
        f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">'
        '<sheets><sheet name="data" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_time_sheets_keep_rounded_hours_and_exact_minutes(opened: Warehouse) -> None:
    names = ("REGULAR", "OVERTIME", "HOLIDAY", "DOUBLE_OVERTIME", "HOLIDAY_OVERTIME", "HOLIDAY_DOUBLE_OVERTIME")
    minutes = [name + twin for name in names for twin in ("", "_NEXT_DAY")]
    header = ",".join(["LOCATION_EXTERNAL_ID,YEAR,DAY_OF_THE_YEAR,WORK_ROLE,EMPLOYEE_KEY", *minutes])
    shift = "0001,2026,274,valet ,E1,470,7,1,0,2,0,3,0,4,0,5,0"  # 1 October; 477 regular, 15 overtime minutes
    made = opened.load("timesheet/2026-10/t.csv", csv_of(header, [shift, shift, shift.replace(",274,", ",305,")]))
    assert (made.state, made.rows_rejected) == ("held", 1)
    assert [r.rule for r in rejections(made.batch_id).items] == ["PERIOD_MISMATCH"]
    made = opened.load("timesheet/2026-10/u.csv", csv_of(header, [shift, shift]))
    assert (made.state, made.rows_accepted, made.rows_duplicate, made.rows_repeated) == ("current", 2, 0, 1)
    assert made.money_accepted == Decimal("984.0000")  # minutes are its control total
    with database.reading() as connection:
        row = connection.execute(sa.select(timesheet).where(timesheet.c.batch_no == made.batch_no)).first()
        total = connection.execute(sa.select(hours_monthly)).one()
    assert row is not None
    assert (row.day.isoformat(), row.work_role, row.timesheet_id) == ("2026-10-01", "VALET", None)
    assert (row.regular_hours, row.overtime_hours) == (Decimal("7.95"), Decimal("0.25"))
    assert (total.regular_hours, total.overtime_minutes, total.row_count) == (Decimal("15.9"), Decimal(30), 2)


def test_ledger_and_forecast_are_pointed_to_by_site_without_days(opened: Warehouse) -> None:
    ledger = csv_of("PERIOD,COST_CENTER,MAIN_ACCOUNT,ENTITY,ACCOUNT_INDEX,BALANCE", ["202610,0001,6010,01,77,(125.50)"])
    forecast = csv_of(
        "COST_CENTER,PERIOD,IS_SUMMARY_CATEGORY,FD_BALANCE,DW_LOADED_DTTM", ["0001,202610,External Revenue,1000,x"]
    )
    assert opened.load("account_summary/2026-10/l.csv", ledger).money_accepted == Decimal("-125.5000")
    assert opened.load("forecast/2026-10/f.csv", forecast).state == "current"
    assert [(f.dataset, f.rows, f.last_day) for f in loaded()] == [
        ("account_summary", 1, None),
        ("forecast", 1, None),
    ]


# -- again and again ----------------------------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing_and_is_recorded_once_per_name(opened: Warehouse) -> None:
    text = csv_of(REVENUE_HEADER, month(range(1, 3)))
    first = opened.load("revenue_daily/2026-10/a.csv", text)
    before = everything()
    assert opened.load("revenue_daily/2026-10/a.csv", text).batch_id == first.batch_id
    assert everything() == before
    again = opened.load("revenue_daily/2026-10/b.csv", text)
    assert (again.state, again.duplicate_of, again.rows_read, again.slices) == ("duplicate", first.batch_id, 0, 0)
    assert opened.load("revenue_daily/2026-10/b.csv", text).batch_id == again.batch_id
    assert imports(dataset="revenue_daily").total == 2
    assert everything()["revenue_daily"] == before["revenue_daily"]
    assert audited(first.batch_id) == [("received", None), ("published", None)]
    assert audited(again.batch_id) == [("duplicate", None)]


def test_a_held_file_is_read_again_by_itself_once_the_site_master_knows_its_sites(opened: Warehouse) -> None:
    """Facts may arrive before the master that lists their sites; the same bytes could not be dropped again."""
    name, text = "revenue_daily/2026-10/new.csv", csv_of(REVENUE_HEADER, month(range(31, 33)))
    assert opened.load(name, text).state == "held"

    opened.load("site_master/2026-10/more.csv", master(range(1, 40)))

    found = batch_of(name)
    assert (found.state, found.reason, found.rows_accepted, found.rows_rejected) == ("current", None, 62, 0)
    assert rejections(found.batch_id).total == 0
    assert json.loads(blobs.get(IMPORT_REPORTS, f"{found.batch_id}.json"))["state"] == "current"
    held = ("held", "REJECTED_SHARE")
    assert audited(found.batch_id) == [("received", None), held, ("restarted", None), ("published", None)]


def test_a_held_file_stays_held_when_the_new_master_does_not_know_its_sites(opened: Warehouse) -> None:
    name, text = "revenue_daily/2026-10/new.csv", csv_of(REVENUE_HEADER, month(range(31, 33)))
    opened.load(name, text)

    opened.load("site_master/2026-10/more.csv", master(range(1, 31)) + master(range(40, 41)).partition("\n")[2])

    assert batch_of(name).state == "held"


def test_a_held_file_that_is_dropped_again_is_read_again(opened: Warehouse) -> None:
    name, text = "revenue_daily/2026-10/new.csv", csv_of(REVENUE_HEADER, month(range(31, 33)))
    assert opened.load(name, text).state == "held"
    assert drops.receive_drop(EDW_DROPS, name) == batch_of(name).batch_id
    assert opened.pending() == []  # the trigger fired twice for one drop: nothing is read again

    opened.drop(name, text)

    assert (batch_of(name).state, len(opened.pending())) == ("loading", batch(batch_of(name).batch_id).slices)
    assert [action for action, _ in audited(batch_of(name).batch_id)] == ["received", "held", "restarted"]


def test_a_master_published_while_slices_are_checked_makes_the_batch_begin_anew(opened: Warehouse) -> None:
    name, text = "revenue_daily/2026-10/new.csv", csv_of(REVENUE_HEADER, month(range(31, 33)))
    opened.drop(name, text)
    for message in opened.pending():
        handle(message)
    finishing = opened.pending()
    opened.load("site_master/2026-10/more.csv", master(range(1, 40)))
    for message in finishing:
        handle(message)
    opened.deliver()

    assert (batch_of(name).state, batch_of(name).rows_accepted) == ("current", 62)
    assert [action for action, _ in audited(batch_of(name).batch_id)] == ["received", "restarted", "published"]


def test_current_facts_with_few_unknown_sites_load_whole_when_they_are_dropped_again(opened: Warehouse) -> None:
    """Below the share that holds a batch, the rows of an unknown site are refused and the others are current."""
    name, text = "revenue_daily/2026-10/all.csv", csv_of(REVENUE_HEADER, [*month(range(1, 31)), revenue(31, 5)])
    first = opened.load(name, text)
    assert (first.state, first.rows_rejected) == ("current", 1)
    assert opened.load(name, text).batch_id == first.batch_id  # as long as nobody knows the site, it is the same file
    opened.load("site_master/2026-10/more.csv", master(range(1, 40)))

    again = opened.load(name, text)

    assert (again.state, again.rows_rejected, again.batch_id == first.batch_id) == ("current", 0, False)
    assert opened.load(name, text).batch_id == first.batch_id  # nothing more is to be learnt from these bytes
    (facts,) = loaded()
    assert {found.batch_id for found in facts.sites} == {again.batch_id}


def batch_of(name: str) -> Import:
    return next(found for found in imports().items if found.source_name == name)


def test_a_manager_sees_the_rejected_rows_of_assigned_sites_only(opened: Warehouse) -> None:
    rows = [revenue(n, 1, net) for n, net in ((1, "x"), (2, "y"), *((3, "1.00") for _ in range(60)))]
    made = opened.load("revenue_daily/2026-10/some.csv", csv_of(REVENUE_HEADER, rows))

    page = rejections(made.batch_id, only("0002"))

    assert [(row.site, row.value) for row in page.items] == [("0002", "y")]
    assert (page.total, rejections(made.batch_id).total) == (1, 2)
    assert queries.get_import(made.batch_id, only("0002")).rejected_by_rule == {"TYPE_NUMBER": 1}


def only(*sites: str) -> Visibility:
    """The row filter of a manager with these sites."""
    return Visibility(sa.select(site.c.site_number).where(site.c.site_number.in_(sites)))


def test_a_manager_sees_imports_and_facts_of_assigned_sites_and_learns_of_no_others(opened: Warehouse) -> None:
    first = opened.load("revenue_daily/2026-10/one.csv", csv_of(REVENUE_HEADER, month(range(1, 2))))
    other = opened.load("revenue_daily/2026-10/two.csv", csv_of(REVENUE_HEADER, month(range(2, 3))))
    mine = only("0001")

    page = queries.list_imports(ImportFilter(dataset="revenue_daily"), PageRequest(), mine)

    assert ([batch.batch_id for batch in page.items], page.total) == ([first.batch_id], 1)
    assert {batch.money_read for batch in page.items} == {None}
    assert queries.get_import(first.batch_id, mine).slices == ()
    facts = queries.facts_of_period(OCTOBER, mine).items
    assert [(found.rows, [one.site for one in found.sites]) for found in facts] == [(31, ["0001"])]
    for hidden in (
        lambda: queries.get_import(other.batch_id, mine),
        lambda: rejections(other.batch_id, mine),
        lambda: queries.get_import(first.batch_id, only()),
    ):
        with pytest.raises(BillingError) as refused:
            hidden()
        assert refused.value.code == "IMPORT_NOT_FOUND"
    assert queries.facts_of_period(OCTOBER, only()).items == ()


def test_imports_and_rejections_are_paged_in_every_order_that_they_have(opened: Warehouse) -> None:
    rows = [revenue(1, day, "x") for day in range(1, 8)] + month(range(2, 12))
    made = opened.load("revenue_daily/2026-10/bad.csv", csv_of(REVENUE_HEADER, rows))
    for number in range(4):
        opened.load(f"revenue_daily/2026-10/{number}.csv", csv_of(REVENUE_HEADER, month(range(number + 1, number + 2))))

    for sort, backwards in (("rowNumber", False), ("-rowNumber", True)):
        found = every(lambda asked: queries.list_rejections(made.batch_id, asked, EVERYTHING), sort)
        assert [row.row_number for row in found] == sorted(range(1, 8), reverse=backwards)
    batches = [every(lambda asked: queries.list_imports(ImportFilter(), asked, EVERYTHING), s) for s in SORTS]
    assert [(batch.source_name or "")[-5:] for batch in batches[0]][:4] == ["3.csv", "2.csv", "1.csv", "0.csv"]
    assert batches[0] == batches[1] == batches[2][::-1]
    assert len({batch.batch_id for batch in batches[0]}) == len(batches[0]) == imports().total


SORTS = (None, "-createdAt", "createdAt")


def every[Item](ask: Callable[[PageRequest], Page[Item]], sort: str | None) -> list[Item]:
    """All items of a list, in pages of two."""
    found: list[Item] = []
    cursor: str | None = None
    while True:
        page = ask(PageRequest(2, cursor, sort))
        found.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_slices_in_any_order_delivered_twice_give_the_same_facts(opened: Warehouse) -> None:
    batch_id = opened.drop("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 5))))
    messages = opened.pending()
    assert len(messages) > 5
    for message in reversed(messages[1:]):
        handle(message)
        handle(message)
        slices.finish_batch(batch_id)
    assert batch(batch_id).state == "loading"
    assert current() == {}
    handle(messages[0])
    opened.deliver()
    assert (batch(batch_id).state, batch(batch_id).rows_accepted) == ("current", 124)
    before = everything()
    for message in messages:
        handle(message)
    slices.finish_batch(batch_id)
    assert everything() == before


def test_slices_and_finishes_at_the_same_time_publish_once(opened: Warehouse) -> None:
    batch_id = opened.drop("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 9))))
    with ThreadPoolExecutor(4) as workers:
        while messages := opened.pending():
            list(workers.map(handle, [message for message in messages for _ in range(2)]))
    made = batch(batch_id)
    assert (made.state, made.rows_accepted, made.money_accepted) == ("current", 248, Decimal(2480))
    assert count(revenue_daily) == 248
    assert len(current()) == 8


def test_a_crash_in_the_middle_of_a_slice_leaves_nothing_of_it(
    opened: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = opened.drop("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 3))))
    with monkeypatch.context() as patch:
        patch.setattr("shared_code.edw.repository.record_slice", lambda *_: (_ for _ in ()).throw(OSError("killed")))
        with pytest.raises(OSError, match="killed"):
            slices.stage_slice(batch_id, 1)
    assert count(revenue_daily) == 0
    opened.deliver()
    assert batch(batch_id).rows_accepted == count(revenue_daily) == 62


def test_a_report_lost_in_a_crash_is_written_by_the_next_delivery(opened: Warehouse) -> None:
    made = opened.load("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 2))))
    expected = blobs.get(IMPORT_REPORTS, f"{made.batch_id}.json")
    blobs.service().get_blob_client(IMPORT_REPORTS, f"{made.batch_id}.json").delete_blob()
    slices.finish_batch(made.batch_id)
    assert blobs.get(IMPORT_REPORTS, f"{made.batch_id}.json") == expected


def test_money_that_does_not_add_up_is_never_published(opened: Warehouse) -> None:
    batch_id = opened.drop("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 3))))
    for number in range(1, batch(batch_id).slices + 1):
        slices.stage_slice(batch_id, number)
    with database.transaction() as work:
        work.connection.execute(revenue_daily.update().where(revenue_daily.c.row_number == 7).values(net=Decimal(11)))
    with pytest.raises(ConservationError):
        slices.finish_batch(batch_id)
    assert batch(batch_id).state == "loading"
    assert current() == {}


# -- corrections --------------------------------------------------------------------------------------------------


def test_a_corrected_file_replaces_exactly_the_sites_that_it_contains(opened: Warehouse) -> None:
    first = opened.load("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 4))))
    second = opened.load("revenue_daily/2026-10/b.csv", csv_of(REVENUE_HEADER, month(range(1, 3), "20.00")))
    assert {site: facts[0] for site, facts in current().items()} == {
        "0001": second.batch_id,
        "0002": second.batch_id,
        "0003": first.batch_id,
    }
    assert report(second.batch_id)["sitesKeptFromEarlierFiles"] == ["0003"]
    assert count(revenue_daily) == 93 + 62  # what was there is superseded, not removed


def test_a_correction_that_finishes_first_is_not_undone_by_the_older_file(opened: Warehouse) -> None:
    older = opened.drop("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 3))))
    late = opened.pending()
    newer = opened.load("revenue_daily/2026-10/b.csv", csv_of(REVENUE_HEADER, month(range(1, 2), "20.00")))
    for message in late:
        handle(message)
    opened.deliver()
    assert {site: facts[0] for site, facts in current().items()} == {"0001": newer.batch_id, "0002": older}


def test_a_file_replaced_while_it_is_read_is_given_up_and_its_replacement_loads(opened: Warehouse) -> None:
    name = "revenue_daily/2026-10/a.csv"
    first = opened.drop(name, csv_of(REVENUE_HEADER, month(range(1, 3))))
    slices.stage_slice(first, 1)
    second = opened.load(name, csv_of(REVENUE_HEADER, month(range(1, 3), "20.00")))
    assert (batch(first).state, batch(first).reason) == ("rejected", "SOURCE_CHANGED")
    assert (second.state, count(revenue_daily)) == ("current", 62)
    assert report(first)["reason"] == "SOURCE_CHANGED"
    given_up = [("received", None), ("rejected", "SOURCE_CHANGED")]
    assert audited(first) == given_up
    third = opened.load(name, csv_of(REVENUE_HEADER, month(range(1, 3))))  # the interrupted bytes once more
    assert (third.batch_id, third.state, third.reason, third.rows_accepted) == (first, "current", None, 62)
    assert report(first)["state"] == "current"
    assert audited(first) == [*given_up, ("restarted", None), ("published", None)]
    # the batch keeps the place in line of its first arrival: the younger one stays current
    assert {facts[0] for facts in current().values()} == {second.batch_id}


def test_a_refused_file_that_is_renamed_is_read(opened: Warehouse) -> None:
    text = csv_of(REVENUE_HEADER, month(range(1, 2)))
    assert opened.load("revenue_daily/2026-10/a.csv.gz", text).reason == "FILE_UNREADABLE"
    assert opened.load("revenue_daily/2026-10/a.csv", text).state == "current"


def test_a_site_whose_rows_are_all_rejected_is_in_the_file_and_waits(opened: Warehouse) -> None:
    opened.load("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 12))))
    rows = [*month(range(2, 12)), revenue(1, 1, "bad")]
    made = opened.load("revenue_daily/2026-10/b.csv", csv_of(REVENUE_HEADER, rows))
    assert current()["0001"] == (made.batch_id, 0, 1)


# -- keys ---------------------------------------------------------------------------------------------------------


def statistic(number: int, day: int, value: str) -> str:
    return f"book.xlsm,{number:04d},2026-10-{day:02d},OR9,Occupied Rooms,Other,{value},false,2026-11-01 02:00"


def test_rows_of_one_key_collapse_or_are_all_rejected_even_across_slices(opened: Warehouse) -> None:
    rows = [statistic(n, day, "5") for n in range(1, 11) for day in range(1, 31)]
    rows += [
        statistic(1, 1, "5"),
        statistic(1, 1, "5"),
        statistic(2, 1, "6"),
        statistic(3, 1, "7"),
        statistic(3, 1, "7"),
    ]
    made = opened.load("site_statistics/2026-10/s.csv", csv_of(STATISTICS_HEADER, rows))
    assert made.slices > 10
    assert (made.state, made.rows_read, made.rows_accepted) == ("current", 305, 298)
    assert (made.rows_rejected, made.rows_duplicate) == (5, 2)
    assert made.money_read == Decimal(1530)
    assert (made.money_accepted, made.money_rejected, made.money_duplicate) == (
        Decimal(1490),
        Decimal(30),
        Decimal(10),
    )
    conflicts = rejections(made.batch_id).items
    assert {(r.rule, r.site) for r in conflicts} == {("KEY_CONFLICT", "0002"), ("KEY_CONFLICT", "0003")}
    assert conflicts[0].value == "0002 / 2026-10-01 / OR9 / OCCUPIED ROOMS / OTHER"
    with database.reading() as connection:
        kept = connection.scalars(sa.select(site_statistics.c.row_number).where(site_statistics.c.site == "0001")).all()
        total = connection.scalar(sa.select(sa.func.sum(statistics_monthly.c.row_count)))
    assert (sorted(kept), total) == (list(range(1, 31)), 298)


def test_a_delivery_that_comes_to_its_end_after_the_batch_was_published_adds_nothing(
    opened: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [statistic(1, 1, "5"), statistic(1, 1, "5"), *(statistic(1, day, "5") for day in range(2, 31))]
    batch_id = opened.drop("site_statistics/2026-10/s.csv", csv_of(STATISTICS_HEADER, rows))
    messages = opened.pending()
    read = slices._read

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(slices, "_read", read)
        for message in messages:
            handle(message)
        opened.deliver()
        assert batch(batch_id).state == "current"
        return read(*arguments)

    monkeypatch.setattr(slices, "_read", overtaken)
    handle(messages[0])
    assert count(site_statistics) == batch(batch_id).rows_accepted == 30


# -- contracts ----------------------------------------------------------------------------------------------------


def contract_drop(content: bytes) -> str:
    blobs.put(CONTRACT_DROPS, "0901.json", content, "application/json")
    return contract_drops.receive_contract(CONTRACT_DROPS, "0901.json")


def test_a_contract_drop_that_changes_no_contract_is_audited_with_its_reason(warehouse: Warehouse) -> None:
    """One that does is told by the contract's own event."""
    document = fixed_fees("0901", ("100.00", 1))
    saved = contract_drop(as_bytes(document))
    same = contract_drop(as_bytes(document) + b" ")
    refused = contract_drop(b"{not json")

    assert [batch(drop).state for drop in (saved, same, refused)] == ["current", "duplicate", "rejected"]
    assert (audited(saved), audited(same)) == ([], [("duplicate", None)])
    assert audited(refused) == [("rejected", batch(refused).reason)]
    with database.reading() as connection:
        chosen = sa.select(sa.func.count()).where(audit_event.c.action == "contract.saved")
        assert connection.scalar(chosen) == 1

    contract_drops.receive_contract(CONTRACT_DROPS, "0901.json")  # delivered again
    assert len(audited(refused)) == 1


# -- waiting and holding ------------------------------------------------------------------------------------------


def test_facts_that_arrive_before_the_site_master_wait_for_it(warehouse: Warehouse) -> None:
    made = warehouse.load("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 3))))
    assert (made.state, made.reason) == ("waiting", "REFERENCE_MISSING")
    warehouse.load("site_master/2026-10/sites.csv", master(range(1, 4)))
    assert (batch(made.batch_id).state, batch(made.batch_id).rows_accepted) == ("current", 62)
    parked = [("received", None), ("waiting", "REFERENCE_MISSING"), ("resumed", None), ("published", None)]
    assert audited(made.batch_id) == parked


def test_a_site_master_that_arrives_in_the_very_moment_is_not_missed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = warehouse.drop("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, month(range(1, 3))))
    messages = warehouse.pending()
    with monkeypatch.context() as patch:
        patch.setattr(slices, "resume_waiting", lambda: (_ for _ in ()).throw(OSError("killed")))
        warehouse.drop("site_master/2026-10/sites.csv", master(range(1, 4)))
        handle(messages[0])
        assert batch(batch_id).state == "waiting"
        with pytest.raises(OSError, match="killed"):  # published, and dead before it woke anyone
            warehouse.deliver()
    for message in messages:
        handle(message)
    warehouse.deliver()
    assert (batch(batch_id).state, batch(batch_id).rows_accepted) == ("current", 62)


def test_a_later_site_master_updates_adds_and_removes_nothing(opened: Warehouse) -> None:
    opened.load("site_master/2026-11/sites.csv", master(range(30, 33)).replace("Hotel 30", "Grand 30"))
    with database.reading() as connection:
        names = {row.site_number: row.name for row in connection.execute(sa.select(site))}
    assert len(names) == 32
    assert (names["0030"], names["0029"]) == ("Grand 30", "Hotel 29")


@pytest.mark.parametrize(("bad", "state"), [(5, "current"), (6, "held")])
def test_more_than_five_percent_rejected_rows_hold_the_batch(opened: Warehouse, bad: int, state: str) -> None:
    rows = month(range(1, 5))[:100]
    rows[:bad] = [revenue(1, day + 1, "x") for day in range(bad)]
    made = opened.load("revenue_daily/2026-10/a.csv", csv_of(REVENUE_HEADER, rows))
    assert (made.state, made.rows_rejected, made.rows_accepted) == (state, bad, 100 - bad)
    assert (made.reason == "REJECTED_SHARE") == (state == "held")
    assert bool(current()) == (state == "current")
    assert report(made.batch_id)["state"] == state


# -- files that cannot be read ------------------------------------------------------------------------------------

GOOD = csv_of(REVENUE_HEADER, month(range(1, 2)))
REFUSED: list[tuple[str, str | bytes, str, str]] = [
    ("sales/2026-10/a.csv", GOOD, "DATASET_UNKNOWN", "revenue_daily"),
    ("budget/2026-10/a.csv", GOOD, "DATASET_NOT_SUPPORTED", "not loaded yet"),
    ("revenue_daily/october/a.csv", GOOD, "DROP_PERIOD_INVALID", "YYYY-MM"),
    ("revenue_daily/2026-13/a.csv", GOOD, "DROP_PERIOD_INVALID", "YYYY-MM"),
    ("revenue_daily/a.csv", GOOD, "DROP_MISPLACED", "{dataset}/{period}/{name}"),
    ("revenue_daily/2026-10/delta/a.csv", GOOD, "DELTA_NOT_SUPPORTED", "complete rows"),
    ("revenue_daily/2026-10/a.txt", GOOD, "FORMAT_UNKNOWN", ".csv.gz"),
    ("revenue_daily/2026-10/a.csv", "", "FILE_EMPTY", "empty"),
    ("revenue_daily/2026-10/a.csv", "\ufeff", "FILE_EMPTY", "empty"),
    ("revenue_daily/2026-10/a.csv", REVENUE_HEADER + "\n", "NO_ROWS", "no rows"),
    ("revenue_daily/2026-10/a.csv", REVENUE_HEADER + "\n\n\r\n\n", "NO_ROWS", "no rows"),
    (
        "revenue_daily/2026-10/a.csv",
        GOOD.replace("TAXRATE,", "").replace("SITE,", "PLACE,"),
        "COLUMNS_MISSING",
        "SITE, TAXRATE",
    ),
    ("revenue_daily/2026-10/a.csv", GOOD.replace(",", ";"), "COLUMNS_MISSING", "separated by commas"),
    ("revenue_daily/2026-10/a.csv", GOOD.replace("TAXRATE", "DATE"), "HEADER_INVALID", "DATE"),
    ("revenue_daily/2026-10/a.csv", "\n" + GOOD, "HEADER_INVALID", "blank"),
    ("revenue_daily/2026-10/a.csv", bytes(range(256)) * 20, "FILE_UNREADABLE", "binary"),
    ("revenue_daily/2026-10/a.csv", GOOD.encode("utf-16"), "FILE_UNREADABLE", "UTF-16"),
    ("revenue_daily/2026-10/a.csv", GOOD + '0001,"open\n' + GOOD, "QUOTE_UNCLOSED", "row 32"),
    ("revenue_daily/2026-10/a.csv", GOOD + "x" * 200_000, "RECORD_TOO_LONG", "row 32"),
    ("revenue_daily/2026-10/a.csv.gz", GOOD, "FILE_UNREADABLE", ".csv.gz"),
    ("revenue_daily/2026-10/a.csv.gz", gzip.compress(GOOD.encode())[:-20], "FILE_UNREADABLE", "too early"),
    ("revenue_daily/2026-10/a.csv.gz", b"\x1f\x8b" + b"rubbish" * 9, "FILE_UNREADABLE", "damaged"),
    ("revenue_daily/2026-10/a.parquet", b"PAR1" + b"rubbish" * 9, "FILE_UNREADABLE", "Parquet"),
    ("revenue_daily/2026-10/a.xlsx", b"PK\x03\x04" + b"rubbish" * 9, "FILE_UNREADABLE", "workbook"),
]


@pytest.mark.parametrize(("name", "content", "reason", "hint"), REFUSED)
def test_a_file_that_cannot_be_read_is_refused_with_a_cure_and_kept_aside(
    opened: Warehouse, name: str, content: str | bytes, reason: str, hint: str
) -> None:
    made = opened.load(name, content)
    assert (made.state, made.reason) == ("rejected", reason)
    assert made.message is not None and hint in made.message
    data = content.encode() if isinstance(content, str) else content
    assert blobs.get(QUARANTINE, f"{made.batch_id}/{EDW_DROPS}/{name}") == data
    assert made.byte_count == len(data)
    assert report(made.batch_id)["reason"] == reason
    assert (count(revenue_daily), current()) == (0, {})
    assert opened.load(name, content).batch_id == made.batch_id


def test_a_name_that_is_no_path_is_kept_aside_by_its_batch(opened: Warehouse) -> None:
    made = opened.load("revenue_daily//2026-10/a.csv", GOOD)
    assert (made.state, made.reason) == ("rejected", "DROP_MISPLACED")
    assert blobs.get(QUARANTINE, f"{made.batch_id}/{EDW_DROPS}/drop") == GOOD.encode()


def test_a_drop_that_is_gone_and_a_batch_that_never_was_are_said_so(opened: Warehouse) -> None:
    with pytest.raises(BillingError) as gone:
        drops.receive_drop(EDW_DROPS, "revenue_daily/2026-10/never.csv")
    assert gone.value.code == "DROP_NOT_FOUND"
    asks: tuple[Callable[[str], object], ...] = (
        lambda batch_id: queries.get_import(batch_id, EVERYTHING),
        rejections,
        slices.finish_batch,
    )
    for ask in asks:
        with pytest.raises(BillingError) as unknown:
            ask("0" * 32)
        assert unknown.value.code == "IMPORT_NOT_FOUND"


# -- the other database -------------------------------------------------------------------------------------------

REFUSED_BY_SQL_SERVER = (
    r"\bFILTER\s*\(",
    r"ON CONFLICT",
    r"\bLIMIT\b",
    r"\)\s+(NOT\s+)?IN\s*\(\s*SELECT [^)]*,",
    r"\(\w+\.\w+, \w+\.\w+\) IN",
    r"json_extract|group_concat|julianday|strftime",
)


def test_every_statement_is_one_that_sql_server_takes(opened: Warehouse) -> None:
    statements: list[Any] = []
    engine = database.engine()

    def remember(_connection: Any, statement: Any, *_rest: Any) -> None:
        statements.append(statement)

    sa.event.listen(engine, "before_execute", remember)
    test_rows_of_one_key_collapse_or_are_all_rejected_even_across_slices(opened)
    test_a_corrected_file_replaces_exactly_the_sites_that_it_contains(opened)
    every(lambda asked: queries.list_imports(ImportFilter(state="current"), asked, only("0001", "0002")), "createdAt")
    every(lambda asked: queries.list_rejections(imports().items[0].batch_id, asked, only("0001")), "-rowNumber")
    sa.event.remove(engine, "before_execute", remember)
    texts = {str(s.compile(dialect=mssql.dialect())) for s in statements if isinstance(s, sa.ClauseElement)}  # type: ignore[no-untyped-call]  # the dialect is not annotated
    assert len(texts) > 30
    for text in texts:
        for pattern in REFUSED_BY_SQL_SERVER:
            assert re.search(pattern, text) is None, text


# -- after an outage --------------------------------------------------------------------------------------------------


def test_a_drop_whose_tries_were_spent_in_an_outage_is_taken_up_once(opened: Warehouse) -> None:
    name = "revenue_daily/2026-10/missed.csv"
    opened.put(name, csv_of(REVENUE_HEADER, month(range(1, 2))))
    assert name not in [batch.source_name for batch in imports().items]

    clock.set_clock(lambda: datetime.now(UTC) + timedelta(hours=1))
    first, second = watch.receive_missed_drops(), watch.receive_missed_drops()
    clock.set_clock(None)

    assert (first, second) == (1, 0)
    assert [batch.source_name for batch in imports().items].count(name) == 1

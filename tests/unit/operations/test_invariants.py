"""Every invariant holds of a database that the app has written, and sees what breaks it.

The database has lived through a month: two groups, a regeneration, a statement that was sent and made anew, an added
line, a held and a failed contract, one left to another run, a dry run, a cancelled run, and an import with its days.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from localhost.sql_recorder import sql_server
from localhost.tsql import problems
from shared_code.contracts.model import SavedContract
from shared_code.facts.tables import current_facts, import_batch, revenue_daily, revenue_monthly
from shared_code.foundation import clock, database
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import settings
from shared_code.operations.invariants.model import Query
from shared_code.operations.invariants.service import INVARIANTS, check_invariants, report, violated, watch_invariants
from shared_code.periods.closing import decide as decide_period
from shared_code.statements.runs import cancel_run
from tests.unit.statements import added, stage
from tests.unit.statements.stage import NOVEMBER, Stage

LEAST = 25
DAY = Period.parse("2026-10").first_day


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of a database after a month."""
    folder = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as patch, stage.opened(folder, patch) as playing:
        live_through(playing)
    yield folder / "stage.sqlite"


def live_through(playing: Stage) -> None:
    contracts = {number: stage.save(number) for number in ("0901", "0902", "0903", "0904")}
    groups = [{"id": "a", "number": 1}, {"id": "b", "number": 2}]
    grouped: SavedContract = stage.save("0905", ("10.00", 1), ("20.00", 2), groups=groups, groupingEnabled=True)
    stage.save("0906", ("6000000.00", 1))  # beyond the sanity limit
    stage.open_sites("0901", "0902", "0903", "0905", "0906")  # 0904 is unknown, so it fails
    playing.bill(dry_run=True)
    load_days()
    playing.bill()
    playing.bill(source="again")  # everything is left to the run before
    playing.regenerate(stage.standing(contracts["0901"].contract_id)[-1].statement_id)
    stage.send_out(contracts["0902"].contract_id)
    playing.regenerate(stage.standing(contracts["0902"].contract_id)[-1].statement_id)
    added.add(added.current(grouped.contract_id).invoices[0].number)
    playing.drain()
    waiting = stage.start("2026-09")
    cancel_run(waiting.run_id)
    playing.drain()
    decide_period(Period.parse("2026-08"), "close")


def load_days() -> None:
    """Two days of revenue of a site and their sum, as an import leaves them."""
    with database.transaction() as work:
        batch = stage.batch_row(7, "2026-10") | {"dataset": "revenue_daily", "rows_read": 2, "rows_accepted": 2}
        work.connection.execute(import_batch.insert(), batch)
        key = {"batch_no": 7, "site": "0901", "revenue_code": "SD1", "revenue_category": "Revenue"}
        key |= {"collection_type": "Operator", "deposit_flag": "N"}
        money = {"net": Decimal("10.5"), "gross": Decimal(11), "validation": Decimal(0)}
        days = [key | money | {"row_number": row, "day": DAY, "tax_rate": Decimal(0)} for row in (1, 2)]
        work.connection.execute(revenue_daily.insert(), days)
        month = {name: 2 * amount for name, amount in money.items()} | {"tax": Decimal(0), "row_count": 2}
        work.connection.execute(revenue_monthly.insert(), key | month)
        place = {"dataset": "revenue_daily", "period": "2026-10", "site": "0901"}
        work.connection.execute(
            current_facts.insert(), place | {"batch_no": 7, "row_count": 2, "changed_at": clock.now()}
        )


@pytest.fixture
def copied(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy that a test may break, open in the app."""
    path = tmp_path / "copy.sqlite"
    shutil.copy(sound, path)
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    settings.cache_clear()
    database.engine.cache_clear()
    clock.set_clock(lambda: NOVEMBER)
    yield path
    clock.set_clock(None)
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def names_violated() -> list[str]:
    return [one.name for one in violated(check_invariants())]


def test_there_are_many_and_each_says_what_a_violation_means() -> None:
    names = [one.name() for one in INVARIANTS]

    assert len(set(names)) == len(names) >= LEAST
    assert [one.name() for one in INVARIANTS if len(one.meaning()) < 60] == []


def test_all_hold_of_what_the_app_has_written(copied: Path) -> None:
    found = report()

    assert found.hold, violated(found.items)
    assert len(found.items) == len(INVARIANTS)
    with closing(sqlite3.connect(copied)) as connection:
        seen = {row[0] for row in connection.execute("SELECT DISTINCT outcome FROM run_item")}
        statuses = {row[0] for row in connection.execute("SELECT DISTINCT status FROM statement")}
    assert seen >= {"Generated", "Held", "Failed", "Skipped", "Cancelled"}
    assert statuses >= {"Held", "Superseded", "Sent"}


# What somebody does to the database past the app. Money is stored in ten thousandths of a dollar here.
BROKEN_BY = """
StatementIsTheSumOfItsInvoices:
    UPDATE statement SET total = total + 100 WHERE status = 'Sent';
OneUnsentStatementOfAMonth:
    DROP INDEX uq_statement_contract_id_period_unsent;
    DROP INDEX uq_statement_contract_id_period_version;
    INSERT INTO statement (statement_id, contract_id, period, version, generation, contract_version, site_number,
    site_name, status, status_reason, total, run_id, warnings, created_at, checked_at) SELECT 'copy', contract_id,
    period, version, generation + 10, contract_version, site_number, site_name, status, status_reason, total,
    run_id, warnings, created_at, checked_at FROM statement WHERE status = 'Held';
VersionsHaveNoGaps:
    UPDATE statement SET version = 3 WHERE status = 'Held';
GenerationsHaveNoGaps:
    UPDATE statement SET generation = 3 WHERE status = 'Held';
SupersededStatementSaysWhen:
    UPDATE statement SET superseded_at = NULL WHERE status = 'Superseded';
SupersededStatementHasItsSuccessor:
    UPDATE statement SET status = 'Superseded', superseded_at = created_at WHERE status = 'Held';
StatementIsTheOutcomeOfItsRun:
    UPDATE run_item SET statement_id = 'another' WHERE outcome = 'Held';
StatementNamesAContractVersion:
    UPDATE statement SET contract_version = 9 WHERE status = 'Held';
StatementIsInTheAudit:
    UPDATE statement SET statement_id = 'renamed' WHERE status = 'Held';
StatementHasItsDocument:
    DELETE FROM statement_document WHERE statement_id = (SELECT statement_id FROM statement WHERE status = 'Held');
StaleStatementSaysWhy:
    UPDATE statement SET stale_since = created_at WHERE status = 'Held';
HeldStatementSaysWhy:
    UPDATE statement SET status_reason = NULL WHERE status = 'Held';
ClosedMonthsStayAsTheyAre:
    UPDATE period_change SET period = '2026-10', changed_at = '2026-11-01 00:00:00.000000';
SnapshotSaysWhatIsStored:
    UPDATE statement_document SET snapshot = replace(snapshot, '6000000.00', '6.00');
ComparisonCountsItsLines:
    UPDATE statement SET comparison = replace(comparison, '"invoicedRevenue":"', '"invoicedRevenue":"9');
InvoiceIsTheSumOfItsLines:
    UPDATE invoice SET amount = amount + 100 WHERE number LIKE '0906%';
NoNumberCountsTwice:
    DROP INDEX uq_invoice_number;
    UPDATE invoice SET number = (SELECT number FROM invoice WHERE superseded_at IS NULL LIMIT 1);
SupersededInvoicesFollowTheirStatement:
    UPDATE invoice SET superseded_at = NULL WHERE superseded_at IS NOT NULL AND number NOT IN (SELECT number FROM
    invoice WHERE superseded_at IS NULL);
    UPDATE invoice SET superseded_at = invoice_date WHERE number LIKE '0906%';
OneInvoiceOfAGroup:
    UPDATE invoice SET invoice_group = 1;
LinesStandInOneOrder:
    UPDATE invoice_line SET ordinal = 1;
NumberSaysMonthGroupAndVersion:
    UPDATE invoice SET number = '0906-202512-01-01' WHERE number LIKE '0906%';
AmountsAreInCents:
    UPDATE invoice_line SET amount = amount + 1;
AddedLinesStandOnTheirStatement:
    UPDATE adhoc_line SET removed_at = created_at;
RunHasTheItemsItExpects:
    UPDATE statement_run SET expected = expected + 1;
FinishedRunHasNothingOpen:
    UPDATE run_item SET outcome = 'Pending' WHERE outcome = 'Failed';
FinishedRunHasItsDocuments:
    UPDATE statement_document SET state = 'Pending', rendered_at = NULL;
DrawnDocumentHasItsFile:
    UPDATE statement_document SET sha256 = NULL;
BilledContractHasItsStatement:
    UPDATE run_item SET statement_id = NULL WHERE outcome = 'Held';
UnbilledContractHasNoStatement:
    UPDATE run_item SET statement_id = 'one' WHERE outcome = 'Failed';
UnbilledContractSaysWhy:
    UPDATE run_item SET reason = NULL WHERE outcome = 'Failed';
ReasonsAreKnown:
    UPDATE run_item SET reason = 'BECAUSE' WHERE outcome = 'Failed';
SkippedContractWasBilledByAnother:
    UPDATE run_item SET contract_id = 'nobody' WHERE outcome = 'Skipped' AND site_number = '0901';
RunsMove:
    UPDATE statement_run SET state = 'Running', created_at = '2026-11-01 00:00:00.000000';
    UPDATE run_item SET finished_at = NULL;
    UPDATE statement_document SET rendered_at = NULL;
DryRunsWriteNothing:
    UPDATE statement SET run_id = (SELECT run_id FROM statement_run WHERE kind = 'DryRun');
PreviewsBelongToDryRuns:
    UPDATE statement_run SET kind = 'Generate';
NothingBeginsAfterACancellation:
    UPDATE statement_run SET cancelled_at = '2026-11-01 00:00:00.000000';
OnlyCancelledRunsCancel:
    UPDATE statement_run SET cancelled_at = NULL;
ProfitBelongsToARun:
    INSERT INTO monthly_profit VALUES ('nobody', '2026-10', 1, 'no-run', '2026-11-01 00:00:00.000000');
LatestVersionIsTheLast:
    UPDATE contract SET latest_version = 2;
ContractVersionsHaveNoGaps:
    UPDATE contract_version SET version = 3;
BilledThroughCoversEveryStatement:
    UPDATE contract SET billed_through = '2026-01';
EveryRowIsAccountedFor:
    UPDATE import_batch SET rows_read = rows_read + 1;
EveryDollarIsAccountedFor:
    UPDATE import_batch SET money_read = money_read + 1;
CurrentFactsHaveTheirBatch:
    UPDATE import_batch SET state = 'held';
MonthlyRevenueIsTheSumOfItsDays:
    UPDATE revenue_monthly SET net = net + 1;
OutboxIsEmptied:
    UPDATE outbox SET published_at = NULL, created_at = '2026-11-01 00:00:00.000000';
AuditHeadsAreTheLastEvents:
    UPDATE audit_head SET sequence = sequence + 1;
"""
BROKEN = {
    name: [deed for part in sql.split(";") if (deed := " ".join(part.split()))]
    for name, sql in re.findall(r"^(\w+):\n((?: .*\n)+)", BROKEN_BY, re.MULTILINE)
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_it_is_seen(copied: Path, name: str) -> None:
    with closing(sqlite3.connect(copied)) as connection:
        for deed in BROKEN[name]:
            connection.execute(deed)
        connection.commit()

    (found,) = check_invariants(name)

    assert not found.holds
    assert all(violation.subject and violation.message for violation in found.violations)


def test_every_invariant_is_broken_here() -> None:
    assert list(BROKEN) == [one.name() for one in INVARIANTS]


def test_one_may_be_asked_for_by_name_in_any_case(copied: Path) -> None:
    (found,) = check_invariants(" nonumbercountstwice ")

    assert (found.name, found.holds) == ("NoNumberCountsTwice", True)
    with pytest.raises(BillingError) as refused:
        check_invariants("NoSuchLaw")
    assert refused.value.kind.code == "INVARIANT_UNKNOWN"


def test_the_timer_tells_the_log_what_is_broken_and_what_it_means(
    copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert watch_invariants() == []
    assert caplog.records == []
    with closing(sqlite3.connect(copied)) as connection:
        connection.execute("UPDATE contract SET latest_version = 2")
        connection.commit()

    watch_invariants()

    assert caplog.records[0].levelname == "ERROR"
    assert "LatestVersionIsTheLast" in caplog.text and "terms that were replaced" in caplog.text


def test_sql_server_takes_every_query() -> None:
    """Statements that are built in a loop of Python are looked at by the recorder, as those of every repository."""
    refused = {
        one.name(): found
        for one in INVARIANTS
        if isinstance(one, Query) and (found := problems(compiled(one.broken().order_by(sa.literal_column("1")))))
    }

    assert refused == {}


def compiled(query: sa.Select[*tuple[object, ...]]) -> str:
    return str(query.limit(100).compile(dialect=sql_server(), compile_kwargs={"literal_binds": True}))


def test_a_finished_month_costs_a_fixed_number_of_statements(copied: Path) -> None:
    seen: list[str] = []
    sa.event.listen(database.engine(), "before_cursor_execute", lambda *call: seen.append(call[2]))
    check_invariants()

    assert len(seen) < 2 * len(INVARIANTS)
    assert all(text.lstrip().upper().startswith(("SELECT", "BEGIN", "WITH")) for text in seen)

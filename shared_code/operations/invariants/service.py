"""Check what must always be true: by a timer, by a route, by a command, and after every test that drives the app."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from shared_code.foundation import clock, telemetry
from shared_code.foundation.database import reading
from shared_code.foundation.errors import BillingError, Detail
from shared_code.operations import errors
from shared_code.operations.invariants import inputs, invoices, runs, statements
from shared_code.operations.invariants.model import MOST, Invariant, InvariantReport, InvariantResult, Violation

log = logging.getLogger(__name__)

INVARIANTS: tuple[Invariant, ...] = (
    statements.StatementIsTheSumOfItsInvoices(),
    statements.OneUnsentStatementOfAMonth(),
    statements.VersionsHaveNoGaps(),
    statements.GenerationsHaveNoGaps(),
    statements.SupersededStatementSaysWhen(),
    statements.SupersededStatementHasItsSuccessor(),
    statements.StatementIsTheOutcomeOfItsRun(),
    statements.StatementNamesAContractVersion(),
    statements.StatementIsInTheAudit(),
    statements.StatementHasItsDocument(),
    statements.StaleStatementSaysWhy(),
    statements.HeldStatementSaysWhy(),
    statements.ClosedMonthsStayAsTheyAre(),
    statements.SnapshotSaysWhatIsStored(),
    statements.ComparisonCountsItsLines(),
    invoices.InvoiceIsTheSumOfItsLines(),
    invoices.NoNumberCountsTwice(),
    invoices.SupersededInvoicesFollowTheirStatement(),
    invoices.OneInvoiceOfAGroup(),
    invoices.LinesStandInOneOrder(),
    invoices.NumberSaysMonthGroupAndVersion(),
    invoices.AmountsAreInCents(),
    invoices.AddedLinesStandOnTheirStatement(),
    runs.RunHasTheItemsItExpects(),
    runs.FinishedRunHasNothingOpen(),
    runs.FinishedRunHasItsDocuments(),
    runs.DrawnDocumentHasItsFile(),
    runs.BilledContractHasItsStatement(),
    runs.UnbilledContractHasNoStatement(),
    runs.UnbilledContractSaysWhy(),
    runs.ReasonsAreKnown(),
    runs.SkippedContractWasBilledByAnother(),
    runs.RunsMove(),
    runs.DryRunsWriteNothing(),
    runs.PreviewsBelongToDryRuns(),
    runs.NothingBeginsAfterACancellation(),
    runs.OnlyCancelledRunsCancel(),
    runs.ProfitBelongsToARun(),
    inputs.LatestVersionIsTheLast(),
    inputs.ContractVersionsHaveNoGaps(),
    inputs.BilledThroughCoversEveryStatement(),
    inputs.EveryRowIsAccountedFor(),
    inputs.EveryDollarIsAccountedFor(),
    inputs.CurrentFactsHaveTheirBatch(),
    inputs.MonthlyRevenueIsTheSumOfItsDays(),
    inputs.OutboxIsEmptied(),
    inputs.AuditHeadsAreTheLastEvents(),
)


def check_invariants(name: str | None = None) -> list[InvariantResult]:
    """Check all invariants, or the one of that name, in one view of the database. Raises INVARIANT_UNKNOWN."""
    chosen = [one for one in INVARIANTS if name is None or one.name().lower() == name.strip().lower()]
    if not chosen:
        raise BillingError(
            errors.INVARIANT_UNKNOWN, f"there is no invariant {name!r}", [Detail("name", "take it from the list")]
        )
    with reading() as connection:
        return [_result(one, tuple(one.violations(connection))[:MOST]) for one in chosen]


def report(name: str | None = None) -> InvariantReport:
    """The same with when it was checked. Raises INVARIANT_UNKNOWN."""
    results = tuple(check_invariants(name))
    return InvariantReport(clock.now(), not violated(results), results)


def watch_invariants() -> Sequence[InvariantResult]:
    """Check all, and report those that do not hold where an alert sees them. Run by a timer."""
    broken = violated(check_invariants())
    for one in broken:
        telemetry.count("powerbill.invariants.violated", len(one.violations), powerbill_invariant=one.name)
        log.error(
            "%s does not hold of %d things, the first is %s (%s): %s",
            one.name, len(one.violations), one.violations[0].subject, one.violations[0].message, one.meaning,
        )  # fmt: skip
    return broken


def violated(results: Iterable[InvariantResult]) -> list[InvariantResult]:
    """Those that do not hold."""
    return [one for one in results if not one.holds]


def _result(invariant: Invariant, found: tuple[Violation, ...]) -> InvariantResult:
    return InvariantResult(invariant.name(), invariant.meaning(), not found, found)

"""Which months of a contract should have a statement and have none, and runs that bill them (field reports 2, 4, 6).

What is billed is told by the statements that are stored, never by a date that moves on with every run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.engine import Connection

from shared_code.contracts.errors import CONTRACT_NOT_FOUND
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import in_force
from shared_code.foundation import clock
from shared_code.foundation.calendar import Period, read_period
from shared_code.foundation.database import AnyRow, reading
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.settings import settings
from shared_code.foundation.visibility import Visibility
from shared_code.statements.again import run_again
from shared_code.statements.catch_up import repository
from shared_code.statements.catch_up.errors import PERIOD_NOT_MISSED
from shared_code.statements.catch_up.model import CaughtUp, MissedPeriod, MissedPeriods
from shared_code.statements.reasons import cure, owner
from shared_code.statements.scope import RunCommand, billable_periods, billed_period

SOURCE = "catch-up"


@dataclass(frozen=True, slots=True)
class _History:
    """What became of a contract: its last try by month, and the months with a statement that counts."""

    tries: Mapping[Period, AnyRow]
    billed: frozenset[Period]
    loaded: Mapping[Period, datetime]
    """When facts of the site were last loaded, by month."""

    @property
    def first(self) -> Period | None:
        """The first month that was ever tried or billed here: before it, another system has billed."""
        return min((*self.tries, *self.billed), default=None)

    def is_done(self, period: Period) -> bool:
        """Billed, or found to come to nothing by the facts that there are.

        That a contract was not in force may have been mended since, and what came to nothing may be something by facts
        that came later.
        """
        tried = self.tries.get(period)
        if tried is None or tried.outcome != "NothingToBill" or tried.reason == "NOT_IN_FORCE":
            return period in self.billed
        loaded = self.loaded.get(period)
        return loaded is None or loaded <= tried.tried_at or period in self.billed


@dataclass(frozen=True, slots=True)
class _Version:
    """A version of a contract; None for a document that cannot be read, which fails by name when it is billed."""

    row: AnyRow
    contract: Contract | None

    def owes(self, period: Period, this_month: Period) -> bool:
        """Whether the month is due under this version and the contract is in force in it."""
        last = this_month.next if self.row.billing_type == "Advanced" else this_month.previous
        return period <= last and (self.contract is None or in_force(self.contract, period))


def missed_periods(site_number: str, since: str | None, visible: Visibility) -> MissedPeriods:
    """The months that the site's contracts have missed, the oldest first. A fixed number of SQL statements.

    Due are, for contracts in arrears, the months that are over, and for those in advance all through the next one; not
    those in which the contract is not in force, that are closed, or that came to nothing. They are counted from the
    first month that was ever tried or billed here, or from `since`, written YYYY-MM, as far back as months are billed.
    Raises CONTRACT_NOT_FOUND, PERIOD_INVALID.
    """
    first = max(read_period(since, "since"), billable_periods()[0]) if since else None
    with reading() as connection:
        contracts = _contracts(repository.versions(connection, site_number, visible))
        if not contracts:
            raise BillingError(CONTRACT_NOT_FOUND, f"site {site_number} has no contract")
        histories = _histories(connection, site_number)
        closed = {Period.parse(text) for text in repository.closed_periods(connection)}
    found = [
        _missed(contract_id, period, histories[contract_id].tries.get(period))
        for contract_id, versions in contracts.items()
        for period in _due(versions, first or histories[contract_id].first)
        if period not in closed and not histories[contract_id].is_done(period)
    ]
    return MissedPeriods(site_number, tuple(sorted(found, key=lambda one: (one.period, one.contract_id))))


def catch_up(
    site_number: str,
    periods: Sequence[str] | None,
    since: str | None,
    requested_by: str,
    correlation_id: str,
    visible: Visibility,
) -> list[CaughtUp]:
    """Have the missed months billed, or those of `periods` alone: a run for each contract and month, the oldest first.

    A run that has failed is tried again. A month that needs the profit of the one before it fails with its reason when
    it is billed first; asked again, it succeeds. Raises PERIOD_NOT_MISSED and what `missed_periods` raises.
    """
    wanted = None if periods is None else {str(billed_period(text)) for text in periods}
    missed = missed_periods(site_number, since or (min(wanted) if wanted else None), visible).items
    others = sorted((wanted or set()) - {one.period for one in missed})
    if others:
        details = [Detail("periods", f"{period} is not missed by site {site_number}") for period in others]
        raise BillingError(PERIOD_NOT_MISSED, "; ".join(detail.message for detail in details), details)
    return [_start(one, requested_by, correlation_id) for one in missed if wanted is None or one.period in wanted]


def _start(missed: MissedPeriod, requested_by: str, correlation_id: str) -> CaughtUp:
    command = RunCommand(missed.period, requested_by, correlation_id, source=SOURCE, contract_id=missed.contract_id)
    started = run_again(command)
    return CaughtUp(missed.contract_id, missed.period, started.run_id, started.created)


def _contracts(rows: Sequence[AnyRow]) -> dict[str, list[_Version]]:
    """The versions of each contract, the newest first."""
    found: dict[str, list[_Version]] = defaultdict(list)
    for row in rows:
        found[row.contract_id].append(_Version(row, _read(row.document)))
    return found


def _read(document: Any) -> Contract | None:
    try:
        return Contract.model_validate_json(document)
    except ValidationError:
        return None


def _histories(connection: Connection, site_number: str) -> dict[str, _History]:
    tries: dict[str, dict[Period, AnyRow]] = defaultdict(dict)
    for row in repository.tries(connection, site_number):  # the last one stays
        tries[row.contract_id][Period.parse(row.period)] = row
    billed: dict[str, set[Period]] = defaultdict(set)
    for row in repository.billed(connection, site_number):
        billed[row.contract_id].add(Period.parse(row.period))
    loaded = {Period.parse(row.period): row.changed_at for row in repository.loaded(connection, site_number)}
    found: dict[str, _History] = defaultdict(lambda: _History({}, frozenset(), loaded))
    return found | {name: _History(tries[name], frozenset(billed[name]), loaded) for name in {*tries, *billed}}


def _due(versions: Sequence[_Version], first: Period | None) -> Iterator[Period]:
    """The months from `first` on that are due under the version which serves each (rules R12)."""
    if first is None:
        return
    this_month = Period.of(clock.today(settings().business_time_zone))
    for period in first.until(this_month.plus(2)):
        serving = next((one for one in versions if _serves(one.row, period)), None)
        if serving is not None and serving.owes(period, this_month):
            yield period


def _serves(row: AnyRow, period: Period) -> bool:
    return row.effective_from is None or bool(row.effective_from <= period.first_day)


def _missed(contract_id: str, period: Period, tried: AnyRow | None) -> MissedPeriod:
    reason = tried.reason if tried is not None else None
    return MissedPeriod(
        contract_id=contract_id,
        period=str(period),
        outcome=tried.outcome if tried is not None else None,
        reason=reason,
        message=tried.message if tried is not None else None,
        suggestion=cure(reason),
        owner=owner(reason),
        run_id=tried.run_id if tried is not None else None,
        tried_at=tried.tried_at if tried is not None else None,
    )

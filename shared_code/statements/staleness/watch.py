"""Find the statements that a change may have made stale, on a clock, and look at them (rules R26, R39)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched

from sqlalchemy.engine import Connection

from shared_code.foundation import clock
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, reading
from shared_code.foundation.settings import settings
from shared_code.statements.staleness import repository
from shared_code.statements.staleness.service import MARGIN, look_at

log = logging.getLogger(__name__)
_SENT_MONTHS = 13  # how far back sent statements are watched
_LONGEST_WINDOW = 12  # facts of a month reach the statements of so many months after it, as billing reads them
type _Found = Mapping[Period, Sequence[str]]


@dataclass(slots=True)
class Watch:
    """Looks at what has changed since its last look. A new one begins with what was looked at longest ago.

    What it knows is a saving, no more: whatever another process has looked at already, it looks at once more.
    """

    looked_at: datetime | None = None

    def look(self) -> int:
        """Look at every statement that may be stale by now; returns how many there were.

        Two SQL statements when nothing has changed. Raises ExceptionGroup when a period could not be looked at: the
        others are done, and the next look finds it again.
        """
        now = clock.now()
        with reading() as connection:
            found = _candidates(connection, self.looked_at)
        faults: list[Exception] = []
        complete = True
        for period, statement_ids in found.items():
            try:
                for part in batched(statement_ids, settings().chunk_contracts, strict=False):
                    complete &= look_at(part)
            except Exception as fault:
                log.exception("the statements of %s were not looked at", period)
                faults.append(fault)
        if faults:
            raise ExceptionGroup("periods were not looked at", faults)
        if complete:
            self.looked_at = now
        return sum(map(len, found.values()))


WATCH = Watch()
"""The one of this process."""


@dataclass(slots=True)
class _Changes:
    """What has changed: datasets by month of their facts, instants by contract, months and instants of profits."""

    facts: dict[Period, set[str]] = field(default_factory=lambda: defaultdict(set))
    contracts: dict[str, datetime] = field(default_factory=dict)
    profits: dict[str, list[tuple[str, datetime]]] = field(default_factory=lambda: defaultdict(list))
    index: datetime | None = None

    def touch(self, contract_id: str, instant: datetime) -> None:
        self.contracts[contract_id] = max(instant, self.contracts.get(contract_id, instant))

    def of_contract(self, row: AnyRow) -> datetime | None:
        """The latest change of the contract that the statement was billed from; profits of earlier months only."""
        instants = [instant for period, instant in self.profits.get(row.contract_id, ()) if period < row.period]
        return max((*instants, *filter(None, [self.contracts.get(row.contract_id)])), default=None)


def _candidates(connection: Connection, looked_at: datetime | None) -> _Found:
    """The statements that something has changed for since they were looked at, by period."""
    oldest = str(Period.of(clock.today(settings().business_time_zone)).plus(-_SENT_MONTHS))
    since = looked_at or repository.oldest_look(connection, oldest)
    if since is None:
        return {}
    changed = _changes(connection, since - MARGIN)
    found: dict[Period, set[str]] = defaultdict(set)
    for row, instant in _concerned(connection, changed, since - MARGIN, oldest):
        if instant is not None and instant > row.checked_at - MARGIN:
            found[Period.parse(row.period)].add(row.statement_id)
    return {period: sorted(found[period]) for period in sorted(found)}


def _changes(connection: Connection, since: datetime) -> _Changes:
    changed = _Changes()
    for row in repository.changes(connection, since):
        if row.kind == "contract":
            changed.touch(row.key, row.at)
        elif row.kind == "profit":
            changed.profits[row.key].append((row.period, row.at))
        elif row.kind == "index":
            changed.index = row.at
        elif month := _month(row.period):  # the site master has none
            changed.facts[month].add(row.key)
    for contract_id, text in repository.saved_contracts(connection, since).items():
        changed.touch(contract_id, datetime.fromisoformat(text))
    return changed


def _month(text: str) -> Period | None:
    try:
        return Period.parse(text)
    except ValueError:
        return None


def _concerned(
    connection: Connection, changed: _Changes, since: datetime, oldest: str
) -> Iterator[tuple[AnyRow, datetime | None]]:
    """Statements with the instant of the latest change that may concern them."""
    for period, months in _reached(changed.facts).items():
        datasets = {name for month in months for name in changed.facts[month]}
        texts = {str(month) for month in months}
        for row in repository.of_sites_with_changed_facts(connection, str(period), datasets, texts, since, oldest):
            yield row, row.at
    contracts = sorted({*changed.contracts, *changed.profits})
    for row in repository.of_contracts(connection, contracts, oldest):
        yield row, changed.of_contract(row)
    if changed.index is not None:
        for row in repository.following_an_index(connection, oldest):
            yield row, changed.index


def _reached(facts: Mapping[Period, set[str]]) -> Mapping[Period, set[Period]]:
    """The months whose statements read facts of these months, each with those that it reads."""
    reached: dict[Period, set[Period]] = defaultdict(set)
    for month in facts:
        for period in month.until(month.plus(_LONGEST_WINDOW + 1)):
            reached[period].add(month)
    return reached

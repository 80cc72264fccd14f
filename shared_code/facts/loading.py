"""Facts for a whole chunk of contracts with a fixed number of statements, however many contracts there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import batched, islice
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection

from shared_code.facts.model import (
    ACCOUNTS,
    FORECAST,
    REVENUE,
    STATISTICS,
    TIMESHEET,
    FactSum,
    Presence,
    RoleHours,
    SiteFacts,
)
from shared_code.facts.predicates import BELL, MEASURES, SHAREABLE
from shared_code.facts.repository import (
    COLUMNS,
    EARLIER,
    PRESENCE,
    Sums,
    activity,
    balances,
    exact_amounts,
    exact_balance,
    nothing,
)
from shared_code.foundation.calendar import Period
from shared_code.foundation.many import stored_rows

_NAMES_PER_STATEMENT = 1_500  # SQL Server takes 2,100 parameters: sites, batches and what predicates name
_BATCHES_PER_STATEMENT = 400
_ACTIVE = (REVENUE, TIMESHEET, STATISTICS, FORECAST)
_NET = COLUMNS.index("net")
_ZEROS = tuple((one.name, nothing(one.column)) for one in MEASURES)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read for a chunk of contracts: settings and contract terms reach the predicates as values.

    `since` is the first month of the longest window. `history_accounts` are the ledger accounts that windows read;
    of the service period every account is read, without the rows of `excluded_entities` (rules R17).
    `room_value_types` empty means all of them (rules R47). `bell_excluded_codes`: rules R4, R57.

    Most contracts read little, so they say which. `revenue_windows` and `ledger_windows` are the sites that look back
    at revenue and at the ledger; of others only the service period is read. `ledger_sites` bill ledger accounts; of
    others only `revenue_accounts` are read, from the first through the last. None: every site.
    """

    since: Period
    history_accounts: Collection[str] = ()
    excluded_entities: Collection[str] = ()
    room_value_types: Collection[str] = ()
    bell_excluded_codes: Collection[str] = ()
    revenue_windows: Collection[str] | None = None
    ledger_windows: Collection[str] | None = None
    ledger_sites: Collection[str] | None = None
    revenue_accounts: tuple[str, str] = ("", "")
    started: Mapping[str, date | None] = field(default_factory=dict)
    """The first day on which work was done, by site, as the site master says."""


class _Pointer(NamedTuple):
    """What a batch is current for."""

    dataset: str
    period: Period
    batch: str


type _Current = Mapping[int, Mapping[str, _Pointer]]
"""By batch number and site, what a batch is current for."""


@dataclass(slots=True)
class _Found:
    """What has been read so far, by site."""

    presence: dict[str, dict[tuple[str, Period], Presence]] = field(default_factory=lambda: defaultdict(dict))
    revenue: dict[str, dict[Period, dict[str, FactSum]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    accounts: dict[str, dict[Period, dict[str, FactSum]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    measures: dict[str, dict[str, FactSum]] = field(default_factory=dict)
    stray_bell: dict[str, FactSum] = field(default_factory=dict)
    hours: dict[str, dict[str, RoleHours]] = field(default_factory=lambda: defaultdict(dict))
    rooms: dict[str, FactSum] = field(default_factory=dict)
    forecast: dict[str, FactSum] = field(default_factory=dict)
    forecast_loaded: dict[str, str | None] = field(default_factory=dict)


def load_facts(
    connection: Connection, sites: Collection[str], period: Period, reading: Reading
) -> dict[str, SiteFacts]:
    """Facts of `sites` for `period`, windows included. Three statements for a thousand sites, of which half look back,
    and 400 batches.

    The pointers are read first, and sums only of the batches that they name: a batch that becomes current meanwhile
    changes nothing, though each statement has its own view of the database (SQL Server, READ COMMITTED SNAPSHOT).
    Predicates: billing-flows A.1; draft statistics never bill (datasets, site_statistics).
    """
    found = _Found()
    for part in _parts(sorted(sites), reading):
        current = _read_presence(connection, part, period, reading, found)
        _read_activity(connection, part, current, period, reading, found)
        _read_ledger(connection, part, current, period, reading, found)
    return {number: _site_facts(number, period, reading, found) for number in sites}


def _site_facts(number: str, period: Period, reading: Reading, found: _Found) -> SiteFacts:
    return SiteFacts(
        site=number,
        period=period,
        started=reading.started.get(number),
        revenue=found.revenue.get(number, {}),
        rooms=found.rooms.get(number),
        hours=found.hours.get(number, {}),
        measures=found.measures.get(number, {}),
        stray_bell=found.stray_bell.get(number),
        accounts=found.accounts.get(number, {}),
        forecast=found.forecast.get(number),
        forecast_loaded=found.forecast_loaded.get(number),
        excluded_entities=tuple(sorted(reading.excluded_entities)),
        room_value_types=tuple(sorted(reading.room_value_types)),
        presence=found.presence.get(number, {}),
    )


def _parts(sites: Sequence[str], reading: Reading) -> Iterator[Sequence[str]]:
    """Sites that go into one statement, where one that looks back is named twice."""
    part: list[str] = []
    names = 0
    for number in sites:
        weight = 1 + (_is_among(number, reading.revenue_windows) or _is_among(number, reading.ledger_windows))
        if names + weight > _NAMES_PER_STATEMENT:
            yield part
            part, names = [], 0
        part.append(number)
        names += weight
    if part:
        yield part


def _is_among(number: str, wanted: Collection[str] | None) -> bool:
    return wanted is None or number in wanted


def _chosen(sites: Sequence[str], wanted: Collection[str] | None) -> Sequence[str]:
    return sites if wanted is None else [number for number in sites if number in wanted]


def _key(values: Collection[str]) -> tuple[str, ...]:
    """Values of a predicate in one order: statements are made once for each."""
    return tuple(sorted(values))


def _read_presence(
    connection: Connection, sites: Sequence[str], period: Period, reading: Reading, found: _Found
) -> _Current:
    """What is loaded for sites, in earlier months for those that look back; returns which batches that are."""
    current: dict[int, dict[str, _Pointer]] = defaultdict(dict)
    windows = [
        number
        for number in sites
        if _is_among(number, reading.revenue_windows) or _is_among(number, reading.ledger_windows)
    ]
    earlier = {str(month): month for month in reading.since.until(period)}
    asked = {"month": str(period), "sites": sites, "earlier": list(earlier), "windows": windows}
    by_text = earlier | {str(period): period}
    presence = found.presence
    for row in connection.execute(PRESENCE, asked).all():
        dataset, text, number, batch_no, batch, count, rejected, first, last, gap, reaches = row
        month = by_text[text]
        current[batch_no][number] = _Pointer(dataset, month, batch)
        presence[number][dataset, month] = Presence(batch, count, rejected, first, last, gap or 0, reaches)
    return current


def _sums(
    connection: Connection,
    sums: Sums,
    current: _Current,
    period: Period,
    datasets: Sequence[str],
    **more: object,
) -> Iterator[tuple[_Pointer, Sequence[Any]]]:
    """Stored rows of monthly sums that are current, each behind what it is current for. They begin with batch number
    and site. Without a batch there is no statement; without a site there is, so that chunks of all sizes cost the
    same."""
    batches = [
        (batch_no, pointer.dataset if pointer.period == period else pointer.dataset + EARLIER)
        for batch_no, sites in sorted(current.items())
        for pointer in islice(sites.values(), 1)  # a batch is of one dataset and month
        if pointer.dataset in datasets
    ]
    for part in batched(batches, _BATCHES_PER_STATEMENT, strict=False):
        asked: dict[str, list[int]] = {}
        for batch_no, name in part:
            asked.setdefault(name, []).append(batch_no)
        for row in stored_rows(connection, sums, {**asked, **more}):
            at = current[row[0]].get(row[1])
            if at is not None:
                yield at, row


def _read_activity(
    connection: Connection,
    sites: Sequence[str],
    current: _Current,
    period: Period,
    reading: Reading,
    found: _Found,
) -> None:
    """Revenue, of earlier months too; hours by role, occupied rooms and the forecast of the service period."""
    windows = _chosen(sites, reading.revenue_windows)
    sums = activity(_key(reading.room_value_types))
    exact = exact_amounts(connection)
    net = exact[_NET]
    for at, row in _sums(connection, sums, current, period, _ACTIVE, sites=sites, windows=windows):
        _, number, name, flag, category, text, rows, *stored = row
        if at.dataset == REVENUE:
            its_sum = FactSum(net(stored[_NET]), rows, at.batch)
            kind = _kind(flag, category, text)
            if kind.shareable:
                by_code = found.revenue[number][at.period]
                by_code[name] = _plus(by_code.get(name), its_sum)
            if at.period == period:
                amounts = {column: exact[column](stored[column]) for column in kind.columns}
                stray = kind.bell and name not in reading.bell_excluded_codes
                _add_measures(found, number, kind, amounts, its_sum, stray=stray)
        elif at.dataset == TIMESHEET:
            regular, overtime, regular_minutes, _, overtime_minutes = map(net, stored)
            hours = RoleHours(regular, overtime, rows, at.batch, regular_minutes, overtime_minutes)
            found.hours[number][name] = hours
        elif at.dataset == STATISTICS:
            found.rooms[number] = FactSum(net(stored[0]), rows, at.batch)
        else:
            found.forecast[number] = FactSum(net(stored[0]), rows, at.batch)
            found.forecast_loaded[number] = text


def _add_measures(
    found: _Found, number: str, kind: _Kind, amounts: Mapping[int, Decimal], net: FactSum, *, stray: bool
) -> None:
    measures = found.measures.get(number)
    if measures is None:
        measures = found.measures[number] = {name: FactSum(zero, 0, net.batch) for name, zero in _ZEROS}
    for name, column in kind.measures:
        measures[name] = _plus(measures[name], FactSum(amounts[column], net.rows, net.batch))
    if stray:
        found.stray_bell[number] = _plus(found.stray_bell.get(number), net)


def _plus(one: FactSum | None, other: FactSum) -> FactSum:
    return other if one is None else FactSum(one.amount + other.amount, one.rows + other.rows, other.batch)


class _Kind(NamedTuple):
    """What revenue with these texts counts for: which measures, each with the place of its column."""

    shareable: bool
    measures: tuple[tuple[str, int], ...]
    columns: frozenset[int]
    bell: bool


@lru_cache(maxsize=10_000)
def _kind(flag: str, category: str, collection_type: str) -> _Kind:
    texts = flag, category, collection_type
    measures = tuple((one.name, COLUMNS.index(one.column)) for one in MEASURES if one.matches(*texts))
    columns = frozenset(column for _, column in measures)
    return _Kind(SHAREABLE.matches(*texts), measures, columns, BELL.matches(*texts))


def _read_ledger(
    connection: Connection,
    sites: Sequence[str],
    current: _Current,
    period: Period,
    reading: Reading,
    found: _Found,
) -> None:
    """The ledger of the service period: every account where accounts are billed, elsewhere those of revenue; and the
    accounts that windows read, of earlier months."""
    whole = _chosen(sites, reading.ledger_sites)
    first, last = reading.revenue_accounts
    sums = _sums(
        connection,
        balances(_key(reading.excluded_entities), _key(reading.history_accounts)),
        current,
        period,
        [ACCOUNTS],
        whole=whole,
        others=sorted(set(sites).difference(whole)),
        windows=_chosen(sites, reading.ledger_windows),
        first=first,
        last=last,
    )
    exact = exact_balance(connection)
    # There are many rows, and those of a site stand together.
    last_site, last_at = "", None
    accounts: dict[str, FactSum] = {}
    for at, (_, number, account, balance, count) in sums:
        if number != last_site or at is not last_at:
            last_site, last_at = number, at
            accounts = found.accounts[number][at.period]
        accounts[account] = FactSum(exact(balance), count, at.batch)

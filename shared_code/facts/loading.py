"""Facts for a whole chunk of contracts with a fixed number of statements, however many contracts there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from itertools import batched, groupby
from operator import itemgetter
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
    exact_day,
    nothing,
)
from shared_code.foundation.calendar import Period
from shared_code.foundation.many import stored_rows

_NAMES_PER_STATEMENT = 1_500  # SQL Server takes 2,100 parameters: sites, batches and what predicates name
_BATCHES_PER_STATEMENT = 400
_ACTIVE = (REVENUE, TIMESHEET, STATISTICS, FORECAST)
_BATCH_AND_SITE = itemgetter(0, 1)
_TEXT, _ROWS, _FIRST_AMOUNT = 5, 6, 7  # places in rows of `activity`, which are by batch, site and four texts
_MEASURED = tuple((one.name, COLUMNS.index(one.column)) for one in MEASURES)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read for a chunk of contracts: settings and contract terms reach the predicates as values.

    `since` is the first month of the longest window. `history_accounts` are the ledger accounts that windows read;
    of the service period every account is read, without the rows of `excluded_entities` (rules R17).
    `room_value_types` empty means all of them (rules R47). `bell_excluded_codes`: rules R4, R57.

    Most contracts read little, so they say which. `revenue_windows` and `ledger_windows` are the sites that look back
    at revenue and at the ledger; of others only the service period is read. `ledger_sites` bill ledger accounts; of
    others only `revenue_accounts` are read, from the first through the last. Of sites outside `revenue_sites` and
    `hours_sites`, no revenue and no hours are read. None: every site.
    """

    since: Period
    history_accounts: Collection[str] = ()
    excluded_entities: Collection[str] = ()
    room_value_types: Collection[str] = ()
    bell_excluded_codes: Collection[str] = ()
    revenue_windows: Collection[str] | None = None
    ledger_windows: Collection[str] | None = None
    ledger_sites: Collection[str] | None = None
    revenue_sites: Collection[str] | None = None
    hours_sites: Collection[str] | None = None
    revenue_accounts: tuple[str, str] = ("", "")
    started: Mapping[str, date | None] = field(default_factory=dict)
    """The first day on which work was done, by site, as the site master says."""


@dataclass(slots=True)
class _Batch:
    """A batch that is current for `sites`. It is of one dataset and month."""

    dataset: str
    period: Period
    name: str
    sites: set[str] = field(default_factory=set)


type _Current = Mapping[int, _Batch]
"""By batch number."""
type _Exact = Callable[[Any], Decimal]
"""Makes an exact number of one as it is stored."""


@dataclass(slots=True)
class _Totals:
    """Sums over all revenue codes of one site's month as they are stored, and their rows, in the order of MEASURES."""

    batch: str
    amounts: list[Any] = field(default_factory=lambda: [0] * len(MEASURES))
    rows: list[int] = field(default_factory=lambda: [0] * len(MEASURES))


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
    totals: dict[str, _Totals] = field(default_factory=dict)
    hours: dict[str, dict[str, RoleHours]] = field(default_factory=lambda: defaultdict(dict))
    rooms: dict[str, FactSum] = field(default_factory=dict)
    forecast: dict[str, FactSum] = field(default_factory=dict)
    forecast_loaded: dict[str, str | None] = field(default_factory=dict)


def load_facts(
    connection: Connection, sites: Collection[str], period: Period, reading: Reading
) -> dict[str, SiteFacts]:
    """Facts of `sites` for `period`, windows included. Three statements for a thousand sites, of which half look back
    or bill hours, and 400 batches.

    The pointers are read first, and sums only of the batches that they name: a batch that becomes current meanwhile
    changes nothing, though each statement has its own view of the database (SQL Server, READ COMMITTED SNAPSHOT).
    Predicates: billing-flows A.1; draft statistics never bill (datasets, site_statistics).
    """
    found = _Found()
    for part in _parts(sorted(sites), reading):
        current = _read_presence(connection, part, period, reading, found)
        _read_activity(connection, part, current, period, reading, found)
        _read_ledger(connection, part, current, period, reading, found)
    return _site_facts(sites, period, reading, found)


def _site_facts(sites: Collection[str], period: Period, reading: Reading, found: _Found) -> dict[str, SiteFacts]:
    excluded_entities, room_value_types = _key(reading.excluded_entities), _key(reading.room_value_types)
    return {
        number: SiteFacts(
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
            excluded_entities=excluded_entities,
            room_value_types=room_value_types,
            presence=found.presence.get(number, {}),
        )
        for number in sites
    }


def _parts(sites: Sequence[str], reading: Reading) -> Iterator[Sequence[str]]:
    """Sites that go into one statement, where one that looks back is named twice, and one that bills hours again."""
    part: list[str] = []
    names = 0
    for number in sites:
        looks_back = _is_among(number, reading.revenue_windows) or _is_among(number, reading.ledger_windows)
        weight = 1 + looks_back + _is_among(number, reading.hours_sites)
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
    windows = [
        number
        for number in sites
        if _is_among(number, reading.revenue_windows) or _is_among(number, reading.ledger_windows)
    ]
    months = {str(month): month for month in reading.since.until(period)}
    asked = {"month": str(period), "sites": sites, "earlier": list(months), "windows": windows}
    months[str(period)] = period
    current: dict[int, _Batch] = {}
    presence = found.presence
    day = cache(exact_day(connection))  # files end on few days
    for row in stored_rows(connection, PRESENCE, asked):
        dataset, text, number, batch_no, name, count, rejected, first, last, gap, reaches = row
        batch = current.get(batch_no)
        if batch is None:
            batch = current[batch_no] = _Batch(dataset, months[text], name)
        batch.sites.add(number)
        presence[number][batch.dataset, batch.period] = Presence(
            batch.name, count, rejected, day(first), day(last), gap or 0, day(reaches)
        )
    return current


def _sums(
    connection: Connection,
    sums: Sums,
    current: _Current,
    period: Period,
    datasets: Sequence[str],
    **more: object,
) -> Iterator[tuple[_Batch, str, Iterator[Any]]]:
    """Stored rows of monthly sums that are current, by batch and site, with which they begin; several times for one
    site where its rows do not stand together. Without a batch there is no statement; without a site there is, so that
    chunks of all sizes cost the same."""
    batches = [
        (batch_no, batch.dataset if batch.period == period else batch.dataset + EARLIER)
        for batch_no, batch in sorted(current.items())
        if batch.dataset in datasets
    ]
    for part in batched(batches, _BATCHES_PER_STATEMENT, strict=False):
        asked: dict[str, list[int]] = {}
        for batch_no, name in part:
            asked.setdefault(name, []).append(batch_no)
        for (batch_no, number), rows in groupby(stored_rows(connection, sums, {**asked, **more}), _BATCH_AND_SITE):
            batch = current[batch_no]
            if number in batch.sites:
                yield batch, number, rows


def _read_activity(
    connection: Connection,
    sites: Sequence[str],
    current: _Current,
    period: Period,
    reading: Reading,
    found: _Found,
) -> None:
    """Revenue, of earlier months too; hours by role, occupied rooms and the forecast of the service period."""
    asked = {
        "revenue_sites": _chosen(sites, reading.revenue_sites),
        "other_sites": [number for number in sites if not _is_among(number, reading.revenue_sites)],
        "hours_sites": _chosen(sites, reading.hours_sites),
        "windows": _chosen(sites, reading.revenue_windows),
    }
    exact = exact_amounts(connection)
    net = exact[0]
    for batch, number, rows in _sums(
        connection, activity(_key(reading.room_value_types)), current, period, _ACTIVE, **asked
    ):
        if batch.dataset == TIMESHEET:
            _take_hours(found.hours[number], batch, rows, net)
        elif batch.dataset != REVENUE:
            _take_sum(found, batch, number, rows, net)
        elif batch.period == period:
            _take_month(found, batch, number, rows, net, reading.bell_excluded_codes)
        else:
            _take_earlier(found.revenue[number][batch.period], batch, rows, net)
    for number, totals in found.totals.items():
        found.measures[number] = _measures(totals, exact)
    found.totals.clear()


def _take_hours(hours: dict[str, RoleHours], batch: _Batch, rows: Iterator[Any], net: _Exact) -> None:
    for _, _, role, _, _, _, count, *stored in rows:
        regular, overtime, regular_minutes, _, overtime_minutes = map(net, stored)
        hours[role] = RoleHours(regular, overtime, count, batch.name, regular_minutes, overtime_minutes)


def _take_sum(found: _Found, batch: _Batch, number: str, rows: Iterator[Any], net: _Exact) -> None:
    """Occupied rooms or the forecast, of which a site has one sum."""
    for row in rows:
        one = FactSum(net(row[_FIRST_AMOUNT]), row[_ROWS], batch.name)
        if batch.dataset == STATISTICS:
            found.rooms[number] = one
        else:
            found.forecast[number] = one
            found.forecast_loaded[number] = row[_TEXT]


def _take_month(
    found: _Found, batch: _Batch, number: str, rows: Iterator[Any], net: _Exact, kept: Collection[str]
) -> None:
    """Revenue of the service period: by code, and what measures are taken of. Codes in `kept` are no stray bell."""
    by_code = found.revenue[number][batch.period]
    totals = found.totals.get(number)
    if totals is None:
        totals = found.totals[number] = _Totals(batch.name)
    amounts, counts = totals.amounts, totals.rows
    for row in rows:
        _, _, code, flag, category, text, count, net_amount, _, _, _, _ = row
        kind = _kind(flag, category, text)
        for place, column in kind.measures:
            amounts[place] += row[column]
            counts[place] += count
        if kind.shareable:
            _add(by_code, code, FactSum(net(net_amount), count, batch.name))
        if kind.bell and code not in kept:
            _add(found.stray_bell, number, FactSum(net(net_amount), count, batch.name))


def _take_earlier(by_code: dict[str, FactSum], batch: _Batch, rows: Iterator[Any], net: _Exact) -> None:
    """Revenue of a month before, of which shares are taken."""
    for row in rows:
        _add(by_code, row[2], FactSum(net(row[_FIRST_AMOUNT]), row[_ROWS], batch.name))


def _add(sums: dict[str, FactSum], name: str, one: FactSum) -> None:
    known = sums.get(name)
    sums[name] = one if known is None else FactSum(known.amount + one.amount, known.rows + one.rows, one.batch)


def _measures(totals: _Totals, exact: Sequence[_Exact]) -> dict[str, FactSum]:
    """What was added up, exact and by name; a measure without rows is zero."""
    measures = dict(_no_measures(totals.batch))
    for place, count in enumerate(totals.rows):
        if count:
            name, column = _MEASURED[place]
            measures[name] = FactSum(exact[column](totals.amounts[place]), count, totals.batch)
    return measures


@lru_cache(maxsize=100)
def _no_measures(batch: str) -> Mapping[str, FactSum]:
    return {one.name: FactSum(nothing(one.column), 0, batch) for one in MEASURES}


class _Kind(NamedTuple):
    """What revenue with these texts counts for: which measures by their place, each with the place of its column."""

    shareable: bool
    measures: tuple[tuple[int, int], ...]
    bell: bool


@lru_cache(maxsize=10_000)
def _kind(flag: str, category: str, collection_type: str) -> _Kind:
    texts = flag, category, collection_type
    measures = tuple(
        (place, _FIRST_AMOUNT + COLUMNS.index(one.column)) for place, one in enumerate(MEASURES) if one.matches(*texts)
    )
    return _Kind(SHAREABLE.matches(*texts), measures, BELL.matches(*texts))


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
    for batch, number, rows in sums:
        accounts = found.accounts[number][batch.period]
        name = batch.name
        for _, _, account, balance in rows:
            one = FactSum(exact(balance), 1, name)
            if account in accounts:  # of another entity, or rows that add up
                _add(accounts, account, one)
            else:
                accounts[account] = one

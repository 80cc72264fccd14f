"""Show business settings, change them, and tell what they were before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal

from shared_code.foundation import audit, clock, context
from shared_code.foundation.business_settings import repository
from shared_code.foundation.business_settings.errors import SETTING_CHANGE_INVALID, SETTING_UNKNOWN, SETTINGS_CHANGED
from shared_code.foundation.business_settings.model import CATALOGUE, DEFAULTS, Entry, merge, to_text, value_of
from shared_code.foundation.database import AnyRow, UnitOfWork, reading, transaction
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.paging import Page, page, read_cursor
from shared_code.foundation.settings import settings

STREAM = "settings"
REASON_LENGTH = 500

type SettingValue = bool | int | Decimal | list[str]
Source = Literal["stored", "environment", "default"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: the value that holds and where it comes from. Version 0 says that none was ever stored."""

    name: str
    value: SettingValue
    default: SettingValue
    source: Source
    meaning: str
    accepts: str
    version: int


@dataclass(frozen=True, slots=True)
class SettingsView:
    """All settings, by name, and the ETag of exactly these values."""

    settings: tuple[Setting, ...]
    etag: str


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One version of a setting. A value of None says that from then on the app setting or the default held."""

    version: int
    value: SettingValue | None
    changed_at: datetime
    changed_by: str
    reason: str


def show() -> SettingsView:
    """The values that hold now."""
    with reading() as connection:
        rows = repository.latest(connection)
    return _view(rows)


def change(changes: Mapping[str, Any], reason: str, if_match: str) -> SettingsView:
    """Store new values, all of them or none, with the history and the audit event of each. Returns what holds then.

    None gives a setting back to its app setting or default. A value that is stored already changes nothing. `if_match`
    is the ETag that the caller has read, `*` for whatever is there; it is compared under a lock that keeps other
    changes out. Raises SETTING_CHANGE_INVALID with every problem, SETTINGS_CHANGED, CONCURRENT_CHANGE.
    """
    if problems := _problems(changes, reason):
        listed = "; ".join(f"{problem.field}: {problem.message}" for problem in problems)
        raise BillingError(SETTING_CHANGE_INVALID, f"the change cannot be made: {listed}", problems)
    with transaction() as work:
        rows = repository.latest(work.connection, for_change=True)
        before = _view(rows)
        if if_match not in ("*", before.etag):
            raise BillingError(SETTINGS_CHANGED, "the settings are not those that you have read")
        fresh = _fresh(rows, changes)
        if not fresh:
            return before
        common = {"changed_at": clock.now(), "changed_by": context.current().actor_id, "reason": reason.strip()}
        repository.insert(work.connection, [row | common for row in fresh])
        after = _view(repository.latest(work.connection))
        _record(work, before, after, reason.strip())
    return after


def history(name: str, limit: int = 50, cursor: str | None = None) -> Page[SettingChange]:
    """Every value that was stored for a setting, newest first. Raises SETTING_UNKNOWN, CURSOR_INVALID."""
    if name not in CATALOGUE:
        raise BillingError(SETTING_UNKNOWN, f"there is no setting {name!r}{_perhaps(name)}")
    key = read_cursor(cursor, int)
    with reading() as connection:
        rows = repository.versions(connection, name, limit + 1, int(key[0]) if key else None)
        total = repository.count(connection, name)
    return page([_changed(row) for row in rows], limit, total, lambda item: (item.version,))


def _problems(changes: Mapping[str, Any], reason: str) -> list[Detail]:
    known = {name: value for name, value in changes.items() if name in CATALOGUE}
    unknown = [Detail(name, f"is no setting{_perhaps(name)}") for name in changes if name not in CATALOGUE]
    _, wrong = merge(DEFAULTS, {name: value for name, value in known.items() if value is not None})
    problems = unknown + wrong
    if not changes:
        problems.append(Detail("changes", "is empty; name at least one setting with its new value"))
    if not 3 <= len(reason.strip()) <= REASON_LENGTH:
        problems.append(Detail("reason", f"is missing or too long; say why, in 3 to {REASON_LENGTH} characters"))
    return problems


def _perhaps(name: str) -> str:
    near = get_close_matches(name, CATALOGUE, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(CATALOGUE)}"


def _fresh(rows: Sequence[AnyRow], changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The new versions that the changes make: none for a value that is stored already."""
    asked = {name: value for name, value in changes.items() if value is not None}
    wished, _ = merge(DEFAULTS, asked)
    texts = {name: to_text(value_of(wished, name)) if name in asked else None for name in changes}
    known = {row.name: (row.version, row.value) for row in rows}
    found = []
    for name, text in texts.items():
        version, value = known.get(name, (0, None))
        if text != value:
            found.append({"name": name, "version": version + 1, "value": text})
    return found


def _record(work: UnitOfWork, before: SettingsView, after: SettingsView, reason: str) -> None:
    """One event for each setting that got a version."""
    pairs = zip(before.settings, after.settings, strict=True)
    changed = [(old, new) for old, new in pairs if old.version != new.version]
    facts = [
        (new.name, {"before": old.value, "after": new.value, "source": new.source, "version": new.version})
        for old, new in changed
    ]
    audit.record(work, [audit.Event(STREAM, "setting.changed", name, data, reason) for name, data in facts])


def _view(rows: Sequence[AnyRow]) -> SettingsView:
    values = repository.over_app_settings(rows)
    known = {row.name: row for row in rows}
    found = []
    for name, entry in sorted(CATALOGUE.items()):
        row = known.get(name)
        found.append(
            Setting(
                name=name,
                value=value_of(values, name),
                default=value_of(DEFAULTS, name),
                source=_source(entry, row),
                meaning=entry.meaning,
                accepts=entry.kind.wants,
                version=row.version if row else 0,
            )
        )
    stated = to_text([[one.name, one.value, one.source, one.version] for one in found])
    return SettingsView(tuple(found), f'"{clock.fingerprint(stated.encode())}"')


def _source(entry: Entry, row: AnyRow | None) -> Source:
    if row is not None and row.value is not None:
        return "stored"
    return "environment" if entry.field in settings().business_stated else "default"


def _changed(row: AnyRow) -> SettingChange:
    value = None if row.value is None else _read(row.name, row.value)
    return SettingChange(row.version, value, row.changed_at, row.changed_by, row.reason)


def _read(name: str, text: str) -> SettingValue:
    """A value of long ago, even one that the catalogue would not take today."""
    value: SettingValue = json.loads(text)
    found, problems = merge(DEFAULTS, {name: value})
    if not problems:
        value = value_of(found, name)
    return value

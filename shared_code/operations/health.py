"""Whether the app can work: its database, storage and bus, each asked for the least that proves it answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from shared_code.foundation.answers import Described
from shared_code.foundation.errors import BillingError
from shared_code.operations import errors

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DependencyState(Described):
    """One dependency of the app."""

    name: str
    ok: bool
    detail: str = ""
    """The kind of fault; never an address or a secret."""


@dataclass(frozen=True, slots=True)
class Readiness(Described):
    """All dependencies; ready when every one answers."""

    ready: bool
    dependencies: tuple[DependencyState, ...]


@dataclass(frozen=True, slots=True)
class Liveness(Described):
    """The process answers; it says nothing about what it depends on."""

    status: Literal["live"]


@dataclass(frozen=True, slots=True)
class Version(Described):
    """What runs here."""

    api: str
    """The version of the API."""
    schema: str
    """The revision that migrations have brought the database to."""


def liveness() -> Liveness:
    """What a process that answers says."""
    return Liveness("live")


def readiness() -> Readiness:
    """Ask every dependency."""
    found = tuple(_ask(name) for name in _PROBES)
    return Readiness(all(state.ok for state in found), found)


def dependency(name: str) -> DependencyState:
    """Ask one. Raises DEPENDENCY_UNKNOWN."""
    if name not in _PROBES:
        raise BillingError(errors.DEPENDENCY_UNKNOWN, f"there is no dependency {name!r}")
    return _ask(name)


def version_info() -> Version:
    """The app's API version and the schema revision of its database."""
    from shared_code.operations.repository import schema_revision

    return Version("v1", schema_revision())


def _ask(name: str) -> DependencyState:
    try:
        _PROBES[name]()
    except Exception as fault:
        log.warning("dependency %s does not answer", name, exc_info=True)
        return DependencyState(name, ok=False, detail=type(fault).__name__)
    return DependencyState(name, ok=True)


def _database() -> None:
    from shared_code.operations.repository import check_database

    check_database()


def _storage() -> None:
    from shared_code.foundation.blobs import service

    next(iter(service().list_containers(results_per_page=1).by_page()), None)


def _bus() -> None:
    from shared_code.foundation import queues
    from shared_code.foundation.sending import publisher

    publisher().probe(queues.RUN_PROGRESS)


_PROBES: dict[str, Callable[[], None]] = {"database": _database, "storage": _storage, "bus": _bus}

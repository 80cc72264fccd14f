"""Whether the app can work: its database, storage and bus, each asked for the least that proves it answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from shared_code.foundation.errors import BillingError
from shared_code.operations import errors

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DependencyState:
    """One dependency. `detail` names the kind of fault and never an address or a secret."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """All dependencies; ready when every one answers."""

    ready: bool
    dependencies: tuple[DependencyState, ...]


def readiness() -> Readiness:
    """Ask every dependency."""
    found = tuple(_ask(name) for name in _PROBES)
    return Readiness(all(state.ok for state in found), found)


def dependency(name: str) -> DependencyState:
    """Ask one. Raises DEPENDENCY_UNKNOWN."""
    if name not in _PROBES:
        raise BillingError(errors.DEPENDENCY_UNKNOWN, f"there is no dependency {name!r}")
    return _ask(name)


def version_info() -> dict[str, object]:
    """The app's API version and the schema revision of its database."""
    from shared_code.operations.repository import schema_revision

    return {"api": "v1", "schema": schema_revision()}


def _ask(name: str) -> DependencyState:
    try:
        _PROBES[name]()
    except Exception as fault:
        log.warning("dependency %s does not answer", name, exc_info=True)
        return DependencyState(name, ok=False, detail=type(fault).__name__)
    return DependencyState(name, ok=True)


def _database() -> None:
    from shared_code.operations.repository import schema_revision

    schema_revision()


def _storage() -> None:
    from shared_code.foundation.blobs import service

    next(iter(service().list_containers(results_per_page=1).by_page()), None)


def _bus() -> None:
    from shared_code.foundation import queues
    from shared_code.foundation.bus import publisher

    publisher().probe(queues.RUN_PROGRESS)


_PROBES: dict[str, Callable[[], None]] = {"database": _database, "storage": _storage, "bus": _bus}

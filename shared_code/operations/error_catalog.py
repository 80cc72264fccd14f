"""Every error and reason a caller may meet, from one list. `GET /errors` shows all, `GET /errors/{code}` one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from shared_code.access import errors as access
from shared_code.contracts import errors as contracts
from shared_code.contracts.index_values import errors as index_values
from shared_code.contracts.notes import errors as notes
from shared_code.contracts.openings import errors as openings
from shared_code.contracts.versions import errors as versions
from shared_code.edw import errors as edw
from shared_code.foundation import listing
from shared_code.foundation.answers import Described
from shared_code.foundation.business_settings import errors as business_settings
from shared_code.foundation.calendar import PERIOD_INVALID
from shared_code.foundation.command import SCHEMA_MISSING
from shared_code.foundation.database_url import DATABASE_DRIVER_MISSING
from shared_code.foundation.dead_letters import errors as dead_letters
from shared_code.foundation.errors import (
    CONCURRENT_CHANGE,
    DATABASE_UNAVAILABLE,
    IF_MATCH_REQUIRED,
    BillingError,
    ErrorKind,
)
from shared_code.foundation.idempotency import errors as idempotency
from shared_code.foundation.settings import SETTINGS_INVALID
from shared_code.operations import errors as operations
from shared_code.operations import platform_errors
from shared_code.periods import errors as periods
from shared_code.statements import errors as statements
from shared_code.statements.adhoc import errors as adhoc
from shared_code.statements.catch_up import errors as catch_up
from shared_code.statements.lifecycle import errors as lifecycle
from shared_code.statements.reasons import REASONS


@cache
def catalog() -> dict[str, ErrorKind]:
    """Kinds by code."""
    kinds = (
        SETTINGS_INVALID,
        DATABASE_DRIVER_MISSING,
        SCHEMA_MISSING,
        CONCURRENT_CHANGE,
        DATABASE_UNAVAILABLE,
        IF_MATCH_REQUIRED,
        PERIOD_INVALID,
        *listing.KINDS,
        *idempotency.KINDS,
        *dead_letters.KINDS,
        *business_settings.KINDS,
        *access.KINDS,
        *contracts.KINDS,
        *versions.KINDS,
        *index_values.KINDS,
        *openings.KINDS,
        *notes.KINDS,
        *periods.KINDS,
        *edw.ALL,
        *operations.KINDS,
        *platform_errors.KINDS,
        *statements.KINDS,
        *adhoc.KINDS,
        *lifecycle.KINDS,
        *catch_up.KINDS,
    )
    return REASONS | {kind.code: kind for kind in kinds}


@dataclass(frozen=True, slots=True)
class ErrorList(Described):
    """Every error and reason, in order of their numbers."""

    errors: tuple[ErrorKind, ...]


def all_errors() -> ErrorList:
    """The whole catalogue. It is the same for everybody and changes with the app alone, so it has no pages."""
    return ErrorList(tuple(sorted(catalog().values(), key=lambda kind: kind.number)))


def explain(code: str) -> ErrorKind:
    """The kind behind a code, however it is capitalised, or behind its number. Raises ERROR_UNKNOWN."""
    kind = _by_name().get(code.strip().casefold())
    if kind is None:
        raise BillingError(operations.ERROR_UNKNOWN, f"there is no error code {code!r}")
    return kind


@cache
def _by_name() -> dict[str, ErrorKind]:
    kinds = catalog().values()
    return {str(kind.number): kind for kind in kinds} | {kind.code.casefold(): kind for kind in kinds}

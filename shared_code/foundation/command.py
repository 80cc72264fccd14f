"""What a command does first: make sure that its database is meant and made, and say which one it is."""

from __future__ import annotations

import os

from shared_code.foundation import database_url
from shared_code.foundation.errors import BillingError, Detail, ErrorKind
from shared_code.foundation.settings import SETTINGS_INVALID, settings

SCHEMA_MISSING = ErrorKind(
    "SCHEMA_MISSING",
    5012,
    500,
    "The database is empty: no migration has run on it.",
    "Run python -m shared_code.operations.migrate first. If there should be tables, DATABASE_URL names another one.",
)


def opened_database() -> str:
    """The database of DATABASE_URL in words, without any secret.

    A command that writes or proves something must not fall back on a default: it would do so to a file that nobody
    meant. Raises SETTINGS_INVALID, SCHEMA_MISSING, DATABASE_UNAVAILABLE.
    """
    from shared_code.foundation.database import is_made

    if not os.environ.get(database_url.SETTING):
        example = "DATABASE_URL=sqlite:///.state/local/powerbill.sqlite for the one of make run"
        message = f"{database_url.SETTING} is not set, so no database is meant; set it, for example {example}"
        raise BillingError(SETTINGS_INVALID, message, [Detail(database_url.SETTING, "is missing")])
    made = is_made()
    where = database_url.described(settings().database_url)
    if not made:
        raise BillingError(
            SCHEMA_MISSING, f"the database has no schema; run python -m shared_code.operations.migrate first ({where})"
        )
    return where

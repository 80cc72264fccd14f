"""`python -m shared_code.operations.migrate`: bring the database of DATABASE_URL to the newest schema."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config

from shared_code.foundation.database_url import described
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import settings

SCRIPTS = Path(__file__).parent / "migrations"


def configuration(url: str) -> Config:
    """Alembic's configuration without a file: scripts beside this module, the address from the settings."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head", *, sql: bool = False) -> None:
    """Apply migrations; with `sql` write the statements instead, for a review before a deployment."""
    command.upgrade(configuration(url), revision, sql=sql)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 2 when the database cannot be migrated."""
    parser = argparse.ArgumentParser(prog="python -m shared_code.operations.migrate")
    parser.add_argument("--sql", action="store_true", help="print the SQL instead of running it")
    options = parser.parse_args(arguments)
    try:
        url = settings().database_url
        upgrade(url, sql=options.sql)
    except BillingError as error:
        sys.stderr.write(f"the database cannot be migrated: {error.message}\n")
        return 2
    if not options.sql:  # then the output is a script, and nothing else belongs into it
        sys.stdout.write(f"{described(url)} has the newest schema\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""One factory of engines: SQLite here, Azure SQL through ODBC there, and the same transactions on both.

In Azure nobody types a password: each connection carries an Entra access token of the app's identity.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from shared_code.foundation import clock, database_url
from shared_code.foundation.database_url import DATABASE_DRIVER_MISSING, SqlServer
from shared_code.foundation.errors import DATABASE_UNAVAILABLE, BillingError, Detail
from shared_code.foundation.settings import SETTINGS_INVALID

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

log = logging.getLogger(__name__)
INSTANCES = 40
"""So many instances of the app may run at once: the scale limit that its plan is given."""
MAX_CONNECTIONS = 240
"""All instances together keep to so many connections: a database of two vCores takes 300 at once."""

LOGIN_SECONDS = 30
"""Time for a login. A failover ends within it, so that the driver's own retries can bridge it."""
QUERY_SECONDS = 120
"""No statement works longer: the platform gives up an HTTP request after 230 s."""
RECYCLE_SECONDS = 1500
"""Older connections are replaced: Azure closes what was idle for 30 minutes without a word."""

TOKEN_ATTRIBUTE = 1256
"""SQL_COPT_SS_ACCESS_TOKEN of Microsoft's driver: an access token that is set before it connects."""
TOKEN_SCOPE = "https://database.windows.net/.default"  # noqa: S105 - what a token is for, not a token
TOKEN_MARGIN = timedelta(minutes=5)
"""A token is replaced so long before it ends."""


@dataclass(frozen=True, slots=True)
class Pool:
    """How many connections one process keeps open, and how many more it may open for a moment."""

    size: int
    overflow: int

    @property
    def most(self) -> int:
        return self.size + self.overflow


def pool_for(max_connections: int, instances: int = INSTANCES) -> Pool:
    """The pool of one process, so that all of `instances` stay within `max_connections`."""
    most = max(1, max_connections // instances)
    size = (most + 1) // 2
    return Pool(size, most - size)


def create_database(url: str, *, max_connections: int = MAX_CONNECTIONS) -> Engine:
    """An engine for `url`. SQLite gets WAL, foreign keys and explicit transactions; SQL Server a bounded pool.

    Raises SETTINGS_INVALID with every fault of the address, and DATABASE_DRIVER_MISSING.
    """
    faults = database_url.problems(url, in_azure=bool(os.environ.get("WEBSITE_SITE_NAME")))
    if faults:
        raise _invalid(faults)
    if database_url.is_sqlite(url):
        return _sqlite(url)
    return _sql_server(database_url.sql_server(url), pool_for(max_connections))


def _invalid(faults: list[Detail]) -> BillingError:
    listed = "; ".join(f"{fault.field} {fault.message}" for fault in faults)
    return BillingError(SETTINGS_INVALID, f"the database's address is wrong: {listed}", faults)


# -- SQLite -------------------------------------------------------------------------------------------------------


def _sqlite(url: str) -> Engine:
    folder = Path(url.partition("///")[2].partition("?")[0]).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        reason = f"its folder cannot be made ({fault.strerror}); choose a folder that may be written"
        raise _invalid([Detail(database_url.SETTING, reason)]) from fault
    engine = sa.create_engine(url, connect_args={"timeout": 60, "check_same_thread": False}, hide_parameters=True)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


_LOG_PAGES = 16_000
"""Of 4 KiB: a month writes the same pages of its indexes again and again, and each goes into the file once for all."""


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=60000",
        "cache_size=-65536",
        "temp_store=MEMORY",
        f"wal_autocheckpoint={_LOG_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the write lock at once: a reader that upgrades later could only fail (SQLITE_BUSY)."""
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


# -- SQL Server ---------------------------------------------------------------------------------------------------


def _sql_server(server: SqlServer, pool: Pool) -> Engine:
    try:
        engine = sa.create_engine(
            sa.URL.create("mssql+pyodbc", query={"odbc_connect": odbc_string(server)}),
            connect_args={"timeout": LOGIN_SECONDS},
            pool_size=pool.size,
            max_overflow=pool.overflow,
            pool_pre_ping=True,  # a failover leaves dead connections behind
            pool_recycle=RECYCLE_SECONDS,
            pool_use_lifo=True,  # connections of a peak grow old unused
            fast_executemany=True,
            hide_parameters=True,  # what is billed to whom does not belong into logs
        )
    except ImportError as missing:
        raise BillingError(DATABASE_DRIVER_MISSING, "the ODBC driver manager is not installed") from missing
    if not server.user:
        sa.event.listen(engine, "do_connect", AccessTokens().sign_in)
    sa.event.listen(engine, "connect", _limit_statements)
    return engine


def odbc_string(server: SqlServer) -> str:
    """The driver's connection string: encrypted, certificate checked, both nodes of a failover tried at once."""
    parts = {
        "Driver": server.driver,
        "Server": f"tcp:{server.host},{server.port}",
        "Database": server.database,
        "Encrypt": "yes",
        "TrustServerCertificate": "yes" if server.trust_certificate else "no",
        "MultiSubnetFailover": "Yes",
        "ConnectRetryCount": "2",  # with the interval, within the time for a login
        "ConnectRetryInterval": "10",
        "LongAsMax": "Yes",  # long parameters as NVARCHAR(MAX), not as the deprecated NTEXT
        "APP": "PowerBill Functions",
    }
    if server.user:
        parts |= {"UID": server.user, "PWD": server.password}
    return ";".join(f"{name}={_quoted(value)}" for name, value in parts.items())


def _quoted(value: str) -> str:
    """A value of a connection string in braces: nothing in it can become a further part."""
    return "{" + value.replace("}", "}}") + "}" if set(value) & set(";{}=@ ") else value


def _limit_statements(connection: Any, _record: object) -> None:
    connection.timeout = QUERY_SECONDS


@dataclass(slots=True)
class AccessTokens:
    """Signs connections in with the identity of the app: a managed identity in Azure, a signed-in person elsewhere."""

    credential: TokenCredential | None = None
    _token: AccessToken | None = None
    _renewing: threading.Lock = field(default_factory=threading.Lock)

    def sign_in(self, _dialect: object, _record: object, _args: object, options: dict[str, Any]) -> None:
        """Before a connection: put a token that is still good among the driver's attributes."""
        options["attrs_before"] = {**options.get("attrs_before", {}), TOKEN_ATTRIBUTE: packed(self.token())}

    def token(self) -> str:
        """A token that is good for some minutes at least; one thread fetches it for all.

        Raises DATABASE_UNAVAILABLE when the identity gets none: without it nobody signs in.
        """
        with self._renewing:
            if self._token is None or self._token.expires_on - clock.now().timestamp() < TOKEN_MARGIN.total_seconds():
                self._token = self._fetch()
            return self._token.token

    def _fetch(self) -> AccessToken:
        from azure.core.exceptions import AzureError

        try:
            return self._identity().get_token(TOKEN_SCOPE)
        except AzureError as fault:
            log.exception("the app's identity gets no token for the database")
            raise BillingError(DATABASE_UNAVAILABLE, "the app cannot sign in to the database now") from fault

    def _identity(self) -> TokenCredential:
        if self.credential is None:
            from azure.identity import DefaultAzureCredential

            self.credential = DefaultAzureCredential()
        return self.credential


def packed(token: str) -> bytes:
    """A token as the driver takes it: UTF-16, preceded by its length in bytes as a little-endian integer."""
    text = token.encode("utf-16-le")
    return struct.pack(f"<I{len(text)}s", len(text), text)

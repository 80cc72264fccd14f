"""What DATABASE_URL may say, and what is wrong with one that says something else. Free of any database library.

Two forms: `sqlite:///folder/file.sqlite` and `mssql+pyodbc://server.database.windows.net/database`. How the app signs
in, encrypts and waits is decided by the engine, not by the address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from shared_code.foundation.errors import Detail, ErrorKind

DATABASE_DRIVER_MISSING = ErrorKind(
    "DATABASE_DRIVER_MISSING",
    5002,
    500,
    "The library through which SQL Server is reached is not installed on this machine.",
    "Install the ODBC driver manager (apt-get install unixodbc) and Microsoft's msodbcsql18; Azure Functions has both.",
)

SETTING = "DATABASE_URL"
DRIVER = "ODBC Driver 18 for SQL Server"
FORMS = "mssql+pyodbc://<server>.database.windows.net/<database>, or sqlite:///<folder>/<file>"
_SQLITE = {"sqlite", "sqlite+pysqlite"}
_SQL_SERVER = {"mssql", "mssql+pyodbc"}
_THIS_MACHINE = {"localhost", "127.0.0.1"}
_DRIVER_NAME = re.compile(r"ODBC Driver (1[89]|[2-9]\d) for SQL Server")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_OTHER_FORM = re.compile(r"(?i)(^|;)\s*(server|data source|driver|dsn|initial catalog)\s*=")
# Query parameters that would sign in otherwise than the engine does, or open the connection to eavesdroppers.
_SIGN_IN = {"authentication", "trusted_connection", "uid", "pwd", "user", "password", "odbc_connect", "dsn"}


@dataclass(frozen=True, slots=True)
class SqlServer:
    """Where a SQL Server database is. Name and password are empty where the app signs in with its identity."""

    host: str
    port: int
    database: str
    user: str = ""
    password: str = ""
    driver: str = DRIVER
    trust_certificate: bool = False


def is_sqlite(url: str) -> bool:
    return url.partition(":")[0] in _SQLITE


def described(url: str) -> str:
    """Which database an address means, in words: never its name and password."""
    if problems(url, in_azure=False):
        return "an address that cannot be used"
    if is_sqlite(url):
        return f"SQLite file {Path(url.partition('///')[2].partition('?')[0]).resolve()}"
    server = sql_server(url)
    return f"database {server.database} on {server.host}"


def problems(url: str, *, in_azure: bool) -> list[Detail]:
    """Everything that is wrong with an address: the place in it, the fault and the cure. Never shows the address."""
    if _OTHER_FORM.search(url):
        return [_detail("", f"is a connection string of another library; write {FORMS}")]
    try:
        parts = urlsplit(url)
    except ValueError:
        return [_detail("", f"cannot be read as an address; write {FORMS}")]
    if parts.scheme in _SQLITE:
        return _of_sqlite(url, in_azure)
    if parts.scheme in _SQL_SERVER:
        return [*_of_server(parts), *_of_sign_in(parts, in_azure), *_of_parameters(parts)]
    named = f"names the database kind {parts.scheme!r}" if parts.scheme else "names no database kind"
    return [_detail("", f"{named}; write {FORMS}")]


def sql_server(url: str) -> SqlServer:
    """The parts of an address in which `problems` found nothing."""
    parts = urlsplit(url)
    given = _parameters(parts)
    return SqlServer(
        host=parts.hostname or "",
        port=parts.port or 1433,
        database=unquote(parts.path.strip("/")),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        driver=given.get("driver", DRIVER),
        trust_certificate=given.get("trustservercertificate", "no").lower() == "yes",
    )


def _of_sqlite(url: str, in_azure: bool) -> list[Detail]:
    if in_azure:
        return [_detail("", f"is a SQLite file, and a function app's disk does not last; write {FORMS.split(',')[0]}")]
    path = url.partition(":")[2].partition("?")[0]
    if not path.startswith("///") or path.strip("/") in {"", ":memory:"}:
        return [_detail("path", "names no file; write sqlite:///<folder>/<file>, with three slashes")]
    return []


def _of_server(parts: SplitResult) -> list[Detail]:
    found = []
    if not _HOST.fullmatch(_host_of(parts)) or "," in parts.netloc or parts.netloc.lower().startswith("tcp:"):
        found.append(_detail("server", "is missing or malformed; write <server>.database.windows.net, port after ':'"))
    else:
        try:
            _ = parts.port
        except ValueError:
            found.append(_detail("port", "is not a number from 0 to 65535; leave it out for 1433"))
    database = parts.path.strip("/")
    if not database or "/" in database:
        found.append(_detail("database", "is missing or has several parts; write the database's name after the server"))
    return found


def _host_of(parts: SplitResult) -> str:
    return parts.hostname or ""


def _of_sign_in(parts: SplitResult, in_azure: bool) -> list[Detail]:
    signs_in = parts.username is not None or parts.password is not None
    if in_azure and signs_in:
        return [
            _detail(
                "password",
                "must not be there: in Azure the app signs in with its managed identity; remove everything before '@', "
                "and let the database's administrator run CREATE USER [<app name>] FROM EXTERNAL PROVIDER",
            )
        ]
    if signs_in and not (parts.username and parts.password):
        return [_detail("password", "needs both name and password, or neither to sign in with your Entra identity")]
    return []


def _of_parameters(parts: SplitResult) -> list[Detail]:
    given = _parameters(parts)
    here = _host_of(parts) in _THIS_MACHINE
    found = [
        _detail(name, "must not be there: the app signs in with its identity; remove the parameter")
        for name in sorted(given.keys() & _SIGN_IN)
    ]
    if given.get("encrypt", "yes").lower() not in {"yes", "mandatory"}:
        found.append(_detail("encrypt", "must be yes: connections are always encrypted; remove the parameter"))
    if given.get("trustservercertificate", "no").lower() != "no" and not here:
        found.append(
            _detail("trustservercertificate", "may be yes for a server on this machine only; remove the parameter")
        )
    if not _DRIVER_NAME.fullmatch(given.get("driver", DRIVER)):
        found.append(_detail("driver", f"is not one the app works with; remove the parameter for {DRIVER!r}"))
    unknown = sorted(given.keys() - _SIGN_IN - {"driver", "encrypt", "trustservercertificate"})
    found.extend(_detail(name, "is not a parameter that the app knows; remove it") for name in unknown)
    return found


def _parameters(parts: SplitResult) -> dict[str, str]:
    return {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}


def _detail(place: str, message: str) -> Detail:
    return Detail(f"{SETTING} {place}" if place else SETTING, message)

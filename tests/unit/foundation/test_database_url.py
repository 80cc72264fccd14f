"""DATABASE_URL: what it may say, and what a hurried person is told who writes something else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.foundation.database_url import DRIVER, SqlServer, described, problems, sql_server

AZURE = "mssql+pyodbc://meridian.database.windows.net/billing"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        (AZURE, SqlServer("meridian.database.windows.net", 1433, "billing")),
        (f"{AZURE}?driver=ODBC+Driver+18+for+SQL+Server", SqlServer("meridian.database.windows.net", 1433, "billing")),
        (f"{AZURE}?Encrypt=yes", SqlServer("meridian.database.windows.net", 1433, "billing")),
        ("mssql://db.example:1533/billing", SqlServer("db.example", 1533, "billing")),
        (
            "mssql+pyodbc://sa:p%40ss%3Bword@localhost/billing?TrustServerCertificate=yes",
            SqlServer("localhost", 1433, "billing", "sa", "p@ss;word", DRIVER, trust_certificate=True),
        ),
        ("mssql+pyodbc://sa:x@127.0.0.1:1433/my%20bills", SqlServer("127.0.0.1", 1433, "my bills", "sa", "x")),
        (
            "mssql+pyodbc://h/d?driver=ODBC+Driver+19+for+SQL+Server",
            SqlServer("h", 1433, "d", driver=DRIVER[:12] + "19 for SQL Server"),
        ),
    ],
)
def test_addresses_of_sql_server(url: str, server: SqlServer) -> None:
    assert problems(url, in_azure=False) == []
    assert sql_server(url) == server


@pytest.mark.parametrize(
    "url", ["sqlite:///.state/powerbill.sqlite", "sqlite:////var/data/a.sqlite", "sqlite+pysqlite:///a.b"]
)
def test_a_sqlite_file_serves_anywhere_but_in_azure(url: str) -> None:
    assert problems(url, in_azure=False) == []
    (problem,) = problems(url, in_azure=True)
    assert (problem.field, "does not last" in problem.message) == ("DATABASE_URL", True)


WRONG = [
    # address, the place in it, words of the cure
    ("", "DATABASE_URL", "write mssql+pyodbc://"),
    ("billing.sqlite", "DATABASE_URL", "names no database kind"),
    ("postgresql://h/d", "DATABASE_URL", "'postgresql'"),
    ("mssql+pymssql://h/d", "DATABASE_URL", "write mssql+pyodbc://"),
    ("Server=tcp:h,1433;Initial Catalog=d;Password=x", "DATABASE_URL", "connection string of another library"),
    ("Driver={ODBC Driver 18 for SQL Server};Server=h", "DATABASE_URL", "connection string of another library"),
    ("mssql+pyodbc://[h/d", "DATABASE_URL", "cannot be read"),
    ("sqlite://file.sqlite", "DATABASE_URL path", "three slashes"),
    ("sqlite://", "DATABASE_URL path", "three slashes"),
    ("sqlite:///", "DATABASE_URL path", "names no file"),
    ("sqlite:///:memory:", "DATABASE_URL path", "names no file"),
    ("mssql+pyodbc:///d", "DATABASE_URL server", "<server>.database.windows.net"),
    ("mssql+pyodbc://tcp:h,1433/d", "DATABASE_URL server", "port after ':'"),
    ("mssql+pyodbc://[::1]/d", "DATABASE_URL server", "<server>.database.windows.net"),
    ("mssql+pyodbc://h,1433/d", "DATABASE_URL server", "port after ':'"),
    ("mssql+pyodbc://h:99999/d", "DATABASE_URL port", "leave it out"),
    ("mssql+pyodbc://h", "DATABASE_URL database", "after the server"),
    ("mssql+pyodbc://h/d/e", "DATABASE_URL database", "several parts"),
    ("mssql+pyodbc://sa@h/d", "DATABASE_URL password", "both name and password"),
    ("mssql+pyodbc://:x@h/d", "DATABASE_URL password", "both name and password"),
    ("mssql+pyodbc://h/d?Authentication=ActiveDirectoryMsi", "DATABASE_URL authentication", "remove the parameter"),
    ("mssql+pyodbc://h/d?UID=a", "DATABASE_URL uid", "remove the parameter"),
    ("mssql+pyodbc://h/d?odbc_connect=x", "DATABASE_URL odbc_connect", "remove the parameter"),
    ("mssql+pyodbc://h/d?Trusted_Connection=yes", "DATABASE_URL trusted_connection", "remove the parameter"),
    ("mssql+pyodbc://h/d?Encrypt=no", "DATABASE_URL encrypt", "always encrypted"),
    ("mssql+pyodbc://h/d?TrustServerCertificate=yes", "DATABASE_URL trustservercertificate", "on this machine only"),
    ("mssql+pyodbc://h/d?driver=FreeTDS", "DATABASE_URL driver", DRIVER),
    ("mssql+pyodbc://h/d?driver=ODBC+Driver+13+for+SQL+Server", "DATABASE_URL driver", DRIVER),
    ("mssql+pyodbc://h/d?drivr=x", "DATABASE_URL drivr", "remove it"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "place", "cure"), WRONG)
def test_what_is_wrong_is_named_with_its_place_and_its_cure(url: str, place: str, cure: str) -> None:
    (problem,) = problems(url, in_azure=False)

    assert problem.field == place
    assert cure in problem.message


def test_every_fault_is_named_at_once() -> None:
    found = problems("mssql+pyodbc://sa@h,1/?Encrypt=no&uid=x", in_azure=False)

    assert [p.field.removeprefix("DATABASE_URL ") for p in found] == [
        "server",
        "database",
        "password",
        "uid",
        "encrypt",
    ]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////data/app.sqlite", "SQLite file /data/app.sqlite"),
        ("sqlite:////data/app.sqlite?timeout=5", "SQLite file /data/app.sqlite"),
        ("sqlite:///app.sqlite", f"SQLite file {Path('app.sqlite').resolve()}"),
        ("mssql+pyodbc://db.database.windows.net/billing", "database billing on db.database.windows.net"),
        ("mssql+pyodbc://sa:secret@localhost:1433/billing", "database billing on localhost"),
        ("mssql+pyodbc://sa:secret@", "an address that cannot be used"),
    ],
)
def test_an_address_in_words_shows_where_it_leads_and_no_secret(url: str, words: str) -> None:
    assert described(url) == words


@pytest.mark.parametrize("who", ["sa:secret", "sa", ":secret"])
def test_in_azure_nobody_signs_in_with_a_password(who: str) -> None:
    (problem,) = problems(f"mssql+pyodbc://{who}@h/d", in_azure=True)

    assert problem.field == "DATABASE_URL password"
    assert "managed identity" in problem.message
    assert "CREATE USER" in problem.message


@given(
    st.text(alphabet=st.characters(codec="ascii", exclude_characters="/"), min_size=12),
    st.sampled_from(["mssql+pyodbc://sa:{}@h,1/d?x=1", "Server=h;Password={}", "mssql+pyodbc://h/d?pwd={}", "{}"]),
    st.booleans(),
)
def test_a_refusal_never_shows_the_address(secret: str, form: str, in_azure: bool) -> None:
    if form == "{}":
        secret = f"{secret}://"
    shown = " ".join(p.message for p in problems(form.format(secret), in_azure=in_azure))

    assert secret not in shown

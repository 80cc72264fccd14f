"""The command that gives the first roles."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from localhost.identity import made_up_users
from shared_code.access import users
from shared_code.access.grant import main
from shared_code.access.model import Caller
from shared_code.access.permissions import authorise
from shared_code.access.requests import UserRequest
from shared_code.access.roles import ROLES
from shared_code.facts.tables import site
from shared_code.operations import audit

ROOT = Path(__file__).parents[3]


def where(engine: sa.Engine) -> str:
    """How the command names the database of a test."""
    return f"SQLite file {engine.url.database}"


def test_the_first_administrator(engine: sa.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--user", "eva", "--name", "Eva Roth", "--role", "systemAdmin", "--reason", "first of all"]) == 0

    assert authorise(Caller("eva", "Eva"), "users", "write").visible.everything
    assert capsys.readouterr().out == f"{where(engine)}\neva (Eva Roth): systemAdmin; 0 sites\n"
    recorded = audit.events(audit.AuditQuery(stream="access")).items
    assert {(event.actor.id, event.subject, event.reason) for event in recorded} == {("system", "eva", "first of all")}


def test_a_second_call_adds_and_takes_nothing_away(engine: sa.Engine) -> None:
    main(["--user", "bot", "--name", "Bot", "--kind", "service", "--role", "integration", "--site", "0901"])
    main(["--user", "bot", "--role", "auditor", "--site", "0902", "--district", "East"])
    user = users.get_user("bot")

    assert (user.name, user.kind) == ("Bot", "service")
    assert [grant.role for grant in user.roles] == ["auditor", "integration"]
    assert (user.sites, user.districts) == (("0901", "0902"), ("East",))


def test_the_same_call_again_changes_nothing(engine: sa.Engine) -> None:
    main(["--user", "eva", "--role", "systemAdmin"])
    first = users.get_user("eva")
    main(["--user", "eva", "--role", "systemAdmin"])

    assert users.get_user("eva") == first


def test_it_lets_in_again_who_was_shut_out(engine: sa.Engine) -> None:
    main(["--user", "eva", "--role", "systemAdmin"])
    users.put_user("eva", UserRequest(name="Eva", active=False, reason="left"), "*")
    main(["--user", "eva", "--role", "systemAdmin"])

    assert authorise(Caller("eva", "Eva"), "users", "write")


def test_a_file_of_users_leaves_those_that_exist(
    engine: sa.Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "users.json"
    file.write_text(json.dumps(made_up_users()))
    assert main(["--users", str(file)]) == 0
    users.put_user("auditor@example.com", UserRequest(name="Somebody", reason="no audit this year"), "*")
    assert main(["--users", str(file)]) == 0

    named = where(engine)
    assert capsys.readouterr().out == f"{named}\n8 users are new\n{named}\n0 users are new\n"
    assert users.list_users().total == len(ROLES)
    assert users.get_user("auditor@example.com").roles == ()


WRONG: list[str] = ["[{}]", "{", '[{"user_id": "a", "roles": ["emperor"]}]', '[{"user_id": ""}]']


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_file_adds_nobody(
    engine: sa.Engine, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "users.json"
    file.write_text(text)

    assert main(["--users", str(file)]) == 2
    assert capsys.readouterr().err.startswith("no role was given: ")
    assert users.list_users().total == 0


def test_it_is_a_command(engine: sa.Engine) -> None:
    command = [sys.executable, "-m", "shared_code.access.grant", "--user", "eva", "--role", "auditor"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, f"{where(engine)}\neva (eva): auditor; 0 sites\n"), done.stderr


def test_a_site_that_the_site_master_does_not_know_is_given_with_a_note(
    engine: sa.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before there is a site master, every site is still to come, and nobody is warned."""
    assert main(["--user", "ann", "--role", "accountManager", "--site", "0901"]) == 0
    assert capsys.readouterr().err == ""

    with engine.begin() as connection:
        connection.execute(site.insert().values(site_number="0901", name="Hotel", batch_no=1, row_number=1))
    assert main(["--user", "ann", "--site", "0901", "--site", "0977"]) == 0
    assert capsys.readouterr().err == (
        "note: the site master knows no site 0977; it shows nothing until there is one\n"
    )
    assert users.get_user("ann").sites == ("0901", "0977")


def test_without_a_named_database_nothing_is_done(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv("DATABASE_URL")

    assert main(["--user", "eva", "--role", "systemAdmin"]) == 2
    assert capsys.readouterr().err.startswith("no role was given: DATABASE_URL is not set")


def test_a_database_without_tables_is_said_to_be_one(environment: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "shared_code.access.grant", "--user", "eva", "--role", "systemAdmin"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("no role was given: the database has no schema; run ")
    assert len(done.stderr.splitlines()) == 1

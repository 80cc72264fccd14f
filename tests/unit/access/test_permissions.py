"""What a caller may do and see, on a real database: one statement for the roles, the rest inside the query itself."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from shared_code.access.model import Caller, Permission
from shared_code.access.permissions import authorise
from shared_code.access.roles import MATRIX, ROLES, Access
from shared_code.access.tables import app_user, district_assignment, site_assignment, user_role
from shared_code.access.users import who_am_i
from shared_code.facts.tables import site
from shared_code.foundation import clock
from shared_code.foundation.business_settings.service import change
from shared_code.foundation.errors import BillingError
from tests.unit.access.test_roles import CELLS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANN = Caller("ann", "Ann of the token")
SITES = {"0901": "East", "0902": "EAST", "0903": "West", "0904": None}


@pytest.fixture(autouse=True)
def sites(engine: sa.Engine) -> None:
    """Four sites: two in the east, one in the west, one in no district."""
    clock.set_clock(lambda: NOW)
    with engine.begin() as connection:
        for number, district in SITES.items():
            row = {"site_number": number, "name": number, "district": district, "batch_no": 1, "row_number": 1}
            connection.execute(site.insert().values(row))


def add_user(
    engine: sa.Engine,
    *roles: str,
    user_id: str = "ann",
    active: int = 1,
    ends: Mapping[str, datetime] | None = None,
    numbers: Sequence[str] = (),
    districts: Sequence[str] = (),
) -> None:
    granted = {"granted_by": "system", "granted_at": NOW, "reason": "made up"}
    with engine.begin() as connection:
        values = {"name": "Ann Lee", "kind": "person", "active": active, "created_at": NOW, "changed_at": NOW}
        connection.execute(app_user.insert().values(user_id=user_id, **values))
        for role in roles:
            end = (ends or {}).get(role)
            connection.execute(user_role.insert().values(user_id=user_id, role=role, valid_until=end, **granted))
        for number in numbers:
            connection.execute(site_assignment.insert().values(user_id=user_id, site_number=number))
        for district in districts:
            connection.execute(district_assignment.insert().values(user_id=user_id, district=district))


def seen(engine: sa.Engine, permission: Permission) -> set[str]:
    """The sites that a query with the permission's row filter finds."""
    with engine.connect() as connection:
        query = sa.select(site.c.site_number).where(permission.visible.limit(site.c.site_number))
        return set(connection.scalars(query))


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """The SQL that runs inside."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def refused(resource: str = "statements", access: Access = "read") -> bool:
    try:
        authorise(ANN, resource, access)
    except BillingError as error:
        assert error.code == "FORBIDDEN"
        return True
    return False


# -- roles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_every_cell_of_the_matrix_decides(engine: sa.Engine, role: str) -> None:
    add_user(engine, role)
    accesses: tuple[Access, ...] = ("read", "write", "approve")
    opened = {(resource, access) for resource in MATRIX for access in accesses if not refused(resource, access)}

    assert opened == {
        (resource, access) for (resource, r), (allowed, _) in CELLS.items() if r == role for access in allowed
    }


def test_a_stranger_may_nothing(engine: sa.Engine) -> None:
    assert all(refused(resource) for resource in MATRIX)


def test_a_user_without_roles_may_nothing(engine: sa.Engine) -> None:
    add_user(engine)

    assert all(refused(resource) for resource in MATRIX)


def test_roles_of_somebody_inactive_do_not_count(engine: sa.Engine) -> None:
    add_user(engine, "billingAdmin", active=0)

    assert refused()


def test_a_role_counts_until_its_end(engine: sa.Engine) -> None:
    add_user(engine, "billingAdmin", ends={"billingAdmin": NOW + timedelta(seconds=1)})
    assert not refused()

    clock.set_clock(lambda: NOW + timedelta(seconds=1))
    assert refused()


def test_a_role_that_is_taken_away_ends_at_once(engine: sa.Engine) -> None:
    add_user(engine, "billingAdmin")
    assert not refused()
    with engine.begin() as connection:
        connection.execute(user_role.delete())

    assert refused()


def test_the_permission_carries_roles_and_the_name_that_administrators_gave(engine: sa.Engine) -> None:
    add_user(engine, "billingAdmin", "auditor")

    assert authorise(ANN, "runs", "read").caller == Caller(
        "ann", "Ann Lee", "person", frozenset({"billingAdmin", "auditor"})
    )


@pytest.mark.parametrize("roles", [["billingAdmin", "auditor"], ["accountManager"], ["districtManager"]])
def test_a_request_costs_one_statement(engine: sa.Engine, roles: list[str]) -> None:
    add_user(engine, *roles, numbers=["0901"], districts=["West"])
    with statements(engine) as found:
        authorise(ANN, "statements", "read")

    assert len([statement for statement in found if statement.startswith("SELECT")]) == 1


# -- what a setting adds ----------------------------------------------------------------------------------------------


SWITCHED = [(True, "billingAdmin", True), (False, "billingAdmin", False), (True, "auditor", False)]


@pytest.mark.parametrize(("on", "role", "may"), SWITCHED)
def test_billing_admins_approve_while_a_setting_says_so(engine: sa.Engine, on: bool, role: str, may: bool) -> None:
    add_user(engine, role)
    change({"billingAdminApproves": on}, "agreed with the billing managers", "*")

    assert refused("transitions", "approve") == (not may)
    capabilities = {found.resource: found.may for found in who_am_i(ANN).capabilities}
    assert capabilities.get("transitions") == (("approve",) if may else None)
    assert all(refused("transitions", access) for access in ("read", "write"))


def test_what_a_setting_adds_is_for_all_sites(engine: sa.Engine) -> None:
    add_user(engine, "billingAdmin", "accountManager", numbers=["0901"])
    change({"billingAdminApproves": True}, "agreed with the billing managers", "*")

    assert authorise(ANN, "transitions", "approve").visible.everything


# -- rows -------------------------------------------------------------------------------------------------------------

ALL = set(SITES)
VISIBLE = [
    # what, roles, assigned sites, assigned districts, sites seen
    ("who is not limited sees all", ["auditor"], [], [], ALL),
    ("assigned sites", ["accountManager"], ["0901", "0904"], [], {"0901", "0904"}),
    ("no site assigned", ["accountManager"], [], [], set()),
    ("districts are not for account managers", ["accountManager"], ["0901"], ["West"], {"0901"}),
    ("a district, however it is written", ["districtManager"], [], ["east"], {"0901", "0902"}),
    ("two districts", ["districtManager"], [], ["East", "West"], {"0901", "0902", "0903"}),
    ("a district and a site", ["districtManager"], ["0904"], ["West"], {"0903", "0904"}),
    ("a site that lies in the district too", ["districtManager"], ["0903"], ["West"], {"0903"}),
    ("a district without sites", ["districtManager"], [], ["North"], set()),
    ("a manager of both kinds", ["accountManager", "districtManager"], ["0904"], ["West"], {"0903", "0904"}),
    ("the wider role wins", ["accountManager", "billingAdmin"], ["0901"], [], ALL),
    ("a role that grants nothing here widens nothing", ["accountManager", "systemAdmin"], ["0901"], [], {"0901"}),
]


@pytest.mark.parametrize(
    ("roles", "numbers", "districts", "expected"), [v[1:] for v in VISIBLE], ids=[v[0] for v in VISIBLE]
)
def test_rows_that_are_seen(
    engine: sa.Engine, roles: list[str], numbers: list[str], districts: list[str], expected: set[str]
) -> None:
    add_user(engine, *roles, numbers=numbers, districts=districts)
    add_user(engine, *ROLES, user_id="ben", numbers=["0902"], districts=["East", "West"])

    assert seen(engine, authorise(ANN, "statements", "read")) == expected


def test_an_assignment_counts_at_once_and_ends_at_once(engine: sa.Engine) -> None:
    add_user(engine, "accountManager", numbers=["0901"])
    permission = authorise(ANN, "statements", "read")
    with engine.begin() as connection:
        connection.execute(site_assignment.update().values(site_number="0903"))

    assert seen(engine, permission) == {"0903"}


def test_an_integration_sees_its_own_webhooks(engine: sa.Engine) -> None:
    add_user(engine, "integration")
    add_user(engine, "integration", user_id="ben")
    visible = authorise(ANN, "webhooks", "read").visible

    with engine.connect() as connection:
        owners = connection.scalars(sa.select(app_user.c.user_id).where(visible.limit(app_user.c.user_id))).all()
    assert owners == ["ann"]
    assert authorise(ANN, "statements", "read").visible.everything


@pytest.mark.parametrize("role", ["accountManager", "districtManager"])
def test_the_row_filter_is_valid_on_sql_server(engine: sa.Engine, role: str) -> None:
    add_user(engine, role)
    query = sa.select(site.c.name).where(authorise(ANN, "sites", "read").visible.limit(site.c.site_number))
    sql = str(query.compile(dialect=mssql.dialect()))  # type: ignore[no-untyped-call]

    assert " IN (SELECT " in sql
    assert "ORDER BY" not in sql


# -- how far back -----------------------------------------------------------------------------------------------------

WINDOWS = [
    # roles, resource, first period
    (["accountManager"], "statements", "2024-11"),
    (["districtManager"], "statements", "2023-11"),
    (["accountManager", "districtManager"], "invoices", "2023-11"),
    (["accountManager"], "contracts", None),
    (["accountManager"], "sites", None),
    (["accountManager", "auditor"], "statements", None),
    (["billingAdmin"], "statements", None),
]


@pytest.mark.parametrize(("roles", "resource", "first"), WINDOWS)
def test_how_far_back_a_manager_may_look(engine: sa.Engine, roles: list[str], resource: str, first: str | None) -> None:
    """Platform 3.3: the current month and 24 before it for account managers, 36 for district managers."""
    add_user(engine, *roles)
    since = authorise(ANN, resource, "read").since

    assert (since and str(since)) == first


def test_the_month_is_that_of_the_business(engine: sa.Engine) -> None:
    add_user(engine, "accountManager")
    clock.set_clock(lambda: datetime(2026, 12, 1, 3, tzinfo=UTC))  # still November in New York

    assert str(authorise(ANN, "statements", "read").since) == "2024-11"

"""Users: shown, changed, assigned; each change once, by somebody else, with its reason in the audit."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from shared_code.access import users
from shared_code.access.model import Assignments, Caller, Saved, User
from shared_code.access.permissions import authorise
from shared_code.access.requests import AssignmentsRequest, UserRequest
from shared_code.access.users import NewUser
from shared_code.facts.tables import site
from shared_code.foundation import clock
from shared_code.foundation.context import Context, acting
from shared_code.foundation.errors import BillingError
from shared_code.operations import audit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVA = Context(actor_id="eva", actor_name="Eva Roth", actor_kind="person", roles=("systemAdmin",))
REASON = "she moved to billing"


@pytest.fixture(autouse=True)
def eva_acts(engine: sa.Engine) -> Iterator[None]:
    """An administrator acts, at noon; there are three sites in two districts."""
    clock.set_clock(lambda: NOW)
    with engine.begin() as connection:
        for number, district in (("0901", "East"), ("0902", "West"), ("0903", None)):
            row = {"site_number": number, "name": number, "district": district, "batch_no": 1, "row_number": 1}
            connection.execute(site.insert().values(row))
    with acting(EVA):
        yield


def later(hours: int = 1) -> None:
    moment = clock.now() + timedelta(hours=hours)
    clock.set_clock(lambda: moment)


def wish(*roles: str, **changes: Any) -> UserRequest:
    body = {"name": "Ann Lee", "roles": [{"role": role} for role in roles], "reason": REASON, **changes}
    return UserRequest.model_validate(body)


def put(user_id: str, wished: UserRequest, if_match: str | None = None) -> Saved:
    """Put a user, over whatever is there unless the test says what it has read."""
    return users.put_user(user_id, wished, if_match or over(user_id))


def put_sites(user_id: str, wished: AssignmentsRequest, if_match: str | None = None) -> Assignments:
    return users.put_assignments(user_id, wished, if_match or over(user_id))


def over(user_id: str) -> str | None:
    return "*" if user_id.strip().lower() in [user.user_id for user in users.list_users(limit=1000).items] else None


def assign(*sites: str, districts: tuple[str, ...] = ()) -> AssignmentsRequest:
    return AssignmentsRequest.model_validate({"sites": list(sites), "districts": list(districts), "reason": REASON})


def etag(user: User) -> str:
    return f'"{user.version}"'


def roles_of(user: User) -> list[str]:
    return [grant.role for grant in user.roles]


def refusal(change: Any) -> BillingError:
    with pytest.raises(BillingError) as found:
        change()
    return found.value


def events() -> list[tuple[str, str, dict[str, Any]]]:
    """Actor, action and data of each event about users, oldest first."""
    found = audit.events(audit.AuditQuery(stream="access")).items
    return [(event.actor.id, event.action, dict(event.data)) for event in sorted(found, key=lambda e: e.sequence)]


# -- putting a user ---------------------------------------------------------------------------------------------------


def test_a_new_user(engine: sa.Engine) -> None:
    saved = put("ann", wish("billingAdmin", "auditor"))

    assert saved.created
    assert saved.user == users.get_user("ann")
    assert (saved.user.name, saved.user.kind, saved.user.active) == ("Ann Lee", "person", True)
    assert roles_of(saved.user) == ["auditor", "billingAdmin"]
    grant = saved.user.roles[0]
    assert (grant.granted_by, grant.granted_at, grant.reason, grant.valid_until) == ("eva", NOW, REASON, None)


def test_putting_replaces_roles_and_leaves_those_that_stay(engine: sa.Engine) -> None:
    put("ann", wish("billingAdmin", "auditor"))
    later()
    with acting(Context(actor_id="tom", actor_name="Tom")):
        saved = put("ann", wish("auditor", "contractAdmin"))

    assert not saved.created
    assert [(grant.role, grant.granted_by) for grant in saved.user.roles] == [
        ("auditor", "eva"),
        ("contractAdmin", "tom"),
    ]
    assert (saved.user.created_at, saved.user.changed_at) == (NOW, NOW + timedelta(hours=1))


def test_putting_the_same_again_changes_and_records_nothing(engine: sa.Engine) -> None:
    first = put("ann", wish("auditor")).user
    later()

    assert put("ann", wish("auditor")).user == first
    assert len(events()) == 2


def test_assignments_stay_when_the_user_is_put(engine: sa.Engine) -> None:
    put("ann", wish("accountManager"))
    put_sites("ann", assign("0901"))

    assert put("ann", wish("accountManager", name="Ann Roe")).user.sites == ("0901",)


def test_what_a_change_decides_holds_for_the_next_request(engine: sa.Engine) -> None:
    caller = Caller("ann", "Ann")
    put("ann", wish("billingAdmin"))
    authorise(caller, "runs", "write")
    put("ann", wish("auditor"))
    assert refusal(lambda: authorise(caller, "runs", "write")).code == "FORBIDDEN"
    put("ann", wish("billingAdmin", active=False))

    assert refusal(lambda: authorise(caller, "runs", "read")).code == "FORBIDDEN"


def test_object_ids_are_one_however_they_are_written(engine: sa.Engine) -> None:
    put("8F6A2C9E-0000-4000-8000-0000000000AB", wish("auditor"))

    assert users.get_user("8f6a2c9e-0000-4000-8000-0000000000ab").user_id == "8f6a2c9e-0000-4000-8000-0000000000ab"
    assert not put(" 8f6a2c9e-0000-4000-8000-0000000000AB", wish()).created


BAD_ROLES: list[tuple[str, list[dict[str, object]], str]] = [
    ("twice the same", [{"role": "auditor"}, {"role": "auditor"}], "roles.1.role"),
    ("ends in the past", [{"role": "auditor", "validUntil": NOW - timedelta(days=1)}], "roles.0.validUntil"),
    ("ends now", [{"role": "auditor", "validUntil": NOW}], "roles.0.validUntil"),
    ("ends without zone", [{"role": "auditor", "validUntil": datetime(2027, 1, 1)}], "roles.0.validUntil"),  # noqa: DTZ001
]


@pytest.mark.parametrize(("roles", "field"), [b[1:] for b in BAD_ROLES], ids=[b[0] for b in BAD_ROLES])
def test_roles_that_are_refused(engine: sa.Engine, roles: list[dict[str, object]], field: str) -> None:
    error = refusal(lambda: put("ann", wish(roles=roles)))

    assert (error.code, [detail.field for detail in error.details]) == ("USER_INVALID", [field])
    assert refusal(lambda: users.get_user("ann")).code == "USER_NOT_FOUND"


@pytest.mark.parametrize("user_id", ["", "  ", "x" * 101, "a\nb"])
def test_ids_that_are_refused(engine: sa.Engine, user_id: str) -> None:
    assert refusal(lambda: put(user_id, wish())).code == "USER_INVALID"


BAD_BODIES: list[dict[str, Any]] = [
    {"roles": [{"role": "emperor"}]},
    {"name": "  "},
    {"name": "x" * 201},
    {"reason": ""},
    {"reason": "  x "},
    {"kind": "robot"},
    {"active": "yes"},
    {"role": "auditor"},
]


@pytest.mark.parametrize("changes", BAD_BODIES, ids=[f"{change}"[:40] for change in BAD_BODIES])
def test_bodies_that_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wish(**changes)


def test_a_body_as_it_comes_over_the_wire() -> None:
    body = b'{"name":"Ann","roles":[{"role":"auditor","validUntil":"2027-01-01T00:00:00Z"}],"reason":"a year of audit"}'

    assert UserRequest.model_validate_json(body).roles[0].valid_until == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_role_whose_end_has_passed_may_stay_as_it_is(engine: sa.Engine) -> None:
    """Whoever changes another thing of the user sends the roles as they read them."""
    end = NOW + timedelta(minutes=30)
    roles = [{"role": "auditor", "validUntil": end}]
    put("ann", wish(roles=roles))
    later()

    assert put("ann", wish(roles=roles, name="Ann Roe")).user.roles[0].valid_until == end


# -- assignments ------------------------------------------------------------------------------------------------------


def test_assigning_sites_and_districts(engine: sa.Engine) -> None:
    put("ann", wish("districtManager"))
    put_sites("ann", assign("0903", "0901"))
    assigned = put_sites("ann", assign("0903", "0903", districts=("west",)))

    assert (assigned.sites, assigned.districts) == (("0903",), ("west",))
    assert users.get_assignments("ann") == assigned
    assert assigned.version == users.get_user("ann").version


def test_sites_that_there_are_not_are_named(engine: sa.Engine) -> None:
    put("ann", wish("accountManager"))
    error = refusal(lambda: put_sites("ann", assign("0901", "9999", "901", districts=("North", "EAST"))))

    assert error.code == "USER_INVALID"
    assert [detail.message for detail in error.details] == [
        "the site master knows no site 901",
        "the site master knows no site 9999",
        "no site lies in a district 'North'",
    ]
    assert users.get_user("ann").sites == ()


def test_an_assigned_site_that_left_the_site_master_may_stay(engine: sa.Engine) -> None:
    users.grant(NewUser("ann", sites=("0777",)), "moved here")

    assert put_sites("ann", assign("0777", "0901")).sites == ("0777", "0901")


def test_more_sites_than_a_statement_has_parameters(engine: sa.Engine) -> None:
    numbers = [f"{n}" for n in range(2000, 4500)]
    with engine.begin() as connection:
        rows = [{"site_number": n, "name": n, "batch_no": 1, "row_number": 1} for n in numbers]
        connection.execute(site.insert(), rows)
    put("ann", wish("accountManager"))

    assert put_sites("ann", assign(*numbers)).sites == tuple(numbers)
    assert put_sites("ann", assign("2000")).sites == ("2000",)


def test_nobody_unknown_is_shown_or_assigned(engine: sa.Engine) -> None:
    for change in (
        lambda: users.get_user("ann"),
        lambda: users.get_assignments("ann"),
        lambda: put_sites("ann", assign()),
    ):
        assert refusal(change).code == "USER_NOT_FOUND"


# -- segregation of duties --------------------------------------------------------------------------------------------


def test_nobody_changes_their_own_access(engine: sa.Engine) -> None:
    with acting(Context()):
        users.grant(NewUser("eva", "Eva Roth", roles=("auditor",)), "first")
    before = users.get_user("eva")
    for change in (
        lambda: put("eva", wish("auditor", "systemAdmin", name="Eva Roth")),
        lambda: put("eva", wish(name="Eva Roth")),
        lambda: put("eva", wish("auditor", name="Eva Roth", active=False)),
        lambda: put_sites("eva", assign("0901")),
        lambda: put_sites("eva", assign(districts=("East",))),
    ):
        error = refusal(change)
        assert (error.code, error.kind.status) == ("OWN_ACCESS", 403)
    assert users.get_user("eva") == before


def test_a_name_of_ones_own_may_be_corrected(engine: sa.Engine) -> None:
    with acting(Context()):
        users.grant(NewUser("eva", "Eva", roles=("systemAdmin",)), "first")

    assert put("eva", wish("systemAdmin", name="Eva Roth")).user.name == "Eva Roth"


# -- versions ---------------------------------------------------------------------------------------------------------


def test_a_version_changes_with_every_part_and_with_nothing_else(engine: sa.Engine) -> None:
    seen = [put("ann", wish("auditor")).user.version]
    for change in (
        lambda: put("ann", wish("auditor", name="Ann Roe")),
        lambda: put("ann", wish("auditor", name="Ann Roe", kind="service")),
        lambda: put("ann", wish("auditor", "billingAdmin", name="Ann Roe", kind="service")),
        lambda: put_sites("ann", assign("0901")),
        lambda: put_sites("ann", assign("0901", districts=("West",))),
    ):
        change()
        seen.append(users.get_user("ann").version)
        assert users.get_user("ann").version == seen[-1]

    assert len(set(seen)) == len(seen)


def test_only_who_has_read_the_latest_changes_it_when_they_say_what_they_read(engine: sa.Engine) -> None:
    first = put("ann", wish("auditor")).user
    put("ann", wish("auditor", "billingAdmin"), etag(first))
    for change in (
        lambda: put("ann", wish("contractAdmin"), etag(first)),
        lambda: put_sites("ann", assign("0901"), etag(first)),
        lambda: put("ben", wish("auditor"), "*"),
        lambda: put("ben", wish("auditor"), etag(first)),
    ):
        error = refusal(change)
        assert (error.code, error.kind.status) == ("USER_CHANGED", 412)

    assert roles_of(put("ann", wish("contractAdmin"), "*").user) == ["contractAdmin"]


def test_of_changes_at_once_that_read_the_same_one_is_made(engine: sa.Engine) -> None:
    first = put("ann", wish("auditor")).user
    outcomes: list[str] = []

    def change(number: int) -> None:
        with acting(EVA):
            try:
                put("ann", wish("auditor", name=f"Ann {number}"), etag(first))
            except BillingError as error:
                outcomes.append(error.code)
            else:
                outcomes.append("done")

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["USER_CHANGED"] * 7 + ["done"]


# -- the audit --------------------------------------------------------------------------------------------------------


def test_each_part_that_changed_is_recorded_before_and_after(engine: sa.Engine) -> None:
    put("ann", wish("auditor"))
    put("ann", wish("billingAdmin", name="Ann Roe"))
    put_sites("ann", assign("0901", districts=("West",)))
    none: dict[str, list[str]] = {"sites": [], "districts": []}

    assert events() == [
        ("eva", "user.created", {"before": {}, "after": {"name": "Ann Lee", "kind": "person", "active": True}}),
        ("eva", "user.roles.changed", {"before": [], "after": [{"role": "auditor", "validUntil": None}]}),
        (
            "eva",
            "user.changed",
            {
                "before": {"name": "Ann Lee", "kind": "person", "active": True},
                "after": {"name": "Ann Roe", "kind": "person", "active": True},
            },
        ),
        (
            "eva",
            "user.roles.changed",
            {
                "before": [{"role": "auditor", "validUntil": None}],
                "after": [{"role": "billingAdmin", "validUntil": None}],
            },
        ),
        ("eva", "user.sites.changed", {"before": none, "after": {"sites": ["0901"], "districts": ["West"]}}),
    ]


def test_what_is_refused_is_not_recorded(engine: sa.Engine) -> None:
    put("ann", wish("auditor"))
    before = len(events())
    refusal(lambda: put_sites("ann", assign("9999")))
    refusal(lambda: put("eva", wish("systemAdmin")))

    assert len(events()) == before


# -- lists ------------------------------------------------------------------------------------------------------------


def people(count: int) -> None:
    with acting(Context()):
        roles: tuple[Any, ...] = (("auditor",), ("accountManager", "auditor"), ())
        users.add_users([NewUser(f"u{n:03d}", f"Name {n % 4}", roles=roles[n % 3]) for n in range(count)], "made up")


def test_pages_hold_every_user_once_in_order_of_names(engine: sa.Engine) -> None:
    people(23)
    found: list[User] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = users.list_users(limit=5, cursor=cursor)
        assert page.total == 23
        found += page.items
        cursor, pages = page.next_cursor, pages + 1

    assert [(user.name, user.user_id) for user in found] == sorted((f"Name {n % 4}", f"u{n:03d}") for n in range(23))
    assert found[0] == users.get_user(found[0].user_id)
    assert pages == 5


def test_lists_by_role_and_state(engine: sa.Engine) -> None:
    people(9)
    put("u000", wish("auditor", active=False))

    assert users.list_users("accountManager").total == 3
    assert users.list_users("auditor").total == 6
    assert users.list_users("auditor", active=True).total == 5
    assert [user.user_id for user in users.list_users(active=False).items] == ["u000"]
    assert users.list_users("systemAdmin").items == ()


def test_a_page_may_hold_a_thousand_users(engine: sa.Engine) -> None:
    people(1005)
    page = users.list_users(limit=1000)

    assert (len(page.items), page.total) == (1000, 1005)
    assert len(users.list_users(limit=1000, cursor=page.next_cursor).items) == 5


def test_a_cursor_of_another_list_is_refused(engine: sa.Engine) -> None:
    assert refusal(lambda: users.list_users(cursor="WzFd")).code == "CURSOR_INVALID"


# -- who am I ---------------------------------------------------------------------------------------------------------


def test_who_am_i_says_what_counts_now(engine: sa.Engine) -> None:
    put("ann", wish("accountManager", roles=[{"role": "accountManager"}]))
    put_sites("ann", assign("0901"))
    me = users.who_am_i(Caller("ann", "Ann of the token"))

    assert (me.user_id, me.name, me.roles, me.sites) == ("ann", "Ann Lee", ("accountManager",), ("0901",))
    assert {(c.resource, c.may, c.own) for c in me.capabilities} >= {
        ("statements", ("read",), True),
        ("comments", ("read", "write"), True),
    }
    assert "runs" not in {capability.resource for capability in me.capabilities}


def test_who_am_i_shows_a_stranger_without_anything(engine: sa.Engine) -> None:
    me = users.who_am_i(Caller("ann", "Ann of the token", "service"))

    assert (me.name, me.kind, me.roles, me.sites, me.capabilities) == ("Ann of the token", "service", (), (), ())


def test_who_am_i_shows_nothing_of_somebody_inactive(engine: sa.Engine) -> None:
    put("ann", wish("accountManager", active=False))
    put_sites("ann", assign("0901"))

    assert users.who_am_i(Caller("ann", "Ann")).sites == ()


def test_a_user_who_exists_is_changed_only_by_somebody_who_says_what_they_read() -> None:
    users.put_user("ann", wish("auditor"))

    for change in (
        lambda: users.put_user("ann", wish()),
        lambda: users.put_assignments("ann", assign("0901")),
    ):
        assert refusal(change).code == "IF_MATCH_REQUIRED"
    assert roles_of(users.get_user("ann")) == ["auditor"]

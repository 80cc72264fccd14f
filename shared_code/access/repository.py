"""All SQL of access: what counts for a request, and the users with their roles and assignments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.access.model import RoleGrant, User
from shared_code.access.tables import app_user, district_assignment, site_assignment, user_role
from shared_code.facts.tables import site
from shared_code.foundation.database import AnyRow
from shared_code.foundation.visibility import Visibility

_KEYS_PER_STATEMENT = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database says of a caller: the name it knows (None for a stranger), and the roles that count now."""

    name: str | None
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users a list holds; None narrows nothing."""

    role: str | None = None
    active: bool | None = None


# -- for each request -----------------------------------------------------------------------------------------------


def standing(connection: Connection, user_id: str, at: datetime) -> Standing:
    """Name and roles of an active user, in one statement; nothing of anybody else."""
    counts = sa.and_(
        user_role.c.user_id == app_user.c.user_id,
        sa.or_(user_role.c.valid_until.is_(None), user_role.c.valid_until > at),
    )
    rows = connection.execute(
        sa.select(app_user.c.name, user_role.c.role)
        .select_from(app_user.outerjoin(user_role, counts))
        .where(app_user.c.user_id == user_id, app_user.c.active == 1)
    ).all()
    return Standing(rows[0].name if rows else None, frozenset(row.role for row in rows if row.role is not None))


def assigned(user_id: str, *, with_districts: bool) -> Visibility:
    """The sites that are assigned to a user, and for those who have districts also the sites in them."""
    sites = sa.select(site_assignment.c.site_number).where(site_assignment.c.user_id == user_id)
    if not with_districts:
        return Visibility(sites)
    # District names are compared without regard to case on both databases (rules R46).
    in_districts = sa.select(site.c.site_number).where(
        sa.func.upper(site.c.district).in_(
            sa.select(sa.func.upper(district_assignment.c.district)).where(district_assignment.c.user_id == user_id)
        )
    )
    return Visibility(sa.select(sa.union_all(sites, in_districts).subquery().c.site_number))


def only_id(user_id: str) -> Visibility:
    """Rows that carry the user's own id."""
    return Visibility(sa.select(app_user.c.user_id).where(app_user.c.user_id == user_id))


# -- users ----------------------------------------------------------------------------------------------------------


def lock(connection: Connection, user_id: str) -> None:
    """Take the user's row until the commit, so that changes come one after the other."""
    connection.execute(app_user.update().where(app_user.c.user_id == user_id).values(changed_at=app_user.c.changed_at))


def users_by_id(connection: Connection, user_ids: Sequence[str]) -> dict[str, User]:
    """Those of the named users that there are: four statements for up to 1,000 of them."""
    found: dict[str, User] = {}
    for start in range(0, len(user_ids), _KEYS_PER_STATEMENT):
        part = user_ids[start : start + _KEYS_PER_STATEMENT]
        rows = connection.execute(sa.select(app_user).where(app_user.c.user_id.in_(part))).all()
        found.update((user.user_id, user) for user in _assembled(connection, rows, part))
    return found


def list_users(
    connection: Connection, wanted: UserFilter, limit: int, after: tuple[str, str] | None
) -> tuple[list[User], int]:
    """At most `limit` users by name and id, from the one after `after` on, and how many there are in all."""
    conditions = _conditions(wanted)
    total = connection.scalar(sa.select(sa.func.count()).select_from(app_user).where(*conditions)) or 0
    if after is not None:
        name, user_id = after
        follows = sa.and_(app_user.c.name == name, app_user.c.user_id > user_id)
        conditions.append(sa.or_(app_user.c.name > name, follows))
    rows = connection.execute(
        sa.select(app_user).where(*conditions).order_by(app_user.c.name, app_user.c.user_id).limit(limit)
    ).all()
    known: dict[str, User] = {}
    for start in range(0, len(rows), _KEYS_PER_STATEMENT):
        part = rows[start : start + _KEYS_PER_STATEMENT]
        known.update((user.user_id, user) for user in _assembled(connection, part, [row.user_id for row in part]))
    return list(known.values()), total


def _conditions(wanted: UserFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.role is not None:
        holders = sa.select(user_role.c.user_id).where(user_role.c.role == wanted.role)
        conditions.append(app_user.c.user_id.in_(holders))
    if wanted.active is not None:
        conditions.append(app_user.c.active == int(wanted.active))
    return conditions


def _assembled(connection: Connection, rows: Sequence[AnyRow], user_ids: Sequence[str]) -> list[User]:
    roles: dict[str, list[RoleGrant]] = defaultdict(list)
    granted = sa.select(user_role).where(user_role.c.user_id.in_(user_ids)).order_by(user_role.c.role)
    for row in connection.execute(granted):
        grant = RoleGrant(row.role, row.granted_by, row.granted_at, row.reason, row.valid_until)
        roles[row.user_id].append(grant)
    sites = _assignments(connection, site_assignment.c.site_number, user_ids)
    districts = _assignments(connection, district_assignment.c.district, user_ids)
    return [
        User(
            row.user_id,
            row.name,
            row.kind,
            bool(row.active),
            tuple(roles[row.user_id]),
            tuple(sites[row.user_id]),
            tuple(districts[row.user_id]),
            row.created_at,
            row.changed_at,
        )
        for row in rows
    ]


def _assignments(connection: Connection, column: sa.Column[str], user_ids: Sequence[str]) -> dict[str, list[str]]:
    owner = column.table.c.user_id
    rows = connection.execute(sa.select(owner, column).where(owner.in_(user_ids)).order_by(owner, column))
    found: dict[str, list[str]] = defaultdict(list)
    for user_id, key in rows:
        found[user_id].append(key)
    return found


def store(connection: Connection, before: User | None, after: User) -> None:
    """Write what differs of a user: the row, roles, sites and districts. Roles that stay keep their grant."""
    profile = {
        "name": after.name,
        "kind": after.kind,
        "active": int(after.active),
        "created_at": after.created_at,
        "changed_at": after.changed_at,
    }
    if before is None:
        connection.execute(app_user.insert().values(user_id=after.user_id, **profile))
    else:
        connection.execute(app_user.update().where(app_user.c.user_id == after.user_id).values(**profile))
    _store_roles(connection, after.user_id, before.roles if before else (), after.roles)
    _store_keys(connection, site_assignment.c.site_number, after.user_id, before.sites if before else (), after.sites)
    known = before.districts if before else ()
    _store_keys(connection, district_assignment.c.district, after.user_id, known, after.districts)


def _store_roles(connection: Connection, user_id: str, before: Sequence[RoleGrant], after: Sequence[RoleGrant]) -> None:
    gone = [grant.role for grant in before if grant not in after]
    fresh = [grant for grant in after if grant not in before]
    if gone:
        connection.execute(user_role.delete().where(user_role.c.user_id == user_id, user_role.c.role.in_(gone)))
    if fresh:
        rows = [
            {
                "user_id": user_id,
                "role": grant.role,
                "granted_by": grant.granted_by,
                "granted_at": grant.granted_at,
                "reason": grant.reason,
                "valid_until": grant.valid_until,
            }
            for grant in fresh
        ]
        connection.execute(user_role.insert(), rows)


def _store_keys(
    connection: Connection, column: sa.Column[str], user_id: str, before: Iterable[str], after: Iterable[str]
) -> None:
    table, owner = column.table, column.table.c.user_id
    gone, fresh = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    for start in range(0, len(gone), _KEYS_PER_STATEMENT):
        part = gone[start : start + _KEYS_PER_STATEMENT]
        connection.execute(sa.delete(table).where(owner == user_id, column.in_(part)))
    if fresh:
        connection.execute(sa.insert(table), [{"user_id": user_id, column.name: key} for key in fresh])


# -- what there is to assign ------------------------------------------------------------------------------------------


def unknown_sites(connection: Connection, numbers: Sequence[str]) -> list[str]:
    """Those of `numbers` that the site master does not know."""
    known: set[str] = set()
    for start in range(0, len(numbers), _KEYS_PER_STATEMENT):
        part = numbers[start : start + _KEYS_PER_STATEMENT]
        known.update(connection.scalars(sa.select(site.c.site_number).where(site.c.site_number.in_(part))))
    return [number for number in numbers if number not in known]


def has_sites(connection: Connection) -> bool:
    """Whether a site master was ever taken in."""
    return connection.scalar(sa.select(sa.func.min(site.c.site_number))) is not None


def unknown_districts(connection: Connection, names: Sequence[str]) -> list[str]:
    """Those of `names` that no site lies in."""
    lines = connection.scalars(sa.select(site.c.district).where(site.c.district.is_not(None)).distinct())
    known = {district.upper() for district in lines}
    return [name for name in names if name.upper() not in known]

"""Use cases about users: list, show, change, assign. Each change is one transaction with its audit event.

Whoever acts is the actor of the context; nobody changes their own access (platform 3.4, segregation of duties).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from shared_code.access import errors, repository
from shared_code.access.model import (
    Assignments,
    Caller,
    Capability,
    Kind,
    Me,
    RoleGrant,
    Saved,
    User,
    user_key,
)
from shared_code.access.permissions import switched_on
from shared_code.access.repository import UserFilter
from shared_code.access.requests import AssignmentsRequest, RoleRequest, UserRequest
from shared_code.access.roles import MATRIX, ROLES, Access, Role, added, granting, known_roles
from shared_code.foundation import audit, clock
from shared_code.foundation.context import current
from shared_code.foundation.database import UnitOfWork, reading, transaction
from shared_code.foundation.errors import IF_MATCH_REQUIRED, BillingError, Detail
from shared_code.foundation.paging import Page, page, read_cursor

STREAM = "access"
_ACCESSES: tuple[Access, ...] = ("read", "write", "approve")


# -- reading ----------------------------------------------------------------------------------------------------------


def list_users(
    role: Role | None = None, active: bool | None = None, limit: int = 50, cursor: str | None = None
) -> Page[User]:
    """Users by name, all or those of a role or state. Raises CURSOR_INVALID."""
    key = read_cursor(cursor, str, str)
    after = (str(key[0]), str(key[1])) if key else None
    with reading() as connection:
        users, total = repository.list_users(connection, UserFilter(role, active), limit + 1, after)
    return page([_versioned(user) for user in users], limit, total, lambda user: (user.name, user.user_id))


def get_user(user_id: str) -> User:
    """One user. Raises USER_NOT_FOUND, for an id that nobody can have as well."""
    try:
        key = user_key(user_id)
    except ValueError as fault:
        raise _unknown(user_id) from fault
    with reading() as connection:
        return _found(repository.users_by_id(connection, [key]), user_id)


def get_assignments(user_id: str) -> Assignments:
    """The sites and districts of a user. Raises USER_NOT_FOUND."""
    return _assignments(get_user(user_id))


def who_am_i(caller: Caller) -> Me:
    """The caller with what counts now: roles, assignments, and what they allow. A stranger is shown without roles."""
    with reading() as connection:
        standing = repository.standing(connection, caller.user_id, clock.now())
        user = repository.users_by_id(connection, [caller.user_id]).get(caller.user_id)
        settings_on = switched_on(connection)
    roles = known_roles(standing.roles)
    return Me(
        user_id=caller.user_id,
        name=standing.name or caller.name,
        kind=caller.kind,
        roles=tuple(role for role in ROLES if role in roles),
        sites=user.sites if user and standing.name else (),
        districts=user.districts if user and standing.name else (),
        capabilities=tuple(_capabilities(roles, settings_on)),
    )


def _capabilities(roles: frozenset[Role], settings_on: frozenset[str]) -> Iterator[Capability]:
    for resource in MATRIX:
        cells = {
            access: granting(roles, resource, access) | added(roles, resource, access, settings_on)
            for access in _ACCESSES
        }
        may = tuple(access for access in _ACCESSES if cells[access])
        if may:
            own = all(cell.own for found in cells.values() for cell in found.values())
            yield Capability(resource, may, own)


# -- changing ---------------------------------------------------------------------------------------------------------


def put_user(user_id: str, wish: UserRequest, if_match: str | None = None) -> Saved:
    """Make a user as `wish` says: name, kind, state and roles; assignments stay. A new one when there is none.

    `if_match` is the ETag that the caller has read, `*` for whatever is there; a new user needs none. Raises
    IF_MATCH_REQUIRED, USER_INVALID with every field, USER_CHANGED, OWN_ACCESS, CONCURRENT_CHANGE.
    """
    key, moment = _key(user_id), clock.now()
    with transaction() as work:
        before = _read_before(work, key, if_match)
        _check_roles(wish.roles, before, moment)
        after = User(
            user_id=key,
            name=wish.name,
            kind=wish.kind,
            active=wish.active,
            roles=_granted(wish.roles, before, wish.reason, moment),
            sites=before.sites if before else (),
            districts=before.districts if before else (),
            created_at=before.created_at if before else moment,
            changed_at=moment,
        )
        return Saved(_write(work, [(before, after)], wish.reason)[0], before is None)


def put_assignments(user_id: str, wish: AssignmentsRequest, if_match: str | None = None) -> Assignments:
    """Assign exactly these sites and districts. Raises USER_NOT_FOUND, USER_INVALID, USER_CHANGED, OWN_ACCESS."""
    sites, districts = tuple(sorted(set(wish.sites))), tuple(sorted(set(wish.districts)))
    with transaction() as work:
        before = _read_before(work, _key(user_id), if_match)
        if before is None:
            raise _unknown(user_id)
        _check_assigned(work, before, sites, districts)
        after = replace(before, sites=sites, districts=districts, changed_at=clock.now())
        return _assignments(_write(work, [(before, after)], wish.reason)[0])


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user as a command names one; its sites may be ones that the site master does not know yet.

    Without a name or kind, a user who exists keeps them, and a new one is a person called by the id.
    """

    user_id: str
    name: str = ""
    kind: Kind | None = None
    roles: tuple[Role, ...] = ()
    sites: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()


def grant(new: NewUser, reason: str) -> User:
    """Add roles and assignments to a user, who is created if need be and active from now on; nothing is taken away."""
    with transaction() as work:
        before = _locked(work, _key(new.user_id), None)
        return _write(work, [(before, _extended(before, new, reason))], reason)[0]


def add_users(users: Sequence[NewUser], reason: str) -> int:
    """Create those of `users` that there are not, in one transaction; the others stay as they are. How many are new."""
    with transaction() as work:
        known = repository.users_by_id(work.connection, [_key(user.user_id) for user in users])
        fresh = [user for user in users if _key(user.user_id) not in known]
        _write(work, [(None, _extended(None, user, reason)) for user in fresh], reason)
    return len(fresh)


def sites_to_come(numbers: Sequence[str]) -> list[str]:
    """Those of `numbers` that the site master does not know; none before there is a site master at all."""
    with reading() as connection:
        return repository.unknown_sites(connection, numbers) if repository.has_sites(connection) else []


def _extended(before: User | None, new: NewUser, reason: str) -> User:
    moment = clock.now()
    held = before.roles if before else ()
    fresh = sorted(set(new.roles) - {grant.role for grant in held if grant.valid_until is None})
    roles = [grant for grant in held if grant.role not in fresh]
    roles += [RoleGrant(role, current().actor_id, moment, reason) for role in fresh]
    return User(
        user_id=_key(new.user_id),
        name=new.name or (before.name if before else new.user_id),
        kind=new.kind or (before.kind if before else "person"),
        active=True,
        roles=tuple(sorted(roles, key=lambda grant: grant.role)),
        sites=tuple(sorted({*new.sites, *(before.sites if before else ())})),
        districts=tuple(sorted({*new.districts, *(before.districts if before else ())})),
        created_at=before.created_at if before else moment,
        changed_at=moment,
    )


def _granted(
    wishes: Sequence[RoleRequest], before: User | None, reason: str, moment: datetime
) -> tuple[RoleGrant, ...]:
    """Roles as wished; one that was there with the same end keeps the grant that it has."""
    held = {(grant.role, grant.valid_until): grant for grant in (before.roles if before else ())}
    actor = current().actor_id
    grants = [
        held.get((wish.role, wish.valid_until)) or RoleGrant(wish.role, actor, moment, reason, wish.valid_until)
        for wish in wishes
    ]
    return tuple(sorted(grants, key=lambda grant: grant.role))


# -- checks -----------------------------------------------------------------------------------------------------------


def _check_roles(wishes: Sequence[RoleRequest], before: User | None, moment: datetime) -> None:
    """Each role once, and each end an instant that is still to come; one that was stored before may have passed."""
    held = {(grant.role, grant.valid_until) for grant in (before.roles if before else ())}
    problems: list[Detail] = []
    for place, wish in enumerate(wishes):
        field = f"roles.{place}"
        if wish.role in {other.role for other in wishes[:place]}:
            problems.append(Detail(f"{field}.role", f"{wish.role} is named twice"))
        if wish.valid_until is None or (wish.role, wish.valid_until) in held:
            continue
        if wish.valid_until.tzinfo is None:
            problems.append(Detail(f"{field}.validUntil", "an instant carries its zone, for example 2026-12-31T05:00Z"))
        elif wish.valid_until <= moment:
            problems.append(Detail(f"{field}.validUntil", "a role ends in the future"))
    _refuse(problems)


def _check_assigned(work: UnitOfWork, before: User, sites: Sequence[str], districts: Sequence[str]) -> None:
    """New assignments name what there is: a mistyped site would show nothing and say nothing."""
    new_sites = [number for number in sites if number not in before.sites]
    new_districts = [name for name in districts if name not in before.districts]
    problems = [
        Detail("sites", f"the site master knows no site {number}")
        for number in repository.unknown_sites(work.connection, new_sites)
    ]
    problems += [
        Detail("districts", f"no site lies in a district {name!r}")
        for name in repository.unknown_districts(work.connection, new_districts)
    ]
    _refuse(problems)


def _refuse(problems: Sequence[Detail]) -> None:
    if problems:
        raise BillingError(errors.USER_INVALID, "; ".join(detail.message for detail in problems), problems)


def _refuse_own_access(before: User | None, after: User) -> None:
    # Without regard to case, as SQL Server compares keys.
    own = current().actor_id.casefold() == after.user_id.casefold()
    if own and _access_of(before) != _access_of(after):
        raise BillingError(errors.OWN_ACCESS, "your own roles and assignments are changed by somebody else")


def _access_of(user: User | None) -> object:
    return user and (user.active, user.kind, user.roles, user.sites, user.districts)


# -- one change -------------------------------------------------------------------------------------------------------


def _read_before(work: UnitOfWork, user_id: str, if_match: str | None) -> User | None:
    """The user whom the caller has read and changes now. Raises IF_MATCH_REQUIRED unless they say what they read."""
    found = _locked(work, user_id, if_match)
    if found is not None and if_match is None:
        message = "the user exists; say which state you have read: its ETag as If-Match, or * for whatever is there"
        raise BillingError(IF_MATCH_REQUIRED, message, [Detail("If-Match", message)])
    return found


def _locked(work: UnitOfWork, user_id: str, if_match: str | None) -> User | None:
    """The user as it is until the commit. Raises USER_CHANGED unless `if_match` names this state."""
    repository.lock(work.connection, user_id)
    known = repository.users_by_id(work.connection, [user_id]).get(user_id)
    found = _versioned(known) if known else None
    if if_match is None or (found and if_match.strip() in ("*", f'"{found.version}"')):
        return found
    raise BillingError(errors.USER_CHANGED, "the user is not the one that you have read")


def _write(work: UnitOfWork, changes: Sequence[tuple[User | None, User]], reason: str) -> list[User]:
    """Store and record what differs; nothing when nothing does."""
    written: list[User] = []
    events: list[audit.Event] = []
    for before, after in changes:
        if before and replace(after, changed_at=before.changed_at, version=before.version) == before:
            written.append(before)
            continue
        _refuse_own_access(before, after)
        repository.store(work.connection, before, after)
        events += _events(before, after, reason)
        written.append(_versioned(after))
    if events:
        audit.record(work, events)  # last, since it locks the stream until the commit
    return written


def _events(before: User | None, after: User, reason: str) -> Iterator[audit.Event]:
    """One event for each part that changed, with the part before and after."""
    parts = {
        "user.created" if before is None else "user.changed": _profile,
        "user.roles.changed": _roles,
        "user.sites.changed": _assigned,
    }
    for action, part in parts.items():
        was, now = part(before), part(after)
        if was != now:
            yield audit.Event(STREAM, action, after.user_id, {"before": was, "after": now}, reason=reason)


def _profile(user: User | None) -> dict[str, Any]:
    return {"name": user.name, "kind": user.kind, "active": user.active} if user else {}


def _roles(user: User | None) -> list[dict[str, Any]]:
    return [{"role": grant.role, "validUntil": grant.valid_until} for grant in (user.roles if user else ())]


def _assigned(user: User | None) -> dict[str, Any]:
    return {"sites": list(user.sites if user else ()), "districts": list(user.districts if user else ())}


def _versioned(user: User) -> User:
    """The user with its version: a hash of everything else, instants and grants included."""
    state = json.dumps(asdict(replace(user, version="")), default=str, ensure_ascii=False, sort_keys=True)
    return replace(user, version=clock.fingerprint(state.encode())[:32])


def _assignments(user: User) -> Assignments:
    return Assignments(user.user_id, user.sites, user.districts, user.version)


def _found(users: dict[str, User], user_id: str) -> User:
    user = users.get(_key(user_id))
    if user is None:
        raise _unknown(user_id)
    return _versioned(user)


def _unknown(user_id: str) -> BillingError:
    return BillingError(errors.USER_NOT_FOUND, f"there is no user {user_id!r}")


def _key(user_id: str) -> str:
    try:
        return user_key(user_id)
    except ValueError as fault:
        raise BillingError(errors.USER_INVALID, str(fault), [Detail("userId", str(fault))]) from fault

"""What a caller may do: roles from the database, allowed by the matrix, rows limited by assignments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.engine import Connection

from shared_code.access import errors, repository
from shared_code.access.model import Caller, Permission
from shared_code.access.roles import BILLED, MONTHS_BACK, WHILE_SET, Access, Cell, Role, added, granting, known_roles
from shared_code.foundation import clock
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import settings
from shared_code.foundation.visibility import EVERYTHING, Visibility


def authorise(caller: Caller, resource: str, access: Access) -> Permission:
    """What the caller may see of `resource`, by one SQL statement. Raises FORBIDDEN when no role allows `access`.

    A user who is unknown or inactive has no role, and a role whose time is over does not count. A business setting may
    allow more; it is read for what it is about alone.
    """
    with reading() as connection:
        standing = repository.standing(connection, caller.user_id, clock.now())
        roles = known_roles(standing.roles)
        cells = granting(roles, resource, access)
        if not cells and (resource, access) in WHILE_SET:
            cells = added(roles, resource, access, switched_on(connection))
    if not cells:
        raise BillingError(errors.FORBIDDEN, f"none of your roles may {access} {resource}")
    known = replace(caller, name=standing.name or caller.name, roles=roles)
    since = _since(resource, cells)
    visible = _visible(caller, resource, cells)
    return Permission(known, replace(visible, since=str(since)) if since else visible, since)


def switched_on(connection: Connection) -> frozenset[str]:
    """The business settings that allow more than the matrix does and are on, by their fields. One statement."""
    decided = business_settings(connection)
    return frozenset(setting for setting, _ in WHILE_SET.values() if getattr(decided, setting))


def _visible(caller: Caller, resource: str, cells: Mapping[Role, Cell]) -> Visibility:
    if not all(cell.own for cell in cells.values()):
        return EVERYTHING
    if resource == "webhooks":
        return repository.only_id(caller.user_id)
    return repository.assigned(caller.user_id, with_districts="districtManager" in cells)


def _since(resource: str, cells: Mapping[Role, Cell]) -> Period | None:
    """The widest window of the granting roles; a role without one opens all."""
    if resource not in BILLED or not cells.keys() <= MONTHS_BACK.keys():
        return None
    present = Period.of(clock.today(settings().business_time_zone))
    return present.plus(-max(MONTHS_BACK[role] for role in cells))

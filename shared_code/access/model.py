"""Who asks, and who is known: values without I/O. The frozen classes are what the routes answer with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared_code.access.roles import Access, Role
from shared_code.foundation.calendar import Period
from shared_code.foundation.visibility import Visibility

Kind = Literal["person", "service"]
USER_ID_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the id and name from the identity provider. Roles come from the database, with the permission."""

    user_id: str
    name: str
    kind: Kind = "person"
    roles: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True)
class Permission:
    """A caller with roles and name as the database knows them, and what they may see of the resource.

    `visible` limits rows by site number (of webhooks: by the user id of the subscriber). `since` is the first period
    whose statements they may see, None without such a limit (platform 3.3).
    """

    caller: Caller
    visible: Visibility
    since: Period | None = None


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A role of a user: who gave it when and why, and until when it counts (None: until it is taken away)."""

    role: Role
    granted_by: str
    granted_at: datetime
    reason: str
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may be let in. `version` is a hash of everything here: the ETag of the answer, in quotes."""

    user_id: str
    name: str
    kind: Kind
    active: bool
    roles: tuple[RoleGrant, ...]
    sites: tuple[str, ...]
    districts: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
    version: str = ""


@dataclass(frozen=True, slots=True)
class Assignments:
    """The sites and districts whose data an account or district manager sees. `version` is that of the user."""

    user_id: str
    sites: tuple[str, ...]
    districts: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Saved:
    """A user as it is now, and whether it is new."""

    user: User
    created: bool


@dataclass(frozen=True, slots=True)
class Capability:
    """What the caller may do with one resource; `own`: only with what is assigned to them."""

    resource: str
    may: tuple[Access, ...]
    own: bool


@dataclass(frozen=True, slots=True)
class Me:
    """The caller as the app knows them: without roles when nobody has given them any."""

    user_id: str
    name: str
    kind: Kind
    roles: tuple[Role, ...]
    sites: tuple[str, ...]
    districts: tuple[str, ...]
    capabilities: tuple[Capability, ...]


def user_key(text: str) -> str:
    """A user id in the one form in which it is stored: object ids in lower case, whoever wrote them how.

    Raises ValueError for what cannot be one: nothing, more than 100 characters, or characters that do not print.
    """
    key = text.strip()
    if not 0 < len(key) <= USER_ID_LENGTH or not key.isprintable():
        raise ValueError(f"a user id has 1 to {USER_ID_LENGTH} printable characters")
    try:
        return str(UUID(key))
    except ValueError:
        return key

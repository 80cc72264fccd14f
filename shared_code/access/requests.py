"""Bodies of requests that change users."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shared_code.access.model import Kind
from shared_code.access.roles import ROLES, Role
from shared_code.foundation.shapes import Instant, Printable, RequestModel, WithReason

MOST_SITES = 5_000
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Printable]
SiteNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10), Printable]
District = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), Printable]


class RoleRequest(RequestModel):
    """A role that the user is to have."""

    role: Role
    valid_until: Instant | None = Field(
        default=None, description="from this instant on the role counts no more; absent: no end"
    )


class UserRequest(WithReason):
    """A user as it is to be, all roles included: a role that is not named is taken away."""

    name: Name
    kind: Kind = "person"
    active: bool = True
    roles: tuple[RoleRequest, ...] = Field(default=(), strict=False, max_length=len(ROLES))


class AssignmentsRequest(WithReason):
    """The sites and districts of a user as they are to be: what is not named is taken away."""

    sites: tuple[SiteNumber, ...] = Field(default=(), strict=False, max_length=MOST_SITES)
    districts: tuple[District, ...] = Field(default=(), strict=False, max_length=MOST_SITES)

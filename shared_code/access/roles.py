"""Who may do what, as data (http-api, Who may do what). Default deny: what is not here is refused."""

from __future__ import annotations

from typing import Literal

Access = Literal["read", "write", "approve"]

ROLES = (
    "billingAdmin",
    "billingManager",
    "contractAdmin",
    "accountManager",
    "districtManager",
    "auditor",
    "systemAdmin",
    "integration",
)
OWN_SITES_ONLY = frozenset({"accountManager", "districtManager"})

# R read, W write, A approve or release; one column per role, in the order above
_MATRIX = {
    "sites": ("RW", "RW", "RW", "R", "R", "R", "R", "RW"),
    "contracts": ("R", "RA", "RW", "R", "R", "R", "", "R"),
    "imports": ("RWA", "RWA", "R", "R", "R", "R", "R", "RW"),
    "runs": ("RW", "RW", "", "", "", "R", "R", "RW"),
    "statements": ("RW", "RWA", "R", "R", "R", "R", "", "R"),
}
_LETTER: dict[Access, str] = {"read": "R", "write": "W", "approve": "A"}


def allowed(roles: frozenset[str], resource: str, access: Access) -> frozenset[str]:
    """The caller's roles that allow `access` to `resource`; none means refused."""
    columns = _MATRIX.get(resource, ())
    return frozenset(
        role for role, letters in zip(ROLES, columns, strict=False) if role in roles and _LETTER[access] in letters
    )

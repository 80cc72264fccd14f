"""Who may do what, as data (http-api, Who may do what). Default deny: what is not here is refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Access = Literal["read", "write", "approve"]
Role = Literal[
    "billingAdmin",
    "billingManager",
    "contractAdmin",
    "accountManager",
    "districtManager",
    "auditor",
    "systemAdmin",
    "integration",
]
ROLES: tuple[Role, ...] = (
    "billingAdmin",
    "billingManager",
    "contractAdmin",
    "accountManager",
    "districtManager",
    "auditor",
    "systemAdmin",
    "integration",
)

# R read, W write (create, change), A approve or release, own: the caller's sites alone (of webhooks: their own ones).
_TABLE = """
resources                                            | bA   | bM   | cA  | aM      | dM      | au  | sA  | in
sites                                                | RW   | RW   | RW  | R own   | R own   | R   | R   | RW
contracts, proposals, index-values, opening-balances | R    | R A  | RW  | R own   | R own   | R   | –   | R
facts, imports, releases, edw                        | RW A | RW A | R   | R own   | R own   | R   | R   | RW
site-workbooks, comments                             | RW   | RW   | –   | RW own  | RW own  | R   | –   | RW
runs, missed-periods                                 | RW   | RW   | –   | –       | –       | R   | R   | RW
statements, invoices, lines, explanations, reports   | RW   | RW A | R   | R own   | R own   | R   | –   | R
transitions                                          | –    | A    | –   | –       | –       | –   | –   | –
ad-hoc-lines                                         | RW   | RW   | –   | –       | –       | R   | –   | –
deliveries, unit-accounts                            | RW   | RW   | –   | –       | –       | R   | –   | RW
deviations, periods                                  | R    | RW A | R   | –       | –       | R   | R   | R
users, settings, operations                          | –    | R    | –   | –       | –       | R   | RW  | –
webhooks                                             | –    | R    | –   | –       | –       | R   | RW  | R own
audit                                                | R    | R    | –   | –       | –       | R   | R   | –
bank-data                                            | R    | R    | –   | –       | –       | –   | –   | –
"""
_LETTER: dict[Access, str] = {"read": "R", "write": "W", "approve": "A"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one role may do with one resource, and whether only with what is its own."""

    allowed: frozenset[Access]
    own: bool


def _cell(text: str) -> Cell:
    return Cell(frozenset(access for access, letter in _LETTER.items() if letter in text), own="own" in text)


def _matrix(table: str) -> dict[str, dict[Role, Cell]]:
    found: dict[str, dict[Role, Cell]] = {}
    for line in table.strip().splitlines()[1:]:
        resources, *cells = (part.strip() for part in line.split("|"))
        row = dict(zip(ROLES, map(_cell, cells), strict=True))
        found.update({resource.strip(): row for resource in resources.split(",")})
    return found


MATRIX = _matrix(_TABLE)
"""Resource, role → cell. Bank data is a resource of its own: who may not read it sees it masked."""

# What a business setting adds while it is on (http-api: "unless the setting allows"): its field, and the roles.
WHILE_SET: dict[tuple[str, Access], tuple[str, frozenset[Role]]] = {
    ("transitions", "approve"): ("billing_admin_approves", frozenset({"billingAdmin"})),
}

# How many months before the present one a role may look back in what was billed (platform 3.3); others without end.
MONTHS_BACK: dict[Role, int] = {"accountManager": 24, "districtManager": 36}
BILLED = frozenset({"statements", "invoices", "lines", "explanations", "reports"})


def granting(roles: frozenset[Role], resource: str, access: Access) -> dict[Role, Cell]:
    """Those of `roles` that allow `access` to `resource`, with their cells; none means refused."""
    row = MATRIX.get(resource, {})
    return {role: cell for role, cell in row.items() if role in roles and access in cell.allowed}


def added(roles: frozenset[Role], resource: str, access: Access, switched_on: Collection[str]) -> dict[Role, Cell]:
    """Those of `roles` that one of the settings that are on, by field, allows `access` to `resource` besides."""
    setting, holders = WHILE_SET.get((resource, access), ("", frozenset()))
    return {role: Cell(frozenset({access}), own=False) for role in roles & holders if setting in switched_on}


def known_roles(names: frozenset[str]) -> frozenset[Role]:
    """Those of `names` that are roles; a role that was abolished allows nothing."""
    return frozenset(role for role in ROLES if role in names)

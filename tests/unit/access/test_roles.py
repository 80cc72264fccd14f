"""The matrix in the code equals the documented one, cell by cell."""

# ruff: noqa: E501 - the table is the documented one

import pytest

from shared_code.access.roles import MATRIX, ROLES, Access, granting, known_roles

DOCUMENTED = """
| resource | billingAdmin | billingManager | contractAdmin | accountManager | districtManager | auditor | systemAdmin | integration |
|---|---|---|---|---|---|---|---|---|
| sites | RW | RW | RW | R own | R own | R | R | RW |
| contracts, proposals, index values, openings | R | R A | RW | R own | R own | R | – | R |
| facts, imports, releases, edw | RW A | RW A | R | R own | R own | R | R | RW |
| site workbooks, comments | RW | RW | – | RW own | RW own | R | – | RW |
| runs, missed periods | RW | RW | – | – | – | R | R | RW |
| statements, invoices, lines, explanations, reports | RW | RW A | R | R own | R own | R | – | R |
| transitions to Ready To Send | – (unless the setting allows) | A | – | – | – | – | – | – |
| ad-hoc lines | RW | RW | – | – | – | R | – | – |
| deliveries, unit accounts | RW | RW | – | – | – | R | – | RW |
| deviations, periods | R | RW A | R | – | – | R | R | R |
| users, settings, webhooks, operations | – | R | – | – | – | R | RW | R own webhooks |
| audit | R | R | – | – | – | R | R | – |
| bank data unmasked | R | R | – | – | – | – | – | – |
"""
# How the code calls what the table says in words.
NAMES = {
    "index values": "index-values",
    "openings": "opening-balances",
    "site workbooks": "site-workbooks",
    "missed periods": "missed-periods",
    "transitions to Ready To Send": "transitions",
    "ad-hoc lines": "ad-hoc-lines",
    "unit accounts": "unit-accounts",
    "bank data unmasked": "bank-data",
}
LETTERS: dict[str, Access] = {"R": "read", "W": "write", "A": "approve"}


def documented() -> dict[tuple[str, str], tuple[frozenset[Access], bool]]:
    """Resource and role, to what is allowed and whether only on what is the caller's own."""
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in DOCUMENTED.strip().splitlines()]
    found = {}
    for resources, *cells in rows:
        for words in resources.split(", "):
            for role, cell in zip(head[1:], cells, strict=True):
                of_this = "own webhooks" not in cell or words == "webhooks"
                letters = cell.partition("(")[0].partition("own")[0] if of_this else ""
                allowed = frozenset(access for letter, access in LETTERS.items() if letter in letters)
                found[NAMES.get(words, words), role] = (allowed, "own" in cell and bool(allowed))
    return found


CELLS = documented()


@pytest.mark.parametrize(("resource", "role"), CELLS, ids=[f"{resource}-{role}" for resource, role in CELLS])
def test_a_cell_is_as_documented(resource: str, role: str) -> None:
    cell = next(cell for name, cell in MATRIX[resource].items() if name == role)

    assert (cell.allowed, cell.own) == CELLS[resource, role]


def test_the_code_has_no_cell_more_than_the_table() -> None:
    assert {(resource, role) for resource, row in MATRIX.items() for role in row} == set(CELLS)
    assert {role for _, role in CELLS} == set(ROLES)


@pytest.mark.parametrize(("resource", "access"), [("moon", "read"), ("statements", "delete"), ("", "read")])
def test_what_is_not_in_the_matrix_is_refused_to_all(resource: str, access: Access) -> None:
    assert granting(frozenset(ROLES), resource, access) == {}


def test_several_roles_allow_what_any_of_them_allows() -> None:
    both = known_roles(frozenset({"accountManager", "auditor"}))

    assert granting(both, "runs", "read").keys() == {"auditor"}
    assert granting(both, "statements", "read").keys() == {"accountManager", "auditor"}
    assert granting(both, "statements", "write") == {}


def test_a_role_that_was_abolished_is_none() -> None:
    assert known_roles(frozenset({"auditor", "emperor"})) == {"auditor"}

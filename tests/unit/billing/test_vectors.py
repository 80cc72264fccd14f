"""Every worked example of the documents is a named case beside the code that answers it; none is lost unnoticed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1]

# `TV-` are the vectors of requirements 2, `18.` the worked examples of billing-flows. Where a rule changes one, its
# case names the rule and both numbers. Sending, ledger journal and unit accounts will bring theirs.
BESIDE = {
    "billing/test_fixed_fee.py": "TV-FF-1 TV-FF-3 TV-FF-5 TV-FF-6 TV-FF-7 TV-FF-9",
    "billing/test_pteb.py": "TV-FF-2 TV-BA-1 TV-BA-2 TV-BA-8 TV-BA-9",
    "billing/test_support_services.py": "TV-FF-2 TV-BA-4 TV-BA-5 TV-BA-6",
    "billing/test_billable_payroll.py": "TV-BA-2 TV-BA-10",
    "billing/test_billable_expenses.py": "TV-BA-3",
    "billing/test_per_labor_hour.py": (
        "TV-FF-5 TV-FF-6 TV-FF-7 TV-PLH-1 TV-PLH-2 TV-PLH-3 TV-PLH-4 TV-PLH-6 TV-PLH-7 TV-PLH-8 18.8"
    ),
    "facts/test_hours.py": "TV-PLH-8 18.8",
    "billing/test_per_occupied_room.py": "TV-POR-1 TV-POR-2",
    "billing/test_bell_service.py": "TV-BEL-1",
    "billing/test_revenue_share.py": (
        "TV-RS-1 TV-RS-2 TV-RS-3 TV-RS-4 TV-RS-5 TV-RS-6 TV-RS-7 TV-RS-8 TV-RS-9 TV-RS-10 TV-RS-11 TV-RS-13 TV-RS-15"
        " TV-RS-18 TV-RS-19 18.1 18.2 18.3 18.5"
    ),
    "billing/test_tiers.py": "18.1 18.2 18.3 18.4 18.5",
    "billing/test_validations.py": "TV-VLD-1 TV-VLD-2 TV-VLD-3 TV-VLD-4 TV-VLD-5 TV-VLD-7 TV-VLD-8 18.6",
    "billing/test_mid_month_advance.py": "TV-MMA-1 TV-MMA-2",
    "billing/test_deposited_revenue.py": "TV-DEP-1 TV-DEP-3 TV-DEP-4 TV-DEP-5 18.13",
    "billing/test_management_fee.py": "TV-MA-1 TV-MA-2 TV-MA-3 TV-MA-18",
    "billing/test_insurance.py": "TV-MA-5 TV-MA-6 18.9",
    "billing/test_claims.py": "TV-MA-8 18.10",
    "billing/test_profit_share.py": "TV-MA-9 TV-MA-14 TV-MA-15 18.4 18.5 18.7",
    "billing/test_non_gl_expense.py": "TV-MA-16",
    "billing/test_comparison.py": "TV-LIF-1 TV-LIF-2 TV-LIF-3 TV-LIF-6 18.14",
    "contracts/test_rates.py": (
        "TV-FF-8 TV-FF-8b TV-PLH-4 TV-PLH-5 TV-PLH-10 TV-ESC-1 TV-ESC-2 TV-ESC-3 TV-ESC-4 TV-ESC-5 TV-ESC-7 TV-ESC-8"
        " TV-ESC-9 TV-ESC-10 TV-ESC-11 TV-ESC-12 TV-ESC-13 TV-ESC-15 TV-ESC-16"
    ),
    "statements/test_life_cycle_table.py": "TV-LIF-1 TV-LIF-2 TV-LIF-3 TV-LIF-4",
    "statements/test_drafts.py": "TV-FF-3 TV-FF-4 TV-FF-9 TV-INV-1 TV-INV-2 TV-INV-3 18.11",
}
KNOWN = {vector for vectors in BESIDE.values() for vector in vectors.split()}

VECTOR = re.compile(r"TV[-_]([A-Z]+)[-_](\d+b?)", re.IGNORECASE)
EXAMPLE = re.compile(r"(?<![\d,])18[._](1[0-4]|[1-9])(?!\d)")


def named(file: Path) -> set[str]:
    """The vectors in the names of a file's tests and in the ids of its cases; docstrings and comments name none."""
    found = set()
    for text in _names(ast.parse(file.read_text(encoding="utf-8"))):
        found |= {f"TV-{group.upper()}-{number.lower()}" for group, number in VECTOR.findall(text)}
        found |= {f"18.{number}" for number in EXAMPLE.findall(text)}
    return found


def _names(module: ast.Module) -> Iterator[str]:
    for part in module.body:
        looked_through: list[ast.AST] = [part] if isinstance(part, ast.Assign | ast.AnnAssign) else []
        if isinstance(part, ast.FunctionDef) and part.name.startswith("test_"):
            yield part.name
            looked_through += part.decorator_list
        for root in looked_through:
            for node in ast.walk(root):
                if isinstance(node, ast.Constant | ast.JoinedStr):
                    yield ast.unparse(node)


@pytest.mark.parametrize("place", BESIDE)
def test_every_vector_has_a_case_beside_its_calculator(place: str) -> None:
    assert set(BESIDE[place].split()) - named(UNIT / place) == set()


def test_no_case_names_a_vector_that_there_is_not() -> None:
    tests = [file for file in UNIT.rglob("test_*.py") if file != Path(__file__)]
    vectors = {file.name: {one for one in named(file) if one.startswith("TV-")} for file in tests}

    assert {name: found - KNOWN for name, found in vectors.items() if found - KNOWN} == {}

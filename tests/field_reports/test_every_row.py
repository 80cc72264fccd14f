"""Each reported fault has its test here: rows are counted by the numbers in the tests' names and docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROWS = 25


def rows_and_symptoms() -> Iterator[tuple[str, str]]:
    """Name and docstring of each test of a row."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_row_"):
                yield node.name, ast.get_docstring(node) or ""


def test_every_row_has_its_test() -> None:
    told = {int(found[1]) for _, text in rows_and_symptoms() if (found := re.match(r"Row (\d+): \w", text))}

    assert sorted(told) == list(range(1, ROWS + 1))


def test_names_say_the_row_that_the_docstring_tells() -> None:
    for name, text in rows_and_symptoms():
        number = re.fullmatch(r"test_row_(\d\d)_\w+", name)
        assert number is not None, name
        assert text.startswith(f"Row {int(number[1])}: "), name

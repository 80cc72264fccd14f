"""Comparing two books: each difference in one sentence, by site, period, group, line and cent."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from localhost.shadow_compare import differences, main

BOOK: dict[str, Any] = {
    "0042": {
        "2026-01": {
            "status": "ReadyToSend",
            "reason": None,
            "invoices": [
                {
                    "group": 1,
                    "number": "0042-202601-01-01",
                    "invoiceDate": "2026-01-31",
                    "total": "150.00",
                    "lines": [
                        {"title": "Valet", "code": "4700", "description": "", "amount": "100.00"},
                        {"title": "Shuttle", "code": "4705", "description": "", "amount": "50.00"},
                    ],
                }
            ],
        }
    }
}


def changed(**values: Any) -> dict[str, Any]:
    """The book with values of the month's entry replaced."""
    book = deepcopy(BOOK)
    book["0042"]["2026-01"].update(values)
    return book


def with_lines(*lines: tuple[str, str], total: str) -> dict[str, Any]:
    book = deepcopy(BOOK)
    invoice = book["0042"]["2026-01"]["invoices"][0]
    old = {line["title"]: line for line in invoice["lines"]}
    new = {"code": "4700", "description": ""}
    invoice["lines"] = [{**old.get(title, new), "title": title, "amount": amount} for title, amount in lines]
    invoice["total"] = total
    return book


CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("the same", BOOK, []),
    ("100.0 is 100.00", with_lines(("Valet", "100.0"), ("Shuttle", "50"), total="150"), []),
    (
        "a cent",
        with_lines(("Valet", "100.01"), ("Shuttle", "50.00"), total="150.01"),
        [
            "0042 2026-01: group 1: total 150.00 against 150.01 (+1 cents)",
            "0042 2026-01: group 1: line 1, Valet: 100.00 against 100.01 (+1 cents)",
        ],
    ),
    (
        "a line is missing",
        with_lines(("Valet", "100.00"), total="100.00"),
        [
            "0042 2026-01: group 1: total 150.00 against 100.00 (-5000 cents)",
            "0042 2026-01: group 1: line 2, Shuttle 50.00, is only in A",
        ],
    ),
    (
        "not billed",
        changed(status="Failed", reason="MISSING_FACTS", invoices=[]),
        [
            "0042 2026-01: status ReadyToSend against Failed",
            "0042 2026-01: reason None against MISSING_FACTS",
            "0042 2026-01: group 1: the invoice of 150.00 is only in A",
        ],
    ),
    ("no such site", {}, ["0042 2026-01: only in A"]),
]


@pytest.mark.parametrize(("other", "found"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_differences(other: dict[str, Any], found: list[str]) -> None:
    assert list(differences(BOOK, other)) == found


def test_the_command_says_whether_there_are_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = tmp_path / "a.json", tmp_path / "b.json"
    ours.write_text(json.dumps(BOOK))
    theirs.write_text(json.dumps(changed(status="Held")))

    assert main([str(ours), str(ours)]) == 0
    assert main([str(ours), str(theirs)]) == 1
    assert main([str(ours), str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().out.splitlines() == [
        "0 differences",
        "0042 2026-01: status ReadyToSend against Held",
        "1 differences",
    ]

"""The difference of a stale statement, as people read it, and what a look stores. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.statements.staleness.model import Found, Printed, difference, is_accepted, marks

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
EARLIER = datetime(2026, 11, 20, 9, tzinfo=UTC)


def line(amount: str, title: str = "Rooms", group: int = 1, text: str = "", code: str = "4700") -> Printed:
    return Printed(group, "perOccupiedRoom", title, text, code, Decimal(amount))


def told(before: list[Printed], after: list[Printed]) -> Any:
    text = difference(before, Found(after))
    return json.loads(text) if text else None


CASES: list[tuple[str, list[Printed], list[Printed], list[tuple[Any, ...]]]] = [
    # what it is, before, after, the changes: kind, group, title, before, after, what differs
    (
        "an amount",
        [line("100.00")],
        [line("120.00")],
        [("changed", 1, "Rooms", "100.00", "120.00", ["amount"])],
    ),
    (
        "a text with its amount",
        [line("100.00", text="100 rooms")],
        [line("120.00", text="120 rooms")],
        [("changed", 1, "Rooms", "100.00", "120.00", ["amount", "description"])],
    ),
    (
        "an account",
        [line("100.00")],
        [line("100.00", code="4701")],
        [("changed", 1, "Rooms", "100.00", "100.00", ["code"])],
    ),
    (
        "a line more",
        [line("100.00")],
        [line("100.00"), line("5.00", "Fee")],
        [("added", 1, "Fee", None, "5.00", None)],
    ),
    (
        "a line less",
        [line("100.00"), line("5.00", "Fee")],
        [line("100.00")],
        [("removed", 1, "Fee", "5.00", None, None)],
    ),
    (
        "another group",
        [line("100.00")],
        [line("100.00", group=2)],
        [("removed", 1, "Rooms", "100.00", None, None), ("added", 2, "Rooms", None, "100.00", None)],
    ),
    (
        "one of two lines of the same title",
        [line("5.00"), line("6.00")],
        [line("5.00"), line("7.00")],
        [("changed", 1, "Rooms", "6.00", "7.00", ["amount"])],
    ),
]


@pytest.mark.parametrize(("before", "after", "changes"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_the_lines_that_differ(before: list[Printed], after: list[Printed], changes: list[tuple[Any, ...]]) -> None:
    found = told(before, after)

    names = ("change", "group", "title", "before", "after", "differs")
    assert [tuple(one.get(name) for name in names) for one in found["lines"]] == changes
    assert Decimal(found["before"]) == sum(one.amount for one in before)
    assert Decimal(found["after"]) == sum(one.amount for one in after)


def test_a_month_that_cannot_be_billed_has_no_total_after() -> None:
    text = difference([line("100.00")], Found((), ["MISSING_FACTS", "MISSING_FACTS", "ANCHOR_MISSING"]))

    found = json.loads(text or "")
    assert (found["before"], found["after"]) == ("100.00", None)
    assert found["reasons"] == ["ANCHOR_MISSING", "MISSING_FACTS"]
    assert [(one["change"], one["before"]) for one in found["lines"]] == [("removed", "100.00")]


def test_four_decimals_of_the_database_are_the_same_cents() -> None:
    assert told([line("100.0000")], [line("100.00")]) is None


LINES = st.lists(
    st.builds(
        Printed,
        st.integers(1, 3),
        st.sampled_from(["fixedFee", "adHoc"]),
        st.sampled_from(["Rooms", "Fee"]),
        st.sampled_from(["", "as agreed"]),
        st.just("4700"),
        st.decimals("-1000", "1000", places=2),
    ),
    max_size=6,
)


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_is_no_difference(before: list[Printed], random: Any) -> None:
    after = list(before)
    random.shuffle(after)
    assert difference(before, Found(after)) is None


@given(LINES, LINES)
def test_the_changes_of_lines_explain_the_change_of_the_total(before: list[Printed], after: list[Printed]) -> None:
    found = told(before, after)
    if found is None:
        assert sorted(before) == sorted(after)
        return
    lines = [(Decimal(one["after"] or 0), Decimal(one["before"] or 0)) for one in found["lines"]]
    assert sum(new - old for new, old in lines) == Decimal(found["after"]) - Decimal(found["before"])
    assert lines  # whatever differs is named


@given(LINES, LINES, st.randoms(use_true_random=False))
def test_one_difference_is_one_text(before: list[Printed], after: list[Printed], random: Any) -> None:
    """A release holds for its difference, so the order in which lines are read may not make another of it."""
    mixed = list(before)
    random.shuffle(mixed)
    assert difference(before, Found(after)) == difference(mixed, Found(after))


# -- what a look stores -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A stored statement, as far as a look asks."""

    status: str = "ReadyToSend"
    stale_since: datetime | None = None
    stale_reason: str | None = None
    stale_difference: str | None = None


MARKS: list[tuple[str, Row, str | None, dict[str, object]]] = [
    ("fresh, and still is", Row(), None, {}),
    (
        "fresh, and differs",
        Row(),
        "{a}",
        {"stale_since": NOW, "stale_reason": "FACTS_CHANGED", "stale_difference": "{a}"},
    ),
    (
        "sent, and differs",
        Row("Sent"),
        "{a}",
        {"stale_since": NOW, "stale_reason": "TRUE_UP", "stale_difference": "{a}"},
    ),
    ("stale, and differs as before", Row("Held", EARLIER, "TERMS_CHANGED", "{a}"), "{a}", {}),
    (
        "stale, and differs otherwise",
        Row("Held", EARLIER, "TERMS_CHANGED", "{a}"),
        "{b}",
        {"stale_since": EARLIER, "stale_reason": "FACTS_CHANGED", "stale_difference": "{b}"},
    ),
    (
        "stale, and changed back",
        Row("Held", EARLIER, "TERMS_CHANGED", "{a}"),
        None,
        {"stale_since": None, "stale_reason": None, "stale_difference": None},
    ),
    ("released, and differs as before", Row(stale_difference="{a}"), "{a}", {}),
    (
        "released, and differs otherwise",
        Row(stale_difference="{a}"),
        "{b}",
        {"stale_since": NOW, "stale_reason": "FACTS_CHANGED", "stale_difference": "{b}"},
    ),
    (
        "released, and changed back: the next difference is to be looked at again",
        Row(stale_difference="{a}"),
        None,
        {"stale_since": None, "stale_reason": None, "stale_difference": None},
    ),
    ("its profit has changed", Row("Held", EARLIER, "PROFIT_CHANGED"), "{a}", {}),
    ("its only line was removed", Row("Held", EARLIER, "LINE_REMOVED"), None, {}),
]


@pytest.mark.parametrize(("row", "found", "stored"), [case[1:] for case in MARKS], ids=[case[0] for case in MARKS])
def test_what_a_look_stores(row: Row, found: str | None, stored: dict[str, object]) -> None:
    assert marks(row, found, "FACTS_CHANGED", NOW) == stored


def test_only_a_difference_without_an_open_mark_is_accepted() -> None:
    assert is_accepted(Row(stale_difference="{a}"), "{a}")
    assert not is_accepted(Row(stale_difference="{a}"), "{b}")
    assert not is_accepted(Row("Held", EARLIER, "FACTS_CHANGED", "{a}"), "{a}")

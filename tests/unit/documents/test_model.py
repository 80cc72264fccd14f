"""The stored document: what it refuses, and that storage gives back exactly what was stored."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.documents.model import BillTo, LineDocument, from_json, to_json
from tests.unit.documents.examples import invoice, line, lines, statement

FULL = statement(
    invoice(*lines(2), purchase_order="7", due_date=date(2026, 11, 30), bill_to=BillTo("A", "B", "C")),
    invoice(line("Café", "one\ntwo", "-5.00"), number="0042-202610-02-01", title=None, description=None),
    gl_entity="22",
)


def test_a_snapshot_from_before_vendors_were_printed_is_still_printed() -> None:
    stored = json.loads(to_json(FULL))
    for stored_invoice in stored["invoices"]:
        del stored_invoice["vendor"]

    assert from_json(json.dumps(stored)) == FULL


def test_a_document_comes_back_as_it_was_stored() -> None:
    assert from_json(to_json(FULL)) == FULL


def test_amounts_are_stored_as_text_and_dates_as_dates() -> None:
    stored = json.loads(to_json(FULL))
    assert stored["total"] == "28.50"
    assert stored["period"] == "2026-10"
    assert stored["invoices"][0]["due_date"] == "2026-11-30"
    assert stored["invoices"][1]["lines"][0] == {"title": "Café", "description": "one\ntwo", "amount": "-5.00"}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"])),
            st.text(st.characters(exclude_categories=["Cs"])),
            st.decimals("-9999999.99", "9999999.99", places=2),
        ),
        max_size=4,
    )
)
def test_any_text_and_amount_survives_storage(rows: list[tuple[str, str, Decimal]]) -> None:
    document = statement(invoice(*(LineDocument(*row) for row in rows)))
    assert from_json(to_json(document)) == document


@pytest.mark.parametrize(
    ("case", "path", "value", "message"),
    [
        ("an amount as a number", ["total"], 28.5, "document.total: expected str, got float"),
        ("an amount that is none", ["total"], "much", "document.total: 'much' is not a Decimal"),
        ("a date that is none", ["issued"], "2026-02-30", "document.issued: '2026-02-30' is not a date"),
        ("a period that is none", ["period"], "2026-13", "document.period: '2026-13' is not a Period"),
        ("a truth for a number", ["version"], True, "document.version: expected int, got bool"),
        ("a null text", ["bill_to", "address"], None, "document.bill_to.address: expected str, got NoneType"),
        ("lines as text", ["invoices", 0, "lines"], "none", "document.invoices[0].lines: expected list, got str"),
        ("an unknown field", ["bill_to", "fax"], "1", "document.bill_to: missing or unknown fields: fax"),
        ("another total", ["total"], "28.51", "the amount 28.51 is not the sum of its parts, 28.50"),
    ],
)
def test_a_damaged_document_is_refused_with_its_place(
    case: str, path: list[str | int], value: object, message: str
) -> None:
    stored = json.loads(to_json(FULL))
    place = stored
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=message.replace("[", r"\[").replace(".", r"\.")):
        from_json(json.dumps(stored))


def test_a_missing_field_is_refused() -> None:
    stored = json.loads(to_json(FULL))
    del stored["invoices"][0]["number"]
    with pytest.raises(ValueError, match=r"invoices\[0\]: missing or unknown fields: number"):
        from_json(json.dumps(stored))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"'])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"document|Expecting"):
        from_json(text)


@pytest.mark.parametrize("amount", ["0.001", "NaN", "Infinity", "-1.999"])
def test_a_line_is_an_amount_in_cents(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount in cents"):
        line(amount=amount)


def test_an_invoice_is_the_sum_of_its_lines() -> None:
    with pytest.raises(ValueError, match="not the sum"):
        replace(invoice(line()), amount=Decimal("99.99"))


def test_a_statement_is_the_sum_of_its_invoices_and_has_one() -> None:
    with pytest.raises(ValueError, match="not the sum"):
        statement(invoice(line()), total=Decimal("0.00"))
    with pytest.raises(ValueError, match="no invoice"):
        statement()


def test_a_part_for_one_recipient_has_its_own_total() -> None:
    part = FULL.restricted_to(["0042-202610-02-01"])
    assert [each.number for each in part.invoices] == ["0042-202610-02-01"]
    assert part.total == Decimal("-5.00")


@pytest.mark.parametrize("numbers", [[], ["0042-202610-09-01"], ["0042-202610-02-01", "0042-202610-09-01"]])
def test_a_part_names_invoices_of_the_statement(numbers: list[str]) -> None:
    with pytest.raises(ValueError, match="no invoice"):
        FULL.restricted_to(numbers)

"""From lines to a statement: invoices by group, their numbers, dates and totals, and the snapshot that is printed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.billing.comparison import Comparison, Why
from shared_code.billing.model import FactReference, Line, Outcome, Reason, Step, Trace
from shared_code.contracts.schema import (
    BillingRef,
    Contract,
    DayOfMonth,
    InvoiceGroup,
    NetDays,
    OnReceipt,
    PaymentTerms,
    RawTerms,
)
from shared_code.documents.model import BillTo, Brand, to_json
from shared_code.foundation.calendar import Period
from shared_code.statements.drafts import (
    SiteSnapshot,
    StatementDraft,
    draft_statement,
    meta_json,
    reasons_json,
    snapshot,
    trace_json,
)
from shared_code.statements.invoice_numbers import invoice_date, invoice_number
from shared_code.statements.rows import line_rows
from tests.unit.billing.builders import contract, money

SEPTEMBER = Period(2024, 9)
SITE = SiteSnapshot("1234", "Larch Street Hotel", "1 Larch Street, Sampleton, OH 00000", "02-11-1234-")
BRAND = Brand("Meridian", "1 Plaza, Sampleton", "555-0100", "Meridian, Inc.", "", "", "", "")


def line(amount: str, group: int = 1, title: str = "Valet") -> Line:
    return Line("fixedFee", group, title, "4700", "", money(amount), Trace())


def draft(
    lines: Sequence[Line],
    *,
    groups: Sequence[InvoiceGroup] = (),
    period: Period = SEPTEMBER,
    comparison: Comparison | None = None,
    **fields: Any,
) -> StatementDraft:
    deal: Contract = contract(groups=tuple(groups), **{"grouping_enabled": bool(groups), **fields})
    return draft_statement("k-1", 3, deal, SITE, period, Outcome(tuple(lines)), comparison=comparison)


def group(number: int, **fields: Any) -> InvoiceGroup:
    return InvoiceGroup(id=f"g{number}", number=number, **fields)


NUMBERS = [
    # vector, site, period, advanced, group, version, number, date
    ("TV-INV-1, group 1", "1234", "2024-09", False, 1, 1, "1234-202409-01-01", date(2024, 9, 30)),
    ("TV-INV-1, group 2", "1234", "2024-09", False, 2, 1, "1234-202409-02-01", date(2024, 9, 30)),
    ("TV-INV-2", "1234", "2024-08", True, 1, 1, "1234-202407-01-01", date(2024, 7, 1)),
    ("TV-INV-3", "1234", "2024-09", False, 1, 2, "1234-202409-01-02", date(2024, 9, 30)),
    ("18.11, arrears", "1234", "2025-09", False, 2, 1, "1234-202509-02-01", date(2025, 9, 30)),
    ("18.11, advanced", "1234", "2025-10", True, 2, 1, "1234-202509-02-01", date(2025, 9, 1)),
    ("advanced over the turn of the year", "0042", "2026-01", True, 99, 12, "0042-202512-99-12", date(2025, 12, 1)),
    ("February of a leap year", "0042", "2028-02", False, 1, 1, "0042-202802-01-01", date(2028, 2, 29)),
]


@pytest.mark.parametrize(
    ("_vector", "site", "period", "advanced", "number", "version", "printed", "dated"),
    NUMBERS,
    ids=[row[0] for row in NUMBERS],
)
def test_numbers_and_dates(
    _vector: str, site: str, period: str, advanced: bool, number: int, version: int, printed: str, dated: date
) -> None:
    """Rules R27, R28."""
    month = Period.parse(period)

    assert invoice_number(site, month, advanced=advanced, group=number, version=version) == printed
    assert invoice_date(month, advanced=advanced) == dated


def test_each_group_with_lines_makes_an_invoice_in_the_order_of_numbers() -> None:
    found = draft([line("30", 2), line("10", 1), line("5", 2)], groups=[group(2, title="Events"), group(1), group(3)])

    assert [(invoice.number, invoice.title, invoice.amount) for invoice in found.invoices] == [
        ("1234-202409-01-01", None, money("10")),
        ("1234-202409-02-01", "Events", money("35")),
    ]
    assert [str(row.amount) for row in found.invoices[1].lines] == ["30", "5"]
    assert found.total == money("45")


def test_no_invoice_and_no_line_of_a_statement_has_the_identifier_of_another() -> None:
    """Lines are numbered by the last digits of their invoice's identifier, which are 0 there (decision 28)."""
    found = draft([line("1", number) for number in (1, 2) for _ in range(12)], groups=[group(1), group(2)])

    invoices = [invoice.invoice_id for invoice in found.invoices]
    lines = [row["line_id"] for row in line_rows(found)]
    assert [one[-4:] for one in invoices] == ["0000", "0000"]
    assert len({found.statement_id, *invoices, *lines}) == 1 + 2 + 24


SUMS = [
    # vector, amounts, total
    ("TV-FF-3", ["150", "222", "300"], "672"),
    ("TV-FF-4", ["100", "200"], "300"),
    ("a credit", ["2000.00", "-500.00"], "1500.00"),
]


@pytest.mark.parametrize(("_vector", "given_amounts", "total"), SUMS, ids=[row[0] for row in SUMS])
def test_an_invoice_is_the_sum_of_its_lines(_vector: str, given_amounts: list[str], total: str) -> None:
    assert draft([line(amount) for amount in given_amounts]).invoices[0].amount == money(total)


def test_tv_ff_9_two_groups() -> None:
    found = draft([line("1000", 1), line("1000", 2)], groups=[group(1), group(2)], payment_terms=OnReceipt())

    assert [(invoice.number, invoice.amount) for invoice in found.invoices] == [
        ("1234-202409-01-01", money("1000")),
        ("1234-202409-02-01", money("1000")),
    ]
    assert found.total == money("2000")


def test_a_group_may_have_its_own_site_number_and_addressee() -> None:
    """Rules R52: the override starts the invoice number; the customer is addressed at the site."""
    found = draft([line("1"), line("2", 2)], groups=[group(1), group(2, site_number="7777", customer_name="Owner LLC")])

    assert [invoice.number for invoice in found.invoices] == ["1234-202409-01-01", "7777-202409-02-01"]
    assert [invoice.bill_to for invoice in found.invoices] == [None, BillTo("Owner LLC", "", SITE.address)]


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_override_is_none(blank: str | None) -> None:
    invoice = draft([line("1")], groups=[group(1, site_number=blank, customer_name=blank)]).invoices[0]

    assert (invoice.number, invoice.bill_to) == ("1234-202409-01-01", None)


def test_with_grouping_off_the_rows_of_groups_count_for_nothing() -> None:
    found = draft([line("1")], groups=[group(1, title="Events", site_number="7777")], grouping_enabled=False)

    assert [(invoice.number, invoice.title) for invoice in found.invoices] == [("1234-202409-01-01", None)]


TERMS: list[tuple[PaymentTerms, str, str, date | None]] = [
    # terms, billing type, printed, due date of September 2024
    (NetDays(days=30), "Arrears", "Due in 30 Days", date(2024, 10, 30)),
    (NetDays(days=30), "Advanced", "Due in 30 Days", date(2024, 8, 31)),
    (DayOfMonth(day=15), "Arrears", "Due by 15th", date(2024, 10, 15)),
    (DayOfMonth(day=1), "Advanced", "Due by 1st", date(2024, 9, 1)),
    (OnReceipt(), "Arrears", "Due on Receipt", date(2024, 9, 30)),
    (RawTerms(text="As agreed"), "Arrears", "As agreed", None),
]


@pytest.mark.parametrize(("terms", "billing_type", "printed", "due"), TERMS)
def test_due_dates(terms: PaymentTerms, billing_type: str, printed: str, due: date | None) -> None:
    invoice = draft([line("1")], payment_terms=terms, billing_type=billing_type).invoices[0]

    assert (invoice.payment_terms, invoice.due_date) == (printed, due)


def test_the_statement_names_its_contract_version_and_is_the_same_in_every_retry() -> None:
    one, again = draft([line("1")]), draft([line("1")])

    assert (one.contract_id, one.contract_version, one.version) == ("k-1", 3, 1)
    assert one == again
    assert draft([line("1")], period=SEPTEMBER.next).statement_id != one.statement_id


def test_the_snapshot_prints_what_was_drafted() -> None:
    found = draft(
        [line("10.50", 1, "Self"), line("20", 2)],
        groups=[group(1, description="Garage"), group(2)],
        purchase_order="PO-7",
    )

    printed = snapshot(found, BRAND)

    assert (printed.total, printed.issued, printed.gl_entity) == (money("30.50"), date(2024, 9, 30), "02")
    assert (printed.service_first_day, printed.service_last_day) == (date(2024, 9, 1), date(2024, 9, 30))
    assert printed.bill_to == BillTo("Larch Street Hotel", "", SITE.address)
    assert [(i.number, i.description, i.purchase_order, i.amount) for i in printed.invoices] == [
        ("1234-202409-01-01", "Garage", "PO-7", money("10.50")),
        ("1234-202409-02-01", None, "PO-7", money("20")),
    ]
    assert json.loads(to_json(printed))["invoices"][0]["lines"][0]["title"] == "Self"


def test_a_group_may_have_its_own_contacts_vendor_and_purchase_order() -> None:
    """B36, B39; the purchase order stands in the group's description, as the legacy form has it (DQ14)."""
    own = group(2, description="PO 4711", vendor_id=" V-9 ", emails=("ap@example.com",))
    order = BillingRef(type="purchase_order", text="PO 4711", group=2)

    found = draft([line("1"), line("2", 2)], groups=[group(1), own], purchase_order="PO-7", references=(order,))

    assert [(one.purchase_order, one.vendor_id, one.emails) for one in found.invoices] == [
        ("PO-7", None, ()),
        ("PO 4711", "V-9", ("ap@example.com",)),
    ]
    assert [one.vendor for one in snapshot(found, BRAND).invoices] == [None, "V-9"]


def test_a_trace_of_nothing_is_json_too() -> None:
    assert json.loads(trace_json(replace(line("1"), trace=Trace()))) == {"inputs": {}, "steps": [], "facts": []}


def test_traces_are_json_and_lose_no_digit() -> None:
    selection = {"measure": "shareable", "codes": ["“A”"]}
    reference = FactReference("revenue_daily", "1234", "2024-09", selection, 3, money("0.0001"), ("b-1",))
    trace = Trace(
        inputs={
            "rate": money("12345678901234567.890123"),
            "start": date(2024, 9, 1),
            "overtimeRate": None,
            "since": Period(2024, 9),
        },
        steps=(Step("{share:number} % of {amount:dollars}", money("1.00"), (money("12.50"), money("8"))),),
        facts=(reference,),
    )

    read = json.loads(trace_json(replace(line("1"), trace=trace)))

    assert read == {
        "inputs": {"rate": "12345678901234567.890123", "start": "2024-09-01", "overtimeRate": None, "since": "2024-09"},
        "steps": [{"text": "12.5 % of $8.00", "value": "1.00"}],
        "facts": [
            {
                "dataset": "revenue_daily",
                "predicate": "site 1234, month 2024-09, deposit flag not V, category not Per Man Hour, codes “A”",
                "rows": 3,
                "amount": "0.0001",
                "batches": ["b-1"],
                "period": "2024-09",
                "selection": {"measure": "shareable", "codes": ["“A”"]},
            }
        ],
    }


def test_reasons_and_meta_are_json_too() -> None:
    assert json.loads(reasons_json([Reason("RATE_BEFORE_BASE", "old")])) == [
        {"code": "RATE_BEFORE_BASE", "message": "old"}
    ]
    assert json.loads(meta_json({"profit": money("1.10")})) == {"profit": "1.10"}


cents = st.integers(-10_000_000, 10_000_000).map(lambda whole: Decimal(whole).scaleb(-2))


@given(st.lists(st.tuples(st.integers(1, 5), cents), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_law_lines_sum_to_invoices_and_invoices_to_the_statement(rows: list[tuple[int, Decimal]]) -> None:
    """Rules R1; the printed document checks the same sums itself."""
    found = draft(
        [line(str(amount), number) for number, amount in rows], groups=[group(number) for number in range(1, 6)]
    )

    assert [invoice.group for invoice in found.invoices] == sorted({number for number, _ in rows})
    for invoice in found.invoices:
        assert invoice.amount == sum(amount for number, amount in rows if number == invoice.group)
    assert found.total == sum(invoice.amount for invoice in found.invoices) == sum(amount for _, amount in rows)
    assert snapshot(found, BRAND).total == found.total


WAYS: list[tuple[tuple[Why, ...] | None, str, str | None]] = [
    # why a person has to look (None: not compared, as contracts in advance), status, its reason
    (None, "ReadyToSend", None),
    ((), "ReadyToSend", None),
    (("DEVIATION",), "ApprovalTeam", "DEVIATION"),
    (("NO_FORECAST", "NO_LEDGER"), "ApprovalTeam", "NO_FORECAST"),
]


@pytest.mark.parametrize(("why", "status", "reason"), WAYS)
def test_where_a_statement_goes_follows_from_its_comparison(
    why: tuple[Why, ...] | None, status: str, reason: str | None
) -> None:
    """Rules R25, R50, R51; decision 5."""
    found = None if why is None else Comparison(money("1"), money("2"), money("3"), money("0"), money("0"), why)

    made = draft([line("1")], comparison=found)

    assert made.review == (status, reason)

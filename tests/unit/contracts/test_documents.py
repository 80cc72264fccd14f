"""Our own document on the wire, account selections, and lenient reading of legacy files."""

import json
from typing import Any

import pytest

from shared_code.contracts.documents import parse_document
from shared_code.contracts.legacy import read_legacy, write_legacy
from shared_code.contracts.legacy.account_text import read_accounts, write_accounts
from shared_code.contracts.schema import AccountSelection, Contract, FixedFee, FixedPct, RevenueShare
from shared_code.contracts.schema.chart import CHARTS
from shared_code.contracts.validation import check
from shared_code.foundation.errors import BillingError
from tests.unit.contracts import parts
from tests.unit.contracts.documents import contract, edited, legacy_file


def wire(deal: Contract) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(deal.model_dump_json(by_alias=True))
    return found


def test_the_wire_form_is_camel_case_with_exact_numbers_as_text() -> None:
    document = wire(contract(parts.fees(parts.fee()), anchor_date="2025-05-01"))

    assert document["site"]["customerName"] == "Larch Street Garage"
    assert document["components"][0]["lines"][0]["displayName"] == "Valet"
    assert document["components"][0]["lines"][0]["fee"] == "100"
    assert document["anchorDate"] == "2025-05-01"
    assert document["lossRule"] == "highWaterMark"


def test_numbers_of_a_document_are_read_exactly_whether_text_or_number() -> None:
    document = wire(contract(parts.fees(parts.fee())))
    for given in ("26.4", 26.4):
        document["components"][0]["lines"][0]["fee"] = given

        read = parse_document(json.dumps(document).encode()).component(FixedFee)

        assert read is not None
        assert str(read.lines[0].fee) == "26.4"


WRONG: list[tuple[str, list[str | int], object, str, str]] = [
    ("unknown field", ["discount"], 1, "/discount", "this field is not known"),
    ("group as text", ["components", 0, "lines", 0, "group"], "1", "", "a whole number is expected, not \"1\""),
    ("flag as number", ["groupingEnabled"], 1, "", "true or false is expected, not 1"),
    ("wrong kind", ["components", 0, "kind"], "rent", "/components/0", "one of fixedFee, perLaborHour,"),
    ("wrong choice", ["proration"], "weekly", "", "one of none or daily is expected, not \"weekly\""),
    ("wrong terms", ["paymentTerms", "days"], -1, "", "at least 0 is expected, not -1"),
    ("no number", ["components", 0, "lines", 0, "fee"], "free", "", "a number is expected, not \"free\""),
    ("negative", ["components", 0, "lines", 0, "fee"], "-5", "", "at least 0 is expected, not \"-5\""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "place", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_a_wrong_document_is_refused_at_its_place(
    path: list[str | int], value: object, place: str, message: str
) -> None:
    document: Any = wire(contract(parts.fees(parts.fee())))
    node = document
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value

    with pytest.raises(BillingError) as caught:
        parse_document(json.dumps(document).encode())

    assert caught.value.code == "CONTRACT_FIELD_INVALID"
    [detail] = caught.value.details
    assert detail.field == (place or "/" + "/".join(map(str, path)))
    assert detail.message.startswith(message)


def test_a_whole_answer_of_get_is_told_from_a_wrong_document() -> None:
    answer = {"contractId": "c-1", "siteNumber": "0042", "document": wire(contract(parts.fees(parts.fee())))}

    with pytest.raises(BillingError) as caught:
        parse_document(json.dumps(answer).encode())

    [detail] = caught.value.details
    assert detail.message == "this is a whole answer of GET; send its `document` alone"


def test_a_document_that_states_a_field_twice_is_refused() -> None:
    text = contract(parts.rooms()).model_dump_json(by_alias=True)

    with pytest.raises(BillingError) as caught:
        parse_document(text.replace('"cpi":false', '"cpi":false,"cpi":true').encode())

    assert (caught.value.code, caught.value.details[0].field) == ("CONTRACT_DUPLICATE_KEY", "/cpi")


def test_the_yearly_step_of_a_legacy_file_raises_fees_and_hourly_rates() -> None:
    escalators = read_legacy(legacy_file("A22")[0]).contract.escalators

    assert [
        (step.target, step.month, str(step.pct), step.source) for step in escalators if isinstance(step, FixedPct)
    ] == [("fixedFee.fee", "December", "6.0", "field"), ("perLaborHour.rate", "December", "6.0", "field")]


def rows(chart: str, *off: str) -> list[dict[str, Any]]:
    return [{"code": code, "title": title, "isEnabled": code not in off} for code, title in CHARTS[chart]]


def compact(accounts: list[dict[str, Any]]) -> str:
    return json.dumps(accounts, separators=(",", ":"))


def test_the_usual_selection_is_the_template_with_its_exceptions() -> None:
    text = compact(rows("payroll-1", "6010", "6014"))

    selection = read_accounts(text, "payroll-1")

    assert (selection.template, selection.default_enabled, selection.text) == ("payroll-1", True, None)
    assert [(row.code, row.enabled, row.title) for row in selection.rows] == [
        ("6010", False, None),
        ("6014", False, None),
    ]
    assert selection.disabled_codes() == ("6010", "6014")
    assert len(selection.enabled_codes()) == 18
    assert write_accounts(selection) == text


def test_a_title_of_its_own_is_kept_with_the_row() -> None:
    accounts = rows("expense-1")
    accounts[0]["title"] = "Promotion"

    selection = read_accounts(compact(accounts), "expense-1")

    assert [(row.code, row.title) for row in selection.rows] == [("7000", "Promotion")]
    assert write_accounts(selection) == compact(accounts)


def test_other_spacing_is_kept_as_text() -> None:
    text = json.dumps(rows("payroll-1"))

    selection = read_accounts(text, "payroll-1")

    assert (selection.template, selection.text) == ("payroll-1", text)
    assert write_accounts(selection) == text


def test_a_repeated_account_is_kept_row_by_row_and_counted_once() -> None:
    accounts = rows("expense-1", *(code for code, _ in CHARTS["expense-1"]))[:-1]
    accounts.append({"code": "7000", "title": "Advertising", "isEnabled": True})
    data = edited("A10", lambda original: _set_expenses(original, compact(accounts)))

    result = read_legacy(data)

    assert [w.pointer.rpartition("/")[2] for w in result.warnings if w.code == "DQ35"] == ["payrollExpenseAccountsData"]
    selection = read_accounts(compact(accounts), "expense-1")
    assert selection.template is None
    assert selection.enabled_codes() == ("7000",)
    assert write_legacy(result.contract) == data


def _set_expenses(original: dict[str, Any], text: str) -> None:
    original["billableAccounts"]["billableAccountsData"][0]["payrollExpenseAccountsData"] = text


def test_an_empty_selection_on_no_template_bills_nothing() -> None:
    assert AccountSelection().enabled_codes() == ()


def unknown(original: dict[str, Any]) -> None:
    original["discount"] = 5.5
    original["revenueShare"]["thresholdStructures"][0]["accumulationType"] = "Weekly"


def test_lenient_reading_sets_aside_what_is_unknown_and_the_contract_waits_for_a_person() -> None:
    data = edited("A05", unknown)

    contract = read_legacy(data, lenient=True).contract

    assert {(kept.pointer, kept.kind, kept.value) for kept in contract.extensions} == {
        ("/original/discount", "field", '{"$number": "5.5"}'),
        ("/original/revenueShare/thresholdStructures/0/accumulationType", "value", '"Weekly"'),
    }
    assert sorted((f.code, f.severity) for f in check(contract)) == [
        ("UNKNOWN_FIELD", "warning"),
        ("UNKNOWN_VALUE", "incomplete"),
    ]
    share = contract.component(RevenueShare)
    assert share is not None
    assert share.structures[0].accumulation == "Monthly"
    stored = Contract.model_validate_json(contract.model_dump_json(by_alias=True))
    assert write_legacy(stored) == data


def test_lenient_reading_still_refuses_what_is_wrong() -> None:
    def edit(original: dict[str, Any]) -> None:
        unknown(original)
        original["deposits"] = "yes"

    with pytest.raises(BillingError) as caught:
        read_legacy(edited("A05", edit), lenient=True)

    assert [detail.field for detail in caught.value.details] == ["/original/deposits"]


def test_lenient_reading_takes_the_contract_where_the_copy_differs() -> None:
    data, file_name = legacy_file("A05")
    changed = data.replace(b'Advances_1_amount": 27600.0', b'Advances_1_amount": 17600.0')

    result = read_legacy(changed, file_name, lenient=True)

    assert [(w.code, w.pointer) for w in result.warnings] == [
        ("DQ07", "/flattened/contract_midMonthAdvance_midMonthAdvances_1_amount")
    ]

"""Broken legacy files: each is refused with its code, and every finding with its place in the file."""

import json
import math
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from shared_code.contracts.errors import KINDS
from shared_code.contracts.legacy import read_legacy, write_legacy
from shared_code.contracts.schema import FixedFee, RevenueShare
from shared_code.contracts.validation import check
from shared_code.foundation.errors import BillingError
from tests.unit.contracts.documents import dump, edited, legacy_file

Original = dict[str, Any]


def refused(data: bytes, file_name: str | None = None, *, lenient: bool = False) -> BillingError:
    with pytest.raises(BillingError) as caught:
        read_legacy(data, file_name, lenient=lenient)
    return caught.value


def setter(*path: str | int, to: object) -> Callable[[Original], None]:
    def edit(original: Original) -> None:
        node: Any = original
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = to

    return edit


UNREADABLE = [
    ("truncated", b'{"metadata": {"siteNumber": "88', "line 1, column 29: Unterminated string starting at"),
    ("empty", b"", "line 1, column 1: Expecting value"),
    ("a list", b"[]", "the document must be one JSON object"),
    ("not UTF-8", b'{"a": "\xff"}', "byte 7 is not UTF-8 text"),
    ("byte order mark", b"\xef\xbb\xbf{}", "it starts with a byte order mark; save it as UTF-8 without BOM"),
    ("infinity", b'{"a": Infinity}', "a value cannot be read: Infinity is not a number that a contract can hold"),
    ("half a character", b'{"a": "x\\ud800"}', 'a value cannot be read: half a character after \'{"a": "x\''),
    ("nested without end", b'{"a":' * 200_000, "lists and objects are nested too deeply"),
]


@pytest.mark.parametrize(("data", "reason"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_an_unreadable_file_says_where_reading_stopped(data: bytes, reason: str) -> None:
    error = refused(data)

    assert error.code == "CONTRACT_UNREADABLE"
    assert [detail.message for detail in error.details] == [reason]


def test_every_repeated_key_is_named_at_once() -> None:
    data, file_name = legacy_file("A01")
    doubled = data.replace(b'"deposits": true,', b'"deposits": true, "deposits": false,')
    doubled = doubled.replace(b'"siteType": ""', b'"siteType": "", "siteType": ""')

    error = refused(doubled, file_name)

    assert error.code == "CONTRACT_DUPLICATE_KEY"
    assert [detail.field for detail in error.details] == ["/metadata/location/siteType", "/original/deposits"]


ADVANCE = ("midMonthAdvance", "midMonthAdvances", 0)
SHARE = ("revenueShare", "thresholdStructures", 0)
AGREEMENT = ("managementAgreement", "ManagementFees", 0)
ACCOUNTS = ("billableAccounts", "billableAccountsData", 0)
SHAPES: list[tuple[str, str, Callable[[Original], object], str, str]] = [
    ("NaN in an amount", "A05", setter(*ADVANCE, "amount", to=math.nan), "amount", "a number is expected, not NaN"),
    ("NaN in a text", "A05", setter("paymentTerms", to=math.nan), "paymentTerms", "text is expected, not NaN"),
    ("amount as text", "A05", setter(*ADVANCE, "amount", to="27600"), "amount", 'a number is expected, not "27600"'),
    ("amount true", "A05", setter(*ADVANCE, "amount", to=True), "amount", "a number is expected, not true"),
    ("amount negative", "A05", setter(*ADVANCE, "amount", to=-1.0), "amount", "at least 0 is expected, not -1.0"),
    (
        "seven decimals",
        "A05",
        setter(*ADVANCE, "amount", to=0.1234567),
        "amount",
        "at most 6 decimals are expected, not 0.1234567",
    ),
    (
        "unknown choice",
        "A05",
        setter("billingType", to="Quarterly"),
        "billingType",
        'one of Arrears or Advanced is expected, not "Quarterly"',
    ),
    (
        "unknown report",
        "A05",
        setter("supportingReports", 1, to="WeatherReport"),
        "1",
        "one of MixOfSales, HoursBackupReport, TaxReport, LaborDistributionReport, OtherExpensesReport, "
        'ParkingDepartmentReport or ValidationReport is expected, not "WeatherReport"',
    ),
    ("unknown key", "A05", setter("discount", to=5.0), "discount", "this field is not known"),
    (
        "dropped key",
        "A05",
        lambda original: original["revenueShare"].pop("enabled"),
        "enabled",
        "this field is missing",
    ),
    ("flag as text", "A05", setter("deposits", to="yes"), "deposits", 'true or false is expected, not "yes"'),
    (
        "group as fraction",
        "A05",
        setter(*SHARE, "invoiceGroup", to=1.0),
        "invoiceGroup",
        "a whole number is expected, not 1.0",
    ),
    ("list as object", "A05", setter(*SHARE, "tiers", to={}), "tiers", "a list is expected, not an object"),
    ("block as null", "A05", setter("fixedFee", to=None), "fixedFee", "an object is expected, not null"),
    (
        "account list broken",
        "A10",
        setter(*ACCOUNTS, "payrollAccountsData", to="[{"),
        "payrollAccountsData",
        "the account list is not readable JSON text: Expecting property name enclosed in double quotes: "
        "line 1 column 3 (char 2)",
    ),
    (
        "account without title",
        "A10",
        setter(*ACCOUNTS, "payrollAccountsData", to='[{"code":"6000","isEnabled":true}]'),
        "payrollAccountsData",
        "account 1 of the list must have exactly code, title and isEnabled",
    ),
    (
        "no such date",
        "A20",
        setter("fixedFee", "serviceRates", 0, "startDate", to="2025-02-30T00:00:00"),
        "startDate",
        'a date is expected, for example 2025-03-01T00:00:00, not "2025-02-30T00:00:00"',
    ),
]


@pytest.mark.parametrize(
    ("name", "edit", "last", "message"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES]
)
def test_a_wrong_shape_is_refused_at_its_place(
    name: str, edit: Callable[[Original], object], last: str, message: str
) -> None:
    error = refused(edited(name, edit))

    assert error.code == "CONTRACT_FIELD_INVALID"
    assert [(detail.field.rpartition("/")[2], detail.message) for detail in error.details] == [(last, message)]


def test_all_wrong_shapes_are_named_at_once_with_full_places() -> None:
    def edit(original: Original) -> None:
        original["incrementMonth"] = "Smarch"
        del original["perLaborHour"]["hoursBackupReport"]
        original["revenueShare"]["thresholdStructures"][0]["tiers"][1]["amount"] = "none"

    error = refused(edited("A05", edit))

    assert [detail.field for detail in error.details] == [
        "/original/incrementMonth",
        "/original/perLaborHour/hoursBackupReport",
        "/original/revenueShare/thresholdStructures/0/tiers/1/amount",
    ]
    assert error.message.startswith("/original/incrementMonth: one of January")
    assert error.message.endswith("and 2 more.")


def test_the_site_of_the_file_name_must_be_the_site_of_the_contract() -> None:
    data, file_name = legacy_file("A01")

    error = refused(data, file_name.replace("8801", "8802", 1))

    assert error.code == "CONTRACT_SITE_MISMATCH"
    assert [detail.field for detail in error.details] == ["/metadata/siteNumber"]


def test_a_copy_that_was_edited_by_hand_is_refused_where_it_differs() -> None:
    data, file_name = legacy_file("A05")
    changed = data.replace(b'Advances_1_amount": 27600.0', b'Advances_1_amount": 17600.0')

    error = refused(changed, file_name)

    assert error.code == "CONTRACT_FLATTENED_MISMATCH"
    assert [detail.field for detail in error.details] == [
        "/flattened/contract_midMonthAdvance_midMonthAdvances_1_amount"
    ]


def test_a_label_that_the_blocks_do_not_make_is_refused() -> None:
    document = json.loads(legacy_file("A05")[0])
    document["metadata"]["contractType"] = "Fixed Fee"

    error = refused(dump(document))

    assert (error.code, error.details[0].field) == ("CONTRACT_FLATTENED_MISMATCH", "/metadata/contractType")


def overlapping(original: Original) -> None:
    original["revenueShare"]["thresholdStructures"][1]["revenueCodes"] = ["SM1", " vd1"]


def equal_bounds(original: Original) -> None:
    for tier in original["revenueShare"]["thresholdStructures"][0]["tiers"]:
        tier["amount"] = 5000.0


STRUCTURES = "/original/revenueShare/thresholdStructures"
RULES: list[tuple[str, str, Callable[[Original], object], str, int, list[str]]] = [
    (
        "group that does not exist",
        "A07",
        setter("perLaborHour", "jobRates", 0, "invoiceGroup", to=3),
        "CONTRACT_GROUP_UNKNOWN",
        3012,
        ["/original/perLaborHour/jobRates/0/invoiceGroup"],
    ),
    (
        "group while grouping is off",
        "A04",
        setter("depositedRevenue", "depositData", 0, "invoiceGroup", to=2),
        "CONTRACT_GROUP_UNKNOWN",
        3012,
        ["/original/depositedRevenue/depositData/0/invoiceGroup"],
    ),
    (
        "expense group that does not exist",
        "A10",
        setter(*ACCOUNTS, "payrollExpenseAccountsInvoiceGroup", to=2),
        "CONTRACT_GROUP_UNKNOWN",
        3012,
        ["/original/billableAccounts/billableAccountsData/0/payrollExpenseAccountsInvoiceGroup"],
    ),
    (
        "group 100",
        "A07",
        setter("invoiceGrouping", "invoiceGroups", 1, "groupNumber", to=100),
        "CONTRACT_GROUP_TOO_HIGH",
        3013,
        ["/original/invoiceGrouping/invoiceGroups/1/groupNumber", "/original/perLaborHour/jobRates/0/invoiceGroup"],
    ),
    (
        "two groups of one number",
        "A07",
        setter("invoiceGrouping", "invoiceGroups", 0, "groupNumber", to=2),
        "CONTRACT_GROUP_REPEATED",
        3014,
        [
            "/original/invoiceGrouping/invoiceGroups/1/groupNumber",
            "/original/revenueShare/thresholdStructures/0/invoiceGroup",
            "/original/midMonthAdvance/midMonthAdvances/0/invoiceGroup",
            "/original/depositedRevenue/depositData/0/invoiceGroup",
        ],
    ),
    ("overlapping codes", "A06", overlapping, "CONTRACT_CODES_OVERLAP", 3023, [f"{STRUCTURES}/1/revenueCodes/1"]),
    (
        "tiers without a rising bound",
        "A05",
        equal_bounds,
        "CONTRACT_TIERS_INVALID",
        3022,
        [f"{STRUCTURES}/0/tiers/1/amount", f"{STRUCTURES}/0/tiers/2/amount"],
    ),
    (
        "a share above 100",
        "A05",
        setter(*SHARE, "tiers", 0, "sharePercentage", to=100.5),
        "CONTRACT_TIERS_INVALID",
        3022,
        [f"{STRUCTURES}/0/tiers/0/sharePercentage"],
    ),
    (
        "a fee above 100 %",
        "A13",
        setter(*AGREEMENT, "revenuePercentageAmount", to=104.6),
        "CONTRACT_PERCENT_RANGE",
        3025,
        ["/original/managementAgreement/ManagementFees/0/revenuePercentageAmount"],
    ),
    (
        "one job twice",
        "A16",
        setter("perLaborHour", "jobRates", 1, "jobCode", to="gsa "),
        "CONTRACT_JOB_CODE_REPEATED",
        3026,
        ["/original/perLaborHour/jobRates/1/jobCode"],
    ),
    (
        "share billed in advance",
        "A05",
        setter("billingType", to="Advanced"),
        "CONTRACT_ADVANCED_WITH_FACTS",
        3028,
        ["/original/revenueShare"],
    ),
    (
        "insurance while the accounts are off",
        "A10",
        setter("billableAccounts", "enabled", to=False),
        "CONTRACT_FLATTENED_MISMATCH",
        2104,
        ["/metadata/contractType", "/original/managementAgreement/ManagementFees/0/insuranceEnabled"],
    ),
]


@pytest.mark.parametrize(
    ("name", "edit", "code", "number", "places"), [row[1:] for row in RULES], ids=[row[0] for row in RULES]
)
def test_a_broken_rule_is_refused_at_its_place_in_the_file(
    name: str, edit: Callable[[Original], object], code: str, number: int, places: list[str]
) -> None:
    error = refused(edited(name, edit))

    assert (error.code, error.kind.number) == (code, number)
    assert [detail.field for detail in error.details] == places


def test_tiers_out_of_order_are_sorted_and_named() -> None:
    def edit(original: Original) -> None:
        original["revenueShare"]["thresholdStructures"][0]["tiers"].reverse()

    data = edited("A05", edit)
    result = read_legacy(data)

    assert [(w.code, w.pointer) for w in result.warnings] == [("TIERS_INVALID", f"{STRUCTURES}/0/tiers")]
    share = result.contract.component(RevenueShare)
    assert share is not None
    assert [str(tier.up_to) for tier in share.structures[0].tiers] == ["37200.0", "68900.0", "None"]
    assert write_legacy(result.contract) == data


def test_a_second_row_of_a_site_total_is_read_and_found_by_the_check() -> None:
    def edit(original: Original) -> None:
        rows = original["depositedRevenue"]["depositData"]
        rows.append({**rows[0], "id": "second"})

    contract = read_legacy(edited("A01", edit)).contract

    assert [(f.code, f.severity) for f in check(contract)] == [("SECOND_ROW", "error")]


def test_a_missing_group_means_one() -> None:
    data = edited("A01", setter(*SHARE, "invoiceGroup", to=None))

    contract = read_legacy(data).contract

    share = contract.component(RevenueShare)
    assert share is not None
    assert share.structures[0].group == 1
    assert write_legacy(contract) == data


def test_a_start_with_a_time_of_day_is_unknown_and_midnight_is_a_date() -> None:
    midnight = setter("fixedFee", "serviceRates", 0, "startDate", to="2025-03-01T00:00:00")
    stamped = read_legacy(legacy_file("A20")[0]).contract.component(FixedFee)
    dated = read_legacy(edited("A20", midnight)).contract.component(FixedFee)

    assert stamped is not None
    assert dated is not None
    assert stamped.lines[0].start is None
    assert dated.lines[0].start == date(2025, 3, 1)


def test_refusals_have_numbers_of_their_own() -> None:
    numbers = [kind.number for kind in KINDS]

    assert len(set(numbers)) == len(numbers)
    assert all(2100 <= n <= 2199 or 3000 <= n <= 3099 or 4100 <= n <= 4199 for n in numbers)
    assert all(kind.meaning and kind.cure for kind in KINDS)

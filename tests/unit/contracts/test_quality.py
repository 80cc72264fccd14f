"""The 39 data-quality codes: one file for each, the place that it names, and what it says that helps."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared_code.contracts.checking.wording import twin_warning
from shared_code.contracts.findings import LegacyWarning
from shared_code.contracts.legacy import read_legacy
from shared_code.contracts.legacy.portfolio import portfolio_warnings, twin_key
from shared_code.contracts.legacy.suggestions import QUALITY
from shared_code.contracts.parsing import parse
from tests.fixtures.contracts.expand import LABELS
from tests.unit.contracts.documents import dump, legacy_file

Document = dict[str, Any]
Edit = Callable[[Document, Document], object]  # of `original` and `metadata`

FEES = ("fixedFee", "serviceRates", 0)
JOBS = ("perLaborHour", "jobRates", 0)
SHARES = ("revenueShare", "thresholdStructures", 0)
DEPOSITS = ("depositedRevenue", "depositData", 0)
ADVANCES = ("midMonthAdvance", "midMonthAdvances", 0)
ACCOUNTS = ("billableAccounts", "billableAccountsData", 0)
DEAL = ("managementAgreement", "ManagementFees", 0)
GROUPS = ("invoiceGrouping", "invoiceGroups")


def put(*path: str | int, to: object) -> Edit:
    """Put a value into `original`."""

    def edit(original: Document, metadata: Document) -> None:
        node: Any = original
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = to

    return edit


def put_site(*path: str, to: object) -> Edit:
    """Put a value into `metadata`."""
    return lambda original, metadata: put(*path, to=to)(metadata, {})


def all_of(*edits: Edit) -> Edit:
    return lambda original, metadata: [edit(original, metadata) for edit in edits]


def reverse(*path: str | int) -> Edit:
    def edit(original: Document, metadata: Document) -> None:
        node: Any = original
        for part in path:
            node = node[part]
        node.reverse()

    return edit


def unmatched(original: Document, metadata: Document) -> None:
    metadata |= {"contractType": "Unknown", "accountManager": "", "notes": "", "paymentTerms": "Due on Receipt"}
    metadata["location"] = dict.fromkeys(metadata["location"], "")


def nothing(original: Document, metadata: Document) -> None:
    """The file as it is."""


def without_accounts(original: Document, metadata: Document) -> None:
    for name in ("payrollAccountsData", "payrollExpenseAccountsData"):
        block = original["billableAccounts"]["billableAccountsData"][0]
        block[name] = block[name].replace("true", "false")


def no_account(original: Document, metadata: Document) -> None:
    original["billableAccounts"]["billableAccountsData"][0]["payrollAccountsData"] = "[]"


def empty_deal(original: Document, metadata: Document) -> None:
    original["managementAgreement"]["ManagementFees"][0] |= {"fixedFeeAmount": 0.0, "insuranceEnabled": False}


def anniversary(original: Document, metadata: Document) -> None:
    original["revenueShare"]["thresholdStructures"][0]["accumulationType"] = "AnnualAnniversary"


SHARE_ROWS = "/original/revenueShare/thresholdStructures/0"
# Code, the archetype that it is made from (which does not have it), the edit, the place that is named.
FILES: list[tuple[str, str, Edit, str]] = [
    ("DQ02", "A10", unmatched, "/metadata/contractType"),
    ("DQ04", "A01", nothing, ""),  # the file is handed in as 8801_Unknown.json
    ("DQ08", "A10", put("contractType", to="Management Agreement"), "/original/contractType"),
    ("DQ09", "A01", nothing, ""),  # in the folder fixed-fee
    ("DQ10", "A01", put("purchaseOrder", to="Cost center 12"), "/original/purchaseOrder"),
    ("DQ11", "A20", put(*FEES, "displayName", to="Valet  service"), "/original/fixedFee/serviceRates/0/displayName"),
    ("DQ12", "A01", put("notes", to="\n"), "/original/notes"),
    ("DQ13", "A01", reverse(*SHARES, "revenueCodes"), f"{SHARE_ROWS}/revenueCodes"),
    ("DQ13", "A19", reverse(*GROUPS), "/original/invoiceGrouping/invoiceGroups"),
    ("DQ14", "A19", put(*GROUPS, 0, "title", to="Billing Details"), "/original/invoiceGrouping/invoiceGroups/0/title"),
    (
        "DQ14",
        "A19",
        put(*GROUPS, 1, "description", to="PO # 7"),
        "/original/invoiceGrouping/invoiceGroups/1/description",
    ),
    (
        "DQ14",
        "A19",
        put(*GROUPS, 1, "description", to="P.O. 77"),
        "/original/invoiceGrouping/invoiceGroups/1/description",
    ),
    ("DQ15", "A01", put_site("accountManager", to="JO DOE"), "/metadata/accountManager"),
    ("DQ15", "A01", put_site("accountManager", to="Jo DOE"), "/metadata/accountManager"),
    ("DQ15", "A01", put_site("accountManager", to="Jo doe"), "/metadata/accountManager"),
    ("DQ16", "A01", put("notes", to="caf\u00e9"), "/original/notes"),
    ("DQ16", "A01", put_site("location", "city", to="Montr\u00e9al"), "/metadata/location/city"),
    ("DQ17", "A01", put("contractType", to="Fixed Fee"), "/original/contractType"),
    (
        "DQ18",
        "A01",
        put_site("location", "address", to="1 Elm Road, Mockville, MA 2134"),
        "/metadata/location/address",
    ),
    ("DQ19", "A10", empty_deal, "/original/managementAgreement/ManagementFees/0"),
    ("DQ20", "A05", put(*ADVANCES, "amount", to=0.0), "/original/midMonthAdvance/midMonthAdvances/0/amount"),
    ("DQ20", "A01", put(*SHARES, "tiers", 0, "sharePercentage", to=0.0), f"{SHARE_ROWS}/tiers"),
    (
        "DQ21",
        "A05",
        put("midMonthAdvance", "enabled", to=False),
        "/original/midMonthAdvance/midMonthAdvances",
    ),
    (
        "DQ21",
        "A08",
        put(*ACCOUNTS, "payrollTaxesPercentage", to=32.0),
        "/original/billableAccounts/billableAccountsData/0/payrollTaxesPercentage",
    ),
    ("DQ22", "A10", without_accounts, "/original/billableAccounts/billableAccountsData/0/payrollAccountsData"),
    ("DQ23", "A01", put(*SHARES, "validationThresholdAmount", to=0.0), f"{SHARE_ROWS}/validationThresholdAmount"),
    ("DQ24", "A05", put(*ADVANCES, "lineTitle", to=None), "/original/midMonthAdvance/midMonthAdvances/0/lineTitle"),
    ("DQ25", "A01", put("paymentTerms", to="Due by 20th of the Month"), "/original/paymentTerms"),
    (
        "DQ26",
        "A01",
        put(*DEPOSITS, "depositedRevenueEnabled", to=False),
        "/original/depositedRevenue/depositData/0/depositedRevenueEnabled",
    ),
    ("DQ27", "A16", put(*JOBS, "overtimeRate", to=12.0), "/original/perLaborHour/jobRates/0/overtimeRate"),
    ("DQ28", "A02", put("deposits", to=True), "/original/deposits"),
    ("DQ29", "A16", put("supportingReports", to=[]), "/original/supportingReports"),
    ("DQ30", "A01", put("notes", to="3% of the fee is credited"), "/original/notes"),
    ("DQ30", "A01", put("notes", to="Client wants no back-up"), "/original/notes"),
    ("DQ30", "A01", put("notes", to="Only hours beyond forty per week"), "/original/notes"),
    ("DQ31", "A01", put("notes", to="Grows with the CPI"), "/original/notes"),
    ("DQ31", "A01", put("notes", to="Grows with the employment cost index"), "/original/notes"),
    ("DQ32", "A01", put("incrementMonth", to="July"), "/original/incrementAmount"),
    ("DQ33", "A01", anniversary, f"{SHARE_ROWS}/accumulationType"),
    ("DQ35", "A10", no_account, "/original/billableAccounts/billableAccountsData/0/payrollAccountsData"),
    (
        "DQ38",
        "A20",
        put(*FEES, "displayName", to="3 Devices @ $12.50"),
        "/original/fixedFee/serviceRates/0/displayName",
    ),
]
UNUSUAL: list[tuple[str, Edit, str]] = [
    ("A24", put("perOccupiedRoom", "roomRate", to=8.0), "/original/perOccupiedRoom/roomRate"),
    ("A16", put(*JOBS, "rate", to=3.9), "/original/perLaborHour/jobRates/0/rate"),
    ("A01", put(*SHARES, "validationThresholdAmount", to=60.0), f"{SHARE_ROWS}/validationThresholdAmount"),
    ("A04", put(*SHARES, "validationThresholdAmount", to=6000.0), f"{SHARE_ROWS}/validationThresholdAmount"),
    ("A01", put("deviationAmount", to=25000.0), "/original/deviationAmount"),
    ("A01", put("deviationPercentage", to=0.0), "/original/deviationPercentage"),
    (
        "A10",
        put(*ACCOUNTS, "payrollSupportAmount", to=30.0),
        "/original/billableAccounts/billableAccountsData/0/payrollSupportAmount",
    ),
    (
        "A10",
        put(*DEAL, "insuranceAdditionalPercentage", to=300.0),
        "/original/managementAgreement/ManagementFees/0/insuranceAdditionalPercentage",
    ),
]
PORTFOLIO: list[tuple[str, str, str]] = [
    ("DQ01", "A01", "/metadata/accountManager"),
    ("DQ03", "A01", "/metadata"),
    ("DQ05", "A01", "/metadata/contractEffectiveDate"),
    ("DQ06", "A10", "/original/billableAccounts/billableAccountsData/0/payrollAccountsData"),
    ("DQ07", "A01", "/flattened"),
    ("DQ36", "A10", "/original/managementAgreement/ManagementFees/0/nonGlBillableExpensesEnabled"),
    ("DQ37", "A01", "/original/managementAgreement/ManagementFees"),
]


def file_of(name: str, edit: Edit) -> bytes:
    """An archetype after an edit, with its label and its copy in step."""
    document = json.loads(legacy_file(name)[0])
    edit(document["original"], document["metadata"])
    if document["metadata"]["contractType"] != "Unknown":
        blocks = [text for block, text in LABELS.items() if document["original"][block]["enabled"]]
        document["metadata"]["contractType"] = "; ".join(blocks)
    return dump(document)


def warnings_of(data: bytes, file_name: str) -> tuple[LegacyWarning, ...]:
    return read_legacy(data, file_name).warnings


def name_for(code: str, file_name: str) -> str:
    site = file_name.partition("_")[0]
    return {"DQ04": f"{site}_Unknown.json", "DQ09": f"fixed-fee/{file_name}"}.get(code, file_name)


@pytest.mark.parametrize(("code", "name", "edit", "place"), FILES, ids=[f"{row[0]}-{row[1]}" for row in FILES])
def test_the_file_of_a_code_raises_it_at_its_place(code: str, name: str, edit: Edit, place: str) -> None:
    before, file_name = legacy_file(name)
    places = {(warning.code, warning.pointer) for warning in warnings_of(before, file_name)}
    assert (code, place) not in places

    found = warnings_of(file_of(name, edit), name_for(code, file_name))

    [warning] = [warning for warning in found if (warning.code, warning.pointer) == (code, place)]
    assert warning.message
    assert warning.suggestion == QUALITY[code].cure


def portfolio(data: bytes) -> list[LegacyWarning]:
    return list(portfolio_warnings(read_legacy(data).contract, parse(data)))


@pytest.mark.parametrize(("name", "edit", "place"), UNUSUAL, ids=[row[2].rpartition("/")[2] for row in UNUSUAL])
def test_an_unusual_number_is_named_for_the_folder(name: str, edit: Edit, place: str) -> None:
    def outliers(data: bytes) -> list[str]:
        return [warning.pointer for warning in portfolio(data) if warning.code == "DQ34"]

    assert place not in outliers(legacy_file(name)[0])
    assert place in outliers(file_of(name, edit))


@pytest.mark.parametrize(("code", "name", "place"), PORTFOLIO, ids=[row[0] for row in PORTFOLIO])
def test_what_is_true_of_the_whole_portfolio_is_told_apart_from_the_file(code: str, name: str, place: str) -> None:
    data, file_name = legacy_file(name)

    assert (code, place) in [(warning.code, warning.pointer) for warning in portfolio(data)]
    assert code not in [warning.code for warning in warnings_of(data, file_name)]


def test_a_file_without_nan_and_of_one_kind_of_missing_value_shows_neither() -> None:
    def filled(original: Document, metadata: Document) -> None:
        metadata |= {"accountManager": "Jo Doe", "notes": "by mail", "contractEndDate": "2027-01-01"}
        metadata["location"] |= {"region": "East", "siteType": "Hotel"}

    codes = {warning.code for warning in portfolio(file_of("A01", filled))}

    assert not {"DQ01", "DQ03"} & codes


def test_twins_are_the_same_but_for_ids_notes_and_references() -> None:
    same = all_of(
        put("id", to="another"),
        put("notes", to="\n"),
        put("purchaseOrder", to="PO 12"),
        put(*SHARES, "id", to="another"),
        put_site("customerName", to="Another Garage"),
    )
    other = put(*SHARES, "tiers", 0, "sharePercentage", to=26.5)
    keys = [twin_key(read_legacy(file_of("A01", edit)).contract) for edit in (nothing, same, other)]

    assert keys[0] == keys[1] != keys[2]
    assert twin_warning(["a.json", "b.json"]).message == "2 files hold the same contract: a.json, b.json"


def test_every_code_of_the_study_has_its_file() -> None:
    shown = {row[0] for row in FILES} | {row[0] for row in PORTFOLIO} | {"DQ34", "DQ39"}

    assert shown == {f"DQ{number:02}" for number in range(1, 40)} == set(QUALITY)
    told_for_the_folder = {code for code, quality in QUALITY.items() if quality.portfolio}
    assert told_for_the_folder == {row[0] for row in PORTFOLIO} | {"DQ34", "DQ39"}


def test_the_guide_lists_every_code_with_its_cure() -> None:
    guide = (Path(__file__).parents[3] / "docs/guides/bring-your-contracts.md").read_text("utf-8")
    listed = [line for line in guide.splitlines() if line.startswith("| DQ")]

    assert listed == [
        f"| {code}{'*' if quality.portfolio else ''} | {quality.meaning} | {quality.cure} |"
        for code, quality in QUALITY.items()
    ]


NAMES = [("JO DOE", True), ("jo doe", True), ("Jo DOE", True), ("jo Doe", True), ("Jo Doe", False), ("J.R. Doe", False)]
NAMES += [("Jo van der Doe", False), ("Jo Doe III", False), ("JR Doe", False), ("Jo McDoe", False)]


@pytest.mark.parametrize(("name", "odd"), NAMES, ids=[row[0] for row in NAMES])
def test_a_name_is_odd_in_capitals_or_small_letters_and_not_for_initials_or_particles(name: str, odd: bool) -> None:
    data, file_name = file_of("A01", put_site("accountManager", to=name)), legacy_file("A01")[1]

    assert ("DQ15" in [warning.code for warning in warnings_of(data, file_name)]) is odd


ORDERS = [
    ("4711", True),
    ("PO 4711", True),
    ("P.O.# 4711", True),
    ("PO#: 73055118", True),
    ("Purchase Order 4711", True),
]
ORDERS += [("PO Number: A-4711", True), ("Cost center 12", False), ("PO 1 / PO 2", False), ("J. Doe", False)]
ORDERS += [("VENDOR-123", False), ("GL-7010-22", False)]


@pytest.mark.parametrize(("order", "plain"), ORDERS, ids=[row[0] for row in ORDERS])
def test_a_purchase_order_is_told_from_other_references(order: str, plain: bool) -> None:
    data, file_name = file_of("A01", put("purchaseOrder", to=order)), legacy_file("A01")[1]

    assert ("DQ10" in [warning.code for warning in warnings_of(data, file_name)]) is not plain

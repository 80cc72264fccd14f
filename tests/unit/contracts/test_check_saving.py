"""What a contract must be to be saved: one row per rule, and a document that breaks many at once."""

from datetime import date
from typing import Any

import pytest

from shared_code.contracts.checking.known_codes import KNOWN_CODES
from shared_code.contracts.checking.save_rules import findings_for_saving
from shared_code.contracts.documents import parse_document
from shared_code.contracts.errors import RULE_KINDS
from shared_code.contracts.findings import refusal
from shared_code.contracts.schema import (
    AccountRow,
    AccountSelection,
    Component,
    Contract,
    FeeHourly,
    FeeJob,
    FixedPct,
    InvoiceGroup,
    NonGlAmount,
)
from shared_code.foundation.errors import BillingError
from tests.unit.contracts import parts
from tests.unit.contracts.documents import contract, money
from tests.unit.contracts.parts import tier

AT = "/components/0"
TITLED = (InvoiceGroup(id="g1", number=1, title="Main"), InvoiceGroup(id="g2", number=2, title="Shuttle"))
LINE = {"id": "n", "title": "Device", "amount": money("10")}


def grouped(*groups: InvoiceGroup) -> dict[str, Any]:
    return {"grouping_enabled": True, "groups": groups}


SOUND: list[tuple[str, list[Component], dict[str, Any]]] = [
    ("a fee with a configured code", [parts.fees(parts.fee(code="4715"))], {}),
    ("a code with spaces around it", [parts.fees(parts.fee(code=" 4715 "))], {}),
    ("titled groups", [parts.fees(parts.fee(group=2))], grouped(*TITLED)),
    ("a title of 100 letters", [parts.rooms()], grouped(InvoiceGroup(id="g", number=1, title="x" * 100))),
    ("groups without titles while grouping is off", [parts.rooms()], {"groups": (InvoiceGroup(id="g", number=1),)}),
    ("deviation of 100 %", [parts.rooms()], {"deviation_pct": money("100")}),
    ("rows without ids", [parts.fees(parts.fee(id=""), parts.fee(id=""))], {}),
    ("the ledger account of hours", [parts.hours(parts.job(code="4791"))], {}),
    ("a revenue code in small letters", [parts.share(parts.structure(revenue_codes=("sd1", "OR2")))], {}),
    ("an unknown code in a block that is off", [parts.rooms(), parts.fees(parts.fee(code="1"), enabled=False)], {}),
]


@pytest.mark.parametrize(("components", "fields"), [row[1:] for row in SOUND], ids=[row[0] for row in SOUND])
def test_a_sound_contract_is_saved(components: list[Component], fields: dict[str, Any]) -> None:
    assert findings_for_saving(contract(*components, **fields)) == []


def selection(*codes: str) -> AccountSelection:
    return AccountSelection(rows=tuple(AccountRow(code=code, enabled=True) for code in codes))


Case = tuple[str, list[Component], dict[str, Any], list[tuple[str, str, str]]]
BROKEN: list[Case] = [
    (
        "a group without a title",
        [parts.rooms()],
        grouped(InvoiceGroup(id="g", number=1, title=" ")),
        [("GROUP_TITLE", "/groups/0/title", "warning")],
    ),
    (
        "a title of 101 letters",
        [parts.rooms()],
        grouped(InvoiceGroup(id="g", number=1, title="x" * 101)),
        [("GROUP_TITLE", "/groups/0/title", "warning")],
    ),
    (
        "an unknown group",
        [parts.fees(parts.fee(group=3))],
        grouped(*TITLED),
        [("GROUP_UNKNOWN", f"{AT}/lines/0/group", "error")],
    ),
    (
        "group 100",
        [parts.fees(parts.fee(group=100))],
        grouped(InvoiceGroup(id="g", number=100, title="x")),
        [("GROUP_TOO_HIGH", "/groups/0/number", "error")],
    ),
    (
        "an unknown GL code of a fee",
        [parts.fees(parts.fee(code="4999"))],
        {},
        [("GL_CODE_UNKNOWN", f"{AT}/lines/0/code", "error")],
    ),
    ("an unknown GL code of rooms", [parts.rooms(code="x")], {}, [("GL_CODE_UNKNOWN", f"{AT}/code", "error")]),
    (
        "an unknown GL code of hours",
        [parts.hours(parts.job(code="12"))],
        {},
        [("GL_CODE_UNKNOWN", f"{AT}/lines/0/code", "error")],
    ),
    (
        "an unlisted job",
        [parts.hours(parts.job(job_code="DOORMAN"))],
        {},
        [("JOB_CODE_UNKNOWN", f"{AT}/lines/0/jobCode", "warning")],
    ),
    (
        "an unlisted job of a management fee",
        [parts.agreement(fee=FeeHourly(job_codes=(FeeJob(code="DOORMAN", rate=money("1"), ot_rate=money("1")),)))],
        {},
        [("JOB_CODE_UNKNOWN", f"{AT}/agreements/0/fee/jobCodes/0/code", "warning")],
    ),
    (
        "an unknown revenue code",
        [parts.share(parts.structure(revenue_codes=("SD1", "SD9")))],
        {},
        [("REVENUE_CODE_UNKNOWN", f"{AT}/structures/0/revenueCodes/1", "error")],
    ),
    (
        "overlapping revenue codes",
        [parts.share(parts.structure(), parts.structure(id="s2", revenue_codes=("SM1", "SD1")))],
        {},
        [("CODES_OVERLAP", f"{AT}/structures/1/revenueCodes/1", "error")],
    ),
    (
        "an account outside the chart",
        [parts.accounts(expense=selection("7000", "7999"))],
        {},
        [("ACCOUNT_UNKNOWN", f"{AT}/blocks/0/expense/rows/1/code", "error")],
    ),
    (
        "tiers out of order",
        [parts.share(parts.structure(tiers=(tier("5", "20"), tier("5", "10"), tier("5"))))],
        {},
        [("TIERS_INVALID", f"{AT}/structures/0/tiers/1/upTo", "error")],
    ),
    (
        "a yearly step above 100 %",
        [parts.fees(parts.fee())],
        {"escalators": (FixedPct(target="fixedFee.fee", month="May", pct=money("300")),)},
        [("PERCENT_RANGE", "/escalators/0/pct", "error")],
    ),
    (
        "a deviation above 100 %",
        [parts.rooms()],
        {"deviation_pct": money("100.5")},
        [("PERCENT_RANGE", "/deviationPct", "error")],
    ),
    (
        "an increment above 100 %",
        [parts.rooms()],
        {"increment_pct": money("300")},
        [("INCREMENT_UNUSED", "/incrementPct", "warning"), ("PERCENT_RANGE", "/incrementPct", "error")],
    ),
    (
        "two rows of one id",
        [parts.fees(parts.fee(), parts.fee(id=" F "))],
        {},
        [("ID_REPEATED", f"{AT}/lines/1/id", "error")],
    ),
    (
        "two expenses of one id",
        [parts.agreement(non_gl_enabled=True, non_gl=(NonGlAmount(**LINE), NonGlAmount(**LINE)))],
        {},
        [("ID_REPEATED", f"{AT}/agreements/0/nonGl/1/id", "error")],
    ),
    (
        "an id in two blocks",
        [parts.fees(parts.fee(id="x")), parts.hours(parts.job(id="x"))],
        {},
        [("ID_REPEATED", "/components/1/lines/0/id", "error")],
    ),
    (
        "an end before its start",
        [parts.fees(parts.fee(start=date(2026, 2, 1), end=date(2026, 1, 31)))],
        {},
        [("DATES_REVERSED", f"{AT}/lines/0/start", "error")],
    ),
    (
        "hours in advance",
        [parts.hours(parts.job())],
        {"billing_type": "Advanced"},
        [("ADVANCED_WITH_FACTS", AT, "error")],
    ),
    ("a second row", [parts.deposits(1), parts.deposits(1)], {}, [
        ("COMPONENT_REPEATED", "/components/1", "error"), ("ID_REPEATED", "/components/1/items/0/id", "error"),
    ]),
    ("no component on", [parts.fees(enabled=False)], {}, [("NOTHING_ENABLED", "/components", "error")]),
    (
        "fees without a row",
        [parts.fees()],
        {},
        [("EMPTY_BLOCK", f"{AT}/lines", "warning"), ("ROWS_MISSING", f"{AT}/lines", "error")],
    ),
    (
        "hours without a row",
        [parts.hours()],
        {},
        [("EMPTY_BLOCK", f"{AT}/lines", "warning"), ("ROWS_MISSING", f"{AT}/lines", "error")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("components", "fields", "findings"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_a_broken_rule_is_found_at_its_place(
    components: list[Component], fields: dict[str, Any], findings: list[tuple[str, str, str]]
) -> None:
    found = findings_for_saving(contract(*components, **fields))

    assert [(finding.code, finding.pointer, finding.severity) for finding in found] == findings
    assert all(finding.message for finding in found)
    assert all(finding.code in RULE_KINDS for finding in found if finding.severity == "error")


def broken_in_many_ways() -> Contract:
    return contract(
        parts.fees(parts.fee(code="4999", group=7), parts.fee(start=date(2026, 2, 1), end=date(2026, 1, 1))),
        parts.hours(parts.job(), parts.job(id="j2")),
        parts.share(
            parts.structure(tiers=(tier("120", "9"), tier("5", "3"), tier("5"))),
            parts.structure(id="s2", revenue_codes=("sd1", "XX")),
        ),
        parts.deposits(2),
        parts.accounts(payroll=selection("1234")),
        deviation_pct=money("101"),
        grouping_enabled=True,
        groups=(InvoiceGroup(id="g", number=100), InvoiceGroup(id="h", number=1, title="Main")),
    )


def test_a_document_that_breaks_many_rules_is_refused_with_all_of_them() -> None:
    error = refusal(findings_for_saving(broken_in_many_ways()))

    assert error is not None
    assert error.kind.status == 422
    assert [(detail.message.partition(":")[0], detail.field) for detail in error.details] == [
        ("GROUP_TOO_HIGH", "/groups/0/number"),
        ("GROUP_UNKNOWN", "/components/0/lines/0/group"),
        ("DATES_REVERSED", "/components/0/lines/1/start"),
        ("JOB_CODE_REPEATED", "/components/1/lines/1/jobCode"),
        ("TIERS_INVALID", "/components/2/structures/0/tiers/0/sharePct"),
        ("TIERS_INVALID", "/components/2/structures/0/tiers/1/upTo"),
        ("CODES_OVERLAP", "/components/2/structures/1/revenueCodes/0"),
        ("SECOND_ROW", "/components/3/items/1"),
        ("PERCENT_RANGE", "/deviationPct"),
        ("ID_REPEATED", "/components/0/lines/1/id"),
        ("ID_REPEATED", "/components/3/items/1/id"),
        ("GL_CODE_UNKNOWN", "/components/0/lines/0/code"),
        ("REVENUE_CODE_UNKNOWN", "/components/2/structures/1/revenueCodes/1"),
        ("ACCOUNT_UNKNOWN", "/components/4/blocks/0/payroll/rows/0/code"),
    ]


def test_negative_numbers_and_wrong_shapes_are_refused_together_before_the_rules() -> None:
    text = contract(parts.fees(parts.fee(), parts.fee(id="f2")), deviation_amount=money("1")).model_dump_json(
        by_alias=True
    )
    broken = text.replace('"fee":"100"', '"fee":"-100"').replace('"deviationAmount":"1"', '"deviationAmount":"-1"')

    with pytest.raises(BillingError) as caught:
        parse_document(broken.encode())

    assert [detail.field for detail in caught.value.details] == [
        "/deviationAmount",
        "/components/0/lines/0/fee",
        "/components/0/lines/1/fee",
    ]


def test_an_installation_adds_its_codes() -> None:
    deal = contract(
        parts.fees(parts.fee(code="4999")),
        parts.hours(parts.job(job_code="Doorman")),
        parts.share(parts.structure(revenue_codes=("XX1",))),
        parts.accounts(expense=selection("7999")),
    )
    own = KNOWN_CODES.extended(ledger=["4999"], jobs=["DOORMAN "], revenue=["xx1"], accounts=["7999"])

    assert [finding.code for finding in findings_for_saving(deal)] == [
        "GL_CODE_UNKNOWN",
        "JOB_CODE_UNKNOWN",
        "REVENUE_CODE_UNKNOWN",
        "ACCOUNT_UNKNOWN",
    ]
    assert findings_for_saving(deal, own) == []


def test_a_list_of_jobs_that_an_installation_states_is_closed() -> None:
    deal = contract(parts.hours(parts.job(job_code="DORMAN")))
    own = KNOWN_CODES.extended(jobs=["DOORMAN"])

    [finding] = findings_for_saving(deal, own)

    assert (finding.code, finding.severity) == ("JOB_CODE_UNKNOWN", "error")


def test_an_escalator_that_cannot_be_followed_is_told_when_it_is_saved() -> None:
    """It stops generation until somebody mends it (rules R61); a document with one may be kept."""
    rule = FixedPct(target="fixedFee.fees", month="January", pct=money("3"))

    found = findings_for_saving(contract(parts.fees(parts.fee()), escalators=(rule,)))

    assert [(one.code, one.pointer, one.severity) for one in found] == [
        ("ESCALATOR_INVALID", "/escalators/0/target", "incomplete")
    ]

"""Versions of a contract: from when each serves, what it changed, changes of a part, and the legacy file."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from shared_code.contracts import repository as contracts
from shared_code.contracts.model import SavedContract
from shared_code.contracts.parsing import parse
from shared_code.contracts.saving import Saving, contract_of_site, read_document, save_document
from shared_code.contracts.schema import FixedPct, Schedule, ScheduleStep
from shared_code.contracts.tables import contract, contract_version
from shared_code.contracts.versions.differences import Change, differences
from shared_code.contracts.versions.history import contracts_of, version_of, versions_of
from shared_code.contracts.versions.legacy_file import legacy_file_of
from shared_code.contracts.versions.merge_patch import merge, to_json
from shared_code.contracts.versions.patching import patched
from shared_code.contracts.versions.rates_by_month import timeline_of
from shared_code.foundation import clock
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import reading, transaction
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.visibility import EVERYTHING, Visibility
from shared_code.statements.repository import contracts_for
from tests.unit.contracts import documents, parts

pytestmark = pytest.mark.usefixtures("stored")
SITE = "8899"
NOVEMBER = datetime(2026, 11, 3, 9, tzinfo=UTC)
NOTHING = Visibility(sa.select(contract.c.site_number).where(contract.c.site_number == "none"))
ALL = PageRequest()


@pytest.fixture(autouse=True)
def november(stored: sa.Engine) -> Iterator[None]:
    """Each look at the clock is a second later than the one before, so that versions are stated one after the other."""
    ticks = count()
    clock.set_clock(lambda: NOVEMBER + timedelta(seconds=next(ticks)))
    yield


def document(fee: str = "100", **fields: Any) -> bytes:
    deal = documents.contract(parts.fees(parts.fee(fee=documents.money(fee))), **fields)
    return deal.model_dump_json(by_alias=True).encode()


def save(data: bytes | None = None, *, legacy: bool = False, **saving: Any) -> SavedContract:
    wish = Saving(saving.pop("author", "ann"), saving.pop("reason", "agreed"), saving.pop("if_match", "*"), **saving)
    return save_document(read_document(data or document(), legacy=legacy), wish)


def billed(period: str) -> None:
    with transaction() as work:
        ids = contracts.contract_ids_of(work.connection, SITE)
        contracts.set_billed_through(work.connection, ids, Period.parse(period))


def served(*periods: str) -> list[int | None]:
    """The version that a run of each month would bill; None where none is in force."""
    found: list[int | None] = []
    with reading() as connection:
        for text in periods:
            rows = contracts_for(connection, Period.parse(text))
            found.append(rows[0].version if rows else None)
    return found


def refusal(call: Any) -> BillingError:
    with pytest.raises(BillingError) as caught:
        call()
    return caught.value


# -- which contract it is (rules R46, decision 30) --------------------------------------------------------------------


def test_a_contract_begins_as_its_site_does() -> None:
    assert save().contract_id.startswith(SITE.encode().hex())


def test_a_contract_keeps_the_identifier_with_which_an_earlier_version_has_stored_it() -> None:
    saved, earlier = save(), clock.derived_id("contract", SITE, documents.contract().id)
    with transaction() as work:
        work.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in (contract, contract_version):
            work.connection.execute(table.update().values(contract_id=earlier))

    again = save(document("120"), if_match=f'"{saved.hash}"')

    assert (again.contract_id, again.version) == (earlier, 2)
    with reading() as connection:
        assert contracts.contract_ids_of(connection, SITE) == [earlier]


# -- from when a version serves (rules R12, decision 4) ---------------------------------------------------------------


def test_a_first_version_serves_from_the_beginning_or_from_its_day() -> None:
    save()

    assert served("2020-01", "2026-11") == [1, 1]


@pytest.mark.parametrize(
    ("day", "outcome"), [(1, 2), (2, "CONTRACT_DAY_INSIDE_MONTH"), (31, "CONTRACT_DAY_INSIDE_MONTH")]
)
def test_a_contract_that_is_paid_by_the_day_changes_on_the_first_of_a_month(day: int, outcome: int | str) -> None:
    """Decision 19: a month is billed from one document; rows with dates say what changes inside it."""
    save()

    def change() -> SavedContract:
        return save(document("110", proration="daily"), effective_from=date(2027, 1, day))

    if isinstance(outcome, str):
        error = refusal(change)
        assert (error.code, error.details[0].field) == (outcome, "effectiveFrom")
    else:
        assert change().version == outcome


def test_a_first_version_with_a_day_serves_nothing_before_it() -> None:
    save(effective_from=date(2026, 7, 1))

    assert served("2026-06", "2026-07") == [None, 1]


@pytest.mark.parametrize(
    ("day", "last_of_the_old", "first_of_the_new"),
    [
        (date(2027, 1, 1), "2026-12", "2027-01"),
        (date(2027, 1, 2), "2027-01", "2027-02"),  # inside a month: from the next first of a month
        (date(2027, 1, 31), "2027-01", "2027-02"),
    ],
)
def test_a_later_version_serves_from_its_day_on(day: date, last_of_the_old: str, first_of_the_new: str) -> None:
    save()
    save(document("110"), effective_from=day)

    assert served("2026-01", last_of_the_old, first_of_the_new) == [1, 1, 2]


def test_a_correction_without_a_day_takes_the_place_of_what_it_corrects() -> None:
    save()
    save(document("110"), effective_from=date(2027, 1, 1))
    save(document("110", purchase_order="PO 7"))

    assert served("2026-12", "2027-01") == [1, 3]


def test_a_version_replaces_what_was_planned_for_later_days() -> None:
    save()
    save(document("110"), effective_from=date(2027, 1, 1))
    save(document("105"), effective_from=date(2026, 12, 1))

    assert served("2026-11", "2026-12", "2027-01", "2030-01") == [1, 3, 3, 3]


@pytest.mark.parametrize(
    ("day", "outcome"),
    [
        (None, 2),
        (date(2026, 11, 1), 2),
        (date(2026, 10, 2), 2),  # serves from November, which is not billed
        (date(2026, 10, 1), "CONTRACT_PERIOD_BILLED"),
        (date(2026, 9, 15), "CONTRACT_PERIOD_BILLED"),
        (date(2020, 1, 1), "CONTRACT_PERIOD_BILLED"),
    ],
)
def test_what_is_billed_keeps_its_version(day: date | None, outcome: int | str) -> None:
    save()
    billed("2026-10")

    def change() -> SavedContract:
        return save(document("110"), effective_from=day)

    if isinstance(outcome, str):
        error = refusal(change)
        assert (error.code, error.details[0].field) == (outcome, "effectiveFrom")
        assert served("2026-10", "2026-11") == [1, 1]
    else:
        assert change().version == outcome
        assert served("2026-10", "2026-11") == [1, 2]


def test_the_same_document_is_a_new_version_only_for_another_day() -> None:
    save()
    save(document("110"), effective_from=date(2027, 1, 1))

    assert not save(document("110")).changed
    assert not save(document("110"), effective_from=date(2027, 1, 1)).changed
    assert save(document("110"), effective_from=date(2026, 12, 1)).changed


# -- which month its rates are of (rules R12, R43) --------------------------------------------------------------------

RAISED = {"escalators": (FixedPct(target="fixedFee.fee", month="January", pct=Decimal(5)),)}


def fees(*periods: str) -> list[str]:
    """What the timeline shows for the only fee in each month."""
    shown = (timeline_of(SITE, None, month, month, EVERYTHING) for month in map(Period.parse, periods))
    return [str(found.months[0].rates[0].value) for found in shown]


def test_an_edit_of_a_planned_version_keeps_the_month_that_its_rates_are_of() -> None:
    save(document("1000", **RAISED))
    save(document("1200", **RAISED), effective_from=date(2027, 1, 1), rates_as_of=Period(2026, 6))
    assert fees("2026-12", "2027-01", "2028-01") == ["1000", "1260.00", "1323.00"]

    for order in ("PO 7", "PO 8"):
        save(document("1200", purchase_order=order, **RAISED))
        assert fees("2026-12", "2027-01", "2028-01") == ["1000", "1260.00", "1323.00"]

    save(document("1300", **RAISED))
    assert fees("2026-12", "2027-01", "2028-01") == ["1000", "1300", "1365.00"]


def test_an_edit_of_a_correction_after_billing_keeps_the_month_that_its_rates_are_of() -> None:
    save(document("1000", **RAISED))
    billed("2026-12")
    save(document("1200", **RAISED), rates_as_of=Period(2026, 6))
    save(document("1200", purchase_order="PO 7", **RAISED))

    assert served("2026-12", "2027-01") == [1, 3]
    assert fees("2027-01", "2028-01") == ["1260.00", "1323.00"]


def test_a_planned_version_that_is_changed_back_inherits_what_served_before() -> None:
    save(document("1000", **RAISED), rates_as_of=Period(2025, 6))
    save(document("1200", **RAISED), effective_from=date(2027, 1, 1))
    save(document("1000", **RAISED))

    assert fees("2026-12", "2027-01") == ["1050.00", "1102.50"]


def test_the_same_document_states_its_rates_for_another_month() -> None:
    """Without a month at the first import, January's increase would be left out for ever."""
    save(document("1000", **RAISED))
    assert fees("2026-11", "2027-01") == ["1000", "1050.00"]

    assert save(document("1000", **RAISED), rates_as_of=Period(2025, 10)).version == 2
    assert not save(document("1000", **RAISED), rates_as_of=Period(2025, 10)).changed
    assert not save(document("1000", **RAISED)).changed

    assert fees("2026-11", "2027-01") == ["1050.00", "1102.50"]


def test_rates_that_are_stated_for_another_month_leave_what_is_billed() -> None:
    save(document("1000", **RAISED))
    billed("2026-11")
    save(document("1000", **RAISED), rates_as_of=Period(2025, 10))
    save(document("1000", purchase_order="PO 7", **RAISED))

    assert served("2026-11", "2026-12") == [1, 3]
    assert fees("2026-11", "2026-12", "2027-01") == ["1000", "1050.00", "1102.50"]


def test_a_version_may_serve_from_the_first_month_that_there_is() -> None:
    save()
    save(document("110"), effective_from=date(2000, 1, 1))

    assert served("2000-01") == [2]


def test_a_reason_that_no_version_could_keep_is_refused() -> None:
    assert refusal(lambda: save(reason="x" * 401)).code == "CONTRACT_REASON_TOO_LONG"
    assert save(reason="x" * 400).changed


# -- history ----------------------------------------------------------------------------------------------------------


def test_the_history_says_who_why_and_from_when() -> None:
    save(author="ann", reason="first import")
    save(document("110"), author="bob", reason="new price", effective_from=date(2027, 1, 1))

    page = versions_of(SITE, None, ALL, EVERYTHING)

    assert [(v.version, v.author, v.reason, v.effective_from, v.previous) for v in page.items] == [
        (2, "bob", "new price", date(2027, 1, 1), 1),
        (1, "ann", "first import", None, None),
    ]
    with reading() as connection:
        hashes = connection.scalars(sa.select(contract_version.c.document_hash).order_by(contract_version.c.version))
        assert [v.hash for v in reversed(page.items)] == list(hashes)
        reasons = connection.scalars(
            sa.select(audit_event.c.body).where(audit_event.c.action == "contract.saved")
        ).all()
    assert [json.loads(body)["reason"] for body in reasons] == ["first import", "new price"]


def test_pages_of_versions_follow_each_other() -> None:
    for fee in ("100", "101", "102"):
        save(document(fee))
    first = versions_of(SITE, None, PageRequest(limit=2), EVERYTHING)
    second = versions_of(SITE, None, PageRequest(limit=2, cursor=first.next_cursor), EVERYTHING)

    assert [v.version for v in (*first.items, *second.items)] == [3, 2, 1]
    assert (first.total, second.next_cursor) == (3, None)


def test_a_version_shows_what_it_changed() -> None:
    save()
    save(document("110.50", purchase_order="PO 7"))

    first, second = (version_of(SITE, None, number, EVERYTHING) for number in ("1", "2"))

    assert first.changes == ()
    assert [(c.pointer, c.kind, c.before, c.after) for c in second.changes] == [
        ("/purchaseOrder", "changed", None, "PO 7"),
        ("/components/0/lines/0/fee", "changed", "100", "110.50"),
    ]
    assert second.document["purchaseOrder"] == "PO 7"


@pytest.mark.parametrize("number", ["0", "3", "-1", "1.0", "01", "one", "²", "9" * 30])
def test_a_version_that_is_none_is_not_found(number: str) -> None:
    save()

    assert refusal(lambda: version_of(SITE, None, number, EVERYTHING)).code == "CONTRACT_VERSION_NOT_FOUND"


def test_who_may_not_see_the_site_finds_nothing() -> None:
    save()
    calls = (
        lambda: contracts_of(SITE, ALL, NOTHING),
        lambda: versions_of(SITE, None, ALL, NOTHING),
        lambda: version_of(SITE, None, "1", NOTHING),
        lambda: legacy_file_of(SITE, None, NOTHING),
        lambda: contract_of_site(SITE, NOTHING),
        lambda: patched(b"{}", SITE, None, "*", NOTHING),
    )

    assert {refusal(call).code for call in calls} == {"CONTRACT_NOT_FOUND"}


# -- several contracts of a site (rules R42) --------------------------------------------------------------------------


def test_a_site_that_changes_its_client_has_two_contracts_each_with_its_time() -> None:
    save(document(end_date=date(2026, 6, 30)))
    save(document(id="c-2", start_date=date(2026, 7, 1), billing_type="Advanced"), additional=True)
    billed("2026-06")

    found = {one.document_id: one for one in contracts_of(SITE, ALL, EVERYTHING).items}

    assert {name: (one.start_date, one.end_date, one.billing_type) for name, one in found.items()} == {
        "c-1": (None, date(2026, 6, 30), "Arrears"),
        "c-2": (date(2026, 7, 1), None, "Advanced"),
    }
    assert {(one.components, one.billed_through) for one in found.values()} == {(("fixedFee",), "2026-06")}


def test_of_several_contracts_one_has_to_be_named() -> None:
    save()
    second = save(document("200", id="c-2"), additional=True).contract_id

    error = refusal(lambda: versions_of(SITE, None, ALL, EVERYTHING))
    assert (error.code, len(error.details)) == ("CONTRACT_AMBIGUOUS", 2)
    assert version_of(SITE, second, "1", EVERYTHING).document["id"] == "c-2"
    assert contract_of_site(SITE, EVERYTHING, second).document["id"] == "c-2"
    assert refusal(lambda: versions_of(SITE, "f" * 32, ALL, EVERYTHING)).code == "CONTRACT_NOT_FOUND"


# -- changes of a part (RFC 7386) -------------------------------------------------------------------------------------

# The table of the RFC's appendix A: target, patch, result.
PATCHES: list[tuple[str, str, str]] = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]


@pytest.mark.parametrize(("target", "patch", "result"), PATCHES)
def test_a_merge_patch_does_what_its_standard_says(target: str, patch: str, result: str) -> None:
    assert merge(json.loads(target), json.loads(patch)) == json.loads(result)


@pytest.mark.parametrize("number", ["0.1", "26.40", "123456789012.123456", "1E+2", "7", "-0.000001"])
def test_numbers_of_a_patch_stay_exact(number: str) -> None:
    assert to_json(parse(f'{{"a":[{number}]}}'.encode())) == f'{{"a":[{number}]}}'


def patch(change: Any, match: str = "*", contract_id: str | None = None, **saving: Any) -> SavedContract:
    merged, etag = patched(json.dumps(change).encode(), SITE, contract_id, match, EVERYTHING)
    return save_document(merged, Saving("ann", "agreed", etag, **saving))


def test_a_patch_changes_what_it_names_and_nothing_else() -> None:
    saved = save(document(purchase_order="PO 7", notes="call first"))

    patch({"purchaseOrder": None, "anchorDate": "2025-05-01"}, f'"{saved.hash}"')

    changes = version_of(SITE, None, "2", EVERYTHING).changes
    assert {(c.pointer, c.before, c.after) for c in changes} == {
        ("/purchaseOrder", "PO 7", None),
        ("/anchorDate", None, "2025-05-01"),
    }


def test_an_empty_patch_changes_nothing() -> None:
    save()

    assert not patch({}).changed


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"billingType": "Weekly"}, "CONTRACT_FIELD_INVALID", "/billingType"),
        ({"discount": 1}, "CONTRACT_FIELD_INVALID", "/discount"),
        ({"id": "c-2"}, "CONTRACT_FIELD_INVALID", "/id"),
        ({"site": {"number": "0001"}}, "CONTRACT_SITE_MISMATCH", "/site/number"),
        ({"startDate": "2026-02-01", "endDate": "2026-01-01"}, "CONTRACT_DATES_REVERSED", "/startDate"),
    ],
)
def test_a_patch_is_checked_as_a_document_is(change: dict[str, Any], code: str, place: str) -> None:
    save()

    error = refusal(lambda: patch(change))

    assert (error.code, [detail.field for detail in error.details]) == (code, [place])
    assert versions_of(SITE, None, ALL, EVERYTHING).total == 1


TOO_DEEP = b'{"notes":' * 3000 + b"1" + b"}" * 3000


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b'{"a":1,"a":2}', b"\xff", TOO_DEEP])
def test_a_patch_is_one_json_object(body: bytes) -> None:
    save()

    assert refusal(lambda: patched(body, SITE, None, "*", EVERYTHING)).code in (
        "CONTRACT_UNREADABLE",
        "CONTRACT_DUPLICATE_KEY",
    )


def test_a_patch_of_what_has_changed_is_refused() -> None:
    before = save()
    save(document("110"))

    assert refusal(lambda: patch({"notes": "x"}, f'"{before.hash}"')).code == "CONTRACT_CHANGED"


def test_a_change_between_reading_and_saving_is_not_overwritten() -> None:
    save()
    merged, etag = patched(b'{"notes":"x"}', SITE, None, "*", EVERYTHING)
    save(document("110"))

    assert refusal(lambda: save_document(merged, Saving("ann", "late", etag))).code == "CONTRACT_CHANGED"


def test_a_change_that_something_later_forbids_is_no_success() -> None:
    save()
    clock.set_clock(lambda: NOVEMBER - timedelta(minutes=5))

    assert refusal(lambda: save(document("110"))).code == "CONTRACT_CHANGED"
    assert versions_of(SITE, None, ALL, EVERYTHING).total == 1


def test_what_a_caller_has_read_is_compared_with_a_contract_that_nobody_else_changes(stored: sa.Engine) -> None:
    """The row is locked before it is read; else two callers with the same ETag could both be right."""
    etag = f'"{save().hash}"'
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement.lower())

    sa.event.listen(stored, "before_cursor_execute", note)
    save(document("110"), if_match=etag)

    about = [text for text in statements if "contract_version" in text or text.startswith("update contract ")]
    assert about[0].startswith("update contract ")


# -- the legacy file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(documents.ARCHETYPES))
def test_a_legacy_file_comes_back_byte_for_byte(name: str) -> None:
    data, file_name = documents.legacy_file(name)
    read = read_document(data, legacy=True, name=file_name)
    save_document(read, Saving("ann", "import"))

    file = legacy_file_of(read.contract.site.number, None, EVERYTHING)

    assert (file.data, file.file_name) == (data, file_name)


def test_a_contract_of_our_own_becomes_a_legacy_file_where_that_can_hold_it() -> None:
    save()

    file = legacy_file_of(SITE, None, EVERYTHING)

    assert file.file_name == f"{SITE}_Unknown.json"
    again = read_document(file.data, legacy=True).contract
    assert [line.fee for part in again.components if part.kind == "fixedFee" for line in part.lines] == [100]


STEPS = Schedule(target="fixedFee.fee", steps=(ScheduleStep(date=date(2027, 1, 1), value=documents.money("90")),))
BEYOND: list[tuple[dict[str, Any], str]] = [
    ({"anchor_date": date(2025, 5, 1)}, "/anchorDate"),
    ({"proration": "daily"}, "/proration"),
    ({"end_date": date(2027, 5, 1)}, "/endDate"),
    ({"escalators": (STEPS,)}, "/escalators/0"),
]


@pytest.mark.parametrize(("fields", "place"), BEYOND)
def test_what_the_legacy_form_cannot_hold_is_refused_at_its_place(fields: dict[str, Any], place: str) -> None:
    save(document(**fields))

    error = refusal(lambda: legacy_file_of(SITE, None, EVERYTHING))

    assert (error.code, [detail.field for detail in error.details]) == ("CONTRACT_LEGACY_FORM_TOO_NARROW", [place])
    assert legacy_file_of(SITE, None, EVERYTHING, partial=True).data.startswith(b"{")


# -- differences ------------------------------------------------------------------------------------------------------

DIFFERENCES: list[tuple[Any, Any, list[tuple[str, str, Any, Any]]]] = [
    ({"a": 1}, {"a": 1}, []),
    ({"a": 1}, {"a": True}, [("/a", "changed", 1, True)]),
    ({"a": None}, {}, [("/a", "removed", None, None)]),
    ({}, {"a/b": {}}, [("/a~1b", "added", None, {})]),
    ([1, 2], [1, 3, 4], [("/1", "changed", 2, 3), ("/2", "added", None, 4)]),
    ([{"id": "x", "n": 1}], [{"id": "y"}, {"id": "x", "n": 2}],
     [("/0", "added", None, {"id": "y"}), ("/1/n", "changed", 1, 2)]),
    ([{"id": "x"}, {"id": "y"}], [{"id": "y"}], [("/0", "removed", {"id": "x"}, None)]),
    ([{"id": "x"}, {"id": "y"}], [{"id": "y"}, {"id": "x"}], [("", "reordered", ["x", "y"], ["y", "x"])]),
    ([{"id": "x"}, {"id": "x"}], [{"id": "x"}], [("/1", "removed", {"id": "x"}, None)]),
    ([{"kind": "a", "on": True}], [{"kind": "a", "on": False}], [("/0/on", "changed", True, False)]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), DIFFERENCES)
def test_differences_are_named_at_their_places(before: Any, after: Any, expected: list[Any]) -> None:
    assert differences(before, after) == [Change(*row) for row in expected]


ROWS = st.lists(st.fixed_dictionaries({"id": st.sampled_from("abc"), "n": st.integers(0, 2)}), max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab/"), inner, max_size=3) | ROWS,
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_there_are_no_differences_exactly_when_two_documents_say_the_same(before: Any, after: Any) -> None:
    assert (differences(before, after) == []) == (
        json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    )


@given(VALUES)
def test_merging_a_document_into_nothing_gives_it_without_its_nulls(value: Any) -> None:
    merged = merge(None, value)

    assert merge(merged, value) == merged
    assert merge(value, {}) == (value if isinstance(value, dict) else {})

"""Business settings: stored over app setting over default, changed all or none, with history and audit."""

import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy.dialects import mssql

from shared_code.foundation import clock
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.business_settings import repository
from shared_code.foundation.business_settings.model import CATALOGUE, DEFAULTS, BusinessSettings, merge, value_of
from shared_code.foundation.business_settings.requests import SettingsRequest
from shared_code.foundation.business_settings.service import Setting, SettingsView, change, history, show
from shared_code.foundation.business_settings.tables import business_setting
from shared_code.foundation.context import Context, acting
from shared_code.foundation.database import reading, transaction
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import settings

pytestmark = pytest.mark.usefixtures("stored")
MORNING = datetime(2026, 11, 3, 9, tzinfo=UTC)
ANN = Context(actor_id="ann", actor_name="Ann", actor_kind="person")


@pytest.fixture(autouse=True)
def morning(stored: sa.Engine) -> Iterator[None]:
    clock.set_clock(lambda: MORNING)
    with acting(ANN):
        yield


def now() -> BusinessSettings:
    """The values that a transaction reads."""
    with reading() as connection:
        return repository.current(connection)


def shown(name: str, view: SettingsView | None = None) -> Setting:
    return next(one for one in (view or show()).settings if one.name == name)


def make(changes: Mapping[str, Any], reason: str = "the client asked for it", if_match: str = "*") -> SettingsView:
    return change(changes, reason, if_match)


def refused(changes: Mapping[str, Any], reason: str = "because", if_match: str = "*") -> BillingError:
    with pytest.raises(BillingError) as refusal:
        change(changes, reason, if_match)
    return refusal.value


def state(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """An app setting."""
    monkeypatch.setenv(name, text)
    settings.cache_clear()


def versions() -> list[tuple[str, int]]:
    with reading() as connection:
        return [
            tuple(row) for row in connection.execute(sa.select(business_setting.c.name, business_setting.c.version))
        ]


# -- which value holds --------------------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_rules() -> None:
    assert now() == DEFAULTS
    assert DEFAULTS.gap_days == 7  # R8
    assert DEFAULTS.bell_excluded_codes == {"OR1", "OR2"}  # R4
    assert DEFAULTS.occupied_rooms_value_types == frozenset()  # R47, all
    assert DEFAULTS.import_hold_rejected_share == Decimal("0.05")  # datasets 6


def test_stored_over_app_setting_over_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (shown("gapDays").value, shown("gapDays").source) == (7, "default")

    state(monkeypatch, "GAP_DAYS", "10")
    assert (shown("gapDays").value, shown("gapDays").source, now().gap_days) == (10, "environment", 10)

    make({"gapDays": 12})
    assert (shown("gapDays").value, shown("gapDays").source, now().gap_days) == (12, "stored", 12)

    make({"gapDays": None})
    assert (shown("gapDays").value, shown("gapDays").source, now().gap_days) == (10, "environment", 10)
    assert shown("gapDays").default == 7


def test_the_values_of_a_transaction_cost_one_statement(stored: sa.Engine) -> None:
    make({"gapDays": 12, "scheduledBillingDay": 0})
    seen: list[str] = []
    sa.event.listen(stored, "before_cursor_execute", lambda *about: seen.append(about[2]))

    with reading() as connection:
        repository.current(connection)

    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1


def test_all_settings_are_shown_with_what_they_mean_and_take() -> None:
    assert [one.name for one in show().settings] == sorted(CATALOGUE)
    assert all(one.meaning.endswith(".") and one.accepts and one.version == 0 for one in show().settings)


def test_a_stored_name_that_is_no_setting_any_more_is_left_alone() -> None:
    with transaction() as work:
        repository.insert(work.connection, [row("oldSetting", "1")])

    assert now() == DEFAULTS


def test_a_stored_value_that_cannot_be_used_is_said_loudly() -> None:
    with transaction() as work:
        repository.insert(work.connection, [row("gapDays", "99")])

    with pytest.raises(BillingError) as refusal:
        now()

    assert (refusal.value.code, [detail.field for detail in refusal.value.details]) == ("SETTINGS_INVALID", ["gapDays"])


def row(name: str, value: str) -> dict[str, Any]:
    about = {"changed_at": MORNING, "changed_by": "ann", "reason": "of long ago"}
    return {"name": name, "version": 1, "value": value, **about}


# -- changing -----------------------------------------------------------------------------------------------------

TAKEN = [
    # setting, value of JSON, value that holds
    ("gapDays", 31, 31),
    ("scheduledBillingDay", 0, 0),
    ("importHoldRejectedShare", 0.1, Decimal("0.1")),
    ("importHoldRejectedShare", Decimal("0.1234"), Decimal("0.1234")),
    ("importHoldRejectedShare", 1, Decimal(1)),
    ("bellExcludedCodes", ["or9", " OR1 "], {"OR1", "OR9"}),
    ("bellExcludedCodes", [], frozenset()),
]


@pytest.mark.parametrize(("name", "value", "holds"), TAKEN)
def test_a_value_comes_back_exactly(name: str, value: object, holds: object) -> None:
    make({name: value})

    assert getattr(now(), CATALOGUE[name].field) == holds
    assert shown(name).value == (sorted(holds) if isinstance(holds, set | frozenset) else holds)


REFUSED = [
    ("gapDays", 0),
    ("gapDays", 32),
    ("gapDays", "7"),
    ("gapDays", 7.0),
    ("gapDays", True),
    ("gapDays", [7]),
    ("importHoldRejectedShare", 1.01),
    ("importHoldRejectedShare", -0.01),
    ("importHoldRejectedShare", 0.00001),
    ("importHoldRejectedShare", True),
    ("importHoldRejectedShare", "much"),
    ("importHoldRejectedShare", float("nan")),
    ("bellExcludedCodes", "OR1"),
    ("bellExcludedCodes", ["OR1,OR2"]),
    ("bellExcludedCodes", [1]),
    ("bellExcludedCodes", ["x" * 31]),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_wrong_value_is_refused_and_named(name: str, value: object) -> None:
    refusal = refused({name: value})

    assert (refusal.code, [detail.field for detail in refusal.details]) == ("SETTING_CHANGE_INVALID", [name])
    assert f"write {CATALOGUE[name].kind.wants}" in refusal.details[0].message
    assert versions() == []


def test_all_problems_of_a_change_are_named_at_once_and_nothing_of_it_is_made() -> None:
    refusal = refused({"gapDays": 0, "scheduledBillingDay": 29, "gapDay": 5, "runPatienceMinutes": 20}, reason=" ")

    problems = {detail.field: detail.message for detail in refusal.details}
    assert set(problems) == {"gapDays", "scheduledBillingDay", "gapDay", "reason"}
    assert "did you mean gapDays?" in problems["gapDay"]
    assert now() == DEFAULTS


def test_a_change_of_nothing_is_refused() -> None:
    assert [detail.field for detail in refused({}).details] == ["changes"]


def test_a_change_is_kept_with_who_when_and_why() -> None:
    make({"gapDays": 9}, "holiday week")
    make({"gapDays": None}, "over")

    entries = history("gapDays").items

    assert [(e.version, e.value, e.changed_at, e.changed_by, e.reason) for e in entries] == [
        (2, None, MORNING, "ann", "over"),
        (1, 9, MORNING, "ann", "holiday week"),
    ]


def test_what_is_stored_already_makes_no_version() -> None:
    first = make({"bellExcludedCodes": ["OR9", "OR1"], "importHoldRejectedShare": 0.1})

    again = make({"bellExcludedCodes": ["or1", "or9"], "importHoldRejectedShare": "0.10", "scheduledBillingDay": None})

    assert again == first
    assert sorted(versions()) == [("bellExcludedCodes", 1), ("importHoldRejectedShare", 1)]


def test_a_default_can_be_stored_so_that_no_app_setting_moves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    make({"gapDays": 7})
    state(monkeypatch, "GAP_DAYS", "10")

    assert now().gap_days == 7


def test_each_changed_setting_is_audited() -> None:
    make({"gapDays": 9, "importHoldRejectedShare": 0.1, "scheduledBillingDay": None}, "holiday week")

    with reading() as connection:
        bodies = [json.loads(text) for text in connection.scalars(sa.select(audit_event.c.body))]
    events = {e["subject"]: e for e in bodies if e["stream"] == "settings"}
    assert set(events) == {"gapDays", "importHoldRejectedShare"}
    assert events["gapDays"]["data"] == {"before": 7, "after": 9, "source": "stored", "version": 1}
    assert events["importHoldRejectedShare"]["data"]["after"] == "0.1"
    assert {(e["action"], e["actor"]["id"], e["reason"]) for e in events.values()} == {
        ("setting.changed", "ann", "holiday week")
    }


# -- history ------------------------------------------------------------------------------------------------------


def test_the_history_is_paged_newest_first() -> None:
    for days in range(1, 6):
        make({"gapDays": days})

    first = history("gapDays", limit=2)
    second = history("gapDays", limit=2, cursor=first.next_cursor)
    third = history("gapDays", limit=2, cursor=second.next_cursor)

    assert [[item.value for item in part.items] for part in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert (third.next_cursor, {part.total for part in (first, second, third)}) == (None, {5})


def test_the_history_of_no_setting() -> None:
    with pytest.raises(BillingError, match="did you mean gapDays") as refusal:
        history("gapdays")

    assert (refusal.value.code, refusal.value.kind.status) == ("SETTING_UNKNOWN", 404)


# -- two people at once -------------------------------------------------------------------------------------------


def test_a_stale_etag_is_refused_whatever_setting_was_changed() -> None:
    read = show().etag
    make({"gapDays": 9})

    refusal = refused({"scheduledBillingDay": 5}, if_match=read)

    assert (refusal.code, refusal.kind.status) == ("SETTINGS_CHANGED", 412)
    assert now().scheduled_billing_day == DEFAULTS.scheduled_billing_day


def test_the_etag_of_a_change_serves_the_next_one() -> None:
    after = make({"gapDays": 9}, if_match=show().etag)

    assert after == show()
    assert shown("gapDays", make({"gapDays": 10}, if_match=after.etag)).version == 2


def test_values_that_came_back_have_another_etag() -> None:
    """Whoever read before the two changes has not seen them."""
    read = make({"gapDays": 9}).etag
    make({"gapDays": 10})

    assert make({"gapDays": 9}).etag != read


def test_of_changes_at_the_same_moment_one_is_made() -> None:
    read, together = show().etag, threading.Barrier(8)

    def attempt(number: int) -> str:
        together.wait()
        try:
            make({"gapDays": number + 1, "scheduledBillingDay": number + 1}, if_match=read)
        except BillingError as refusal:
            return refusal.code
        return "made"

    with ThreadPoolExecutor(8) as people:
        outcomes = list(people.map(attempt, range(8)))

    assert outcomes.count("made") == 1
    assert set(outcomes) <= {"made", "SETTINGS_CHANGED", "CONCURRENT_CHANGE"}
    assert sorted(versions()) == [("gapDays", 1), ("scheduledBillingDay", 1)]
    assert now().gap_days == now().scheduled_billing_day


def test_sql_server_keeps_other_changes_out_from_the_first_read_on() -> None:
    """Both reads of the table carry the hint: one without would see the state before the change it waited for."""
    dialect = mssql.dialect()  # type: ignore[no-untyped-call]  # the dialects are not annotated
    texts = [str(repository.select_latest(for_change=wish).compile(dialect=dialect)) for wish in (True, False)]

    assert [text.count("WITH (UPDLOCK, HOLDLOCK)") for text in texts] == [2, 0]


# -- laws ---------------------------------------------------------------------------------------------------------

VALUES = {
    "gapDays": st.integers(1, 31),
    "bellExcludedCodes": st.lists(st.text("abcXYZ019 ", max_size=6), max_size=4),
    "deviationNeedsBoth": st.booleans(),
    "forecastExpected": st.booleans(),
    "largestInvoice": st.integers(0, 1_000_000_000),
    "largestChangePercent": st.integers(0, 1_000_000),
    "medianMonths": st.integers(3, 24),
    "largestLineCount": st.integers(0, 100_000),
    "separateDuties": st.booleans(),
    "billingAdminApproves": st.booleans(),
    "furtherGlCodes": st.lists(st.text("abcXYZ019 ", max_size=6), max_size=4),
    "jobCodes": st.lists(st.text("abcXYZ019 ", max_size=6), max_size=4),
    "excludedEntities": st.lists(st.text("abcXYZ019 ", max_size=6), max_size=4),
    "occupiedRoomsValueTypes": st.lists(st.text("abcXYZ019 ", max_size=6), max_size=4),
    "importHoldRejectedShare": st.decimals(0, 1, places=4) | st.integers(0, 1),
    "runPatienceMinutes": st.integers(1, 1440),
    "scheduledBillingDay": st.integers(0, 28),
}


def test_the_laws_are_about_every_setting() -> None:
    assert set(VALUES) == set(CATALOGUE)


@given(st.fixed_dictionaries({}, optional=VALUES))
@profile(max_examples=100, deadline=None, derandomize=True, database=None)
def test_what_is_shown_can_be_written_back_and_changes_nothing(changes: dict[str, Any]) -> None:
    merged, problems = merge(DEFAULTS, changes)

    again, _ = merge(DEFAULTS, {name: value_of(merged, name) for name in CATALOGUE})

    assert (problems, again) == ([], merged)


@given(st.fixed_dictionaries({}, optional=VALUES).filter(bool))
@profile(max_examples=100, deadline=None, derandomize=True, database=None)
def test_a_request_carries_every_kind_of_value(changes: dict[str, Any]) -> None:
    """A flag stays one on its way through the body: 1 and true are two values."""
    body = json.dumps({"changes": changes, "reason": "for the test"}, default=float)

    asked = SettingsRequest.model_validate_json(body).changes

    _, problems = merge(DEFAULTS, asked)
    assert problems == []
    assert [type(asked[name]) is bool for name in changes] == [type(value) is bool for value in changes.values()]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(CATALOGUE)), JUNK, min_size=1))
@profile(max_examples=200, deadline=None, derandomize=True, database=None)
def test_any_value_is_taken_or_refused_by_name(changes: dict[str, Any]) -> None:
    merged, problems = merge(DEFAULTS, changes)

    for name in changes.keys() - {problem.field for problem in problems}:
        kind = CATALOGUE[name].kind
        assert getattr(merged, CATALOGUE[name].field) == kind.of_json(value_of(merged, name))
    assert {problem.field for problem in problems} <= set(changes)

"""What stands in a query is declared, and in its form; anything else is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.declarations import PAGED, Answer, Query, Route
from functions.parameters import check_query, read_whole
from shared_code.foundation.errors import BillingError

ROUTE = Route(
    "list_things",
    "GET",
    "things",
    (Answer(200),),
    query=(
        *PAGED,
        Query("siteNumber", "a text"),
        Query("period", "a month", kind="period"),
        Query("dryRun", "a flag", kind="flag"),
        Query("from", "a day", kind="date"),
        Query("state", "a choice", choices=("Open", "Replayed")),
    ),
)
PLAIN = Route("get_thing", "GET", "things/{id}", (Answer(200),))


def refused(route: Route, given: dict[str, str]) -> BillingError:
    with pytest.raises(BillingError) as refusal:
        check_query(route, given)
    return refusal.value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("siteNumber", "0901"),
        ("siteNumber", ""),
        ("period", "2026-10"),
        ("period", ""),
        ("dryRun", "true"),
        ("dryRun", "False"),
        ("from", "2026-11-03"),
        ("from", "2024-02-29"),
        ("from", "0001-01-01"),
        ("from", "9999-12-30"),
        ("state", "Open"),
        ("state", "open"),
        ("code", "the platform's own: a function key"),
    ],
)
def test_what_is_in_its_form_passes_and_so_does_what_is_empty(name: str, value: str) -> None:
    check_query(ROUTE, {name: value})


@pytest.mark.parametrize(
    ("name", "value", "code", "text"),
    [
        ("period", "2026-13", "PERIOD_INVALID", "2026-13"),
        ("period", "October", "PERIOD_INVALID", "October"),
        ("dryRun", "yes", "PARAMETER_INVALID", "dryRun is true or false; got 'yes'"),
        ("dryRun", "1", "PARAMETER_INVALID", "dryRun is true or false; got '1'"),
        ("dryRun", "true,true", "PARAMETER_INVALID", "dryRun is true or false; got 'true,true'"),  # named twice
        ("from", "2026-02-30", "PARAMETER_INVALID", "from is a day, written YYYY-MM-DD; got '2026-02-30'"),
        ("from", "20261103", "PARAMETER_INVALID", "YYYY-MM-DD"),
        ("from", "2026-W45-2", "PARAMETER_INVALID", "YYYY-MM-DD"),
        ("from", "2026-11-03T00:00", "PARAMETER_INVALID", "YYYY-MM-DD"),
        ("from", "٢٠٢٦-11-03", "PARAMETER_INVALID", "YYYY-MM-DD"),
        ("from", "9999-12-31", "PARAMETER_INVALID", "YYYY-MM-DD"),  # no day follows, so it is the end of no span
        ("state", "Closed", "PARAMETER_INVALID", "state is one of Open, Replayed; got 'Closed'"),
    ],
)
def test_what_is_not_in_its_form_is_refused_with_its_name(name: str, value: str, code: str, text: str) -> None:
    error = refused(ROUTE, {name: value})

    assert (error.code, error.kind.status) == (code, 400)
    assert text in error.message
    assert [detail.field for detail in error.details] == [name]


@pytest.mark.parametrize(
    ("route", "name", "advice"),
    [
        (ROUTE, "limt", "did you mean limit?"),
        (ROUTE, "Limit", "did you mean limit?"),
        (ROUTE, "site_number", "did you mean siteNumber?"),
        (ROUTE, "dryrun", "did you mean dryRun?"),
        (ROUTE, "zzz", "there are limit, cursor, siteNumber, period, dryRun, from, state"),
        (ROUTE, "", "there are limit, cursor"),
        (PLAIN, "limit", "this route takes no parameters"),
    ],
)
def test_a_parameter_that_there_is_not_is_refused_with_the_one_that_was_meant(
    route: Route, name: str, advice: str
) -> None:
    error = refused(route, {name: "x"})

    assert (error.code, error.kind.status) == ("PARAMETER_UNKNOWN", 400)
    assert advice in error.message


def test_everything_that_is_wrong_is_named_at_once() -> None:
    unknown = refused(ROUTE, {"limt": "1", "stat": "Open", "period": "2026-10"})
    wrong = refused(ROUTE, {"dryRun": "yes", "from": "today", "state": "Open"})

    assert [detail.field for detail in unknown.details] == ["limt", "stat"]
    assert [detail.field for detail in wrong.details] == ["dryRun", "from"]


@pytest.mark.parametrize(("text", "number"), [(None, 50), ("", 50), ("1", 1), ("1000", 1000), ("0050", 50)])
def test_a_whole_number_in_its_bounds(text: str | None, number: int) -> None:
    assert read_whole("limit", text, 50, 1, 1000) == number


@pytest.mark.parametrize(
    "text", ["0", "1001", "-1", "+1", "1.0", "1e3", " 1", "ten", "١", "²", "1_000", "0x10", "1,2", "0" * 11, "9" * 5000]
)
def test_anything_else_is_no_limit(text: str) -> None:
    with pytest.raises(BillingError) as refusal:
        read_whole("limit", text, 50, 1, 1000)

    assert refusal.value.code == "PARAMETER_INVALID"
    assert [detail.field for detail in refusal.value.details] == ["limit"]
    assert "a whole number from 1 to 1000" in refusal.value.message


@given(st.text(max_size=12))
def test_a_limit_is_a_number_in_bounds_or_refused(text: str) -> None:
    try:
        number = read_whole("limit", text, 50, 1, 1000)
    except BillingError as refusal:
        assert refusal.code == "PARAMETER_INVALID"
    else:
        assert 1 <= number <= 1000
        assert not text or int(text) == number


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=12), max_size=4))
def test_a_query_passes_or_is_refused_and_never_fails_otherwise(query: dict[str, str]) -> None:
    try:
        check_query(ROUTE, query)
    except BillingError as refusal:
        assert refusal.kind.status == 400
        assert {detail.field for detail in refusal.details} <= set(query)
    else:
        assert set(query) <= {parameter.name for parameter in ROUTE.query} | {"code"}

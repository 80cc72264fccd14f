"""Every code that a caller may meet has one number, one family, and a cure (http-api, errors)."""

from collections import Counter

import pytest

from localhost.host import problems
from shared_code.foundation.errors import BillingError, ErrorKind
from shared_code.operations import platform_errors
from shared_code.operations.error_catalog import all_errors, catalog, explain

FAMILIES = {1: (401, 403, 429), 2: (400, 404, 405, 409, 413, 415, 422), 3: (422,), 4: (400, 409, 412), 5: (500, 503)}
OF_THE_BUS = {"MaxDeliveryCountExceeded", "TTLExpiredException"}  # its own words, as dead letters keep them
KINDS = sorted(catalog().values(), key=lambda kind: kind.number)


def test_no_number_is_given_twice() -> None:
    numbers = Counter(kind.number for kind in KINDS)

    assert [number for number, times in numbers.items() if times > 1] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_kind_is_complete_and_in_its_family(kind: ErrorKind) -> None:
    assert kind.status in FAMILIES[kind.number // 1000]
    assert (kind.code.isupper() or kind.code in OF_THE_BUS) and kind.meaning.endswith(".") and kind.cure.endswith(".")
    assert explain(kind.code) is kind


NAMES = [
    # what somebody writes, the code that is explained
    ("TOKEN_MISSING", "TOKEN_MISSING"),
    ("token_missing", "TOKEN_MISSING"),
    (" Token_Missing ", "TOKEN_MISSING"),
    ("1001", "TOKEN_MISSING"),
    ("MAXDELIVERYCOUNTEXCEEDED", "MaxDeliveryCountExceeded"),
    ("TTLExpiredException", "TTLExpiredException"),
    ("message_malformed", "MESSAGE_MALFORMED"),
]


@pytest.mark.parametrize(("written", "code"), NAMES)
def test_a_code_is_found_in_any_case_and_by_its_number(written: str, code: str) -> None:
    assert explain(written).code == code


@pytest.mark.parametrize("written", ["", "1", "01001", "TOKEN", "TOKEN_MISSING.", "1001.0"])
def test_what_is_nearly_a_code_is_none(written: str) -> None:
    with pytest.raises(BillingError) as refusal:
        explain(written)
    assert refusal.value.code == "ERROR_UNKNOWN"


def test_all_are_listed_in_order_of_their_numbers() -> None:
    assert list(all_errors().errors) == KINDS


@pytest.mark.parametrize(
    "kind", [platform_errors.KEY_REQUIRED, platform_errors.NOT_FOUND, platform_errors.METHOD_NOT_ALLOWED]
)
def test_what_the_local_host_says_is_explained_under_its_code_and_number(kind: ErrorKind) -> None:
    said = {problem.code: problem for problem in problems.PROBLEMS}[kind.code]

    assert (said.number, said.status) == (kind.number, kind.status)

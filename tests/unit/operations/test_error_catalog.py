"""Every code that a caller may meet has one number, one family, and a cure (http-api, errors)."""

from collections import Counter

import pytest

from shared_code.foundation.errors import ErrorKind
from shared_code.operations.error_catalog import catalog, explain

FAMILIES = {1: (401, 403, 429), 2: (400, 404, 409, 413, 415, 422), 3: (422,), 4: (400, 409, 412), 5: (500, 503)}
KINDS = sorted(catalog().values(), key=lambda kind: kind.number)


def test_no_number_is_given_twice() -> None:
    numbers = Counter(kind.number for kind in KINDS)

    assert [number for number, times in numbers.items() if times > 1] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_kind_is_complete_and_in_its_family(kind: ErrorKind) -> None:
    assert kind.status in FAMILIES[kind.number // 1000]
    assert kind.code.isupper() and kind.meaning.endswith(".") and kind.cure.endswith(".")
    assert explain(kind.code) is kind

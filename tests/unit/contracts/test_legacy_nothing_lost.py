"""Any single edit of a legacy file is either refused or written back to the byte: nothing is lost in silence."""

import json
import math
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.contracts.legacy import read_legacy, write_legacy
from shared_code.contracts.schema import Contract
from shared_code.foundation.errors import BillingError
from tests.unit.contracts.documents import ARCHETYPES, dump, legacy_file

VALUES: list[object] = [
    *(None, math.nan, 0, 0.0, 1, 2, 99, 1.5, -3.0, 1e300, True, False, "", "x", [], {}, [1]),
    *("due in 15 days", "Due by 31st", "2025-01-15", "2025-01-15T00:00:00", "Monthly", "PerClaim"),
    *("RevenuePercentage", "FixedFee", "Percentage", "Actual", "Total", "[]", "é\u2028", "\ud800"),
]
EDITS = ("set", "set", "set", "drop", "add", "repeat", "reverse")


def places(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def apply(parent: Any, key: str | int, edit: str, value: object) -> None:
    if edit == "set":
        parent[key] = value
    elif edit == "drop":
        del parent[key]
    elif edit == "add" and isinstance(parent, dict):
        parent["somethingNew"] = value
    elif edit == "repeat" and isinstance(parent, list):
        parent.append(parent[0])
    elif edit == "reverse" and isinstance(parent, list):
        parent.reverse()


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    name=st.sampled_from(sorted(ARCHETYPES)),
    part=st.sampled_from(["original", "original", "metadata"]),
    where=st.integers(0, 400),
    edit=st.sampled_from(EDITS),
    value=st.sampled_from(VALUES),
    lenient=st.booleans(),
)
def test_an_edit_is_refused_or_kept(name: str, part: str, where: int, edit: str, value: object, lenient: bool) -> None:
    data, file_name = legacy_file(name)
    document = json.loads(data)
    every = list(places(document[part]))
    *above, last = every[where % len(every)]
    parent = document[part]
    for key in above:
        parent = parent[key]
    apply(parent, last, edit, value)
    changed = dump(document)

    try:
        contract = read_legacy(changed, file_name, lenient=lenient).contract
    except BillingError as refused:
        assert refused.details
        return

    stored = Contract.model_validate_json(contract.model_dump_json(by_alias=True))
    assert stored == contract
    assert write_legacy(stored) == changed

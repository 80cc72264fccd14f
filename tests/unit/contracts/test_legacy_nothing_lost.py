"""Any single edit of a legacy file is either refused or written back to the byte: nothing is lost in silence."""

import base64
import json
import math
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.contracts.legacy import read_legacy, write_legacy
from shared_code.contracts.schema import Contract
from shared_code.foundation.errors import BillingError
from tests.unit.contracts.corpus import invented, invented_document, newer
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


def kept_or_refused(data: bytes, file_name: str | None, *, lenient: bool = False) -> bool:
    """True: the stored contract makes the same bytes. False: it was refused, with a place. Anything else fails."""
    try:
        contract = read_legacy(data, file_name, lenient=lenient).contract
    except BillingError as refused:
        assert refused.details
        return False
    stored = Contract.model_validate_json(contract.model_dump_json(by_alias=True))
    assert stored == contract
    assert write_legacy(stored) == data
    return True


@pytest.mark.parametrize("first", range(0, 400, 100))
def test_every_file_of_an_invented_portfolio_loads_and_is_written_back(first: int) -> None:
    for seed in range(first, first + 100):
        data, file_name = invented(seed)
        assert kept_or_refused(data, file_name), f"seed {seed} was refused"
        assert kept_or_refused(newer(seed), file_name), f"seed {seed} of a newer export was refused"


NUMBER = re.compile(rb"(?<=: )\d+\.\d+")
KEY = re.compile(rb'"\w+"(?=:)')
TEXT = re.compile(rb'(?<=: ")[A-Za-z]')
ANY_VALUE = re.compile(rb'(?<=: )(?:-?[\d.]+|"[^"\\]*"|true|false|null|NaN)(?=[,\n])')
ANY_LINE = re.compile(rb"\n")

# What happens to one spot of a file's text, and what may come of it: "kept", "refused", or either.
type Turn = Callable[[bytes], bytes]
TURNS: list[tuple[str, re.Pattern[bytes], Turn, str]] = [
    ("1.0 as 1.00", NUMBER, lambda found: found + b"0", "either"),
    ("1.0 as 10e-1", NUMBER, lambda found: str(float(found) * 10).encode() + b"e-1", "either"),
    ("1.0 as 1", NUMBER, lambda found: found.split(b".")[0], "either"),
    ("a minus", NUMBER, lambda found: b"-" + found, "either"),
    ("more digits than a float has", NUMBER, lambda found: found + b"00000000000000000001", "either"),
    ("a letter as an escape", TEXT, lambda found: f"\\u{ord(found):04x}".encode(), "either"),
    ("another letter", TEXT, lambda found: "\u00e9".encode(), "either"),
    ("an upper-case escape", re.compile(rb"\\u00[a-f][0-9a-f]"), bytes.swapcase, "either"),
    ("more space", ANY_LINE, lambda found: found + b"  ", "kept"),
    ("other line ends", ANY_LINE, lambda found: b"\r\n", "kept"),
    ("a key of another name", KEY, lambda found: found[:-1] + b'X"', "refused"),
    ("a key twice", KEY, lambda found: found + b": null, " + found, "refused"),
    ("NaN", ANY_VALUE, lambda found: b"NaN", "either"),
    ("null", ANY_VALUE, lambda found: b"null", "either"),
    ("a list", ANY_VALUE, lambda found: b"[" + found + b"]", "refused"),
    ("an object", ANY_VALUE, lambda found: b'{"value": ' + found + b"}", "refused"),
    ("an infinite number", ANY_VALUE, lambda found: b"Infinity", "refused"),
    ("true", ANY_VALUE, lambda found: b"true", "either"),
    ("a surprising text", ANY_VALUE, lambda found: b'"Zebra"', "either"),
]


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@pytest.mark.parametrize(("spot", "turn", "expected"), [row[1:] for row in TURNS], ids=[row[0] for row in TURNS])
@given(seed=st.integers(0, 5000), where=st.integers(0, 5000), lenient=st.booleans())
def test_a_file_of_another_spelling_is_refused_or_kept(
    spot: re.Pattern[bytes], turn: Turn, expected: str, seed: int, where: int, lenient: bool
) -> None:
    data, file_name = invented(seed)
    spots = list(spot.finditer(data))
    if not spots:
        return
    found = spots[where % len(spots)]
    changed = data[: found.start()] + turn(found[0]) + data[found.end() :]

    kept = kept_or_refused(changed, file_name, lenient=lenient)

    # What is unknown is set aside in a lenient reading, and a value may be what it was before.
    if changed != data and not (lenient and expected == "refused"):
        assert expected in ("either", "kept" if kept else "refused")


WHOLE: list[tuple[str, Callable[[dict[str, Any]], bytes]]] = [
    ("without indents", lambda document: json.dumps(document).encode("ascii")),
    ("four spaces and a final newline", lambda document: json.dumps(document, indent=4).encode("ascii") + b"\n"),
    ("UTF-8 letters", lambda document: json.dumps(document, indent=2, ensure_ascii=False).encode()),
    ("keys in the order of the alphabet", lambda document: json.dumps(document, indent=2, sort_keys=True).encode()),
    ("parts the other way round", lambda document: json.dumps(dict(reversed(document.items())), indent=2).encode()),
]


@pytest.mark.parametrize("write", [row[1] for row in WHOLE], ids=[row[0] for row in WHOLE])
def test_a_file_of_another_layout_is_written_back_in_it(write: Callable[[dict[str, Any]], bytes]) -> None:
    for seed in range(30):
        document, file_name = invented_document(seed)
        assert kept_or_refused(write(document), file_name)


def test_a_contract_of_another_layout_that_was_changed_is_exported_as_it_is_now() -> None:
    document, file_name = invented_document(1)
    contract = read_legacy(json.dumps(document).encode("ascii"), file_name).contract

    changed = write_legacy(contract.model_copy(update={"deposits": not contract.deposits}))

    assert json.loads(changed)["original"]["deposits"] is not contract.deposits
    assert changed.startswith(b'{\n  "metadata"')


def far_too_much(contract: Contract) -> str:
    return base64.b64encode(zlib.compress(b" " * 50_000_000)).decode("ascii")


@pytest.mark.parametrize(
    "packed",
    ["not packed", "AAAA", far_too_much, 5, None],
    ids=["words", "other bytes", "far too much", "a number", "null"],
)
def test_a_kept_text_that_is_none_leaves_the_export_of_the_contract(packed: Any) -> None:
    document, file_name = invented_document(1)
    contract = read_legacy(json.dumps(document).encode("ascii"), file_name).contract
    entry = contract.residue[""]
    assert isinstance(entry, dict)
    text = packed(contract) if callable(packed) else packed

    spoiled = contract.model_copy(update={"residue": {**contract.residue, "": {**entry, "to": {"$packed": text}}}})

    assert write_legacy(spoiled) == json.dumps(document, indent=2).encode("ascii")


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

    kept_or_refused(dump(document), file_name, lenient=lenient)

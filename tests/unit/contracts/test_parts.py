"""Parts of a contract document: copies of them, and their numbers."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared_code.contracts.schema import ServiceLine
from shared_code.contracts.schema.base import Money, Percent, Signed, altered

LINE = ServiceLine.model_validate(
    {"id": "r1", "name": "Valet", "displayName": "Valet", "fee": "2675.00", "code": None, "start": None, "end": None}
)
CHANGES: list[dict[str, Any]] = [{}, {"fee": Decimal("2755.25")}, {"fee": None, "name": "Doorman"}, {"group": 3}]


@pytest.mark.parametrize("values", CHANGES)
def test_a_copy_is_what_pydantic_gives(values: dict[str, Any]) -> None:
    before = LINE.model_dump()
    copy, theirs = altered(LINE, values), LINE.model_copy(update=values)

    assert copy == theirs
    assert copy.model_fields_set == theirs.model_fields_set
    assert copy.model_dump_json(exclude_unset=True) == theirs.model_dump_json(exclude_unset=True)
    assert hash(copy) == hash(theirs)
    assert LINE.model_dump() == before


def test_a_copy_cannot_be_changed_either() -> None:
    copy = altered(LINE, {"fee": Decimal(1)})

    with pytest.raises(ValidationError):
        copy.fee = Decimal(2)  # type: ignore[misc]  # what is tried here


NUMBERS = [
    ("0.0", Decimal("0.0"), Decimal("0.0"), Decimal("0.0")),
    ("45.70", Decimal("45.70"), Decimal("45.70"), Decimal("45.70")),  # as many decimals as were agreed on
    ("1000000", Decimal(1_000_000), None, Decimal(1_000_000)),
    ("1234567.5", Decimal("1234567.5"), None, Decimal("1234567.5")),
    ("-1", None, None, Decimal(-1)),
    ("0.0000001", None, None, None),
    ("1e30", None, None, None),
    ("NaN", None, None, None),
    ("ten", None, None, None),
    ("", None, None, None),
]


@pytest.mark.parametrize(("text", "money", "percent", "signed"), NUMBERS)
def test_numbers_are_kept_as_they_were_agreed(
    text: str, money: Decimal | None, percent: Decimal | None, signed: Decimal | None
) -> None:
    for kind, expected in ((Money, money), (Percent, percent), (Signed, signed)):
        adapter: TypeAdapter[Decimal] = TypeAdapter(kind)
        if expected is None:
            with pytest.raises(ValidationError):
                adapter.validate_python(text)
        else:
            found = adapter.validate_python(text)
            assert (found, str(found)) == (expected, text)


@pytest.mark.parametrize(
    ("number", "stored"),
    [("2500.0", "2500"), ("2500.00", "2500"), ("2500", "2500"), ("12.5", "12.5"), ('"2500.0"', "2500.0")],
)
def test_a_number_of_json_is_stored_as_the_same_text_by_every_version(number: str, stored: str) -> None:
    """Another text would be another version of each contract that is sent once more."""
    adapter: TypeAdapter[Decimal] = TypeAdapter(Money)

    assert str(adapter.validate_json(number)) == stored

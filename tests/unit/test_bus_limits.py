"""The limits of a message on the local bus, at their edges."""

from __future__ import annotations

from typing import Any

import pytest

from localhost.bus import codec, limits
from localhost.bus.limits import LONGEST_ID, LimitError
from tests.unit.bus_support import a_message


@pytest.mark.parametrize(
    ("properties", "condition"),
    [
        ({"id": "i" * LONGEST_ID, "session": "s" * LONGEST_ID}, None),
        ({"id": "i" * (LONGEST_ID + 1)}, limits.OUT_OF_RANGE),
        ({"session": "s" * (LONGEST_ID + 1)}, limits.OUT_OF_RANGE),
        ({"properties": {"note": "n" * (limits.LARGEST_HEADER - 100)}}, None),
        ({"properties": {"note": "n" * limits.LARGEST_HEADER}}, limits.SIZE_EXCEEDED),
        ({"subject": "s" * limits.LARGEST_HEADER}, limits.SIZE_EXCEEDED),
    ],
    ids=["longest ids", "message id", "session id", "large header", "too large", "too large, of one's own"],
)
def test_ids_and_headers(properties: dict[str, Any], condition: str | None) -> None:
    assert refused_for(a_message(**properties)) == condition


def refused_for(message: codec.Message) -> str | None:
    try:
        limits.check(message)
    except LimitError as error:
        return error.condition
    return None


@pytest.mark.parametrize(("check", "largest"), [(limits.check_size, 262_144), (limits.check_state, 262_144)])
def test_sizes(check: Any, largest: int) -> None:
    check(b"x" * largest)
    with pytest.raises(LimitError, match="262145 bytes"):
        check(b"x" * (largest + 1))

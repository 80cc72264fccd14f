"""Pages of a list: an opaque cursor holds the key of the last item, so that a page never shifts when rows are added."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared_code.foundation.errors import BillingError, Detail, ErrorKind

CURSOR_INVALID = ErrorKind(
    "CURSOR_INVALID",
    2004,
    400,
    "The cursor is not one that this list gave.",
    "Start without a cursor, then pass on the nextCursor of each answer.",
)

type Key = tuple[str | int, ...]
_WHOLE = 2**63  # what a database takes as a whole number


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """Some items in the order of their list, the cursor of the next page (None at the end), and the number of all."""

    items: tuple[Item, ...]
    next_cursor: str | None
    total: int


def page[Item](rows: Sequence[Item], limit: int, total: int, key: Callable[[Item], Key]) -> Page[Item]:
    """A page of at most `limit` of `rows`; one row more than `limit` says that another page follows."""
    kept = tuple(rows[:limit])
    return Page(kept, write_cursor(key(kept[-1])) if len(rows) > limit else None, total)


def each[Item, Made](found: Page[Item], make: Callable[[Item], Made]) -> Page[Made]:
    """The same page of what `make` makes of its items."""
    return Page(tuple(make(item) for item in found.items), found.next_cursor, found.total)


def write_cursor(key: Key) -> str:
    """A key as text that a caller passes back unread."""
    text = json.dumps(list(key), ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: type) -> Key | None:
    """The key in a cursor, None without one. Raises CURSOR_INVALID unless it has exactly parts of these `kinds`."""
    if not cursor:
        return None
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        json.dumps(parts, ensure_ascii=False).encode()  # JSON can spell half of a character, which no database takes
    except (ValueError, binascii.Error, RecursionError) as fault:
        raise _invalid() from fault
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise _invalid()
    if any(isinstance(part, int) and abs(part) >= _WHOLE for part in parts):
        raise _invalid()
    return tuple(parts)


def _invalid() -> BillingError:
    message = "the cursor is not one that this list gave"
    return BillingError(CURSOR_INVALID, message, [Detail("cursor", message)])

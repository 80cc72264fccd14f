"""Time and identifiers enter here and nowhere else, so that tests set them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_NAMESPACE = hashlib.sha1(uuid.UUID("6f1d3c52-8d0a-5b7e-9a44-2f6f0d6c9e01").bytes, usedforsecurity=False)
_VARIANT = {digit: f"{int(digit, 16) & 0x3 | 0x8:x}" for digit in "0123456789abcdef"}
_SHARED = 12  # hexadecimal digits of 32; the 76 bits of its own tell an identifier from the others of its parent
_PARTS = 0xFFFF  # four hexadecimal digits

_now: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731 - replaced as a value by `set_clock`


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _now()


def today(zone: str) -> date:
    """The business date in `zone`. It is data from here on and never converted back (field report 8, 9)."""
    return _now().astimezone(ZoneInfo(zone)).date()


def set_clock(read: Callable[[], datetime] | None) -> None:
    """Replace the clock (tests), or put the real one back with None."""
    global _now
    _now = read or (lambda: datetime.now(UTC))


def new_id() -> str:
    """A fresh identifier for something that has no natural key."""
    return uuid.uuid4().hex


def derived_id(*parts: object) -> str:
    """The identifier of a natural key: the same parts give the same id on every machine and in every retry.

    A UUID of version 5 (RFC 9562), made without an object: a month has some for each of its lines.
    """
    hashed = _NAMESPACE.copy()
    hashed.update("\x1f".join(map(str, parts)).encode())
    digits = hashed.hexdigest()
    return f"{digits[:12]}5{digits[13:16]}{_VARIANT[digits[16]]}{digits[17:32]}"


def derived_in_order(first: str, *parts: object) -> str:
    """The identifier of a natural key that begins with `first`: it begins with the first six bytes of that.

    So identifiers stand in every index as what they are named by, sites for example.
    """
    return first.encode().hex()[:_SHARED].ljust(_SHARED, "0") + derived_id(first, *parts)[_SHARED:]


def derived_within(parent: str, *parts: object) -> str:
    """The identifier of a natural key of something that belongs to `parent`, and begins as its identifier does.

    So what belongs together stands together in every index: to write a month of a contract touches a page of each,
    where identifiers without order touch a page for each line.
    """
    return parent[:_SHARED] + derived_id(parent, *parts)[_SHARED:]


def numbered_within(parent: str, number: int) -> str:
    """The identifier of the part of `parent` with this number, which is in its last digits; 0 is the whole itself.

    Nothing is hashed, since a month has a dozen such parts for each contract, but for parts beyond the 65,535th.
    """
    return f"{parent[:-4]}{number:04x}" if number <= _PARTS else derived_within(parent, number)


def fingerprint(data: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()

"""Kinds of settings: from a text of the environment, or a value of JSON, to a value that is checked.

Free of libraries, since the check at start is part of every cold start (decision 0015). A kind says what it wants in
words that complete "write ..."; a refusal is a ValueError with these words, and never shows what was given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo


class Secret:
    """A text that does not show when it is printed, logged or compared by eye."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the call that needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"


class Kind[Value](ABC):
    """What values a setting takes."""

    @property
    @abstractmethod
    def wants(self) -> str:
        """What to write."""

    @abstractmethod
    def of_text(self, text: str) -> Value:
        """The value that a text of the environment stands for. Raises ValueError."""

    def of_json(self, value: object) -> Value:
        """The value that a value of JSON stands for: text, unless the kind says otherwise. Raises ValueError."""
        if not isinstance(value, str):
            raise self.refusal()
        return self.of_text(value)

    def refusal(self) -> ValueError:
        return ValueError(f"write {self.wants}")


@dataclass(frozen=True, slots=True)
class Text(Kind[str]):
    """A text of so many characters."""

    least: int = 0
    most: int = 2000

    @property
    def wants(self) -> str:
        return f"a text of {self.least} to {self.most} characters"

    def of_text(self, text: str) -> str:
        if not self.least <= len(text) <= self.most:
            raise self.refusal()
        return text


@dataclass(frozen=True, slots=True)
class Hidden(Kind[Secret]):
    """A text that never shows."""

    @property
    def wants(self) -> str:
        return "a text"

    def of_text(self, text: str) -> Secret:
        return Secret(text)


@dataclass(frozen=True, slots=True)
class Whole(Kind[int]):
    """A whole number, bounds included."""

    least: int
    most: int

    @property
    def wants(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    def of_text(self, text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise self.refusal() from None
        return self.of_json(number)

    def of_json(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise self.refusal()
        return value


@dataclass(frozen=True, slots=True)
class Share(Kind[Decimal]):
    """A part of one: a decimal from 0 to 1. JSON's floats are taken by their shortest text, so 0.05 is 0.05."""

    decimals: int = 4

    @property
    def wants(self) -> str:
        return f"a number from 0 to 1 with at most {self.decimals} decimals"

    def of_text(self, text: str) -> Decimal:
        try:
            share = Decimal(text)
        except InvalidOperation:
            raise self.refusal() from None
        if not share.is_finite() or not 0 <= share <= 1 or share != round(share, self.decimals):
            raise self.refusal()
        return share.normalize() + 0  # one form of each number: no 0.10, no -0

    def of_json(self, value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise self.refusal()
        return self.of_text(str(value))


@dataclass(frozen=True, slots=True)
class Flag(Kind[bool]):
    """Yes or no."""

    @property
    def wants(self) -> str:
        return "True or False"

    def of_text(self, text: str) -> bool:
        known = {"true": True, "1": True, "false": False, "0": False}
        if text.strip().lower() not in known:
            raise self.refusal()
        return known[text.strip().lower()]

    def of_json(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.refusal()
        return value


@dataclass(frozen=True, slots=True)
class Codes(Kind[frozenset[str]]):
    """A set of codes, compared without regard to case (rules R46): a text with commas, or a list."""

    most: int = 30

    @property
    def wants(self) -> str:
        return f"codes of at most {self.most} characters, or none"

    def of_text(self, text: str) -> frozenset[str]:
        return self._checked(text.split(","))

    def of_json(self, value: object) -> frozenset[str]:
        if not isinstance(value, list | tuple) or not all(isinstance(part, str) and "," not in part for part in value):
            raise self.refusal()
        return self._checked([str(part) for part in value])

    def _checked(self, parts: list[str]) -> frozenset[str]:
        codes = frozenset(part.strip().upper() for part in parts if part.strip())
        if any(len(code) > self.most or not code.isprintable() for code in codes):
            raise self.refusal()
        return codes


@dataclass(frozen=True, slots=True)
class Zone(Kind[str]):
    """A time zone by its name in the zone database."""

    @property
    def wants(self) -> str:
        return "a name of the zone database, such as America/New_York"

    def of_text(self, text: str) -> str:
        try:
            return ZoneInfo(text).key
        except (OSError, LookupError, ValueError):  # a folder, no such zone, no name at all
            raise self.refusal() from None

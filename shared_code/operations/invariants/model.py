"""An invariant, and what a check of it says."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.answers import Described

MOST = 100  # violations that are reported of one invariant; more say nothing more
NEWEST = 2_000  # things that an invariant looks at which has to read a document of each


@dataclass(frozen=True, slots=True)
class Violation(Described):
    """One thing of which an invariant is not true."""

    subject: str
    """The id of the thing."""
    message: str


class Invariant(ABC):
    """Something that must always be true. The class names it, its docstring says what it means when it is not."""

    @classmethod
    def name(cls) -> str:
        return cls.__name__

    @classmethod
    def meaning(cls) -> str:
        return " ".join((inspect.getdoc(cls) or "").split())

    @abstractmethod
    def violations(self, connection: Connection) -> Iterable[Violation]:
        """Things of which it is not true, `MOST` of them at most. Only reads."""


class Query(Invariant):
    """An invariant that one statement decides: its rows are the violations, the first column their subject."""

    says: str
    """A sentence with the names of columns in braces."""

    @abstractmethod
    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        """The rows of which it is not true."""

    def violations(self, connection: Connection) -> Iterable[Violation]:
        for row in connection.execute(self.broken().limit(MOST).order_by(sa.literal_column("1"))):
            yield Violation(str(row[0]), self.says.format(**row._mapping))


@dataclass(frozen=True, slots=True)
class InvariantResult(Described):
    """What a check of one invariant came to."""

    name: str
    meaning: str
    """What it means when it is violated."""
    holds: bool
    violations: tuple[Violation, ...]
    """At most a hundred."""


@dataclass(frozen=True, slots=True)
class InvariantReport(Described):
    """What a check of invariants came to."""

    checked_at: datetime
    hold: bool
    """Whether all of them hold."""
    items: tuple[InvariantResult, ...]

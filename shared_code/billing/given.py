"""What a calculator is given: terms, facts, settings, what came before, the exact values of earlier blocks. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal

from shared_code.billing.context import BillingContext
from shared_code.billing.model import AdHocLine, Line, Reason
from shared_code.contracts.terms import PeriodTerms
from shared_code.facts.model import SiteFacts
from shared_code.foundation.calendar import Period
from shared_code.foundation.values import value_class

Accumulating = Literal["structure", "claims", "profitShare"]


@dataclass(frozen=True, slots=True)
class Opening:
    """What a window held before the first month that is known here, through the month `as_of` (rules R39).

    `zero`: a person chose to start at nothing. Amounts in dollars; `high_water_mark` is 0 at least.
    """

    as_of: Period
    to_date: Decimal
    high_water_mark: Decimal
    zero: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What earlier periods of the same contract came to.

    `profits` are the monthly profits of the latest current version of each earlier period (rules R3, R44); `openings`
    are by kind and the id of the structure or agreement.
    """

    profits: Mapping[Period, Decimal] = field(default_factory=dict)
    openings: Mapping[tuple[Accumulating, str], Opening] = field(default_factory=dict)

    def opening(self, kind: Accumulating, row: str, start: Period, period: Period) -> Opening | None:
        """The opening of a row when it belongs to the window that begins with `start`; none after the window's end."""
        found = self.openings.get((kind, row))
        return found if found is not None and start <= found.as_of < period else None


NO_HISTORY = History()


@dataclass(frozen=True, slots=True)
class Value[T]:
    """A named exact value that one block gives and later ones read; `otherwise` where the giver is not billed."""

    name: str
    otherwise: T


@dataclass(eq=False, slots=True)
class Given:
    """Everything that a calculator may look at, and nothing that it may change.

    `lines` is for the blocks that come last: all lines before theirs. `adhoc` are the lines that people added to the
    statement (rules R18). Not frozen, since `lines` are known late, and one is made for every contract of a month.
    """

    terms: PeriodTerms
    facts: SiteFacts
    context: BillingContext
    history: History = NO_HISTORY
    values: Mapping[str, Any] = MappingProxyType({})
    lines: Sequence[Line] = ()
    adhoc: Sequence[AdHocLine] = ()
    _known: dict[object, Any] = field(default_factory=dict, init=False)

    def once[T](self, work: Callable[[Given], T]) -> T:
        """What a function of terms, facts and history gives, worked out once for everyone who asks in a block."""
        known = self._known
        if work not in known:
            known[work] = work(self)
        found: T = known[work]
        return found

    @property
    def anchor(self) -> date | None:
        """The date on which anniversary windows rest: the contract's own, or the site's start (rules R2)."""
        return self.terms.anchor_date or self.facts.started

    def value[T](self, wanted: Value[T]) -> T:
        """What an earlier block gave. Blocks name what they read, so that its giver has run."""
        found: T = self.values.get(wanted.name, wanted.otherwise)
        return found


@value_class
class Billed:
    """What a block comes to: its lines, and the values that it gives by name, exact and not rounded.

    `behind` names the block after which the lines are printed, where that is not the block's own place. `warnings` do
    not stop the contract; a person reads them.
    """

    lines: Sequence[Line] = ()
    values: Mapping[str, object] = MappingProxyType({})
    behind: str = ""
    warnings: Sequence[Reason] = ()


NOTHING_BILLED = Billed()
"""Of a block that has nothing to bill, as most are for most contracts."""

"""Claims of a management agreement (billing-flows 6.10): claims accounts up to a yearly cap, or all of them.

All claims leave the expense line, wherever its group is; what is above the cap is borne by the operator. Per claim is
uncapped, and a null cap is no cap (rules R16). Windows: rules R2, of the service period and never of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from shared_code.billing.block import Block
from shared_code.billing.given import NOTHING_BILLED, Billed, Given, Opening, Value
from shared_code.billing.ledger_lines import (
    accounts_missing,
    agreement,
    billed_expense_codes,
    deduction,
)
from shared_code.billing.model import Reason, Step, Trace
from shared_code.billing.references import ledger_reference
from shared_code.billing.windows import served_since, window_start
from shared_code.facts.completeness import Need
from shared_code.facts.model import ACCOUNTS, Booked
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import NOTHING, to_cents

if TYPE_CHECKING:
    from shared_code.contracts.schema import Agreement, ClaimsCapped

NAME = "claims"
TITLE = "Loss & Damage Claims"  # where the contract has none; as contracts write it (contract-corpus 1.2)

EARLIER = "Claims from {start} to the month before"
LEFT = "Left of the yearly cap of {cap:dollars}"

CLAIMS_ACCOUNTS: Value[Decimal | None] = Value("claims.accounts", None)
"""What leaves the expense line, exact: the month's claims, capped or not; None when claims are off."""


def earlier(given: Given) -> Iterable[Need]:
    """The ledger of every month of a capped window, since the later of window start, site start and opening.

    A claims account that is not billed is not read, nor is a window without a cap (rules R8, R39, R60).
    """
    on = _on(given)
    if on is None or not _codes(given):
        return ()
    row, claims = on
    if _cap(claims) is None or not (start := _start(claims, given)):
        return ()
    first, _ = _first(row, start, given)
    return [Need(ACCOUNTS, month) for month in served_since(first, given.facts).until(given.facts.period)]


def problems(given: Given) -> Iterable[Reason]:
    """No row of accounts to rest on; a capped anniversary window without an anchor date (rules R2)."""
    on = _on(given)
    if on is None:
        return ()
    missing, (_, claims) = accounts_missing(given, "claims"), on
    if _cap(claims) is None or _start(claims, given) is not None:
        return missing
    message = "an anniversary window needs a date: enter the contract's anchor or site start"
    return (*missing, Reason("ANCHOR_MISSING", message))


def bill(given: Given) -> Billed:
    """One line on the agreement's group: the month's claims, or what is left of the yearly cap where that is less."""
    on = _on(given)
    if on is None:
        return NOTHING_BILLED
    row, claims = on
    facts, month, codes = given.facts, given.facts.period, _codes(given)
    booked = facts.booked(month, codes)
    found = booked.found
    inputs: dict[str, object] = {
        "row": row.id,
        "type": claims.kind,
        "cap": claims.cap,
        "accounts": booked.balances,
        "month": found.amount,
    }
    references = [ledger_reference(facts, month, booked)] if codes else []
    steps = [Step("Claims accounts of the month", found.amount)]
    exact = found.amount
    cap = _cap(claims)
    if codes and cap is not None and (start := _start(claims, given)):
        window = _window(row, start, codes, given)
        exact = window.billed(found.amount, cap)
        inputs |= window.inputs()
        steps += window.steps(found.amount, exact, cap)
        references = [*(ledger_reference(facts, *earlier) for earlier in window.months), *references]
    amount = to_cents(exact)
    steps.append(Step("Claims, in cents", amount))
    trace = Trace(inputs, tuple(steps), tuple(references))
    line = deduction(given, NAME, NAME, row.group, claims.title or TITLE, amount, trace)
    return Billed([line], {CLAIMS_ACCOUNTS.name: found.amount})


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a window before the service month."""

    start: Period
    opening: Opening | None
    months: tuple[tuple[Period, Booked], ...]
    to_date: Decimal

    def billed(self, month: Decimal, cap: Decimal) -> Decimal:
        """The month while the running total stays within the cap, a negative month as it is; else what is left."""
        return month if self.to_date + month <= cap else self.left(cap)

    def left(self, cap: Decimal) -> Decimal:
        return max(cap - self.to_date, NOTHING)

    def inputs(self) -> dict[str, object]:
        return {
            "windowStart": str(self.start),
            "opening": self.opening.to_date if self.opening else None,
            "openingAsOf": str(self.opening.as_of) if self.opening else None,
            "toDate": self.to_date,
        }

    def steps(self, month: Decimal, exact: Decimal, cap: Decimal) -> Iterator[Step]:
        yield Step(EARLIER, self.to_date, (self.start,))
        yield Step(LEFT, self.left(cap), (cap,))
        if month > exact:
            yield Step("Above the cap, borne by the operator", month - exact)


def _window(row: Agreement, start: Period, codes: tuple[str, ...], given: Given) -> _Window:
    first, opening = _first(row, start, given)
    months = tuple([(p, given.facts.booked(p, codes)) for p in first.until(given.facts.period)])
    opened = opening.to_date if opening else NOTHING
    return _Window(start, opening, months, sum([booked.found.amount for _, booked in months], opened))


def _on(given: Given) -> tuple[Agreement, ClaimsCapped] | None:
    """The active agreement and its claims, when they are on."""
    row = agreement(given)
    return (row, row.claims) if row is not None and row.claims.kind != "off" else None


def _any_account(given: Given) -> bool:
    return _on(given) is not None and bool(_codes(given))


def _codes(given: Given) -> tuple[str, ...]:
    return billed_expense_codes(given, given.context.ledger.claims)


def _cap(claims: ClaimsCapped) -> Decimal | None:
    """The yearly cap; none where claims pass by themselves, or where no cap is stated (rules R16)."""
    return None if claims.kind == "PerClaim" else claims.cap


def _start(claims: ClaimsCapped, given: Given) -> Period | None:
    """First month of a yearly window; None without an anchor date."""
    return window_start(claims.kind, given.facts.period, given.anchor)


def _first(row: Agreement, start: Period, given: Given) -> tuple[Period, Opening | None]:
    """The first month that facts have to give, and the opening before it where there is one (rules R39)."""
    opening = given.history.opening("claims", row.id, start, given.facts.period)
    return (opening.as_of.next if opening else start), opening


BLOCK = Block(
    NAME,
    "managementAgreement",
    bill,
    {ACCOUNTS: _any_account},
    earlier,
    problems,
    gives=(CLAIMS_ACCOUNTS,),
    part="claims",
)

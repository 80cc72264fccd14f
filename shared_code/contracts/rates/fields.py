"""Where the rates of a contract stand in its document: one walk that reads every rate, and writes it back anew.

The targets are those of `schema.escalation.TARGETS`. Keys are made of the block, the row's own id and the field, so
that an edit elsewhere leaves them alone; tiers and the rows of one id are told apart by their number.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from operator import is_
from typing import Protocol

from shared_code.contracts.rates.model import Aim, Rate, Unit
from shared_code.contracts.schema import (
    AccountBlock,
    AdvanceItem,
    Agreement,
    Claims,
    Component,
    Contract,
    FeeHourly,
    Insurance,
    JobRate,
    ManagementFee,
    NonGlLine,
    Part,
    ProfitShare,
    Pteb,
    ServiceLine,
    Structure,
    Support,
    Tier,
)
from shared_code.contracts.schema.base import altered

type Visit = Callable[[Rate], Decimal | None]
"""Takes a rate as it is stated and gives the value to write in its place, or the same object to leave it."""


def rates_of(contract: Contract) -> list[Rate]:
    """Every rate of the document, those of blocks that are off included, in document order."""
    found: list[Rate] = []

    def read(rate: Rate) -> Decimal | None:
        found.append(rate)
        return rate.value

    for part in contract.components:
        with_rates(part, read)
    return found


def with_rates(part: Component, visit: Visit) -> Component:
    """The component with every rate replaced by what `visit` gives; the same object when nothing changes."""
    match part.kind:
        case "fixedFee":
            return _with(part, lines=_rows(part.kind, part.lines, _service, visit))
        case "perLaborHour":
            return _with(part, lines=_rows(part.kind, part.lines, _job, visit))
        case "perOccupiedRoom":
            aim = Aim("perOccupiedRoom.roomRate", "")
            return _with(part, room_rate=visit(Rate("perOccupiedRoom/roomRate", Unit.AMOUNT, part.room_rate, (aim,))))
        case "revenueShare":
            return _with(part, structures=_rows(part.kind, part.structures, _structure, visit))
        case "midMonthAdvance":
            return _with(part, items=_rows(part.kind, part.items, _advance, visit))
        case "billableAccounts":
            return _with(part, blocks=_rows(part.kind, part.blocks, _block, visit))
        case "managementAgreement":
            return _with(part, agreements=_rows(part.kind, part.agreements, _agreement, visit))
        case _:
            return part


def service_rate(line: ServiceLine, key: str) -> Rate:
    """The fee of a service whose row has this key."""
    return Rate(f"{key}/fee", Unit.AMOUNT, line.fee, (Aim("fixedFee.fee", line.id),), line.start, line.end)


class _Row(Protocol):
    @property
    def id(self) -> str: ...


def row_keys(kind: str, rows: Sequence[_Row]) -> Iterator[str]:
    """The key of each row: block and id, spelled in one way; a second row of an id is numbered."""
    seen: dict[str, int] = {}
    for row in rows:
        key = f"{kind}/{row.id.strip().casefold()}"
        seen[key] = number = seen.get(key, 0) + 1
        yield key if number == 1 else f"{key}#{number}"


def _rows[R: _Row](kind: str, rows: tuple[R, ...], change: Callable[[R, str, Visit], R], visit: Visit) -> tuple[R, ...]:
    return _tuple(rows, (change(row, key, visit) for row, key in zip(rows, row_keys(kind, rows), strict=True)))


def _tuple[R](old: tuple[R, ...], new: Iterable[R]) -> tuple[R, ...]:
    """The new rows; the tuple that was there when all are the same objects."""
    rows = tuple(new)
    return old if all(map(is_, old, rows)) else rows


def _with[P: Part](part: P, **values: object) -> P:
    """The part with these values; itself when it has them already."""
    changed = {name: value for name, value in values.items() if getattr(part, name) is not value}
    return altered(part, changed) if changed else part


def _service(line: ServiceLine, key: str, visit: Visit) -> ServiceLine:
    return _with(line, fee=visit(service_rate(line, key)))


def _job(line: JobRate, key: str, visit: Visit) -> JobRate:
    """Overtime goes along with what is agreed in percent for the rate, unless something is agreed for itself."""
    hourly = (Aim("perLaborHour.rate", line.id),)
    overtime = (Aim("perLaborHour.rate", line.id, percent_only=True), Aim("perLaborHour.otRate", line.id))
    return _with(
        line,
        rate=visit(Rate(f"{key}/rate", Unit.AMOUNT, line.rate, hourly, line.start, line.end)),
        ot_rate=visit(Rate(f"{key}/otRate", Unit.AMOUNT, line.ot_rate, overtime, line.start, line.end)),
    )


def _structure(row: Structure, key: str, visit: Visit) -> Structure:
    def tier(number: int, given: Tier) -> Tier:
        at = f"{key}/tiers/{number}"
        share, bound = Aim("revenueShare.tiers.sharePct", row.id), Aim("revenueShare.tiers.upTo", row.id)
        shared = _with(given, share_pct=visit(Rate(f"{at}/sharePct", Unit.PERCENT, given.share_pct, (share,))))
        # A tier without a bound (rules R10) has no number that a dated value could replace.
        if given.up_to is None:
            return shared
        return _with(shared, up_to=visit(Rate(f"{at}/upTo", Unit.AMOUNT, given.up_to, (bound,))))

    return _with(row, tiers=_tuple(row.tiers, (tier(number, given) for number, given in enumerate(row.tiers, start=1))))


def _advance(row: AdvanceItem, key: str, visit: Visit) -> AdvanceItem:
    start = row.start.first_day if row.start else None
    end = row.end.last_day if row.end else None
    aim = Aim("midMonthAdvance.amount", row.id)
    return _with(row, amount=visit(Rate(f"{key}/amount", Unit.AMOUNT, row.amount, (aim,), start, end)))


def _block(row: AccountBlock, key: str, visit: Visit) -> AccountBlock:
    return _with(
        row,
        pteb=_pteb(row.pteb, key, Aim("billableAccounts.pteb", row.id), visit),
        support=_support(row.support, key, Aim("billableAccounts.support", row.id), visit),
    )


def _pteb(pteb: Pteb, key: str, aim: Aim, visit: Visit) -> Pteb:
    if pteb.kind != "Percentage":
        return pteb
    return _with(pteb, pct=visit(Rate(f"{key}/pteb/pct", Unit.PERCENT, pteb.pct, (aim,))))


def _support(support: Support, key: str, aim: Aim, visit: Visit) -> Support:
    match support.kind:
        case "Fixed":
            return _with(support, amount=visit(Rate(f"{key}/support/amount", Unit.AMOUNT, support.amount, (aim,))))
        case "Percentage":
            return _with(support, pct=visit(Rate(f"{key}/support/pct", Unit.PERCENT, support.pct, (aim,))))
        case _:
            return support


def _agreement(row: Agreement, key: str, visit: Visit) -> Agreement:
    return _with(
        row,
        fee=_fee(row.fee, key, Aim("managementAgreement.fee", row.id), visit),
        insurance=_insurance(row.insurance, key, Aim("managementAgreement.insurance", row.id), visit),
        claims=_claims(row.claims, key, Aim("managementAgreement.claims.cap", row.id), visit),
        profit_share=_profit_share(row, key, visit),
        non_gl=_rows(f"{key}/nonGl", row.non_gl, partial(_non_gl, on=bool(row.non_gl_enabled)), visit),
    )


def _fee(fee: ManagementFee, key: str, aim: Aim, visit: Visit) -> ManagementFee:
    match fee.kind:
        case "FixedFee":
            return _with(fee, amount=visit(Rate(f"{key}/fee/amount", Unit.AMOUNT, fee.amount, (aim,))))
        case "RevenuePercentage":
            return _with(fee, pct=visit(Rate(f"{key}/fee/pct", Unit.PERCENT, fee.pct, (aim,))))
        case "PerLaborHour":
            return _fee_jobs(fee, key, aim, visit)


def _fee_jobs(fee: FeeHourly, key: str, aim: Aim, visit: Visit) -> FeeHourly:
    overtime = Aim(aim.target, aim.row, percent_only=True)
    return _with(
        fee,
        job_codes=_tuple(
            fee.job_codes,
            (
                _with(
                    job,
                    rate=visit(_hourly(f"{at}/rate", job.rate, aim, Aim("managementAgreement.fee.rate", job.code))),
                    ot_rate=visit(
                        _hourly(f"{at}/otRate", job.ot_rate, overtime, Aim("managementAgreement.fee.otRate", job.code))
                    ),
                )
                for job, at in ((job, f"{key}/fee/{job.code.strip().casefold()}") for job in fee.job_codes)
            ),
        ),
    )


def _hourly(key: str, value: Decimal | None, *aims: Aim) -> Rate:
    return Rate(key, Unit.AMOUNT, value, aims)


def _insurance(insurance: Insurance, key: str, aim: Aim, visit: Visit) -> Insurance:
    match insurance.kind:
        case "BasedOnBillableAccounts":
            rate = Rate(f"{key}/insurance/additionalPct", Unit.SURCHARGE, insurance.additional_pct, (aim,))
            return _with(insurance, additional_pct=visit(rate))
        case "FixedFee":
            rate = Rate(f"{key}/insurance/amount", Unit.AMOUNT, insurance.amount, (aim,))
            return _with(insurance, amount=visit(rate))
        case _:
            return insurance


def _claims(claims: Claims, key: str, aim: Aim, visit: Visit) -> Claims:
    if claims.kind == "off":
        return claims
    return _with(claims, cap=visit(Rate(f"{key}/claims/cap", Unit.AMOUNT, claims.cap, (aim,))))


def _profit_share(row: Agreement, key: str, visit: Visit) -> ProfitShare:
    share = row.profit_share
    if share.kind == "off":
        return share

    def tier(number: int, given: Tier) -> Tier:
        aim = Aim("managementAgreement.profitShare", str(number))
        rate = Rate(f"{key}/profitShare/{number}", Unit.PERCENT, given.share_pct, (aim,))
        return _with(given, share_pct=visit(rate))

    tiers = (tier(number, given) for number, given in enumerate(share.tiers, start=1))
    return _with(share, tiers=_tuple(share.tiers, tiers))


def _non_gl(line: NonGlLine, key: str, visit: Visit, *, on: bool) -> NonGlLine:
    aim = Aim("managementAgreement.nonGl", line.id)
    end: date | None = line.final_period.last_day if line.final_period else None
    if line.kind == "FixedAmount":
        return _with(line, amount=visit(Rate(f"{key}/amount", Unit.AMOUNT, line.amount, (aim,), None, end, on)))
    return _with(line, pct=visit(Rate(f"{key}/pct", Unit.PERCENT, line.pct, (aim,), None, end, on)))

"""P1: contract-months computed per second on one core, with the full trace, facts as the repository delivers them.

The contracts are those of the invented operator's mix; those that are refused (incomplete agreements) are left out.
"""

import tempfile
import time
from decimal import Decimal
from pathlib import Path

from sample_data.generate import generate
from sample_data.options import SampleOptions, parse_periods
from shared_code.billing.calculation import compute
from shared_code.billing.context import BillingContext
from shared_code.billing.given import History
from shared_code.contracts.legacy import read_legacy
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import PeriodTerms, terms_for
from shared_code.facts.model import ACCOUNTS, REVENUE, STATISTICS, TIMESHEET, FactSum, Presence, RoleHours, SiteFacts
from shared_code.facts.predicates import MEASURES
from shared_code.foundation.calendar import Period
from tests.bench.figures import report

SITES = 600
DATASETS = (REVENUE, STATISTICS, TIMESHEET, ACCOUNTS)
ROUNDS = 20
PERIOD = Period(2026, 10)
CONTEXT = BillingContext("Harbor Lot Parking")
MONTHS = tuple(PERIOD.plus(-12).until(PERIOD.next))
HISTORY = History(profits=dict.fromkeys(MONTHS[:-1], Decimal("1500.00")))


def main() -> None:
    found = [(terms, _facts(terms)) for terms in map(_terms, _contracts())]
    work = [(terms, facts) for terms, facts in found if not compute(terms, facts, CONTEXT, HISTORY).failed]
    begun = time.process_time()
    for _ in range(ROUNDS):
        for terms, facts in work:
            compute(terms, facts, CONTEXT, HISTORY)
    seconds = time.process_time() - begun
    report("P1 calculation", len(work) * ROUNDS / seconds, "contract-months/s", "≥ 20,000")
    begun = time.process_time()
    for terms, facts in work:
        compute(terms_for(terms.contract, PERIOD), facts, CONTEXT, HISTORY)
    seconds = time.process_time() - begun
    report("P1 with terms made anew", len(work) / seconds, "contract-months/s", "none")


def _contracts() -> list[Contract]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        generate(SampleOptions(out=out, sites=SITES, volume="light", periods=parse_periods(str(PERIOD))))
        return [read_legacy(p.read_bytes(), p.name).contract for p in sorted((out / "contract-drops").glob("*.json"))]


def _terms(contract: Contract) -> PeriodTerms:
    return terms_for(contract, PERIOD)


def _facts(terms: PeriodTerms) -> SiteFacts:
    """A year of complete facts for every code, account and role that the contract names, and all other measures."""
    codes = {code for structure in terms.structures for code in structure.revenue_codes} or {"SD1", "SM1", "OR1"}
    accounts = {
        code for block in terms.accounts for code in (*block.payroll.enabled_codes(), *block.expense.enabled_codes())
    }
    jobs = {job.job_code for job in terms.jobs}
    for agreement in terms.agreements:
        jobs.update(job.code for job in getattr(agreement.fee, "job_codes", ()))
    amount = FactSum(Decimal("1234.5600"), 31, "batch")
    hours = RoleHours(Decimal("161.25"), Decimal("3.5"), 20, "batch", Decimal(9675), Decimal(210))
    presence = Presence("batch", 31, 0, None, None, 0, None)
    return SiteFacts(
        site=terms.site_number,
        period=PERIOD,
        started=MONTHS[0].first_day,
        revenue={month: dict.fromkeys(codes, amount) for month in MONTHS},
        rooms=FactSum(Decimal(3100), 31, "batch"),
        hours=dict.fromkeys(jobs, hours),
        measures={one.name: amount for one in MEASURES},
        accounts={month: dict.fromkeys(accounts | {"4785", "6200"}, amount) for month in MONTHS},
        forecast=FactSum(Decimal("-40000.0000"), 1, "batch"),
        presence={(name, month): presence for name in DATASETS for month in MONTHS},
    )


if __name__ == "__main__":
    main()

"""P1: contract-months computed per second on one core, with the full trace, facts as the repository delivers them.

The contracts are those of the invented operator's mix that this version can compute.
"""

import tempfile
import time
from decimal import Decimal
from pathlib import Path

from sample_data.generate import generate
from sample_data.options import SampleOptions, parse_periods
from shared_code.billing.blocks import SUPPORTED, compute
from shared_code.billing.context import BillingContext
from shared_code.contracts.legacy import read_legacy
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import PeriodTerms, terms_for
from shared_code.facts.model import REVENUE, STATISTICS, TIMESHEET, FactSum, Presence, RoleHours, SiteFacts
from shared_code.foundation.calendar import Period
from tests.bench.figures import report

SITES = 600
ROUNDS = 20
PERIOD = Period(2026, 10)
CONTEXT = BillingContext("Harbor Lot Parking")


def main() -> None:
    work = [(terms, _facts(terms)) for terms in map(_terms, _contracts()) if not terms.unsupported(SUPPORTED)]
    work = [(terms, facts) for terms, facts in work if not compute(terms, facts, CONTEXT).failed]
    begun = time.process_time()
    for _ in range(ROUNDS):
        for terms, facts in work:
            compute(terms, facts, CONTEXT)
    seconds = time.process_time() - begun
    report("P1 calculation", len(work) * ROUNDS / seconds, "contract-months/s", "≥ 20,000")
    begun = time.process_time()
    for terms, facts in work:
        compute(terms_for(terms.contract, PERIOD), facts, CONTEXT)
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
    """A year of complete facts for every code and role that the contract names."""
    months = list(PERIOD.plus(-12).until(PERIOD.next))
    codes = {code for structure in terms.structures for code in structure.revenue_codes}
    amount = FactSum(Decimal("1234.5600"), 31, "batch")
    presence = Presence("batch", 31, 0, None, None, 0, None)
    return SiteFacts(
        site=terms.site_number,
        period=PERIOD,
        revenue={month: dict.fromkeys(codes, amount) for month in months},
        rooms=FactSum(Decimal(3100), 31, "batch"),
        hours={job.job_code: RoleHours(Decimal("161.25"), Decimal("3.5"), 20, "batch") for job in terms.jobs},
        presence={(name, month): presence for name in (REVENUE, STATISTICS, TIMESHEET) for month in months},
    )


if __name__ == "__main__":
    main()

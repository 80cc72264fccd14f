"""The closed lists of codes that contracts may name (contract-corpus 1.2, 1.3, 2.2; requirements CON-17, CON-18).

An installation extends them: `KNOWN_CODES.extended(ledger=("4720",), jobs=("DOORMAN",))`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from shared_code.contracts.component_rules import key
from shared_code.contracts.schema.chart import CHARTS

_SERVICES: Final = ("4700", "4705", "4710", "4715", "4725", "4750", "4765", "4775", "4790", "4795")
# Hourly jobs and expenses without a code of their own are posted here (rules R54).
_DEFAULT_ACCOUNT: Final = "4791"
# The roles that most contracts bill. The list is open: a portfolio has some sixty, others are its own.
_JOBS: Final = (
    *("GSA", "GSC", "ACCTMGR", "GSA2", "ASSOCM", "GREETER", "CASH", "TEAMLDR", "SHUTL1", "GSA3", "TRAFFIC", "DOO"),
    *("SHUTL2", "SHUTL3"),
)
_KINDS_OF_PARKING: Final = "SV"
_STAYS: Final = "DMO"
_REVENUE: Final = (
    *("ADJ", "OR1", "OR2"),
    *(f"{kind}{stay}{number}" for kind in _KINDS_OF_PARKING for stay in _STAYS for number in "123"),
)


@dataclass(frozen=True, slots=True)
class KnownCodes:
    """Codes, trimmed and without regard to case (rules R46).

    `ledger`, `revenue` and `accounts` are closed: another code is an error. `jobs` is closed only where an
    installation states its own (`jobs_closed`); until then an unlisted job is a warning.
    """

    ledger: frozenset[str]
    revenue: frozenset[str]
    accounts: frozenset[str]
    jobs: frozenset[str]
    jobs_closed: bool = False

    def extended(
        self,
        *,
        ledger: Iterable[str] = (),
        revenue: Iterable[str] = (),
        accounts: Iterable[str] = (),
        jobs: Iterable[str] = (),
    ) -> Self:
        """The same lists with those of an installation; stating jobs closes their list."""
        own = _keys(jobs)
        return replace(
            self,
            ledger=self.ledger | _keys(ledger),
            revenue=self.revenue | _keys(revenue),
            accounts=self.accounts | _keys(accounts),
            jobs=self.jobs | own,
            jobs_closed=self.jobs_closed or bool(own),
        )


def _keys(codes: Iterable[str]) -> frozenset[str]:
    return frozenset(key(code) for code in codes)


KNOWN_CODES: Final = KnownCodes(
    ledger=_keys((*_SERVICES, _DEFAULT_ACCOUNT)),
    revenue=_keys(_REVENUE),
    accounts=_keys(code for chart in CHARTS.values() for code, _ in chart),
    jobs=_keys(_JOBS),
)

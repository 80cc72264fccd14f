"""Other ways of writing a contract down: account templates, texts in another case, and sets of invoice groups."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.oracle.case import Case, LedgerRow
from tests.oracle.charts import CHARTS


def vary(random: Random, case: Case) -> None:
    """Writes some of the contract in another way; most ways leave what it means."""
    for part in case.contract["components"]:
        for row in part.get("blocks", ()):
            for name in ("payroll", "expense"):
                if random.random() < 0.35:
                    _by_template(random, case, row[name], f"{name}-1")
            for title in ("payrollTitle", "ptebTitle", "supportTitle", "expenseTitle"):
                if random.random() < 0.1:
                    row[title] = None
        if random.random() < 0.2:
            _other_case(random, part)
    if random.random() < 0.05:
        _other_groups(random, case)


def _by_template(random: Random, case: Case, selection: dict[str, Any], template: str) -> None:
    """The chart with a default and a few rows of its own, and balances on accounts that no row names (R31)."""
    selection["template"] = template
    selection["defaultEnabled"] = random.random() < 0.7
    selection["rows"] = [row for row in selection["rows"] if random.random() < 0.5]
    for account in (random.choice(CHARTS[template]), random.choice(CHARTS[template]), "7999"):
        case.ledger.append(LedgerRow(case.month, account, "01", int(random.random() * 900_000) * 10))


def _other_case(random: Random, part: dict[str, Any]) -> None:
    """Text keys are compared without regard to case and outer blanks (R46)."""
    for row in part.get("structures", ()):
        row["revenueCodes"] = [random.choice((code.lower(), f" {code} ")) for code in row["revenueCodes"]]
    jobs = [row for row in part.get("lines", ()) if "jobCode" in row]
    for row in jobs:
        row["jobCode"] = random.choice((row["jobCode"].lower(), row["jobCode"].upper()))


def _other_groups(random: Random, case: Case) -> None:
    """Groups that are listed while grouping is off count for nothing, and group 1 need not be among them (R7, R52)."""
    numbers = random.choice(((1, 7), (2, 3), (7,)))
    case.contract["groups"] = [{"id": f"group-{number}", "number": number} for number in numbers]
    case.contract["groupingEnabled"] = random.random() < 0.5
    known = numbers if case.contract["groupingEnabled"] else (1,)
    case.adhoc = [row._replace(group=random.choice(known)) for row in case.adhoc]

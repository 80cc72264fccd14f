"""Shadow billing: a folder of drops, month by month, through the use cases of the app in one process.

Each run is a process of its own, as a person starts it: it has settings, a clock and a database of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from localhost.stack import ROOT
from sample_data.generate import generate
from sample_data.options import SampleOptions, parse_periods
from tests.flows.conftest import as_bytes, fixed_fees

pytestmark = pytest.mark.flow
FIRST, LAST = "2026-01", "2026-02"


def shadow(drops: Path, out: Path, periods: str = f"{FIRST}:{LAST}", *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "localhost.shadow", "--drops", str(drops), "--periods", periods, "--out", str(out)]
    return subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, timeout=180)


@pytest.fixture(scope="module")
def drops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve invented sites over two months; one more contract of ours with a yearly step, and ad-hoc lines."""
    folder = tmp_path_factory.mktemp("drops")
    generate(SampleOptions(out=folder, sites=12, volume="light", periods=parse_periods(f"{FIRST},{LAST}")))
    sites = json.loads(next((folder / "contract-drops").glob("*.json")).read_text().replace("NaN", "null"))
    raised = {"rule": "fixed_pct", "pct": "3", "target": "fixedFee.fee", "month": "February", "status": "approved"}
    number = sites["metadata"]["siteNumber"]
    for path in (folder / "contract-drops").glob(f"{number}_*"):
        path.unlink()
    deal = fixed_fees(number, ("1000.00", 1), escalators=[raised])
    (folder / "contract-drops" / "ours.json").write_bytes(as_bytes(deal))
    line = {"site": number, "period": LAST, "group": 1, "title": "Gate", "code": "4790", "description": "repair"}
    lines = [
        {**line, "type": "reimbursableExpense", "amount": 20.5},
        {**line, "type": "clientPaidExpense", "amount": 5},
    ]
    (folder / "adhoc.json").write_text(json.dumps(lines))
    (folder / "site.txt").write_text(number)
    return folder


@pytest.fixture(scope="module")
def book(drops: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    out = tmp_path_factory.mktemp("out") / "book.json"
    done = shadow(drops, out)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(out.read_text())
    return found


def test_every_site_has_an_entry_for_each_month_and_its_invoices_add_up(book: dict[str, dict[str, Any]]) -> None:
    assert {period for months in book.values() for period in months} == {FIRST, LAST}
    assert len(book) == 12
    statuses = Counter(month["status"] for months in book.values() for month in months.values())
    assert set(statuses) <= {"ReadyToSend", "ApprovalTeam", "Failed", "NothingToBill"}
    assert statuses["ReadyToSend"] + statuses["ApprovalTeam"] > statuses["Failed"]
    for months in book.values():
        for month in months.values():
            assert bool(month["invoices"]) == (month["status"] in ("ReadyToSend", "ApprovalTeam"))
            for invoice in month["invoices"]:
                assert sum(Decimal(line["amount"]) for line in invoice["lines"]) == Decimal(invoice["total"])


def test_rates_rise_in_their_month_and_added_lines_stand_among_the_others(
    book: dict[str, dict[str, Any]], drops: Path
) -> None:
    months = book[(drops / "site.txt").read_text()]

    amounts = {period: [line["amount"] for line in found["invoices"][0]["lines"]] for period, found in months.items()}

    assert amounts == {FIRST: ["1000.00"], LAST: ["1030.00", "20.50", "-5.00"]}
    assert months[FIRST]["invoices"][0]["invoiceDate"] == "2026-01-31"


def test_rates_of_a_later_month_rise_a_year_later(drops: Path, tmp_path: Path) -> None:
    out = tmp_path / "book.json"

    assert shadow(drops, out, LAST, "--rates-as-of", LAST).returncode == 0

    months = json.loads(out.read_text())[(drops / "site.txt").read_text()]
    assert months[LAST]["invoices"][0]["lines"][0]["amount"] == "1000.00"


WRONG = [
    ("2026-02:2026-01", "the periods run backwards"),
    ("2026-13", "a period is written YYYY-MM"),
]


@pytest.mark.parametrize(("periods", "message"), WRONG)
def test_wrong_periods_are_named(drops: Path, tmp_path: Path, periods: str, message: str) -> None:
    done = shadow(drops, tmp_path / "none.json", periods)

    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "none.json").exists()


def test_a_file_that_is_not_taken_in_is_named(tmp_path: Path) -> None:
    (tmp_path / "contract-drops").mkdir()
    (tmp_path / "contract-drops" / "broken.json").write_text("{")
    (tmp_path / "contract-drops" / "good.json").write_bytes(as_bytes(fixed_fees("0901", ("1.00", 1))))

    done = shadow(tmp_path, tmp_path / "book.json", FIRST)

    assert done.returncode == 1
    assert "broken.json" in done.stderr
    assert json.loads((tmp_path / "book.json").read_text())["0901"][FIRST]["reason"] == "SITE_UNKNOWN"

"""`python -m shared_code.statements.catch_up --site 0901 [--since 2026-01] [--generate]`: the missed months of a site.

Prints a line for each missed month with what became of the last try, and with `--generate` the runs that bill them.
The last line is one JSON object: `{"site":…,"missed":…,"runs":…}`. The app does the work of the runs: its timer sends
their messages, so the command needs the database and no bus.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from shared_code.foundation.command import opened_database
from shared_code.foundation.errors import BillingError
from shared_code.foundation.sending import installed
from shared_code.foundation.visibility import EVERYTHING
from shared_code.statements.catch_up.model import CaughtUp, MissedPeriod
from shared_code.statements.catch_up.service import SOURCE, catch_up, missed_periods

if TYPE_CHECKING:
    from shared_code.foundation.database import Message
    from shared_code.foundation.sending import Link


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when nothing is missed or its runs are started, 1 when months are missed, 2 when refused."""
    given = _parser().parse_args(arguments)
    since = given.since or None
    try:
        sys.stdout.write(f"{opened_database()}\n")
        missed = missed_periods(given.site, since, EVERYTHING).items
        with installed(_LeftInOutbox()):
            runs = catch_up(given.site, None, since, SOURCE, SOURCE, EVERYTHING) if given.generate else []
    except BillingError as refused:
        sys.stderr.write(f"{refused.code}: {refused.message}\n{refused.kind.cure}\n")
        return 2
    sys.stdout.writelines(f"{_line(one)}\n" for one in missed)
    sys.stdout.writelines(f"{_run_line(one)}\n" for one in runs)
    sys.stdout.write(json.dumps({"site": given.site, "missed": len(missed), "runs": len(runs)}) + "\n")
    return 1 if missed and not given.generate else 0


class _LeftInOutbox:
    """Publishes nothing: what was committed waits in the outbox for the app's timer."""

    def run[T](self, queue: str, job: Callable[[Link], T], patience: float) -> T:
        return job(cast("Link", self))

    def probe(self, queue: str) -> None:
        """Never closed."""

    def send(self, messages: Sequence[Message], sent: Callable[[Sequence[Message]], Any]) -> list[Message]:
        return []


def _line(one: MissedPeriod) -> str:
    tried = "never tried" if one.outcome is None else f"{one.outcome} {one.reason or ''}".rstrip()
    cause = f": {one.message}. {one.suggestion} ({one.owner})" if one.message else ""
    return f"{one.period} contract {one.contract_id}: {tried}{cause}"


def _run_line(one: CaughtUp) -> str:
    return f"{one.period} contract {one.contract_id}: run {one.run_id} {'started' if one.created else 'goes on'}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shared_code.statements.catch_up")
    parser.add_argument("--site", required=True, metavar="NUMBER", help="the site, leading zeros included")
    parser.add_argument(
        "--since",
        metavar="YYYY-MM",
        help="the first month to look at; unless given, the first that was ever tried here",
    )
    parser.add_argument("--generate", action="store_true", help="start the runs that bill them, the oldest month first")
    return parser

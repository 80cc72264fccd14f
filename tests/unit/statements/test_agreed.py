"""What holds for all contracts of a chunk is read in one statement, the latest of each: settings, indexes, accounts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from shared_code.contracts.index_values.tables import index_value
from shared_code.foundation.business_settings.tables import business_setting
from shared_code.foundation.database import reading, transaction
from shared_code.statements.inputs.repository import agreed, gl_accounts
from shared_code.statements.tables import gl_account

pytestmark = pytest.mark.usefixtures("stored")

CHANGED = {"changed_at": datetime(2026, 10, 1, tzinfo=UTC), "changed_by": "somebody", "reason": "agreed"}
INDEXES = [("CPI-U", 2024, 1, "2.5"), ("CPI-U", 2024, 2, "2.75"), ("CPI-U", 2025, 1, "3.1"), ("CPI-U", 2025, 2, None)]


def test_the_latest_of_each_holds() -> None:
    with transaction() as work:
        work.connection.execute(
            index_value.insert(),
            [
                {"name": name, "year": year, "version": version, "value": Decimal(value) if value else None, **CHANGED}
                for name, year, version, value in INDEXES
            ],
        )
        work.connection.execute(
            business_setting.insert(),
            [
                {"name": "gapDays", "version": version, "value": value, **CHANGED}
                for version, value in ((1, "3"), (2, "9"))
            ],
        )
        found = agreed(work.connection, date(2026, 10, 1))

    assert found.indexes == {("CPI-U", 2024): Decimal("2.75")}
    assert found.decided.gap_days == 9


@pytest.mark.parametrize(("day", "account"), [(date(2026, 9, 30), "4001"), (date(2026, 10, 1), "4002")])
def test_an_account_holds_from_its_day_on(day: date, account: str) -> None:
    with transaction() as work:
        work.connection.execute(
            gl_account.insert(),
            [
                {"purpose": "a new purpose", "effective_from": date(2026, 1, 1), "account": "4001"},
                {"purpose": "a new purpose", "effective_from": date(2026, 10, 1), "account": "4002"},
            ],
        )
    with reading() as connection:
        assert agreed(connection, day).accounts == gl_accounts(connection, day)
        assert gl_accounts(connection, day)["a new purpose"] == account

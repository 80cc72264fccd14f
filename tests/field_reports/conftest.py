"""A stage for every row: a database, a bus and a blob storage in this process, on 24 November 2026."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_code.operations.invariants.service import check_invariants, violated
from tests.unit.statements.stage import Stage, opened


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """After each test everything holds that must always be true of the database."""
    with opened(tmp_path, monkeypatch) as stage:
        yield stage
        assert violated(check_invariants()) == []

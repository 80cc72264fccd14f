"""A database of the test's own for everything that stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared_code.foundation import bus, clock, database
from shared_code.foundation.settings import settings
from shared_code.operations.schema import metadata


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """An SQLite file with every table of the app. The bus is away: messages stay in the outbox."""
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/app.sqlite")
    monkeypatch.setattr(bus, "publish_quietly", lambda messages: 0)
    settings.cache_clear()
    database.engine.cache_clear()
    engine = database.engine()
    metadata.create_all(engine)
    yield engine
    engine.dispose()
    clock.set_clock(None)
    settings.cache_clear()
    database.engine.cache_clear()

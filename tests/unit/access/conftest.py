"""A local issuer, the settings that trust it, and a database of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from localhost.identity import Issuer
from shared_code.access import identity
from shared_code.foundation import clock, database
from shared_code.foundation.settings import NAMES, settings
from shared_code.operations.schema import metadata


def forget() -> None:
    """Let the next call read the environment again."""
    settings.cache_clear()
    database.engine.cache_clear()
    identity._keys.cache_clear()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer")).prepare()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, issuer: Issuer, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """The app trusts `issuer` and stands on no platform."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPERATOR_NAME", "Meridian")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/app.sqlite")
    for name, value in issuer.environment().items():
        monkeypatch.setenv(name, value)
    forget()
    yield monkeypatch
    forget()
    clock.set_clock(None)


@pytest.fixture
def engine(environment: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """An empty database file with every table."""
    engine = database.engine()
    metadata.create_all(engine)
    yield engine
    engine.dispose()

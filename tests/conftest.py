"""For all tests: what they execute is looked over with the eyes of SQL Server, and no law fails for being slow."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from localhost.sql_recorder import Finding, Recorder

# Hypothesis would fail an example that takes 200 ms: on a busy machine any may. No test asserts a time.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


class SqlCheck:
    """The findings of the statements since they were last taken."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.recorder = Recorder(self.findings.append)

    def take(self) -> list[Finding]:
        found = self.findings.copy()
        self.findings.clear()
        return found


@pytest.fixture(scope="session")
def recorded() -> Iterator[SqlCheck]:
    check = SqlCheck()
    check.recorder.start()
    yield check
    check.recorder.stop()


@pytest.fixture(autouse=True)
def sql_check(recorded: SqlCheck) -> Iterator[SqlCheck]:
    """Fails a test that executed a statement which SQL Server would refuse."""
    yield recorded
    found = recorded.take()
    if found:
        pytest.fail("SQL Server would refuse:\n" + "\n".join(str(finding) for finding in found), pytrace=False)

"""One laboratory for the schedules of a module, and the sum of what was played in all of them."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from tests.simulation.laboratory import Laboratory, laboratory
from tests.simulation.schedule import Tell

PLAYED, SAID = "schedules played", "said"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with laboratory(tmp_path_factory.mktemp("laboratory")) as made:
        yield made


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Takes how many schedules of what kind were played; the summary of the session says so."""

    def keep(played: Mapping[str, int], said: str = "") -> None:
        request.node.user_properties.append((PLAYED, dict(played)))
        request.node.user_properties.append((SAID, said))

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the number of schedules, also of tests that ran in other processes."""
    played: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == PLAYED:
                    played.update(value)
                elif name == SAID and value:
                    terminalreporter.write_line(str(value))
    if played:
        terminalreporter.write_line(f"{played.total():,} schedules were played")
        for fault, number in sorted(played.items()):
            terminalreporter.write_line(f"  {number:6,}  {fault}")

"""A second opinion: the official JavaScript client, which shares no line with the Python one, on the local bus."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.flows import bus_support
from tests.flows.bus_support import BusProcess

pytestmark = pytest.mark.flow

bus = bus_support.bus

SCRIPT = Path(__file__).with_name("bus_javascript.cjs")
SECONDS = 120


@pytest.fixture(scope="module")
def seen(bus: BusProcess) -> dict[str, Any]:
    """What the client saw, step by step."""
    command = ["node", str(SCRIPT), bus.announcement()["connectionString"]]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("received", [[text, f"js-{text}", 0, "0042"] for text in ("first", "second", "third", "fourth")]),
        ("renewed", True),
        ("abandoned", ["fourth", 1]),
        ("deferred", ["second", "deferred", 1]),
        ("dead", ["third", "NO_SITE", "no such site"]),
        ("left", 0),
        ("scheduled", [["kept", "scheduled"]]),
        ("came", ["kept", True]),
        ("session", ["js", [["1", "js"], ["2", "js"], ["3", "js"]]]),
        ("sessionRenewed", True),
        ("refused", "SessionCannotBeLocked"),
        ("next", ["js", {"step": 3}]),
        ("rest", ["3", "2"]),
        ("peeked", ["2", "3"]),
        ("none", "ServiceTimeout"),
        ("plain", "SessionCannotBeLocked"),
        ("nowhere", "MessagingEntityNotFound"),
        ("large", "MessageSizeExceeded"),
    ],
)
def test_the_javascript_client_sees_what_the_python_client_sees(seen: dict[str, Any], step: str, expected: Any) -> None:
    assert seen[step] == expected


@pytest.mark.parametrize("step", ["sessionless", "demanding"])
def test_senders_and_receivers_without_a_session_are_refused_by_name(seen: dict[str, Any], step: str) -> None:
    assert "talks requires sessions" in seen[step]

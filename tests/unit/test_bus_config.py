"""The declaration of the local bus's queues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localhost.bus import config
from localhost.bus.config import ConfigError


def declared(*queues: dict[str, Any]) -> str:
    return json.dumps({"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": list(queues)}]}})


class TestConfig:
    def test_the_queues_of_the_project(self) -> None:
        queues = {queue.name: queue for queue in config.load()}
        names = ["import-slices", "statement-chunks", "statement-documents", "run-progress"]
        assert list(queues) == names
        assert {(queue.lock_seconds, queue.max_delivery_count) for queue in queues.values()} == {(60.0, 10)}
        assert all(queue.dead_letter_on_expiration for queue in queues.values()), "nothing disappears unseen"

    def test_durations_are_iso_8601_and_detection_is_off_unless_required(self) -> None:
        times = {"LockDuration": "PT2S", "DefaultMessageTimeToLive": "PT1H30M"}
        window = {"DuplicateDetectionHistoryTimeWindow": "PT20S"}
        off, on = config.parse(
            declared(
                {"Name": "off", "Properties": {**times, **window}},
                {"Name": "on", "Properties": {**times, **window, "RequiresDuplicateDetection": True}},
            )
        )
        assert (off.lock_seconds, off.time_to_live_seconds, off.duplicate_window) == (2.0, 5400.0, None)
        assert on.duplicate_window == 20.0

    @pytest.mark.parametrize("required", [True, False])
    def test_sessions_are_required_where_declared(self, required: bool) -> None:
        [queue] = config.parse(declared({"Name": "q1", "Properties": {"RequiresSession": required}}))
        assert queue.requires_session is required

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("{", "JSON"),
            ("{}", "UserConfig"),
            (declared({"Name": "q", "Properties": {}}), "Name"),
            (declared({"Name": "q1", "Properties": {"ForwardTo": "q2"}}), "ForwardTo"),
            (declared({"Name": "q1", "Properties": {"LockDuration": "PT6M"}}), "at most PT5M"),
            (declared({"Name": "q1", "Properties": {"LockDuration": "PT0S"}}), "longer than nothing"),
            (declared({"Name": "q1", "Properties": {"LockDuration": "soon"}}), "LockDuration"),
            (declared({"Name": "q1", "Properties": {"MaxDeliveryCount": 0}}), "MaxDeliveryCount"),
            (declared({"Name": "q1", "Properties": {"Typo": 1}}), "Typo"),
            (declared({"Name": "q1"}, {"Name": "Q1"}), "declared twice"),
        ],
    )
    def test_what_the_bus_cannot_do_is_refused_with_its_place(self, text: str, complaint: str) -> None:
        with pytest.raises(ConfigError, match=complaint):
            config.parse(text)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"nowhere\.json"):
            config.load(tmp_path / "nowhere.json")

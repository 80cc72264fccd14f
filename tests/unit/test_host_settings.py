"""The local host's reading of host.json, settings, keys and bindings, without a process."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localhost.host.catalog import IndexingError, QueueTrigger, TimerTrigger, build_catalog
from localhost.host.keys import load_keys
from localhost.host.settings import HostSettings, SettingsError, load_settings


def settings(folder: Path, document: dict[str, Any], **environment: str) -> HostSettings:
    (folder / "host.json").write_text(json.dumps(document))
    return load_settings(folder, environment)


# host.json

DEFAULTS = [
    # what, the platform's value
    ("route_prefix", "api"),
    ("function_timeout", 300.0),
    ("max_concurrent_calls", 16),
    ("max_concurrent_sessions", 8),
    ("session_idle_seconds", 60.0),
    ("prefetch_count", 0),
    ("max_lock_renewal", 300.0),
    ("blob_parallelism", 8),
    ("blob_poison_threshold", 5),
    ("max_body_bytes", 210 * 1024 * 1024),
    ("response_seconds", 230.0),
]


@pytest.mark.parametrize(("what", "value"), DEFAULTS)
def test_what_host_json_does_not_say_is_as_on_the_platform(tmp_path: Path, what: str, value: object) -> None:
    assert getattr(settings(tmp_path, {}), what) == value


def test_an_app_setting_replaces_an_entry_of_host_json_and_adds_what_is_missing(tmp_path: Path) -> None:
    document = {"functionTimeout": "00:01:00", "extensions": {"serviceBus": {"maxConcurrentCalls": 4}}}
    read = settings(
        tmp_path,
        document,
        AzureFunctionsJobHost__functionTimeout="-1",
        AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls="2",
        AzureFunctionsJobHost__extensions__http__routePrefix="v9",
        AzureFunctionsJobHost="not a path",
    )
    assert (read.function_timeout, read.max_concurrent_calls, read.route_prefix) == (None, 2, "v9")


REFUSED: list[tuple[dict[str, Any], dict[str, str], str]] = [
    # host.json, settings, text
    ({"functionTimeout": "soon"}, {}, "'soon' is not a time span"),
    ({"extensions": []}, {}, "extensions must be an object"),
    ({"extensions": {"serviceBus": {"maxConcurrentSessions": 0}}}, {}, "maxConcurrentSessions must be at least 1"),
    ({"extensions": {"serviceBus": {"autoCompleteMessages": False}}}, {}, "autoCompleteMessages must be true"),
    ({"functionTimeout": "00:01:00"}, {"AzureFunctionsJobHost__functionTimeout__x": "1"}, "no section functionTimeout"),
    ({}, {"WEBSITE_TIME_ZONE": "Europe/Rome"}, "schedules are in UTC"),
    ({}, {"LOCALHOST_RESPONSE_SECONDS": "soon"}, "LOCALHOST_RESPONSE_SECONDS must be a number"),
]


@pytest.mark.parametrize(("document", "environment", "text"), REFUSED)
def test_settings_that_cannot_hold_are_refused_by_name(
    tmp_path: Path, document: dict[str, Any], environment: dict[str, str], text: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, document, **environment)
    assert text in str(refused.value)


# Keys


def test_keys_are_made_once_one_for_each_function_and_stay(tmp_path: Path) -> None:
    first = load_keys(tmp_path, ["a", "b"], {})
    assert load_keys(tmp_path, ["b", "a"], {}) == first
    later = load_keys(tmp_path, ["a", "b", "c"], {})
    assert (later.master, later.host, later.functions["a"]) == (first.master, first.host, first.functions["a"])
    every = [first.master, *first.host.values(), *(key for own in later.functions.values() for key in own.values())]
    assert len(every) == len(set(every)) == 5


LEVELS = [
    # key, opens at level anonymous, function, admin of "a"
    ("master", (True, True, True)),
    ("host", (True, True, False)),
    ("a's", (True, True, False)),
    ("b's", (True, False, False)),
    ("", (True, False, False)),
]


@pytest.mark.parametrize(("key", "opens"), LEVELS)
def test_what_a_key_opens(tmp_path: Path, key: str, opens: tuple[bool, ...]) -> None:
    environment = {
        "LOCALHOST_MASTER_KEY": "master",
        "LOCALHOST_HOST_KEY__default": "host",
        "LOCALHOST_FUNCTION_KEY__a__default": "a's",
        "LOCALHOST_FUNCTION_KEY__b__default": "b's",
    }
    keys = load_keys(tmp_path, ["a", "b"], environment)
    assert tuple(keys.opens(level, key, "a") for level in ("anonymous", "function", "admin")) == opens


def test_a_setting_replaces_the_key_of_its_name_and_the_file_keeps_its_own(tmp_path: Path) -> None:
    made = load_keys(tmp_path, ["a"], {})
    rotated = load_keys(tmp_path, ["a"], {"LOCALHOST_FUNCTION_KEY__a__default": "new"})
    assert rotated.opens("function", "new", "a")
    assert not rotated.opens("function", made.functions["a"]["default"], "a")
    assert load_keys(tmp_path, ["a"], {}) == made


@pytest.mark.parametrize("text", ['{"masterKey": 1}', '{"hostKeys": ["k"]}', '{"functionKeys": {"a": "k"}}', "[]"])
def test_a_key_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(SettingsError, match=r"keys\.json"):
        load_keys(tmp_path, ["a"], {})


# Bindings


def indexed(binding: dict[str, Any], retry: Any = None) -> Any:
    """The one function of an app with this trigger."""
    entry = SimpleNamespace(
        name="f", function_id="id", raw_bindings=[json.dumps({"name": "p", **binding})], retry_options=retry
    )
    return build_catalog([entry], {"id": False}, {})[0]


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUS", "a connection")


def queue(**binding: Any) -> dict[str, Any]:
    return {"type": "serviceBusTrigger", "connection": "BUS", **binding}


QUEUES = [
    # binding, queue, dead letters, sessions, source
    (queue(queueName="q"), ("q", False, False, "q")),
    (queue(queueName="q/$DeadLetterQueue"), ("q", True, False, "q/$DeadLetterQueue")),
    (queue(queueName="q/$deadletterqueue"), ("q", True, False, "q/$DeadLetterQueue")),
    (queue(queueName="q", isSessionsEnabled=True), ("q", False, True, "q")),
]


@pytest.mark.parametrize(("binding", "expected"), QUEUES)
def test_which_queue_a_trigger_means(binding: dict[str, Any], expected: tuple[str, bool, bool, str]) -> None:
    trigger = indexed(binding).trigger
    assert isinstance(trigger, QueueTrigger)
    assert (trigger.queue, trigger.dead_letters, trigger.sessions, trigger.source) == expected


NOT_OFFERED = [
    (queue(topicName="t", subscriptionName="s"), "topics are not offered"),
    (queue(queueName="q", cardinality="many"), "batches"),
    (queue(queueName="q/$DeadLetterQueue", isSessionsEnabled=True), "a dead-letter queue has no sessions"),
    (queue(queueName="q", autoCompleteMessages=False), "cannot settle its message"),
    (queue(queueName="q", connection="NOWHERE"), "the connection setting NOWHERE is not set"),
]


@pytest.mark.parametrize(("binding", "text"), NOT_OFFERED)
def test_a_trigger_that_is_not_offered_is_refused_by_name(binding: dict[str, Any], text: str) -> None:
    with pytest.raises(IndexingError) as refused:
        indexed(binding)
    assert text in str(refused.value)


MONITORED = [
    # schedule, useMonitor, whether its status is kept
    ("0 */5 * * * *", None, True),
    ("0 * * * * *", None, True),
    ("*/30 * * * * *", None, False),
    ("*/30 * * * * *", True, True),
    ("0 */5 * * * *", False, False),
]


@pytest.mark.parametrize(("schedule", "said", "kept"), MONITORED)
def test_a_timer_keeps_its_status_unless_it_comes_more_often_than_each_minute(
    schedule: str, said: bool | None, kept: bool
) -> None:
    trigger = indexed({"type": "timerTrigger", "schedule": schedule, "useMonitor": said}).trigger
    assert isinstance(trigger, TimerTrigger)
    assert trigger.use_monitor is kept


def test_a_retry_policy_is_for_timers_alone() -> None:
    policy = SimpleNamespace(
        retry_strategy="fixed_delay", max_retry_count=3, delay_interval=SimpleNamespace(total_seconds=lambda: 1.0)
    )
    assert indexed({"type": "timerTrigger", "schedule": "0 * * * * *"}, policy).retry.max_retries == 3
    assert indexed(queue(queueName="q"), policy).retry is None


def blob(source: str) -> dict[str, object]:
    place = {"type": "blobTrigger", "path": "c/{name}", "connection": "BUS", "source": source}
    return {**place, "properties": {"SupportsDeferredBinding": True}}


def test_a_blob_trigger_takes_event_grid_the_only_source_on_flex_consumption() -> None:
    assert indexed(blob("EventGrid")).trigger
    with pytest.raises(IndexingError, match="EventGrid"):
        indexed(blob("LogsAndContainerScan"))

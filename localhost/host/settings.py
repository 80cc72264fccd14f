"""What host.json, local.settings.json and the environment say, as one typed value."""

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

_TIME_SPAN = re.compile(r"^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?$")
OVERRIDE = "AzureFunctionsJobHost"
# The platform's limits for a request's body, and for the time until the load balancer stops waiting for the answer.
LARGEST_BODY = 210 * 1024 * 1024
LONGEST_RESPONSE = 230.0
_APP_SETTING = re.compile(r"%([^%]+)%")


class SettingsError(ValueError):
    """A setting or a settings file cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Everything the host itself is told. Durations in seconds, sizes in bytes.

    The Service Bus values hold for each trigger of each instance by itself, as on the platform: two queues with
    16 calls each may have 32 running in one instance. `function_timeout` None means unlimited (host.json "-1").
    """

    route_prefix: str
    function_timeout: float | None
    max_concurrent_calls: int
    max_concurrent_sessions: int
    session_idle_seconds: float
    prefetch_count: int
    max_lock_renewal: float
    blob_parallelism: int
    blob_poison_threshold: int
    max_body_bytes: int
    response_seconds: float
    blob_poll_seconds: float
    drain_seconds: float
    recycle_seconds: float


def parse_time_span(text: str) -> float | None:
    """Seconds of a .NET time span `[d.]hh:mm:ss`; None for "-1" (unlimited).

    Raises SettingsError when the text is neither.
    """
    if text.strip() == "-1":
        return None
    match = _TIME_SPAN.match(text.strip())
    if match is None:
        raise SettingsError(f"{text!r} is not a time span of the form hh:mm:ss")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, {} when the file is absent.

    Raises SettingsError when the file holds anything but one JSON object.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{path.name} must hold one JSON object")
    return document


def apply_local_settings(app_dir: Path, environment: MutableMapping[str, str]) -> None:
    """Put the `Values` of local.settings.json into the environment; names already set win.

    Raises SettingsError for an encrypted file or values that are not plain.
    """
    document = read_json(app_dir / "local.settings.json")
    if document.get("IsEncrypted"):
        raise SettingsError("local.settings.json is encrypted; only plain values can be used here")
    values = document.get("Values", {})
    if not isinstance(values, dict):
        raise SettingsError("local.settings.json: Values must be an object")
    for name, value in values.items():
        if isinstance(value, dict | list):
            raise SettingsError(f"local.settings.json: the value of {name} must be plain text")
        environment.setdefault(name, "" if value is None else str(value))
    environment.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")


def resolve_app_settings(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Replace each `%NAME%` of a binding by the app setting NAME.

    Raises SettingsError when such a setting is missing.
    """
    values = os.environ if environment is None else environment

    def value_of(match: re.Match[str]) -> str:
        try:
            return values[match.group(1)]
        except KeyError:
            raise SettingsError(f"the app setting {match.group(1)} used by {text!r} is not set") from None

    return _APP_SETTING.sub(value_of, text)


def connection_setting(name: str, environment: Mapping[str, str] | None = None) -> str:
    """The connection string that a binding's connection name stands for.

    Raises SettingsError when no such setting exists; the message never shows a value.
    """
    values = os.environ if environment is None else environment
    value = values.get(name)
    if not value:
        raise SettingsError(f"the connection setting {name} is not set")
    return value


def load_settings(app_dir: Path, environment: Mapping[str, str]) -> HostSettings:
    """host.json of the app, app settings `AzureFunctionsJobHost__…` that replace its entries, and LOCALHOST_* settings.

    Raises SettingsError naming the entry that is wrong.
    """
    _refuse_time_zone(environment)
    document = _overridden(read_json(app_dir / "host.json"), environment)
    extensions = _section(document, "extensions")
    http, bus, blobs = (_section(extensions, name) for name in ("http", "serviceBus", "blobs"))
    if str(bus.get("autoCompleteMessages", True)).lower() != "true":
        raise SettingsError("host.json: autoCompleteMessages must be true; a Python function cannot settle a message")
    return HostSettings(
        route_prefix=str(http.get("routePrefix", "api")).strip("/"),
        function_timeout=parse_time_span(str(document.get("functionTimeout", "00:05:00"))),
        max_concurrent_calls=int(_number(bus, "maxConcurrentCalls", 16, 1)),
        max_concurrent_sessions=int(_number(bus, "maxConcurrentSessions", 8, 1)),
        # The platform waits a minute for the next message of a session before it takes another session.
        session_idle_seconds=parse_time_span(str(bus.get("sessionIdleTimeout", "00:01:00"))) or 60.0,
        prefetch_count=int(_number(bus, "prefetchCount", 0, 0)),
        max_lock_renewal=parse_time_span(str(bus.get("maxAutoLockRenewalDuration", "00:05:00"))) or 0.0,
        blob_parallelism=int(_number(blobs, "maxDegreeOfParallelism", 8, 1)),
        blob_poison_threshold=int(_number(blobs, "poisonBlobThreshold", 5, 1)),
        max_body_bytes=int(_number(environment, "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", LARGEST_BODY, 0)),
        response_seconds=_number(environment, "LOCALHOST_RESPONSE_SECONDS", LONGEST_RESPONSE, 0.05),
        blob_poll_seconds=_number(environment, "LOCALHOST_BLOB_POLL_SECONDS", 1.0, 0.05),
        drain_seconds=_number(environment, "LOCALHOST_DRAIN_SECONDS", 10.0, 0),
        recycle_seconds=_number(environment, "LOCALHOST_RECYCLE_SECONDS", 5.0, 0),
    )


def _refuse_time_zone(environment: Mapping[str, str]) -> None:
    if environment.get("WEBSITE_TIME_ZONE"):
        raise SettingsError("WEBSITE_TIME_ZONE is set: Flex Consumption does not support it, schedules are in UTC")


def _overridden(document: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """host.json with its entries replaced by settings such as AzureFunctionsJobHost__extensions__http__routePrefix."""
    for name, value in environment.items():
        prefix, *path = name.split("__")
        if prefix != OVERRIDE or not path:
            continue
        section = document
        for part in path[:-1]:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                raise SettingsError(f"{name}: host.json has no section {part}")
        section[path[-1]] = value
    return document


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise SettingsError(f"host.json: {name} must be an object")
    return section


def _number(source: Mapping[str, Any], name: str, default: float, minimum: float) -> float:
    try:
        value = float(source.get(name, default))
    except (TypeError, ValueError):
        raise SettingsError(f"{name} must be a number, not {source.get(name)!r}") from None
    if not minimum <= value < float("inf"):
        raise SettingsError(f"{name} must be at least {minimum:g}, not {value:g}")
    return value

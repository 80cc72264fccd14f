"""The queues of the local bus: read from a file in the shape of the Service Bus emulator's configuration.

The same file configures Microsoft's emulator container, so what this bus cannot do is refused here, at
start, and never ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

QUEUES_FILE = Path(__file__).with_name("queues.json")
LONGEST_LOCK = timedelta(minutes=5)


class ConfigError(ValueError):
    """The configuration cannot be read, or asks for something this bus does not do."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What one queue promises. Durations are in seconds; `duplicate_window` None means no detection."""

    name: str
    lock_seconds: float = 60.0
    max_delivery_count: int = 10
    time_to_live_seconds: float | None = None
    dead_letter_on_expiration: bool = False
    duplicate_window: float | None = None
    requires_session: bool = False


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("a duration must be longer than nothing")
    return value


def _lock(value: timedelta) -> timedelta:
    if value > LONGEST_LOCK:
        raise ValueError("LockDuration is at most PT5M, as in Service Bus")
    return value


Duration = Annotated[timedelta, AfterValidator(_positive)]


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid", frozen=True)


class _Properties(_Shape):
    lock_duration: Annotated[Duration, AfterValidator(_lock)] = timedelta(minutes=1)
    max_delivery_count: int = Field(default=10, ge=1, le=2000)
    dead_lettering_on_message_expiration: bool = False
    default_message_time_to_live: Duration | None = None
    requires_duplicate_detection: bool = False
    duplicate_detection_history_time_window: Duration = timedelta(minutes=10)
    requires_session: bool = False
    forward_to: Literal[""] = ""
    forward_dead_lettered_messages_to: Literal[""] = ""
    user_metadata: str = ""


class _Queue(_Shape):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,258}[A-Za-z0-9]$")
    properties: _Properties = _Properties()

    def settings(self) -> QueueSettings:
        stated = self.properties
        lifetime = stated.default_message_time_to_live
        window = stated.duplicate_detection_history_time_window.total_seconds()
        return QueueSettings(
            name=self.name,
            lock_seconds=stated.lock_duration.total_seconds(),
            max_delivery_count=stated.max_delivery_count,
            time_to_live_seconds=None if lifetime is None else lifetime.total_seconds(),
            dead_letter_on_expiration=stated.dead_lettering_on_message_expiration,
            duplicate_window=window if stated.requires_duplicate_detection else None,
            requires_session=stated.requires_session,
        )


class _Namespace(_Shape):
    name: str
    queues: list[_Queue] = []
    topics: Annotated[list[object], Field(max_length=0)] = []


class _Logging(_Shape):
    type: str = "File"


class _UserConfig(_Shape):
    namespaces: list[_Namespace] = Field(min_length=1, max_length=1)
    logging: _Logging = _Logging()


class _File(_Shape):
    user_config: _UserConfig


def parse(text: str) -> Sequence[QueueSettings]:
    """The queues declared in `text`, an emulator configuration. Raises `ConfigError` naming each bad place."""
    try:
        declared = _File.model_validate_json(text).user_config.namespaces[0].queues
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(places) from error
    names = [queue.name.lower() for queue in declared]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"declared twice (names are compared without regard to case): {', '.join(twice)}")
    return [queue.settings() for queue in declared]


def load(path: Path = QUEUES_FILE) -> Sequence[QueueSettings]:
    """The queues declared in the file at `path`. Raises `ConfigError` when it is missing or not acceptable."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        return parse(text)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error

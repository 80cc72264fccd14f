"""The app's functions as the host sees them: one trigger each, checked against what the host offers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from localhost.host.ncrontab import Schedule, ScheduleError
from localhost.host.routes import RouteTemplate
from localhost.host.settings import SettingsError, connection_setting, resolve_app_settings

DEAD_LETTER_QUEUE = "/$DeadLetterQueue"
# A schedule that comes more often than this keeps no status unless its binding says so, as on the platform.
MONITORED_FROM = timedelta(minutes=1)


class IndexingError(RuntimeError):
    """The app cannot be indexed; the text is for the person who started the host."""


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """Route template below the prefix, allowed methods (empty: all), auth level in lower case."""

    parameter: str
    route: RouteTemplate
    methods: frozenset[str]
    auth_level: str


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """A schedule in UTC; `use_monitor` keeps its status over restarts."""

    parameter: str
    expression: str
    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """A Service Bus queue and the name of the setting that holds its connection string.

    `dead_letters`: the queue's dead-letter sub-queue is meant, written `name/$DeadLetterQueue`.
    `sessions`: messages come by session, those of one session in order.
    """

    parameter: str
    queue: str
    connection: str
    dead_letters: bool = False
    sessions: bool = False

    @property
    def source(self) -> str:
        """The queue as it is written in a binding."""
        return self.queue + (DEAD_LETTER_QUEUE if self.dead_letters else "")


@dataclass(frozen=True, slots=True)
class BlobTrigger:
    """A path pattern `container/{name}` and the name of its connection setting."""

    parameter: str
    path: str
    connection: str


Trigger = HttpTrigger | TimerTrigger | QueueTrigger | BlobTrigger


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The function-level policy (timers only, as on the platform): further attempts and delays in seconds."""

    max_retries: int
    first_delay: float
    longest_delay: float

    def delay(self, retry: int) -> float:
        """Seconds before the retry with that number, counted from 1; doubles up to the longest."""
        return float(min(self.first_delay * 2 ** min(retry - 1, 30), self.longest_delay))


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function."""

    name: str
    function_id: str
    is_async: bool
    trigger: Trigger
    retry: RetryPolicy | None = None

    def summary(self) -> tuple[str, str, str, str]:
        """Name, trigger, source of events and auth level, for the table at start and the admin list."""
        match self.trigger:
            case HttpTrigger(route=route, methods=methods, auth_level=level):
                return self.name, "http", f"{','.join(sorted(methods)) or 'ANY'} {route.text}", level
            case TimerTrigger(expression=expression):
                return self.name, "timer", expression, ""
            case QueueTrigger() as queue:
                return self.name, "serviceBus", queue.source, ""
            case BlobTrigger(path=path):
                return self.name, "blob", path, ""


def build_catalog(
    metadata: Iterable[Any], is_async: Mapping[str, bool], environment: Mapping[str, str]
) -> list[Function]:
    """Functions from the worker library's metadata, without those disabled by a setting.

    Raises IndexingError listing every function that this host cannot run, and why.
    """
    functions: list[Function] = []
    problems: list[str] = []
    for entry in metadata:
        if environment.get(f"AzureWebJobs.{entry.name}.Disabled", "").lower() in ("1", "true"):
            continue
        try:
            trigger = _trigger_of([json.loads(text) for text in entry.raw_bindings])
        except (SettingsError, ScheduleError, ValueError) as error:
            problems.append(f"{entry.name}: {error}")
            continue
        functions.append(
            Function(
                name=entry.name,
                function_id=entry.function_id,
                is_async=is_async[entry.function_id],
                trigger=trigger,
                # Messages come again by the queue's rules, blobs by the host's; the platform ignores a policy there.
                retry=_retry_of(entry.retry_options) if isinstance(trigger, TimerTrigger) else None,
            )
        )
    if problems:
        raise IndexingError("These functions cannot run here:\n  " + "\n  ".join(problems))
    return functions


def _trigger_of(bindings: list[dict[str, Any]]) -> Trigger:
    triggers = [b for b in bindings if str(b["type"]).endswith("Trigger")]
    others = [b for b in bindings if b not in triggers and not (b["type"] == "http" and b["name"] == "$return")]
    if len(triggers) != 1:
        raise ValueError(f"a function has exactly one trigger, this one has {len(triggers)}")
    if others:
        raise ValueError(f"the binding {others[0]['type']} ({others[0]['name']}) is not offered by the local host")
    binding = triggers[0]
    builders = {
        "httpTrigger": _http,
        "timerTrigger": _timer,
        "serviceBusTrigger": _queue,
        "blobTrigger": _blob,
    }
    builder = builders.get(binding["type"])
    if builder is None:
        raise ValueError(f"the trigger {binding['type']} is not offered by the local host")
    return builder(binding)


def _http(binding: Mapping[str, Any]) -> Trigger:
    level = str(binding.get("authLevel", "function")).lower()
    if level not in ("anonymous", "function", "admin"):
        raise ValueError(f"unknown auth level {level!r}")
    methods = binding.get("methods") or ()
    return HttpTrigger(
        parameter=binding["name"],
        route=RouteTemplate.parse(str(binding.get("route", ""))),
        methods=frozenset(str(method).upper() for method in methods),
        auth_level=level,
    )


def _timer(binding: Mapping[str, Any]) -> Trigger:
    expression = resolve_app_settings(str(binding["schedule"]))
    schedule = Schedule.parse(expression)
    monitor = binding.get("useMonitor")
    return TimerTrigger(
        parameter=binding["name"],
        expression=expression,
        schedule=schedule,
        run_on_startup=bool(binding.get("runOnStartup", False)),
        use_monitor=_is_seldom(schedule) if monitor is None else bool(monitor),
    )


def _is_seldom(schedule: Schedule) -> bool:
    first = schedule.next_after(datetime.now(UTC))
    return schedule.next_after(first) - first >= MONITORED_FROM


def _queue(binding: Mapping[str, Any]) -> Trigger:
    if "queueName" not in binding:
        raise ValueError("Service Bus topics are not offered by the local host")
    if str(binding.get("cardinality", "one")).lower() != "one":
        raise ValueError("Service Bus batches (cardinality many) are not offered by the local host")
    if binding.get("autoCompleteMessages") is False:
        raise ValueError("auto_complete_messages must stay true: a Python function cannot settle its message")
    connection = str(binding.get("connection") or "AzureWebJobsServiceBus")
    connection_setting(connection)
    queue = resolve_app_settings(str(binding["queueName"]))
    dead = queue.lower().endswith(DEAD_LETTER_QUEUE.lower())
    sessions = bool(binding.get("isSessionsEnabled"))
    if dead and sessions:
        raise ValueError("a dead-letter queue has no sessions")
    return QueueTrigger(
        parameter=binding["name"],
        queue=queue[: -len(DEAD_LETTER_QUEUE)] if dead else queue,
        connection=connection,
        dead_letters=dead,
        sessions=sessions,
    )


def _blob(binding: Mapping[str, Any]) -> Trigger:
    if not binding.get("properties", {}).get("SupportsDeferredBinding"):
        raise ValueError("annotate the blob trigger's parameter with blob.BlobClient; whole blobs are not loaded here")
    path = resolve_app_settings(str(binding["path"]))
    if "/" not in path.strip("/"):
        raise ValueError(f"the blob path {path!r} needs a container and a pattern, such as drops/{{name}}")
    if str(binding.get("source", "")).lower() != "eventgrid":
        raise ValueError(
            f'the blob trigger on {path} polls, which Flex Consumption does not: give it source="EventGrid"'
        )
    connection = str(binding.get("connection") or "AzureWebJobsStorage")
    connection_setting(connection)
    return BlobTrigger(binding["name"], path, connection)


def _retry_of(options: Any) -> RetryPolicy | None:
    if options is None:
        return None
    if options.retry_strategy == "fixed_delay":
        delay = options.delay_interval.total_seconds()
        return RetryPolicy(options.max_retry_count, delay, delay)
    first = options.minimum_interval.total_seconds() or 1.0
    return RetryPolicy(options.max_retry_count, first, options.maximum_interval.total_seconds())

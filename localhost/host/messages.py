"""A received Service Bus message as the worker library wants it: a body and trigger metadata.

The metadata names are those that `azure.functions.ServiceBusMessage` reads. The delivery count is the
platform's: 1 at the first delivery (the SDK counts earlier deliveries, from 0).
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure_functions_runtime.bindings.datumdef import Datum


def delivery_count(message: Any) -> int:
    """Which delivery this is, from 1."""
    return int(message.delivery_count or 0) + 1


def message_body(message: Any) -> bytes:
    """The payload of a received message: data sections joined, a text or other AMQP value encoded."""
    body = message.body
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if body is None:
        return b""
    parts = list(body)
    if all(isinstance(part, bytes) for part in parts):
        return b"".join(parts)
    return json.dumps(_plain(body if isinstance(body, Mapping) else parts)).encode()


def application_properties(message: Any) -> dict[str, Any]:
    """The application properties with text keys and JSON-safe values."""
    return {_text(key): _plain(value) for key, value in (message.application_properties or {}).items()}


def trigger_metadata(message: Any) -> dict[str, Datum]:
    """What the host tells about a message beside its body."""
    properties = json.dumps(application_properties(message))
    metadata = {
        "ApplicationProperties": Datum(properties, "json"),
        "UserProperties": Datum(properties, "json"),
        "DeliveryCount": Datum(delivery_count(message), "int"),
    }
    for name, value in _texts(message).items():
        if value is not None:
            metadata[name] = Datum(_iso(value) if isinstance(value, datetime) else str(value), "string")
    for name, number in (
        ("SequenceNumber", message.sequence_number),
        ("EnqueuedSequenceNumber", message.enqueued_sequence_number),
        ("State", getattr(message.state, "value", message.state)),
    ):
        if number is not None:
            metadata[name] = Datum(int(number), "int")
    return metadata


def manual_metadata(message_id: str, now: datetime) -> dict[str, Datum]:
    """Metadata of a message that a person fired by hand: first delivery, enqueued now, no lock."""
    return {
        "ApplicationProperties": Datum("{}", "json"),
        "UserProperties": Datum("{}", "json"),
        "DeliveryCount": Datum(1, "int"),
        "MessageId": Datum(message_id, "string"),
        "EnqueuedTimeUtc": Datum(_iso(now), "string"),
    }


def _texts(message: Any) -> dict[str, Any]:
    return {
        "MessageId": message.message_id,
        "CorrelationId": message.correlation_id,
        "ContentType": message.content_type,
        "Subject": message.subject,
        "Label": message.subject,
        "LockToken": message.lock_token,
        "LockedUntil": message.locked_until_utc,
        "EnqueuedTimeUtc": message.enqueued_time_utc,
        "ExpiresAtUtc": message.expires_at_utc,
        "ScheduledEnqueueTimeUtc": message.scheduled_enqueue_time_utc,
        "PartitionKey": message.partition_key,
        "ReplyTo": message.reply_to,
        "ReplyToSessionId": message.reply_to_session_id,
        "SessionId": message.session_id,
        "To": message.to,
        "DeadLetterReason": message.dead_letter_reason,
        "DeadLetterErrorDescription": message.dead_letter_error_description,
        "DeadLetterSource": message.dead_letter_source,
    }


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return _iso(value)
    return _text(value)

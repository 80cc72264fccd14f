"""The one way through: every queue trigger checks its message, says who acts, and decides what becomes of a failure.

A message that can never succeed (not what the queue carries, or refused for good) is put among the dead letters with a
reason and completed; one that may succeed later is raised after a pause, and the bus delivers it again, until its last
delivery but one has failed. Settlement by the SDK is not relied upon (azure-facts C.3).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import azure.functions as func

from functions.declarations import resolve
from functions.invocation import correlation_of, invocation
from shared_code.foundation import clock, context, queues
from shared_code.foundation.context import Context
from shared_code.foundation.errors import BillingError

if TYPE_CHECKING:
    from shared_code.foundation.dead_letters import DeadLetter

log = logging.getLogger(__name__)
CONNECTION = "BillingServiceBus"
MESSAGE_MALFORMED = "MESSAGE_MALFORMED"
FIRST_PAUSE = 0.5
_GENERATED = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is what its queue carries. `effect` is the key of what it asks for, also in a repetition."""

    message_id: str
    effect: str
    correlation_id: str
    delivery: int
    content: object

    def body[Model](self, model: type[Model]) -> Model:
        """The content as the model that the consumer declares."""
        if not isinstance(self.content, model):
            raise TypeError(f"the consumer declares another message than {model.__name__}")
        return self.content


type Consumer = Callable[[Letter], None]


def consumer(blueprint: func.Blueprint, queue: str, model: str) -> Callable[[Consumer], Consumer]:
    """Declare the function that takes the messages of `queue`; `model` (`package.module:Name`) says what they hold."""

    def register(handler: Consumer) -> Consumer:
        def handle(message: func.ServiceBusMessage) -> None:
            _take(handler, queue, model, message)

        handle.__name__ = handler.__name__
        triggered = blueprint.service_bus_queue_trigger(arg_name="message", queue_name=queue, connection=CONNECTION)
        blueprint.function_name(handler.__name__)(triggered(handle))
        return handler

    return register


def _take(handler: Consumer, queue: str, model: str, message: func.ServiceBusMessage) -> None:
    known = Context(
        actor_id=f"queue:{queue}",
        actor_name=handler.__name__,
        correlation_id=correlation_of(message.correlation_id),
        trace_parent=str((message.application_properties or {}).get("traceparent") or ""),
    )
    with (
        _unhurried(message),
        invocation(f"process {queue}", "consumer", known, **_attributes(queue, message)) as span,
    ):
        try:
            handler(_letter(queue, model, message))
        except Exception as fault:
            reason = _reason(fault)
            span.fail(reason)
            if not _is_final(fault, message):
                raise
            _bury(queue, message, reason, _description(fault, message))


def _is_final(fault: Exception, message: func.ServiceBusMessage) -> bool:
    """Whether the message has had its chances. One delivery is left to the bus, for a burial that fails."""
    if isinstance(fault, _MalformedError) or (isinstance(fault, BillingError) and not fault.kind.retryable):
        return True
    return (message.delivery_count or 1) >= queues.MAX_DELIVERIES - 1


def _reason(fault: Exception) -> str:
    if isinstance(fault, _MalformedError):
        return MESSAGE_MALFORMED
    return fault.code if isinstance(fault, BillingError) else type(fault).__name__


def _description(fault: Exception, message: func.ServiceBusMessage) -> str:
    """What a person is told. The text of an unforeseen fault may show anything, and stays in the log."""
    if isinstance(fault, _MalformedError):
        return str(fault)
    text = fault.message if isinstance(fault, BillingError) else "an unforeseen fault; the log has it"
    tried = message.delivery_count or 1
    return text if tried == 1 else f"{text} (at delivery {tried})"


@contextmanager
def _unhurried(message: func.ServiceBusMessage) -> Iterator[None]:
    """The bus delivers at once what was raised; a pause before lets the deliveries outlast a short outage."""
    try:
        yield
    except Exception:
        from shared_code.foundation.settings import settings

        time.sleep(pause_before_retry(message.delivery_count or 1, settings().consumer_pause_seconds))
        raise


def pause_before_retry(delivery: int, longest: float) -> float:
    """Seconds to wait after a delivery that failed: half a second, doubled with each, at most `longest`.

    The lock is renewed meanwhile (host.json, maxAutoLockRenewalDuration), and functionTimeout is far away.
    """
    return float(min(longest, FIRST_PAUSE * 2 ** min(delivery - 1, queues.MAX_DELIVERIES)))


def _attributes(queue: str, message: func.ServiceBusMessage) -> dict[str, str]:
    """What the span says. The id only if it is one of ours: a stranger's may hold anything."""
    from shared_code.foundation.dead_letters import effect_of

    effect = effect_of(id_of(queue, message))
    named = {"messaging.message.id": effect} if _GENERATED.fullmatch(effect) else {}
    return {"messaging.destination.name": queue, **named}


class _MalformedError(Exception):
    """The message is not what its queue carries."""


def _letter(queue: str, model: str, message: func.ServiceBusMessage) -> Letter:
    from pydantic import TypeAdapter, ValidationError

    from shared_code.foundation.dead_letters import effect_of

    try:
        content = TypeAdapter(resolve(model)).validate_json(message.get_body())
    except ValidationError as fault:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors())
        raise _MalformedError(f"the message is not what the queue carries: {places}") from fault
    message_id = id_of(queue, message)
    correlation_id = context.current().correlation_id
    return Letter(message_id, effect_of(message_id), correlation_id, message.delivery_count or 1, content)


def id_of(queue: str, message: func.ServiceBusMessage) -> str:
    """The message's id; for one that was sent without, an id that is the same at every delivery."""
    if message.message_id:
        return str(message.message_id)
    body = clock.fingerprint(message.get_body())  # numbers begin anew when a namespace is made anew
    return clock.derived_id("message without id", queue, message.sequence_number or 0, body)


def _bury(queue: str, message: func.ServiceBusMessage, reason: str, description: str) -> None:
    from shared_code.foundation.dead_letters import bury

    name = id_of(queue, message)
    log.error("message %s of %s is put among the dead letters: %s", name, queue, reason, exc_info=True)
    bury(_dead(queue, message, reason, description, message.delivery_count or 1))


def keep_dead_letter(queue: str, message: func.ServiceBusMessage) -> None:
    """Keep a message that the bus itself gave up on: delivered too often, or expired."""
    from shared_code.foundation.dead_letters import bury

    known = Context(actor_id=f"queue:{queue}", correlation_id=correlation_of(message.correlation_id))
    with (
        _unhurried(message),
        invocation(f"keep dead letters of {queue}", "consumer", known, **{"messaging.destination.name": queue}),
    ):
        reason = message.dead_letter_reason or "DEAD_LETTERED"
        description = message.dead_letter_error_description or "the bus gives no description"
        # The count goes on in the dead-letter queue: this delivery is not one to the consumer, nor are more like it.
        deliveries = min((message.delivery_count or 1) - 1, queues.MAX_DELIVERIES)
        bury(_dead(queue, message, reason, description, deliveries))


def _dead(queue: str, message: func.ServiceBusMessage, reason: str, description: str, deliveries: int) -> DeadLetter:
    from shared_code.foundation.dead_letters import DeadLetter, shown_body

    return DeadLetter(
        queue=queue,
        message_id=id_of(queue, message),
        body=shown_body(message.get_body()),
        correlation_id=context.current().correlation_id,
        reason=reason[:64],
        description=description,
        deliveries=deliveries,
    )

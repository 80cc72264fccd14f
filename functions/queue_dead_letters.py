"""What the bus itself gave up on: a function on the dead-letter queue of every queue keeps it with its reason."""

import azure.functions as func

from functions.queue import CONNECTION, keep_dead_letter
from shared_code.foundation import queues

blueprint = func.Blueprint()
DEAD_LETTERS = "$DeadLetterQueue"


def _watch(queue: str) -> None:
    def keep(message: func.ServiceBusMessage) -> None:
        keep_dead_letter(queue, message)

    keep.__name__ = f"keep_dead_letters_of_{queue.replace('-', '_')}"
    place = f"{queue}/{DEAD_LETTERS}"
    triggered = blueprint.service_bus_queue_trigger(arg_name="message", queue_name=place, connection=CONNECTION)
    blueprint.function_name(keep.__name__)(triggered(keep))


for _queue in queues.ALL:
    _watch(_queue)

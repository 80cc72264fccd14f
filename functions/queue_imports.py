"""Large files, one slice a message."""

import json

import azure.functions as func

from shared_code.foundation import queues

blueprint = func.Blueprint()


@blueprint.function_name("import_slice")
@blueprint.service_bus_queue_trigger(
    arg_name="message", queue_name=queues.IMPORT_SLICES, connection="BillingServiceBus"
)
def import_slice(message: func.ServiceBusMessage) -> None:
    """Stage one slice of an import batch, or publish the batch when all are staged."""
    work = json.loads(message.get_body())
    if work.get("finish"):
        from shared_code.edw.slices import finish_batch

        finish_batch(work["batch"])
    else:
        from shared_code.edw.slices import stage_slice

        stage_slice(work["batch"], work["slice"])

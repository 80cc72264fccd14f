"""Work on statements, one message at a time: chunks of contracts, documents to draw, runs to settle."""

import json

import azure.functions as func

from shared_code.foundation import queues

blueprint = func.Blueprint()
CONNECTION = "BillingServiceBus"


@blueprint.function_name("generate_statement_chunk")
@blueprint.service_bus_queue_trigger(arg_name="message", queue_name=queues.STATEMENT_CHUNKS, connection=CONNECTION)
def generate_statement_chunk(message: func.ServiceBusMessage) -> None:
    """Bill one chunk of a run."""
    from shared_code.statements.generation import generate_chunk

    work = json.loads(message.get_body())
    generate_chunk(work["run"], work["chunk"], message.message_id)


@blueprint.function_name("render_statement_documents")
@blueprint.service_bus_queue_trigger(arg_name="message", queue_name=queues.STATEMENT_DOCUMENTS, connection=CONNECTION)
def render_statement_documents(message: func.ServiceBusMessage) -> None:
    """Draw the PDFs of some statements."""
    from shared_code.statements.rendering import render_documents

    work = json.loads(message.get_body())
    render_documents(work["run"], work["statements"], message.message_id, message.correlation_id or "")


@blueprint.function_name("settle_statement_run")
@blueprint.service_bus_queue_trigger(arg_name="message", queue_name=queues.RUN_PROGRESS, connection=CONNECTION)
def settle_statement_run(message: func.ServiceBusMessage) -> None:
    """Finish a run when nothing of it is left."""
    from shared_code.statements.runs import settle_run

    settle_run(json.loads(message.get_body())["run"])

"""Dropped files. The trigger hands over a client, so a file is streamed and never loaded whole."""

import uuid
from collections.abc import Callable

import azure.functions as func

from functions.blob_binding import BlobClient
from functions.invocation import invocation
from shared_code.foundation.context import Context

blueprint = func.Blueprint()
CONNECTION = "BillingStorage"
SOURCE = func.BlobSource.EVENT_GRID  # the only one on Flex Consumption (azure-facts C.3)


@blueprint.function_name("receive_edw_drop")
@blueprint.blob_trigger(arg_name="client", path="edw-drops/{name}", connection=CONNECTION, source=SOURCE)
def receive_edw_drop(client: BlobClient) -> None:
    """A warehouse file: recorded, checked for shape, cut into slices."""
    from shared_code.edw.drops import receive_drop

    _receive(client, receive_drop)


@blueprint.function_name("receive_contract_drop")
@blueprint.blob_trigger(arg_name="client", path="contract-drops/{name}", connection=CONNECTION, source=SOURCE)
def receive_contract_drop(client: BlobClient) -> None:
    """A contract document: validated and saved, or quarantined with the reasons."""
    from shared_code.edw.contract_drops import receive_contract

    _receive(client, receive_contract)


def _receive(client: BlobClient, receive: Callable[[str, str], object]) -> None:
    container = client.container_name
    known = Context(actor_id=f"drop:{container}", actor_name=receive.__name__, correlation_id=uuid.uuid4().hex)
    with invocation(f"receive {container}", "consumer", known, **{"powerbill.container": container}):
        receive(container, client.blob_name)

"""Dropped files. The trigger hands over a client, so a file is streamed and never loaded whole."""

import azure.functions as func

from functions.blob_binding import BlobClient

blueprint = func.Blueprint()
CONNECTION = "BillingStorage"


@blueprint.function_name("receive_edw_drop")
@blueprint.blob_trigger(arg_name="client", path="edw-drops/{name}", connection=CONNECTION)
def receive_edw_drop(client: BlobClient) -> None:
    """A warehouse file: recorded, checked for shape, cut into slices."""
    from shared_code.edw.drops import receive_drop

    receive_drop(client.container_name, client.blob_name)


@blueprint.function_name("receive_contract_drop")
@blueprint.blob_trigger(arg_name="client", path="contract-drops/{name}", connection=CONNECTION)
def receive_contract_drop(client: BlobClient) -> None:
    """A contract document: validated and saved, or quarantined with the reasons."""
    from shared_code.edw.contract_drops import receive_contract

    receive_contract(client.container_name, client.blob_name)

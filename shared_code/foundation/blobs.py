"""Blob storage through the official SDK: a connection string locally, managed identity in Azure."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING

from shared_code.foundation import telemetry
from shared_code.foundation.settings import settings

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient


@cache
def service() -> BlobServiceClient:
    """The storage client of this process."""
    from azure.storage.blob import BlobServiceClient

    known = settings()
    if known.storage:
        return BlobServiceClient.from_connection_string(known.storage.reveal(), retry_total=3)
    from azure.identity import DefaultAzureCredential

    return BlobServiceClient(known.storage_uri, credential=DefaultAzureCredential(), retry_total=3)


@cache
def ensure_container(name: str) -> None:
    """Make a container unless it is there. Asked once in a process."""
    container = service().get_container_client(name)
    if not container.exists():
        from azure.core.exceptions import ResourceExistsError

        try:
            container.create_container()
        except ResourceExistsError:
            return  # another instance was first, which is just as good


def put(container: str, path: str, data: bytes, content_type: str) -> None:
    """Write a blob whole, replacing what was there: the same effect however often it is repeated."""
    from azure.storage.blob import ContentSettings

    with _observed("put", container) as span:
        span.set("powerbill.blob.bytes", len(data))
        ensure_container(container)
        service().get_blob_client(container, path).upload_blob(
            data, overwrite=True, content_settings=ContentSettings(content_type=content_type)
        )


def get(container: str, path: str) -> bytes:
    """Read a blob whole. Raises ResourceNotFoundError of the SDK when it is not there."""
    with _observed("get", container) as span:
        data = service().get_blob_client(container, path).download_blob().readall()
        span.set("powerbill.blob.bytes", len(data))
    return data


def _observed(operation: str, container: str) -> AbstractContextManager[telemetry.Span]:
    """A span that names the container and never the blob: names of blobs may hold names of sites."""
    labels: dict[str, telemetry.Value] = {
        "powerbill.dependency": "blob",
        "powerbill.operation": operation,
        "powerbill.container": container,
    }
    return telemetry.span(f"blob {operation}", "client", "", **labels)

"""The blobs of this room: drops are streamed, never loaded whole; results have names derived from their batch."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import StorageStreamDownloader

from shared_code.documents import paths
from shared_code.edw import errors
from shared_code.foundation import blobs
from shared_code.foundation.errors import BillingError

log = logging.getLogger(__name__)

WORK = paths.IMPORT_WORK


@dataclass(frozen=True, slots=True)
class Content:
    """One version of a blob, to be read once from the start."""

    stream: StorageStreamDownloader[bytes]
    etag: str
    size: int
    modified: datetime

    def chunks(self) -> Iterator[bytes]:
        """The bytes in order, a few megabytes at a time. Raises SOURCE_CHANGED when it is replaced meanwhile."""
        try:
            yield from self.stream.chunks()
        except (ResourceModifiedError, ResourceNotFoundError) as error:
            raise BillingError(errors.SOURCE_CHANGED, "the file changed while it was read") from error


def open_blob(container: str, name: str, etag: str | None = None) -> Content:
    """Start reading a blob, or only its version `etag`. Raises DROP_NOT_FOUND, SOURCE_CHANGED."""
    stream = _download(container, name, etag)
    properties = stream.properties
    return Content(stream, str(properties.etag), int(properties.size), properties.last_modified)


def read_range(container: str, name: str, start: int, end: int, etag: str | None = None) -> bytes:
    """The bytes [start, end) of a blob, of version `etag` if given. Raises DROP_NOT_FOUND, SOURCE_CHANGED."""
    return _download(container, name, etag, start, end - start).readall() if end > start else b""


def _download(
    container: str, name: str, etag: str | None, offset: int | None = None, length: int | None = None
) -> StorageStreamDownloader[bytes]:
    blob = blobs.service().get_blob_client(container, name)
    try:
        if etag is None:
            return blob.download_blob(offset, length, encoding=None)
        only_this = MatchConditions.IfNotModified
        return blob.download_blob(offset, length, etag=etag, match_condition=only_this, encoding=None)
    except ResourceNotFoundError as error:
        raise BillingError(errors.DROP_NOT_FOUND, f"{container}/{name} is not there") from error
    except ResourceModifiedError as error:
        raise BillingError(errors.SOURCE_CHANGED, f"{container}/{name} was replaced") from error


def write_stream(container: str, name: str, data: Iterable[bytes]) -> None:
    """Write a blob of unknown length in blocks, replacing what was there."""
    blobs.ensure_container(container)
    blobs.service().get_blob_client(container, name).upload_blob(iter(data), overwrite=True)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a blob as a list names it."""

    container: str
    name: str
    etag: str
    modified: datetime


def versions(container: str, page_size: int) -> Iterator[list[Version]]:
    """All blobs of a container, page by page. A container that nobody has made yet has none."""
    listed = blobs.service().get_container_client(container).list_blobs(results_per_page=page_size)
    try:
        for page in listed.by_page():
            yield [Version(container, blob.name, str(blob.etag), blob.last_modified) for blob in page]
    except ResourceNotFoundError:
        log.info("there is no container %s", container)


def exists(container: str, name: str) -> bool:
    return bool(blobs.service().get_blob_client(container, name).exists())


def working_copy(batch_id: str) -> str:
    """The text form of a drop that was not text."""
    return f"{batch_id}.csv"


def quarantine(batch_id: str, container: str, name: str, etag: str | None) -> None:
    """Copy a refused drop aside, once. A drop that was replaced meanwhile has nothing left to copy."""
    target = _quarantined(batch_id, container, name)
    if exists(target.container, target.name):
        return
    try:
        write_stream(target.container, target.name, open_blob(container, name, etag).chunks())
    except BillingError as error:
        log.warning("no quarantine copy of %s/%s: %s", container, name, error.message)


def _quarantined(batch_id: str, container: str, name: str) -> paths.BlobPath:
    """The name of the copy. A drop whose own name is no path that we would write is known by its batch alone."""
    try:
        return paths.quarantine(batch_id, container, name)
    except ValueError:
        return paths.quarantine(batch_id, container, "drop")

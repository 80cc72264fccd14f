"""Blobs that are given up: a message on the storage queue `webjobs-blobtrigger-poison`, as the platform writes it.

The queue lies in the storage account of the trigger's connection and is made when it is needed first. Messages are
Base64, the encoding of the platform's storage queues; whoever reads them deletes them.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from localhost.host.settings import SettingsError, connection_setting

POISON_QUEUE = "webjobs-blobtrigger-poison"


@dataclass(frozen=True, slots=True)
class PoisonBlob:
    """What the message says of a blob, named as on the wire."""

    FunctionId: str
    BlobType: str
    ContainerName: str
    BlobName: str
    ETag: str

    def text(self) -> str:
        """The platform's JSON."""
        return json.dumps({"Type": "BlobTrigger", **asdict(self)})


class PoisonQueue:
    """The poison queue of one storage connection."""

    def __init__(self, connection: str) -> None:
        """Raises SettingsError when the connection has no queue service."""
        try:
            self._client = QueueClient.from_connection_string(
                connection_setting(connection),
                POISON_QUEUE,
                message_encode_policy=TextBase64EncodePolicy(),
                retry_total=0,
                connection_timeout=5,
                read_timeout=10,
            )
        except ValueError as error:
            raise SettingsError(f"{connection} names no queue service, which {POISON_QUEUE} needs: {error}") from error

    def put(self, blob: PoisonBlob) -> None:
        """Add a message that does not expire. Raises AzureError when storage is away."""
        with suppress(ResourceExistsError):
            self._client.create_queue()
        self._client.send_message(blob.text(), time_to_live=-1)

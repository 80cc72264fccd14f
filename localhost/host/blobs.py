"""Blob triggers by polling: containers are listed in pages, receipts tell what is new.

A blob version (etag) runs until it succeeded once. An attempt is recorded before it starts, so a kill
in the middle leaves it open for the next start; after the threshold it is poison: a message on the poison queue,
and listed in the status. The receipt says so only once the message is there, so neither gets lost.
Event Grid, which the platform needs as source, delivers the same events with less delay.
"""

import asyncio
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient

from localhost.host.catalog import BlobTrigger, Function
from localhost.host.poison import POISON_QUEUE, PoisonBlob, PoisonQueue
from localhost.host.settings import HostSettings, connection_setting
from localhost.host.state import BlobKey, Receipt, StateStore
from localhost.host.worker import Invocation, Worker

_log = logging.getLogger(__name__)

PAGE_SIZE = 1000
LONGEST_BACKOFF = 15.0
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A blob path pattern `container/literal{name}…`; the last parameter also matches slashes."""

    container: str
    prefix: str
    expression: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> "PathPattern":
        """Read a pattern; the container is literal."""
        container, _, blob = text.strip("/").partition("/")
        pieces = _PARAMETER.split(blob)
        last = len(pieces) - 2
        expression = "".join(
            re.escape(piece) if i % 2 == 0 else f"(?P<{piece}>{'.+' if i == last else '[^/]+'})"
            for i, piece in enumerate(pieces)
        )
        return cls(container, pieces[0], re.compile(expression))

    def matches(self, name: str) -> bool:
        """Whether a blob of the container matches."""
        return self.expression.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Listed:
    """A blob as listed."""

    name: str
    etag: str
    size: int
    kind: str


@dataclass(slots=True)
class _Watch:
    function: Function
    trigger: BlobTrigger
    pattern: PathPattern
    under_way: set[str] = field(default_factory=set)


class ContainerPoller:
    """Watches one container for all functions that have a pattern in it."""

    def __init__(
        self,
        functions: list[Function],
        settings: HostSettings,
        worker: Worker,
        store: StateStore,
        slots: asyncio.Semaphore,
    ) -> None:
        self._watches = [
            _Watch(f, f.trigger, PathPattern.parse(f.trigger.path))
            for f in functions
            if isinstance(f.trigger, BlobTrigger)
        ]
        self._settings = settings
        self._worker = worker
        self._store = store
        self._slots = slots
        self._attempts: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.container = self._watches[0].pattern.container
        self.connection = self._watches[0].trigger.connection
        self._poisoned = PoisonQueue(self.connection)

    def watches(self, function: Function) -> bool:
        """Whether this poller serves the function."""
        return any(watch.function is function for watch in self._watches)

    def stop(self) -> None:
        """Start no further attempt; those under way end and are recorded."""
        self._stopping.set()

    async def run(self) -> None:
        """Poll until stopped; when cancelled, attempts under way are cut off and run again at the next start."""
        polling = asyncio.create_task(self._poll())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if polling.done():
                polling.result()
            if self._attempts:
                await asyncio.wait(self._attempts)
        finally:
            unfinished = [polling, stopping, *self._attempts]
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _poll(self) -> None:
        """Storage that is down is tried again with growing pauses."""
        client = _container_client(self.connection, self.container)
        pause = self._settings.blob_poll_seconds
        failing = False
        while not self._stopping.is_set():
            try:
                await self._scan(client)
                pause, failing = self._settings.blob_poll_seconds, False
            except AzureError as error:
                if not failing:
                    _log.warning("container %s cannot be listed, trying on: %s", self.container, _first_line(error))
                pause, failing = min(pause * 2, LONGEST_BACKOFF), True
            await asyncio.sleep(pause)

    async def run_by_hand(self, function: Function, name: str) -> None:
        """Run a function for a named blob without looking at receipts."""
        await self._invoke(function, name, "by hand", {})

    async def _scan(self, client: ContainerClient) -> None:
        pages = await asyncio.to_thread(_pages, client, _common_prefix(self._watches))
        while True:
            page = await asyncio.to_thread(_next_page, pages, client)
            if page is None:
                return
            for watch in self._watches:
                await self._start_new(watch, page)

    async def _start_new(self, watch: _Watch, page: list[Listed]) -> None:
        candidates = [blob for blob in page if watch.pattern.matches(blob.name)]
        receipts = self._store.receipts(watch.function.name, self.container, [blob.name for blob in candidates])
        for blob in candidates:
            receipt = receipts.get(blob.name)
            if blob.name in watch.under_way or not _is_due(blob, receipt):
                continue
            await self._slots.acquire()
            if self._stopping.is_set():
                self._slots.release()
                return
            watch.under_way.add(blob.name)
            before = receipt.attempts if receipt and receipt.etag == blob.etag else 0
            task = asyncio.create_task(self._attempt(watch, blob, before))
            self._attempts.add(task)
            task.add_done_callback(self._attempts.discard)

    async def _attempt(self, watch: _Watch, blob: Listed, before: int) -> None:
        key = BlobKey(watch.function.name, self.container, blob.name)
        threshold = self._settings.blob_poison_threshold
        try:
            if before >= threshold:
                await self._give_up(key, blob, before, "each attempt was cut off, or the poison queue was away")
                return
            attempts = before + 1
            self._store.blob_started(key, blob.etag, attempts)
            fields = {"etag": blob.etag, "size": blob.size, "attempt": attempts}
            error = await self._invoke(watch.function, blob.name, "new blob", fields)
            if not error:
                self._store.blob_ended(key, "done", attempts)
            elif attempts >= threshold:
                await self._give_up(key, blob, attempts, error)
            else:
                self._store.blob_ended(key, "failed", attempts, error)
        except asyncio.CancelledError:
            # A stopping host is nobody's failure: the attempt does not count towards poison.
            self._store.blob_ended(key, "failed", before, "the host stopped")
            raise
        finally:
            watch.under_way.discard(blob.name)
            self._slots.release()

    async def _invoke(self, function: Function, name: str, reason: str, fields: dict[str, Any]) -> str:
        outcome = await self._worker.invoke(
            Invocation(
                function,
                reason,
                blob={"Connection": self.connection, "ContainerName": self.container, "BlobName": name},
                log_fields={"blob": f"{self.container}/{name}", **fields},
            )
        )
        return "" if outcome.ok else outcome.error

    async def _give_up(self, key: BlobKey, blob: Listed, attempts: int, error: str) -> None:
        message = PoisonBlob(f"Host.Functions.{key.function}", blob.kind, key.container, key.name, blob.etag)
        fields = {"function": key.function, "blob": f"{key.container}/{key.name}", "etag": blob.etag}
        try:
            await asyncio.to_thread(self._poisoned.put, message)
        except AzureError as failure:
            _log.warning("%s cannot be written, trying on: %s", POISON_QUEUE, _first_line(failure))
            self._store.blob_ended(key, "failed", attempts, error)
            return
        self._store.blob_ended(key, "poison", attempts, error)
        text = "%s: %s/%s for %s after %d attempts"
        _log.error(text, POISON_QUEUE, key.container, key.name, key.function, attempts, extra={"fields": fields})


def _is_due(blob: Listed, receipt: Receipt | None) -> bool:
    """Whether this version of the blob has not come to an end yet."""
    return receipt is None or receipt.etag != blob.etag or receipt.state not in ("done", "poison")


def _container_client(connection: str, container: str) -> ContainerClient:
    service = BlobServiceClient.from_connection_string(
        connection_setting(connection), retry_total=0, connection_timeout=5, read_timeout=10
    )
    return service.get_container_client(container)


def _common_prefix(watches: list[_Watch]) -> str:
    prefixes = {watch.pattern.prefix for watch in watches}
    return prefixes.pop() if len(prefixes) == 1 else ""


def _pages(client: ContainerClient, prefix: str) -> Iterator[Any]:
    return client.list_blobs(name_starts_with=prefix or None, results_per_page=PAGE_SIZE).by_page()


def _listed(blob: Any) -> Listed:
    kind = getattr(blob.blob_type, "value", blob.blob_type)
    return Listed(blob.name, str(blob.etag), int(blob.size or 0), str(kind))


def _next_page(pages: Iterator[Any], client: ContainerClient) -> list[Listed] | None:
    """The next page; a missing container is created, since it is the developer's own storage."""
    try:
        return [_listed(blob) for blob in next(pages)]
    except StopIteration:
        return None
    except ResourceNotFoundError:
        try:
            client.create_container()
        except ResourceExistsError:
            return None
        _log.info("container %s created", client.container_name)
        return None


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

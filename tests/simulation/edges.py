"""The edges of the app, where the world stands in for what is outside: the database's commits, the bus, the storage.

Everything between them is the app itself: the functions that the platform calls, the use cases, the SQL, the drawing.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

import azure.functions as func
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from functions import queue_dead_letters, queue_statements, timer_billing
from functions.registration import BillingApp
from shared_code.foundation import blobs, clock, database
from shared_code.foundation.database import Message
from shared_code.foundation.sending import Link, installed
from shared_code.foundation.settings import settings
from tests.simulation.actors import present

ENVIRONMENT = {
    "OPERATOR_NAME": "Example Parking",
    "CHUNK_CONTRACTS": "2",
    "DOCUMENTS_PER_MESSAGE": "1",
    "CONSUMER_PAUSE_SECONDS": "0",
}


class Outside(Protocol):
    """What is outside of the app."""

    def instant(self) -> Any: ...
    def identifier(self) -> str: ...
    def before_transaction(self) -> None: ...
    def commit(self, effect: Callable[[], None]) -> None: ...
    def send(self, messages: Sequence[Message]) -> None: ...
    def put(self, container: str, name: str, data: bytes) -> None: ...


class _Line:
    """The app's connection to the bus (`foundation/sending.Speaks`)."""

    def __init__(self, outside: Callable[[], Outside]) -> None:
        self._outside = outside

    def run[T](self, queue: str, job: Callable[[Link], T], patience: float) -> T:
        return job(cast("Link", self))

    def probe(self, queue: str) -> None:
        """Always open."""

    def send(self, messages: Sequence[Message], sent: Callable[[Sequence[Message]], Any]) -> list[Message]:
        self._outside().send(messages)
        sent(messages)
        return []


@contextmanager
def edges(folder: Path, outside: Callable[[], Outside]) -> Iterator[Path]:
    """Lead all edges of the app to what `outside` gives at the time; yields the file of the database."""
    file = folder / "world.sqlite"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ENVIRONMENT, "DATABASE_URL": f"sqlite:///{file}"}.items():
            patch.setenv(name, value)
        settings.cache_clear()
        database.engine.cache_clear()
        patch.setattr(blobs, "put", lambda container, name, data, _type: outside().put(container, name, data))
        patch.setattr(clock, "new_id", lambda: outside().identifier())
        clock.set_clock(lambda: outside().instant())
        logging.disable(logging.CRITICAL)  # thousands of deaths, each with its traceback
        sa.event.listen(database.engine(), "connect", _without_flushes)
        with installed(_Line(outside)), _led_transactions(database.engine(), patch, outside):
            yield file
        logging.disable(logging.NOTSET)
        clock.set_clock(None)
        database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def _without_flushes(connection: sqlite3.Connection, _record: object) -> None:
    """A process dies here, never the machine: what the operating system has been given is there."""
    connection.execute("PRAGMA synchronous = OFF")


@contextmanager
def _led_transactions(engine: sa.Engine, patch: pytest.MonkeyPatch, outside: Callable[[], Outside]) -> Iterator[None]:
    """Tell of write transactions: before they begin, and around what makes them last."""
    real_commit = engine.dialect.do_commit

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE" and (actor := present()):
            outside().before_transaction()
            actor.writing = connection.connection.dbapi_connection

    def commit(connection: Any) -> None:
        actor = present()
        if actor is not None and actor.writing is connection.dbapi_connection:
            outside().commit(lambda: real_commit(connection))
        else:
            real_commit(connection)

    def rollback(connection: Connection) -> None:
        actor = present()
        if actor is not None and actor.writing is connection.connection.dbapi_connection:
            actor.writing = None

    patch.setattr(engine.dialect, "do_commit", commit)
    sa.event.listen(engine, "rollback", rollback)
    sa.event.listen(sa.Engine, "begin", begin)  # of the class: before the engine's own, which takes the lock
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "begin", begin)


type Door = Callable[[Any], object]


@cache
def doors() -> dict[str, Door]:
    """The functions that do the work of runs: those on queues by the name of the queue, timers by their own.

    An app of their own, since the platform's library lists the functions of an app once only.
    """
    found: dict[str, Door] = {}
    for function in BillingApp((queue_statements, queue_dead_letters, timer_billing)).get_functions():
        trigger = function.get_trigger()
        name = getattr(trigger, "queue_name", None) or str(function.get_function_name())
        found[name] = function.get_user_function()
    return found


def arrived(message: Message, delivery: int, dead: str) -> func.ServiceBusMessage:
    """A message as the platform gives it to a function."""
    from azure.functions.servicebus import ServiceBusMessage

    return ServiceBusMessage(
        body=message.body.encode(),
        message_id=message.message_id,
        correlation_id=message.correlation_id or None,
        delivery_count=delivery,
        dead_letter_reason=dead or None,
        application_properties={},
        user_properties={},
    )

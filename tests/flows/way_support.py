"""What the tests of the way in and the way through share: users to change, rows to count, calls at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import sqlalchemy as sa

from tests.flows.conftest import App

SITES = ("0901", "0902")


def user(name: str = "Pat", **changes: Any) -> dict[str, Any]:
    """The body that makes a user."""
    return {"name": name, "reason": "for a test", **changes}


def put_user(app: App, user_id: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    """Make or change a user; headers are named as in `idempotency_key`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.call("PUT", f"users/{user_id}@example.com", "systemAdmin", json=body or user(), headers=named)


def rows(app: App, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
    """How many rows there are."""
    with app.database() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0


def events(app: App, subject: str) -> list[str]:
    """What the audit says was done to a thing, oldest first."""
    return [event["action"] for event in app.every("operations/audit", subject=subject)][::-1]


def at_once(times: int, call: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Calls that start at the same moment."""
    together = threading.Barrier(times)

    def start(number: int) -> httpx.Response:
        together.wait(30)
        return call(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(start, range(times)))


# what differs between two answers to the same request
_OF_THE_CALL = {"date", "x-request-id", "x-correlation-id", "idempotent-replayed"}
_OF_THE_CALL |= {f"x-ratelimit-{part}" for part in ("limit", "remaining", "reset")}


def said(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """What an answer says, without what belongs to the single call."""
    kept = {name: value for name, value in answer.headers.items() if name not in _OF_THE_CALL}
    return answer.status_code, answer.text, kept


def replayed(answer: httpx.Response) -> bool:
    """Whether an answer says that it was given before."""
    return bool(answer.headers.get("idempotent-replayed") == "true")

"""Run a request once: the first claims its key, the others wait for the answer and get the same one.

The claim is a row of its own transaction; the effect commits in between; then the answer is stored. A process that dies
in the middle leaves a claim that lapses after `LEASE`; whoever repeats the request then runs it anew, and the natural
keys of the use case keep the effect single (decision 0017).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared_code.foundation import clock
from shared_code.foundation.database import transaction
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError, Detail
from shared_code.foundation.idempotency import repository
from shared_code.foundation.idempotency.errors import IDEMPOTENCY_KEY_REUSED, REQUEST_RUNNING

# Longer than the 230 s after which the platform cuts an HTTP request (azure-facts C.3): a claim that lapses is dead.
LEASE = timedelta(seconds=240)
KEPT = timedelta(hours=24)
LOOK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """What identifies a repetition: who asks, the key they chose, and a fingerprint of method, address and body."""

    caller_id: str
    key: str
    fingerprint: str
    patience: timedelta = timedelta(seconds=10)
    kept: timedelta = KEPT


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer as it goes out: status, headers, and the text of the body. `replayed` when it was given before."""

    status: int
    headers: Mapping[str, str]
    body: str
    replayed: bool = False


def once(request: Request, run: Callable[[], Stored]) -> Stored:
    """The answer of `run`, which happens at most once for a key while its answer is kept.

    A refusal is not kept: whoever corrects the cause may repeat the request. Raises IDEMPOTENCY_KEY_REUSED when the key
    came with another request, REQUEST_RUNNING when the first one is still running after `patience`.
    """
    holder = clock.new_id()
    given = _claim_or_wait(request, holder)
    if given is not None:
        return given
    try:
        answer = run()
    except BaseException:
        with transaction() as work:
            repository.release(work.connection, request.caller_id, request.key, holder)
        raise
    with transaction() as work:
        stored = {"status": answer.status, "headers": json.dumps(dict(answer.headers)), "body": answer.body}
        repository.finish(work.connection, request.caller_id, request.key, holder, **stored)
    return answer


def forget_old_answers() -> int:
    """Delete answers whose time is over; how many. Run by a timer."""
    with transaction() as work:
        return repository.delete_expired(work.connection, clock.now())


def _claim_or_wait(request: Request, holder: str) -> Stored | None:
    """None when this call holds the key now; else the answer that was given to the one who held it."""
    patient_until = time.monotonic() + request.patience.total_seconds()
    while True:
        try:
            claimed, given = _claim(request, holder)
        except BillingError as error:
            if error.kind is not CONCURRENT_CHANGE:
                raise
            claimed, given = False, None  # another call inserted the key at the same moment: look at its row
        if claimed:
            return None
        if given is not None:
            return given
        if time.monotonic() > patient_until:
            message = "the same request is still running"
            raise BillingError(REQUEST_RUNNING, message, [Detail("Idempotency-Key", message)])
        time.sleep(LOOK_AGAIN_SECONDS)


def _claim(request: Request, holder: str) -> tuple[bool, Stored | None]:
    moment = clock.now()
    held = {"fingerprint": request.fingerprint, "holder": holder}
    times = {"held_until": moment + LEASE, "expires_at": moment + request.kept}
    with transaction() as work:
        row = repository.found(work.connection, request.caller_id, request.key)
        if row is None:
            values = {"caller_id": request.caller_id, "request_key": request.key, **held, **times}
            repository.insert(work.connection, **values)
            return True, None
        if row.expires_at <= moment:
            return repository.take_over(work.connection, row, **held, **times), None
        if row.fingerprint != request.fingerprint:
            message = "this key came with another request before"
            raise BillingError(IDEMPOTENCY_KEY_REUSED, message, [Detail("Idempotency-Key", message)])
        if row.status is not None:
            return False, _stored(row)
        if row.held_until <= moment:
            return repository.take_over(work.connection, row, **held, **times), None
    return False, None


def _stored(row: Any) -> Stored:
    return Stored(row.status, json.loads(row.headers), row.body, replayed=True)

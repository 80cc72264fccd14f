"""Run a request once: the first claims its key, the others wait for the answer and get the same one.

The claim is a row of its own transaction; the effect commits in between; then the answer is stored. A process that dies
in the middle leaves a claim that lapses after `LEASE`; whoever repeats the request then runs it anew, and the natural
keys of the use case keep the effect single (decision 0017).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared_code.foundation import clock
from shared_code.foundation.database import AnyRow, reading, transaction
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError, Detail
from shared_code.foundation.idempotency import repository
from shared_code.foundation.idempotency.errors import IDEMPOTENCY_KEY_REUSED, REQUEST_RUNNING

log = logging.getLogger(__name__)
# Longer than a function may live (host.json, functionTimeout): the holder of a claim that lapses is dead.
LEASE = timedelta(seconds=330)
# A waiter holds a thread of the worker, of which there are few.
PATIENCE = timedelta(seconds=1)
KEPT = timedelta(hours=24)
LOOK_AGAIN_SECONDS = 0.05
# An answer that exists is worth some tries to keep it, and not the patience of the one who waits for it.
KEEP_TRYING = timedelta(seconds=1)
KEEP_AGAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """What identifies a repetition: who asks, the key they chose, and a fingerprint of method, address and body."""

    caller_id: str
    key: str
    fingerprint: str
    patience: timedelta = PATIENCE
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
        _release(request, holder)
        raise
    _keep(request, holder, answer)
    return answer


def forget_old_answers() -> int:
    """Delete answers whose time is over; how many. Run by a timer."""
    with transaction() as work:
        return repository.delete_expired(work.connection, clock.now())


def _claim_or_wait(request: Request, holder: str) -> Stored | None:
    """None when this call holds the key now; else the answer that was given to the one who held it."""
    patient_until = time.monotonic() + request.patience.total_seconds()
    is_free = True  # until a look says otherwise: most keys are new, and claiming is all that they cost
    while True:
        if is_free and _claim(request, holder):
            return None
        with reading() as connection:  # waiters only look: a write transaction would hold up the one they wait for
            row = repository.found(connection, request.caller_id, request.key)
        is_free = _is_free(row)
        if row is not None and not is_free:
            given = _given(request, row)
            if given is not None:
                return given
        if time.monotonic() > patient_until:
            message = "the same request is still running"
            raise BillingError(REQUEST_RUNNING, message, [Detail("Idempotency-Key", message)])
        time.sleep(LOOK_AGAIN_SECONDS)


def _claim(request: Request, holder: str) -> bool:
    """Become the holder of a key that nobody holds. False when somebody does, or was first at this very moment."""
    moment = clock.now()
    held = {
        "fingerprint": request.fingerprint,
        "holder": holder,
        "held_until": moment + LEASE,
        "expires_at": moment + request.kept,
    }
    try:
        with transaction() as work:
            row = repository.found(work.connection, request.caller_id, request.key)
            if row is None:
                repository.insert(work.connection, caller_id=request.caller_id, request_key=request.key, **held)
                return True
            if not _is_free(row):
                return False
            if row.expires_at > moment:
                _require_same(request, row)
            return repository.take_over(work.connection, row, **held)
    except BillingError as error:
        if error.kind is not CONCURRENT_CHANGE:
            raise
        return False


def _is_free(row: AnyRow | None) -> bool:
    """Whether nobody holds the key: it is new, its answer is forgotten, or its holder died."""
    moment = clock.now()
    return row is None or row.expires_at <= moment or (row.status is None and row.held_until <= moment)


def _given(request: Request, row: AnyRow) -> Stored | None:
    """The answer of the one who holds the key, as soon as there is one. Raises IDEMPOTENCY_KEY_REUSED."""
    _require_same(request, row)
    return None if row.status is None else Stored(row.status, json.loads(row.headers), row.body, replayed=True)


def _require_same(request: Request, row: AnyRow) -> None:
    if row.fingerprint != request.fingerprint:
        message = "this key came with another request before"
        raise BillingError(IDEMPOTENCY_KEY_REUSED, message, [Detail("Idempotency-Key", message)])


def _keep(request: Request, holder: str, answer: Stored) -> None:
    """Store the answer. The effect is committed by now, so the caller gets the answer whatever becomes of this.

    What cannot be stored is not kept: the key is free again, and the natural key of the use case holds a repetition.
    """
    stored = {"status": answer.status, "headers": json.dumps(dict(answer.headers)), "body": answer.body}
    trying_until = time.monotonic() + KEEP_TRYING.total_seconds()
    while True:
        try:
            with transaction() as work:
                repository.finish(work.connection, request.caller_id, request.key, holder, **stored)
                return
        except Exception:
            if time.monotonic() > trying_until:
                log.exception("the answer under an Idempotency-Key cannot be kept; a repetition runs anew")
                break
        time.sleep(KEEP_AGAIN_SECONDS)
    _release(request, holder)


def _release(request: Request, holder: str) -> None:
    """Give the key back. Where that fails too, the claim lapses by its time."""
    try:
        with transaction() as work:
            repository.release(work.connection, request.caller_id, request.key, holder)
    except Exception:
        log.exception("an Idempotency-Key cannot be given back; it is free in %s", LEASE)

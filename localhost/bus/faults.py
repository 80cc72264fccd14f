"""Faults on request: what a network and a busy service do to clients, when a test asks for it.

The bus listens for faults on a UDP port of 127.0.0.1 that `bus.json` names (`faultsPort`). A request is one
datagram of JSON, `{"fault": NAME, …}`; the answer is `{"affected": N}`, or `{"error": TEXT}` when the request
makes no sense. When the answer arrives the fault has happened, or is armed. From Python, `state` being the folder that
holds `bus.json`:

    from localhost.bus.faults import inject

    inject(state, "delay", queue="orders", seconds=2.0)    # nothing of the queue is delivered for that long
    inject(state, "duplicate", queue="orders", count=1)    # its next `count` deliveries happen twice
    inject(state, "lose-locks", queue="orders")            # all locks of messages and sessions end now
    inject(state, "drop-connections")                      # every connection breaks off, without a goodbye
    inject(state, "clear")                                 # nothing is armed any more

`inject` returns the number that was affected: queues for `delay` and `duplicate`, locks, connections, armed
faults for `clear`. It raises `FaultError` when the bus refuses or does not answer.

- `delay` starts at once and holds back what would be delivered; locks, schedules and lifetimes go on. A new
  delay of the same queue replaces the old one; `seconds=0` ends it.
- `duplicate` is what a sender does that repeats itself although its first try had arrived: the message goes
  out, and a copy with the same message id and a sequence number of its own stands at the end of the queue (and
  of the session). Both copies can be completed. Duplicate detection does not see it. The same message in two
  hands at once is what `lose-locks` does.
- `lose-locks` ends locks as if their time had run out: the attempt counts, the message is available again, and
  its first holder's settlement or renewal is refused. Sessions go to the next receiver.
- `drop-connections` leaves locks of messages alone, as in any loss of a connection; sessions are given back.

A dead-letter queue is named as in Service Bus: `orders/$DeadLetterQueue`. Faults do not outlive the process.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from proton._selectable import Selectable

_HOST: Final = "127.0.0.1"
_LARGEST_REQUEST: Final = 65_507
_PATIENCE: Final = 10.0


class FaultError(RuntimeError):
    """The bus does not know the fault or its queue, or nobody answered."""


def inject(state: Path, fault: str, **arguments: Any) -> int:
    """Ask the bus over `state` for a fault, and wait until it has happened or is armed.

    Returns how much was affected. Raises `FaultError` when the bus refuses or does not answer, and `OSError` when no
    bus has announced itself in `state`.
    """
    port = json.loads((state / "bus.json").read_text(encoding="utf-8"))["faultsPort"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(_PATIENCE)
        client.connect((_HOST, port))
        try:
            client.send(json.dumps({"fault": fault, **arguments}).encode())
            answer = json.loads(client.recv(_LARGEST_REQUEST))
        except OSError as error:
            raise FaultError(f"no bus answers on port {port}: {error}") from error
    if "error" in answer:
        raise FaultError(answer["error"])
    return int(answer["affected"])


class Armed:
    """Faults that wait for deliveries, by queue."""

    def __init__(self) -> None:
        self._held_until: dict[str, float] = {}
        self._repeats: dict[str, int] = {}

    def hold(self, queue: str, until: float) -> None:
        """Deliver nothing of `queue` before `until`, in seconds since the epoch."""
        self._held_until[queue] = until

    def holds(self, queue: str) -> bool:
        """Whether deliveries of `queue` are held back."""
        return queue in self._held_until

    def tick(self, now: float) -> None:
        """Let deliveries go on that were held until now."""
        self._held_until = {queue: until for queue, until in self._held_until.items() if until > now}

    def ends(self) -> list[float]:
        """When held deliveries go on."""
        return [*self._held_until.values()]

    def repeat(self, queue: str, count: int) -> None:
        """Do the next `count` deliveries of `queue` twice."""
        self._repeats[queue] = count

    def take_repeat(self, queue: str) -> bool:
        """Whether the delivery that has just been made is to be made twice; it is counted."""
        left = self._repeats.get(queue, 0)
        if left <= 1:
            self._repeats.pop(queue, None)
        else:
            self._repeats[queue] = left - 1
        return left > 0

    def clear(self) -> int:
        """Forget all; how many faults were armed."""
        armed = len(self._held_until) + len(self._repeats)
        self._held_until.clear()
        self._repeats.clear()
        return armed


class FaultPort(Selectable):  # type: ignore[misc]  # the library has no types
    """The port that faults are asked for on. `answer` carries a request out; what it raises is answered as an error."""

    def __init__(self, reactor: Any, answer: Callable[[Mapping[str, Any]], int]) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind((_HOST, 0))
        listener.setblocking(False)
        self.port: int = listener.getsockname()[1]
        super().__init__(listener, reactor)
        self._socket = listener
        self._transport = None
        self._answer = answer
        self.reading = True
        self.update()

    def readable(self) -> None:
        """The loop calls this when a request has arrived."""
        # The one who asked may be gone before the request is read or answered.
        with suppress(OSError):
            raw, client = self._socket.recvfrom(_LARGEST_REQUEST)
            self._socket.sendto(json.dumps(self._reply(raw)).encode(), client)

    def _reply(self, raw: bytes) -> dict[str, Any]:
        try:
            return {"affected": self._answer(json.loads(raw))}
        except (KeyError, TypeError, ValueError, FaultError) as error:
            return {"error": f"not a fault of the local bus: {error!r}"}

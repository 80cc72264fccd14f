"""Scaled-out instances: child processes that only listen to Service Bus.

A child holds the reading end of a pipe as its stdin; when the parent ends in any way, kill -9 included,
the pipe closes and the child drains and exits. A child that dies is started again.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

_log = logging.getLogger(__name__)

ROOT = str(Path(__file__).resolve().parents[2])
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
HEALTHY_SECONDS = 30.0


class ScaledOut:
    """Keeps a number of child instances alive."""

    def __init__(self, count: int, app_dir: Path, state_dir: Path, drain_seconds: float) -> None:
        self._count = count
        self._arguments = ("--app", str(app_dir), "--state", str(state_dir))
        self._drain_seconds = drain_seconds
        self._children: dict[int, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> list[int]:
        """Process ids of the children that live."""
        return [child.pid for child in self._children.values() if child.returncode is None]

    def start(self) -> None:
        """Start all children."""
        self._keepers = [asyncio.create_task(self._keep(number)) for number in range(1, self._count + 1)]

    async def stop(self) -> None:
        """Ask all children to drain, wait for them, end those that do not."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(self._end(child) for child in self._children.values()))

    async def _keep(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        while True:
            started = loop.time()
            child = await self._spawn(number)
            self._children[number] = child
            code = await child.wait()
            pause = FIRST_PAUSE if loop.time() - started > HEALTHY_SECONDS else min(pause * 2, LONGEST_PAUSE)
            _log.warning("instance %d ended with %s; starting it again in %.1f s", number, code, pause)
            await asyncio.sleep(pause)

    async def _spawn(self, number: int) -> asyncio.subprocess.Process:
        path = os.pathsep.join(part for part in (ROOT, os.environ.get("PYTHONPATH", "")) if part)
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "localhost.host",
            *self._arguments,
            "--instance",
            str(number),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches the parent only, which then drains its children
            env={**os.environ, "PYTHONPATH": path},
            cwd=ROOT,
        )

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        if child.returncode is not None:
            return
        child.terminate()
        try:
            await asyncio.wait_for(child.wait(), self._drain_seconds + 5)
        except TimeoutError:
            child.kill()
            await child.wait()


def watch_parent(on_gone: Callable[[], None]) -> None:
    """In a child: call `on_gone` once when the parent's end of stdin closes."""
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(descriptor, 1024):
            loop.remove_reader(descriptor)
            on_gone()

    loop.add_reader(descriptor, readable)

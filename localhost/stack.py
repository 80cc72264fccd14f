"""The whole app on one machine: storage emulator, bus, issuer, database and host, over one state folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from localhost.identity import Issuer, made_up_users
from localhost.processes import Azurite, Bus, Host, Process

ROOT = Path(__file__).resolve().parents[1]


class Stack:
    """Everything the app needs, started in order, stopped in reverse. Tests reach its parts, and kill them.

    `root` is the project that runs: this one, or a copy of it.
    """

    def __init__(
        self,
        state: Path,
        *,
        environment: Mapping[str, str] | None = None,
        scale_out: int = 0,
        port: int | None = None,
        queues: Path | None = None,
        root: Path = ROOT,
    ) -> None:
        self.root = root
        self.state = state
        self.issuer = Issuer(state / "identity")
        self.azurite = Azurite(state / "azurite")
        self.bus = Bus(state / "bus", config=queues)
        self.host = Host(root, state / "host", scale_out=scale_out, port=port)
        self.bus.root = self.host.root = root
        self._given = dict(environment or {})
        self._parts = ExitStack()

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.state / 'powerbill.sqlite'}"

    def environment(self) -> dict[str, str]:
        """App settings: the example's texts, then what this stack knows, then what the caller wants otherwise."""
        example = json.loads((self.root / "local.settings.json.example").read_text())["Values"]
        return {
            **example,
            "DATABASE_URL": self.database_url,
            "BillingStorage": self.azurite.connection_string,
            "AzureWebJobsStorage": self.azurite.connection_string,
            "BillingServiceBus": self.bus.connection_string,
            "PUBLIC_URL": self.host.url,
            **self.issuer.environment(),
            **self._given,
        }

    def __enter__(self) -> Self:
        self.state.mkdir(parents=True, exist_ok=True)
        self.issuer.prepare()
        try:
            self._parts.enter_context(self.azurite)
            self._parts.enter_context(self.bus)
            self.host.environment.update(self.environment())
            self.migrate()
            self.add_users()
            self._parts.enter_context(self.host)
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts.__exit__(kind, error, trace)

    def ended(self) -> Process | None:
        """A part that has ended although nobody stopped it."""
        return next((part for part in (self.azurite, self.bus, self.host) if not part.alive), None)

    def migrate(self) -> None:
        """Bring the database to the newest schema, as a deployment does."""
        self._command("shared_code.operations.migrate")

    def add_users(self) -> None:
        """Make the made-up users known, one for each role. Those that are known already stay as they are."""
        users = self.state / "users.json"
        users.write_text(json.dumps(made_up_users()))
        self._command("shared_code.access.grant", "--users", str(users), "--reason", "made up for this machine")

    def _command(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, *arguments]
        subprocess.run(
            command, cwd=self.root, env={**os.environ, **self.environment()}, check=True, stdout=subprocess.DEVNULL
        )

    def headers(self, role: str) -> dict[str, str]:
        """Request headers of a made-up user with `role`."""
        return {"Authorization": f"Bearer {self.issuer.token(role)}"}

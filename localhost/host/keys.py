"""The host's access keys: made once, kept in the state folder, readable by the owner only."""

import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localhost.host.settings import SettingsError, read_json


@dataclass(frozen=True, slots=True)
class Keys:
    """The master key opens everything, the function key every route of level `function`."""

    master: str
    function: str

    def opens(self, level: str, presented: str) -> bool:
        """Whether `presented` opens a route of that auth level (anonymous, function, admin).

        Compared in constant time, so that answers tell nothing about a nearly right key.
        """
        if level == "anonymous":
            return True
        is_master = _same(self.master, presented)
        is_function = _same(self.function, presented)
        return is_master or (is_function and level == "function")


def load_keys(state_dir: Path, environment: Mapping[str, str]) -> Keys:
    """Keys from LOCALHOST_MASTER_KEY and LOCALHOST_FUNCTION_KEY, else from STATE/keys.json, else new ones.

    Raises SettingsError when the key file is unreadable.
    """
    path = state_dir / "keys.json"
    stored = read_json(path)
    master = stored.get("masterKey") or secrets.token_urlsafe(32)
    function = stored.get("functionKey") or secrets.token_urlsafe(32)
    if not (isinstance(master, str) and isinstance(function, str)):
        raise SettingsError("keys.json must hold masterKey and functionKey as text")
    if stored.get("masterKey") != master or stored.get("functionKey") != function:
        write_private_json(path, {"masterKey": master, "functionKey": function})
    return Keys(
        master=environment.get("LOCALHOST_MASTER_KEY") or master,
        function=environment.get("LOCALHOST_FUNCTION_KEY") or function,
    )


def write_private_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file in one step (readers see the old or the new one), mode 600."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
    Path(temporary).replace(path)


def _same(expected: str, presented: str) -> bool:
    return hmac.compare_digest(expected.encode(), presented.encode("utf-8", "surrogateescape"))

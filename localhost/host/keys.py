"""The host's access keys: made once, kept in the state folder, readable by the owner only.

As on the platform there are three kinds: the master key opens everything, `/admin` included; a host key opens every
route of level `function`; a function key opens the routes of that level of one function. Keys have names, and the one
named `default` is made by itself. Two names may hold two values, so that callers move from an old key to a new one
without a gap: settings add or replace keys by name, and a restart makes them hold.

    LOCALHOST_MASTER_KEY                        the master key
    LOCALHOST_HOST_KEY__<name>                  a host key
    LOCALHOST_FUNCTION_KEY__<function>__<name>  a key of one function
"""

import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localhost.host.settings import SettingsError, read_json

DEFAULT = "default"
MASTER_SETTING = "LOCALHOST_MASTER_KEY"
HOST_SETTING = "LOCALHOST_HOST_KEY"
FUNCTION_SETTING = "LOCALHOST_FUNCTION_KEY"


@dataclass(frozen=True, slots=True)
class Keys:
    """The master key, the host keys by name, and each function's keys by name."""

    master: str
    host: Mapping[str, str]
    functions: Mapping[str, Mapping[str, str]]

    def opens(self, level: str, presented: str, function: str = "") -> bool:
        """Whether `presented` opens a route of that auth level (anonymous, function, admin) of a function.

        Compared in constant time, so that answers tell nothing about a nearly right key.
        """
        if level == "anonymous":
            return True
        candidates = [self.master]
        if level == "function":
            candidates += [*self.host.values(), *self.functions.get(function, {}).values()]
        # A sum, which does not stop early: every candidate is compared, whichever fits.
        return sum(_same(candidate, presented) for candidate in candidates) > 0


def load_keys(state_dir: Path, functions: Iterable[str], environment: Mapping[str, str]) -> Keys:
    """Keys from STATE/keys.json, new ones where it has none, then what the settings say.

    Raises SettingsError when the key file is unreadable.
    """
    path = state_dir / "keys.json"
    stored = read_json(path)
    complete = _completed(stored, sorted(functions))
    if complete != stored:
        write_private_json(path, complete)
    host, own = dict(complete["hostKeys"]), {name: dict(keys) for name, keys in complete["functionKeys"].items()}
    for setting, value in environment.items():
        match setting.split("__"):
            case [name, key] if name == HOST_SETTING and value:
                host[key] = value
            case [name, function, key] if name == FUNCTION_SETTING and value:
                own.setdefault(function, {})[key] = value
    return Keys(environment.get(MASTER_SETTING) or complete["masterKey"], host, own)


def write_private_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file in one step (readers see the old or the new one), mode 600."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
    Path(temporary).replace(path)


def _completed(stored: Mapping[str, Any], functions: Iterable[str]) -> dict[str, Any]:
    master, host, own = (stored.get("masterKey"), stored.get("hostKeys", {}), stored.get("functionKeys", {}))
    if not (master is None or isinstance(master, str)) or not _named(host) or not isinstance(own, dict):
        raise SettingsError("keys.json must hold masterKey as text, hostKeys and functionKeys as objects of named keys")
    if not all(map(_named, own.values())):
        raise SettingsError("keys.json: functionKeys must hold an object of named keys for each function")
    return {
        "masterKey": master or _new(),
        "hostKeys": {DEFAULT: host.get(DEFAULT) or _new(), **host},
        "functionKeys": {**own, **{name: {DEFAULT: _new(), **own.get(name, {})} for name in functions}},
    }


def _named(keys: Any) -> bool:
    return isinstance(keys, dict) and all(isinstance(value, str) and value for value in keys.values())


def _new() -> str:
    return secrets.token_urlsafe(32)


def _same(expected: str, presented: str) -> bool:
    return hmac.compare_digest(expected.encode(), presented.encode("utf-8", "surrogateescape"))

"""The public keys of the token issuer: fetched from its address and cached, or read from a file in development.

Keys are renewed after their lifetime and when a token names an unknown key, which is how a rotation shows. Tokens with
invented key names cannot hammer the issuer: there is a pause between two attempts.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

PAUSE_SECONDS = 60.0
PAUSE_AFTER_FAILURE_SECONDS = 5.0
# An issuer that stays silent longer than this may have withdrawn its keys: they are trusted no more.
TRUSTED_UNSEEN_SECONDS = 24 * 3600.0
TIMEOUT_SECONDS = 5.0

type Keys = Mapping[str, RSAPublicKey]


class KeyUnknownError(Exception):
    """The issuer has no key of this name."""


class KeysUnavailableError(Exception):
    """The keys cannot be had now."""


class KeySource(Protocol):
    """Where the keys of an issuer come from."""

    def key(self, name: str) -> RSAPublicKey:
        """The key called `name`. Raises KeyUnknownError, or KeysUnavailableError when that cannot be told now."""


def key_source(location: str, lifetime_seconds: float) -> KeySource:
    """The source behind a setting: an https address, an http address on this machine, or a file. Else ValueError."""
    parts = urlsplit(location)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")):
        return RemoteKeys(location, lifetime_seconds)
    if parts.scheme in ("http", "ftp") or not location:
        raise ValueError("keys are fetched over https, or read from a file")
    return FileKeys(Path(location))


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: Keys
    at: float


class RemoteKeys:
    """Keys at an address. Known ones are handed out without waiting, an outage included; safe from several threads."""

    def __init__(
        self, address: str, lifetime_seconds: float, read_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = jwt.PyJWKClient(address, cache_jwk_set=False, timeout=TIMEOUT_SECONDS)
        self._lifetime = lifetime_seconds
        self._read = read_seconds
        self._lock = threading.Lock()
        self._known: _Fetched | None = None
        self._next_attempt = float("-inf")
        self._failed = False

    def key(self, name: str) -> RSAPublicKey:
        known = self._trusted()
        if known is None or name not in known.keys:
            with self._lock:  # whoever waited here finds what the one before has fetched
                self._renew()
        elif self._age(known) >= self._lifetime and self._lock.acquire(blocking=False):
            try:  # one caller renews; the others go on with what is known
                self._renew()
            finally:
                self._lock.release()
        known = self._trusted()
        if known is not None and name in known.keys:
            return known.keys[name]
        if known is None or self._failed:
            raise KeysUnavailableError
        raise KeyUnknownError

    def _trusted(self) -> _Fetched | None:
        known = self._known
        return known if known is not None and self._age(known) < TRUSTED_UNSEEN_SECONDS else None

    def _age(self, known: _Fetched) -> float:
        return self._read() - known.at

    def _renew(self) -> None:
        """Fetch the keys, unless the last attempt was just now. A failure leaves what is known as it is."""
        moment = self._read()
        if moment < self._next_attempt:
            return
        try:
            self._known = _Fetched(usable_keys(self._client.fetch_data()), moment)
            self._failed = False
        except (jwt.PyJWTError, OSError, ValueError):
            self._failed = True
        self._next_attempt = self._read() + (PAUSE_AFTER_FAILURE_SECONDS if self._failed else PAUSE_SECONDS)


class FileKeys:
    """Keys in a file, read again whenever the file has changed. While it is missing or half written, the last ones."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_from: tuple[int, int, int] | None = None
        self._keys: Keys = {}

    def key(self, name: str) -> RSAPublicKey:
        try:
            found = self._path.stat()
            form = (found.st_mtime_ns, found.st_size, found.st_ino)
            if form != self._read_from:
                self._keys = usable_keys(json.loads(self._path.read_bytes()))
                self._read_from = form
        except (OSError, ValueError, jwt.PyJWTError) as fault:
            if name not in self._keys:
                raise KeysUnavailableError from fault
        if name not in self._keys:
            raise KeyUnknownError
        return self._keys[name]


def usable_keys(document: Any) -> Keys:
    """The RSA signing keys of a key set, by name. Raises PyJWTError when there is none."""
    if not isinstance(document, dict):
        raise jwt.PyJWKSetError("a key set is a JSON object")
    keys = jwt.PyJWKSet.from_dict(document).keys
    found = {
        key.key_id: key.key
        for key in keys
        if isinstance(key.key, RSAPublicKey) and key.key_id and key.public_key_use in ("sig", None)
    }
    if not found:
        raise jwt.PyJWKSetError("the key set holds no RSA key for signatures")
    return found

"""A local issuer of access tokens: generated keys, one made-up user per role. Development and tests only."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared_code.access.roles import ROLES

ISSUER = "https://issuer.localhost"
AUDIENCE = "api://powerbill"
TENANT = "00000000-0000-0000-0000-000000000001"
SERVICES = frozenset({"integration"})
_LIFETIME_SECONDS = 12 * 3600


def user_id(role: str) -> str:
    """The made-up user who has this role, and no other."""
    return f"{role}@example.com"


def made_up_users() -> list[dict[str, object]]:
    """One user per role, as `python -m shared_code.access.grant --users` reads them."""
    return [
        {
            "user_id": user_id(role),
            "name": f"Local {role}",
            "kind": "service" if role in SERVICES else "person",
            "roles": [role],
        }
        for role in ROLES
    ]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs tokens with the newest key in `folder`; the app reads only `jwks.json` there."""

    folder: Path

    @property
    def jwks(self) -> Path:
        return self.folder / "jwks.json"

    def prepare(self) -> Issuer:
        """Make the first key pair once; the private half is readable by the owner alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._numbers():
            self._make(1)
            self._publish()
        return self

    def rotate(self) -> str:
        """Sign with a new key from now on. The old ones stay published until `forget_old_keys`. The new key's id."""
        number = self._numbers()[-1] + 1
        self._make(number)
        self._publish()
        return _key_id(number)

    def forget_old_keys(self) -> None:
        """Publish the newest key alone: tokens that older ones have signed are worth nothing then."""
        for number in self._numbers()[:-1]:
            self._private(number).unlink()
        self._publish()

    def token(self, role: str, *, user: str | None = None, key: int | None = None, **changes: Any) -> str:
        """A token of a made-up user with one role; `changes` replace claims (None removes one), to make tokens that
        must be refused; `key` signs with an older key. The role is the user's in the database, never in the token."""
        now = int(time.time())
        who = user or user_id(role)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "tid": TENANT,
            "oid": who,
            "sub": who,
            "name": f"Local {role}",
            "idtyp": "app" if role in SERVICES else "user",
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME_SECONDS,
            **changes,
        }
        number = key or self._numbers()[-1]
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, self._private(number).read_bytes(), "RS256", headers={"kid": _key_id(number)})

    def environment(self) -> dict[str, str]:
        """The app settings that make the app trust this issuer."""
        return {
            "IDENTITY_ISSUER": ISSUER,
            "IDENTITY_AUDIENCE": AUDIENCE,
            "IDENTITY_TENANT": TENANT,
            "IDENTITY_JWKS": str(self.jwks),
        }

    def _private(self, number: int) -> Path:
        return self.folder / f"issuer-key-{number}.pem"

    def _numbers(self) -> list[int]:
        return sorted(int(path.stem.rpartition("-")[2]) for path in self.folder.glob("issuer-key-*.pem"))

    def _make(self, number: int) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        path = self._private(number)
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def _publish(self) -> None:
        """Write the public halves of all keys; the file is replaced whole, since the app may read it at any moment."""
        keys = [{**self._public(n), "kid": _key_id(n), "use": "sig", "alg": "RS256"} for n in self._numbers()]
        fresh = self.folder / "jwks.json.new"
        fresh.write_text(json.dumps({"keys": keys}))
        fresh.replace(self.jwks)

    def _public(self, number: int) -> dict[str, Any]:
        key = serialization.load_pem_private_key(self._private(number).read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{self._private(number)} holds no RSA key")
        return dict(RSAAlgorithm.to_jwk(key.public_key(), as_dict=True))


def _key_id(number: int) -> str:
    return f"local-{number}"


class KeyServer:
    """Serves an issuer's public keys over HTTP on a free port of this machine, counts requests, and can be out."""

    def __init__(self, issuer: Issuer) -> None:
        self.requests = 0
        self.out = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests += 1
                body = b"" if server.out else issuer.jwks.read_bytes()
                self.send_response(503 if server.out else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/keys"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

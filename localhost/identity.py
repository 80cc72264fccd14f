"""A local issuer of access tokens: generated keys, one made-up user per role. Development and tests only."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://issuer.localhost"
AUDIENCE = "api://powerbill"
TENANT = "00000000-0000-0000-0000-000000000001"
_KEY_ID = "local-1"
_LIFETIME_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs tokens with the key in `folder`; the app reads only `jwks.json` there."""

    folder: Path

    @property
    def jwks(self) -> Path:
        return self.folder / "jwks.json"

    def prepare(self) -> Issuer:
        """Make the key pair once; the private half is readable by the owner alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._private.exists() and self.jwks.exists():
            return self
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._private.touch(mode=0o600)
        self._private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
        self.jwks.write_text(json.dumps({"keys": [{**public, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]}))
        return self

    def token(self, role: str, *, user: str | None = None, **changes: Any) -> str:
        """A token of a made-up user with one role; `changes` replace claims, to make tokens that must be refused."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "tid": TENANT,
            "sub": user or f"{role}@example.com",
            "name": f"Local {role}",
            "roles": [role],
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME_SECONDS,
            **changes,
        }
        return jwt.encode(claims, self._private.read_bytes(), algorithm="RS256", headers={"kid": _KEY_ID})

    def environment(self) -> dict[str, str]:
        """The app settings that make the app trust this issuer."""
        return {
            "IDENTITY_ISSUER": ISSUER,
            "IDENTITY_AUDIENCE": AUDIENCE,
            "IDENTITY_TENANT": TENANT,
            "IDENTITY_JWKS": str(self.jwks),
        }

    @property
    def _private(self) -> Path:
        return self.folder / "issuer-key.pem"

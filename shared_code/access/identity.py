"""From a bearer token to a caller: issuer, audience, tenant, signature and expiry are checked (http-api, identity)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt

from shared_code.access import errors
from shared_code.access.repository import assigned_sites
from shared_code.access.roles import OWN_SITES_ONLY, ROLES, Access, allowed
from shared_code.foundation.database import reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import settings

if TYPE_CHECKING:
    from jwt import PyJWKClient, PyJWKSet

_CLOCK_SKEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an id from the token, a name for people, and the roles that count here."""

    user_id: str
    name: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Permission:
    """What the caller may see of a resource: all sites (None) or the assigned ones."""

    caller: Caller
    sites: frozenset[str] | None


def identify(authorization: str | None) -> Caller:
    """The caller of an `Authorization` header. Raises TOKEN_MISSING or TOKEN_INVALID; neither says why in detail."""
    known = settings()
    if not known.identity_issuer:
        raise BillingError(errors.IDENTITY_NOT_CONFIGURED, "no issuer of access tokens is configured")
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BillingError(errors.TOKEN_MISSING, "the request carries no access token")
    try:
        claims = jwt.decode(
            token.strip(),
            _signing_key(token.strip()),
            algorithms=["RS256"],
            audience=known.identity_audience,
            issuer=known.identity_issuer,
            leeway=_CLOCK_SKEW_SECONDS,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
    except jwt.PyJWKClientConnectionError as fault:
        raise BillingError(errors.IDENTITY_UNREACHABLE, "the issuer's public keys cannot be fetched now") from fault
    except jwt.PyJWTError as fault:
        raise BillingError(errors.TOKEN_INVALID, "the access token is not valid here") from fault
    if known.identity_tenant and claims.get("tid") != known.identity_tenant:
        raise BillingError(errors.TOKEN_INVALID, "the access token is of another tenant")
    roles = claims.get("roles") or []
    return Caller(claims["sub"], str(claims.get("name") or claims["sub"]), frozenset(roles) & frozenset(ROLES))


def authorise(caller: Caller, resource: str, access: Access) -> Permission:
    """What the caller may see of `resource`. Raises FORBIDDEN when no role allows `access`."""
    granting = allowed(caller.roles, resource, access)
    if not granting:
        raise BillingError(errors.FORBIDDEN, f"none of your roles may {access} {resource}")
    if granting - OWN_SITES_ONLY:
        return Permission(caller, None)
    with reading() as connection:
        return Permission(caller, assigned_sites(connection, caller.user_id))


@cache
def _keys() -> PyJWKSet | PyJWKClient:
    """The issuer's public keys: fetched and cached from an address, or read from a file in development."""
    location = settings().identity_jwks
    if location.startswith(("https://", "http://")):
        return jwt.PyJWKClient(location, cache_keys=True, lifespan=3600)
    return jwt.PyJWKSet.from_dict(json.loads(Path(location).read_text()))


def _signing_key(token: str) -> Any:
    keys = _keys()
    if isinstance(keys, jwt.PyJWKClient):
        return keys.get_signing_key_from_jwt(token).key
    wanted = jwt.get_unverified_header(token).get("kid")
    for key in keys.keys:
        if key.key_id == wanted:
            return key.key
    raise jwt.InvalidKeyError("unknown signing key")

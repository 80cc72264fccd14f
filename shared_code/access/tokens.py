"""From an access token to a caller: signature, issuer, audience, tenant and times are checked (http-api, identity)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from shared_code.access import errors
from shared_code.access.keys import KeySource, KeysUnavailableError, KeyUnknownError
from shared_code.access.model import Caller, Kind, user_key
from shared_code.foundation.errors import BillingError

ALGORITHMS = ("RS256",)
REQUIRED = ("exp", "iat", "nbf", "iss", "aud", "sub")
LONGEST_TOKEN = 16_384
_API = "api://"


class ClaimsError(ValueError):
    """Claims do not describe a caller of ours."""


# What an access token says and the ID token of a sign-in to the same registration does not.
OF_ACCESS_TOKENS = ("scp", "idtyp", "azp", "appid")


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens count: issuers, audiences, one tenant ("" for any), and how far clocks may differ."""

    issuers: tuple[str, ...]
    audiences: tuple[str, ...]
    tenant: str = ""
    clock_skew_seconds: int = 60


def trust(issuers: str, audiences: str, tenant: str, clock_skew_seconds: int) -> Trust:
    """Trust from settings: lists with commas; an audience counts as client id and as `api://` client id alike."""
    named = [audience.removeprefix(_API) for audience in _parts(audiences)]
    both = tuple(form for name in named for form in (name, f"{_API}{name}"))
    return Trust(_parts(issuers), both, tenant.strip(), clock_skew_seconds)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def caller_of_token(token: str, trusted: Trust, keys: KeySource) -> Caller:
    """The caller of a token. Raises TOKEN_INVALID, which never says why in detail, or IDENTITY_UNREACHABLE."""
    try:
        return caller_of_claims(_verified(token, trusted, keys), trusted)
    except KeysUnavailableError as fault:
        raise BillingError(errors.IDENTITY_UNREACHABLE, "the issuer's public keys cannot be fetched now") from fault
    except (jwt.PyJWTError, KeyUnknownError, ValueError, RecursionError) as fault:
        raise BillingError(errors.TOKEN_INVALID, "the access token is not valid here") from fault


def _verified(token: str, trusted: Trust, keys: KeySource) -> dict[str, Any]:
    """The claims of a token, all of its signature, times, issuer and audience checked."""
    if len(token) > LONGEST_TOKEN:
        raise ClaimsError("the token is too long")
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:  # before any key is looked up
        raise jwt.InvalidAlgorithmError("the token is not signed as access tokens are")
    claims: dict[str, Any] = jwt.decode(
        token,
        keys.key(str(header.get("kid", ""))),
        algorithms=ALGORITHMS,
        audience=trusted.audiences,
        issuer=trusted.issuers,
        leeway=trusted.clock_skew_seconds,
        options={"require": list(REQUIRED)},
    )
    if not int(claims["iat"]) <= int(claims["exp"]):
        raise jwt.InvalidIssuedAtError("the token expired before it was issued")
    if not any(claims.get(name) for name in OF_ACCESS_TOKENS):
        raise ClaimsError("the token is not one for access: a sign-in's own token has the same audience")
    return claims


def caller_of_claims(claims: Mapping[str, Any], trusted: Trust) -> Caller:
    """The caller that claims describe. Raises ValueError for another tenant or an id that is none.

    The id is `oid`, the same in every app of a tenant and in both versions of tokens; an issuer without it says `sub`.
    """
    if trusted.tenant and claims.get("tid") != trusted.tenant:
        raise ClaimsError("the token is of another tenant")
    given = claims.get("oid") or claims.get("sub")
    if not isinstance(given, str):
        raise ClaimsError("a user id is a text")
    key = user_key(given)
    name = claims.get("name")
    return Caller(key, name[:200] if isinstance(name, str) and name.strip() else key, _kind(claims))


def _kind(claims: Mapping[str, Any]) -> Kind:
    """`idtyp` says it where the app registration asks for that claim. Else a service has a token of its own when all
    of this holds: an application is named, nobody delegated a scope, and subject and object are the same."""
    if "idtyp" in claims:
        return "service" if claims["idtyp"] == "app" else "person"
    application = claims.get("azp") or claims.get("appid")
    alone = application and not claims.get("scp") and claims.get("oid") == claims.get("sub")
    return "service" if alone else "person"

"""From the headers of a request to a caller: a bearer token, or what Easy Auth says where the platform runs it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from shared_code.access import errors
from shared_code.access.easy_auth import HEADER, caller_of_principal
from shared_code.access.keys import KeySource, key_source
from shared_code.access.model import Caller, Permission
from shared_code.access.permissions import authorise
from shared_code.access.tokens import Trust, caller_of_token, trust
from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import Settings, settings

__all__ = ["Caller", "Permission", "authorise", "identify"]


def identify(headers: Mapping[str, str]) -> Caller:
    """Who sends a request with these `headers`; the database is not asked, so the caller has no roles yet.

    A bearer token counts first. The principal header of Easy Auth counts only in Azure and only while Easy Auth is on,
    and then also beside a token that the app itself has no issuer for. Raises TOKEN_MISSING, TOKEN_INVALID,
    IDENTITY_UNREACHABLE, IDENTITY_NOT_CONFIGURED; none says in detail what is wrong with a token.
    """
    known = settings()
    given = {name.lower(): value for name, value in headers.items()}
    token = _bearer(given.get("authorization", ""))
    principal = given.get(HEADER, "") if known.easy_auth else ""
    if principal and not (token and known.identity_issuer):
        return caller_of_principal(principal, _trust(known))
    knows_an_issuer = bool(known.identity_issuer and known.identity_audience)
    if not knows_an_issuer and not known.easy_auth:
        raise BillingError(errors.IDENTITY_NOT_CONFIGURED, "no issuer of access tokens is configured")
    if not token:
        raise BillingError(errors.TOKEN_MISSING, "the request carries no access token")
    if not knows_an_issuer:  # the platform would have said who it is
        raise BillingError(errors.TOKEN_INVALID, "the access token is not valid here")
    return caller_of_token(token, _trust(known), _keys(known.identity_jwks, known.identity_keys_seconds))


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _trust(known: Settings) -> Trust:
    skew = known.identity_clock_skew_seconds
    return trust(known.identity_issuer, known.identity_audience, known.identity_tenant, skew)


@cache
def _keys(location: str, lifetime_seconds: int) -> KeySource:
    try:
        return key_source(location, lifetime_seconds)
    except ValueError as fault:
        raise BillingError(errors.IDENTITY_NOT_CONFIGURED, f"IDENTITY_JWKS: {fault}") from fault

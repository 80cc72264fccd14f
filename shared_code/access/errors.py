"""Refusals of access: who asks cannot be told, or may not."""

from shared_code.foundation.errors import ErrorKind

TOKEN_MISSING = ErrorKind(
    "TOKEN_MISSING",
    1001,
    401,
    "The request does not say who asks.",
    "Send an access token: Authorization: Bearer <token>.",
)
TOKEN_INVALID = ErrorKind(
    "TOKEN_INVALID",
    1002,
    401,
    "The access token is not valid here: expired, for another app, or not signed by the known issuer.",
    "Sign in again and send the new token.",
)
FORBIDDEN = ErrorKind(
    "FORBIDDEN",
    1003,
    403,
    "Your role does not allow this.",
    "Ask a colleague with the role for it, or ask the system administrator for the role.",
)
IDENTITY_NOT_CONFIGURED = ErrorKind(
    "IDENTITY_NOT_CONFIGURED",
    5101,
    503,
    "The app does not know whose tokens to trust.",
    "Set IDENTITY_ISSUER, IDENTITY_AUDIENCE and IDENTITY_JWKS.",
)

IDENTITY_UNREACHABLE = ErrorKind(
    "IDENTITY_UNREACHABLE",
    5102,
    503,
    "The issuer of access tokens does not answer, so nobody can be identified.",
    "Try again in a few seconds.",
    retryable=True,
)

KINDS = (TOKEN_MISSING, TOKEN_INVALID, FORBIDDEN, IDENTITY_NOT_CONFIGURED, IDENTITY_UNREACHABLE)

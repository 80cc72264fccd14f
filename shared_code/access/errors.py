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
    "What says who asks is not valid here: expired, for another app, or not signed by the known issuer.",
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

USER_NOT_FOUND = ErrorKind(
    "USER_NOT_FOUND",
    2401,
    404,
    "Nobody with this user id is known here.",
    "Check the id (the object id of the directory), or create the user with PUT.",
)
USER_INVALID = ErrorKind(
    "USER_INVALID",
    2402,
    422,
    "The user's name, roles or assignments are not right.",
    "Correct every field named in the details.",
)
OWN_ACCESS = ErrorKind(
    "OWN_ACCESS",
    1004,
    403,
    "Nobody changes their own roles or assignments.",
    "Ask another system administrator.",
)
USER_CHANGED = ErrorKind(
    "USER_CHANGED",
    4401,
    412,
    "The user was changed since it was read.",
    "Read it again, repeat the change and send its new ETag as If-Match.",
)

KINDS = (
    TOKEN_MISSING,
    TOKEN_INVALID,
    FORBIDDEN,
    IDENTITY_NOT_CONFIGURED,
    IDENTITY_UNREACHABLE,
    USER_NOT_FOUND,
    USER_INVALID,
    OWN_ACCESS,
    USER_CHANGED,
)

"""The principal header of Easy Auth, which the platform sets after it has checked the caller (azure-facts C.4).

It is worth something only where the platform says that Easy Auth is on: elsewhere anybody can send it.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from shared_code.access import errors
from shared_code.access.model import Caller
from shared_code.access.tokens import ClaimsError, Trust, caller_of_claims
from shared_code.foundation.errors import BillingError

HEADER = "x-ms-client-principal"
PROVIDER = "aad"
# Long names of claims, to which the platform maps the short ones of a token unless it is told otherwise.
_SHORT = {
    "http://schemas.microsoft.com/identity/claims/objectidentifier": "oid",
    "http://schemas.microsoft.com/identity/claims/tenantid": "tid",
    "http://schemas.microsoft.com/identity/claims/scope": "scp",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier": "sub",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": "name",
}


def caller_of_principal(header: str, trusted: Trust) -> Caller:
    """The caller in a principal header. Raises TOKEN_INVALID for one that is malformed, or of a stranger's tenant."""
    try:
        return caller_of_claims(_claims(header), trusted)
    except (ValueError, RecursionError) as fault:
        raise BillingError(errors.TOKEN_INVALID, "the principal is not valid here") from fault


def _claims(header: str) -> dict[str, Any]:
    """Claims by their short names. Roles in it are left alone: they are in the database (decision 0013)."""
    document = json.loads(base64.b64decode(header, validate=True))
    if not isinstance(document, dict) or document.get("auth_typ") != PROVIDER:
        raise ClaimsError("not a principal of the directory")
    listed = document.get("claims")
    if not isinstance(listed, list):
        raise ClaimsError("a principal has claims")
    found: dict[str, Any] = {}
    for claim in listed:
        kind, value = (claim.get("typ"), claim.get("val")) if isinstance(claim, dict) else (None, None)
        if not isinstance(kind, str) or not isinstance(value, str):
            raise ClaimsError("a claim has a type and a value")
        found.setdefault(_SHORT.get(kind, kind), value)
    name_type = str(document.get("name_typ"))
    name = found.get(_SHORT.get(name_type, name_type))
    return {"name": name, **found}

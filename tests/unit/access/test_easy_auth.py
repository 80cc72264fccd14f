"""The principal header counts where the platform says that Easy Auth is on, and nowhere else."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localhost.identity import TENANT, Issuer
from shared_code.access.easy_auth import caller_of_principal
from shared_code.access.identity import identify
from shared_code.access.tokens import Trust
from shared_code.foundation.errors import BillingError
from tests.unit.access.conftest import forget

LONG = "http://schemas.microsoft.com/identity/claims/"
NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
ON = {"WEBSITE_AUTH_ENABLED": "True", "WEBSITE_SITE_NAME": "powerbill"}


def principal(*claims: tuple[str, str], **changes: Any) -> str:
    document = {
        "auth_typ": "aad",
        "claims": [{"typ": kind, "val": value} for kind, value in claims],
        "name_typ": NAME,
        "role_typ": ROLE,
        **changes,
    }
    return encoded(document)


def encoded(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


ANN = (("oid", "ann"), ("tid", TENANT), ("name", "Ann Lee"))


def switch(environment: pytest.MonkeyPatch, **names: str) -> None:
    for name, value in names.items():
        environment.setenv(name, value)
    forget()


def outcome(headers: dict[str, str]) -> str:
    try:
        return identify(headers).user_id
    except BillingError as error:
        return error.code


WHERE = [
    # WEBSITE_AUTH_ENABLED, WEBSITE_SITE_NAME, who the header makes of the caller
    ("True", "powerbill", "ann"),
    ("true", "powerbill", "ann"),
    ("False", "powerbill", "TOKEN_MISSING"),
    (None, "powerbill", "TOKEN_MISSING"),
    ("True", None, "TOKEN_MISSING"),
    ("True", "", "TOKEN_MISSING"),
    (None, None, "TOKEN_MISSING"),
]


@pytest.mark.parametrize(("enabled", "site", "expected"), WHERE)
@pytest.mark.parametrize("name", ["X-MS-CLIENT-PRINCIPAL", "x-ms-client-principal"])
def test_where_the_header_counts(
    environment: pytest.MonkeyPatch, name: str, enabled: str | None, site: str | None, expected: str
) -> None:
    names = {"WEBSITE_AUTH_ENABLED": enabled, "WEBSITE_SITE_NAME": site}
    switch(environment, **{name: value for name, value in names.items() if value is not None})

    assert outcome({name: principal(*ANN)}) == expected


def test_a_forged_header_beside_a_token_changes_nothing(environment: pytest.MonkeyPatch, issuer: Issuer) -> None:
    forged = {"X-MS-CLIENT-PRINCIPAL": principal(*ANN), "X-MS-CLIENT-PRINCIPAL-ID": "ann"}
    good, bad = f"Bearer {issuer.token('auditor')}", f"Bearer {issuer.token('auditor', exp=1)}"
    assert outcome({**forged, "Authorization": good}) == "auditor@example.com"
    assert outcome({**forged, "Authorization": bad}) == "TOKEN_INVALID"

    switch(environment, **ON)
    assert outcome({**forged, "Authorization": good}) == "auditor@example.com"
    assert outcome({**forged, "Authorization": bad}) == "TOKEN_INVALID"


def test_where_the_app_knows_no_issuer_the_platform_speaks_for_the_token(
    environment: pytest.MonkeyPatch, issuer: Issuer
) -> None:
    for name in issuer.environment():
        environment.delenv(name)
    headers = {"X-MS-CLIENT-PRINCIPAL": principal(*ANN), "Authorization": f"Bearer {issuer.token('auditor')}"}
    switch(environment)
    assert outcome(headers) == "IDENTITY_NOT_CONFIGURED"

    switch(environment, **ON)
    assert outcome(headers) == "ann"


WHO: list[tuple[str, str, str, str]] = [
    (principal(*ANN), "ann", "Ann Lee", "person"),
    (
        principal((f"{LONG}objectidentifier", "ann"), (f"{LONG}tenantid", TENANT), (NAME, "Ann Lee")),
        "ann",
        "Ann Lee",
        "person",
    ),
    (principal(("oid", "ann"), ("tid", TENANT)), "ann", "ann", "person"),
    (
        principal(("oid", "ann"), ("tid", TENANT), ("upn", "ann@example.com"), name_typ="upn"),
        "ann",
        "ann@example.com",
        "person",
    ),
    (principal(("oid", "x"), ("sub", "x"), ("appid", "c"), ("tid", TENANT)), "x", "x", "service"),
    (principal(("oid", "x"), ("tid", TENANT), ("idtyp", "app")), "x", "x", "service"),
]


@pytest.mark.parametrize(("header", "user_id", "name", "kind"), WHO)
def test_who_asks(environment: pytest.MonkeyPatch, header: str, user_id: str, name: str, kind: str) -> None:
    switch(environment, **ON)
    caller = identify({"X-MS-CLIENT-PRINCIPAL": header})

    assert (caller.user_id, caller.name, caller.kind, caller.roles) == (user_id, name, kind, frozenset())


def test_roles_in_a_principal_are_nothing(environment: pytest.MonkeyPatch) -> None:
    switch(environment, **ON)

    assert identify({"X-MS-CLIENT-PRINCIPAL": principal(*ANN, (ROLE, "systemAdmin"))}).roles == frozenset()


BROKEN = {
    "not base64": "ä",
    "not quite base64": principal(*ANN)[:-3],
    "not JSON": base64.b64encode(b"{").decode(),
    "deep": base64.b64encode(b"[" * 100_000).decode(),
    "not an object": encoded([]),
    "no claims": encoded({"auth_typ": "aad"}),
    "claims that are none": encoded({"auth_typ": "aad", "claims": "x"}),
    "a claim that is none": encoded({"auth_typ": "aad", "claims": ["x"]}),
    "a claim without value": encoded({"auth_typ": "aad", "claims": [{"typ": "oid"}]}),
    "another provider": principal(*ANN, auth_typ="google"),
    "no provider": principal(*ANN, auth_typ=None),
    "another tenant": principal(("oid", "ann"), ("tid", "00000000-0000-0000-0000-000000000002")),
    "no tenant": principal(("oid", "ann")),
    "no id": principal(("tid", TENANT), ("name", "Ann")),
    "an empty id": principal(("tid", TENANT), ("oid", " ")),
}


@pytest.mark.parametrize("header", BROKEN.values(), ids=BROKEN)
def test_a_broken_principal_is_refused(environment: pytest.MonkeyPatch, header: str) -> None:
    switch(environment, **ON)

    assert outcome({"X-MS-CLIENT-PRINCIPAL": header}) == "TOKEN_INVALID"


@given(st.text(min_size=1) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(encoded))
def test_whatever_is_sent_is_refused_in_one_way(header: str) -> None:
    with pytest.raises(BillingError) as found:
        caller_of_principal(header, Trust((), (), TENANT))

    assert found.value.code == "TOKEN_INVALID"

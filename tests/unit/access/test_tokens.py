"""Bearer tokens: what opens, what does not, and who the caller is."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from localhost.identity import AUDIENCE, ISSUER, TENANT, Issuer
from shared_code.access.identity import identify
from shared_code.access.keys import FileKeys
from shared_code.access.model import Caller
from shared_code.access.tokens import Trust, caller_of_token, trust
from shared_code.foundation.errors import BillingError
from tests.unit.access.conftest import forget

NOW = int(time.time())
OTHER_TENANT = "00000000-0000-0000-0000-000000000002"


def refusal(headers: dict[str, str]) -> str:
    with pytest.raises(BillingError) as found:
        identify(headers)
    return found.value.code


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_good_token_says_who_asks(environment: pytest.MonkeyPatch, issuer: Issuer) -> None:
    caller = identify(bearer(issuer.token("billingAdmin")))

    assert caller == Caller("billingAdmin@example.com", "Local billingAdmin", "person", frozenset())


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_header_and_scheme_are_read_without_regard_to_case(
    environment: pytest.MonkeyPatch, issuer: Issuer, name: str, scheme: str
) -> None:
    assert identify({name: f"{scheme} {issuer.token('auditor')}"}).user_id == "auditor@example.com"


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": ""}, {"authorization": "Bearer"}, {"authorization": "Basic dTpw"}]
)
def test_without_a_token_the_caller_is_nobody(environment: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    assert refusal(headers) == "TOKEN_MISSING"


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("expired", {"exp": NOW - 61}),
    ("expired long ago", {"exp": 1_700_000_000}),
    ("not valid yet", {"nbf": NOW + 120}),
    ("issued in the future", {"iat": NOW + 120}),
    ("expired before it was issued", {"iat": NOW, "nbf": NOW - 600, "exp": NOW - 30}),
    ("for another app", {"aud": "api://another"}),
    ("for several other apps", {"aud": ["api://another", "api://third"]}),
    ("for an app whose name begins like ours", {"aud": AUDIENCE + "-test"}),
    ("of another issuer", {"iss": "https://issuer.example.com"}),
    ("of an issuer whose name begins like ours", {"iss": ISSUER + ".example.com"}),
    ("of another tenant", {"tid": OTHER_TENANT}),
    ("of no tenant", {"tid": None}),
    ("without subject", {"sub": None}),
    ("without end", {"exp": None}),
    ("without beginning", {"nbf": None}),
    ("without time of issue", {"iat": None}),
    ("without audience", {"aud": None}),
    ("of a sign-in, which is not one for access", {"idtyp": None}),
    ("without issuer", {"iss": None}),
    ("an end that is no number", {"exp": "soon"}),
    ("an id that is no text", {"oid": 7}),
    ("an id of blanks", {"oid": "   "}),
    ("an id that is too long", {"oid": "x" * 101}),
    ("an id with a line break", {"oid": "a\nb"}),
    ("a token that is too long", {"padding": "x" * 20_000}),
]


@pytest.mark.parametrize(("changes"), [changes for _, changes in REFUSED], ids=[what for what, _ in REFUSED])
def test_a_claim_that_is_wrong_closes(environment: pytest.MonkeyPatch, issuer: Issuer, changes: dict[str, Any]) -> None:
    assert refusal(bearer(issuer.token("billingAdmin", **changes))) == "TOKEN_INVALID"


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("expired within the skew of clocks", {"exp": NOW - 5, "iat": NOW - 600, "nbf": NOW - 600}),
    ("valid from a moment ahead", {"nbf": NOW + 30, "iat": NOW + 30}),
    ("for several apps, ours among them", {"aud": ["api://another", AUDIENCE]}),
    ("for our client id", {"aud": "powerbill"}),
]


@pytest.mark.parametrize("changes", [changes for _, changes in ACCEPTED], ids=[what for what, _ in ACCEPTED])
def test_what_still_opens(environment: pytest.MonkeyPatch, issuer: Issuer, changes: dict[str, Any]) -> None:
    assert identify(bearer(issuer.token("billingAdmin", **changes))).user_id == "billingAdmin@example.com"


def test_the_skew_of_clocks_is_a_setting(environment: pytest.MonkeyPatch, issuer: Issuer) -> None:
    token = issuer.token("billingAdmin", exp=NOW - 200, iat=NOW - 600, nbf=NOW - 600)
    assert refusal(bearer(token)) == "TOKEN_INVALID"
    environment.setenv("IDENTITY_CLOCK_SKEW_SECONDS", "300")
    forget()

    assert identify(bearer(token)).user_id == "billingAdmin@example.com"


def test_issuers_and_audiences_may_be_several(environment: pytest.MonkeyPatch, issuer: Issuer) -> None:
    """A tenant issues tokens of version 1 and 2 under two names."""
    environment.setenv("IDENTITY_ISSUER", f"{ISSUER}, https://issuer.localhost/v2")
    environment.setenv("IDENTITY_AUDIENCE", "api://powerbill,11111111-1111-1111-1111-111111111111")
    forget()

    for iss in (ISSUER, "https://issuer.localhost/v2"):
        for aud in ("api://powerbill", "powerbill", "11111111-1111-1111-1111-111111111111"):
            assert identify(bearer(issuer.token("auditor", iss=iss, aud=aud))).user_id == "auditor@example.com"
    assert refusal(bearer(issuer.token("auditor", iss="https://issuer.localhost/v3"))) == "TOKEN_INVALID"


# -- signatures -----------------------------------------------------------------------------------------------------


def claims() -> dict[str, Any]:
    who = "billingAdmin@example.com"
    times = {"iat": NOW, "nbf": NOW, "exp": NOW + 600}
    return {"iss": ISSUER, "aud": AUDIENCE, "tid": TENANT, "oid": who, "sub": who, **times}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unsigned(alg: str) -> str:
    return f"{part({'alg': alg, 'typ': 'JWT', 'kid': 'local-1'})}.{part(claims())}."


def signed_with_the_public_key(issuer: Issuer, algorithm: str = "HS256") -> str:
    """The published key used as a shared secret: whoever lets the token choose the algorithm believes this one."""
    public = jwt.PyJWKSet.from_dict(json.loads(issuer.jwks.read_text())).keys[0].key
    secret = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    body = f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': 'local-1'})}.{part(claims())}"
    mac = hmac.new(secret, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def with_header(token: str, **changes: object) -> str:
    head, rest = token.split(".", 1)
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    return f"{part({**header, **changes})}.{rest}"


def test_only_the_issuers_signature_counts(environment: pytest.MonkeyPatch, issuer: Issuer, tmp_path: Path) -> None:
    good = issuer.token("billingAdmin")
    head, body, signature = good.split(".")
    forged = {
        "unsigned": unsigned("none"),
        "unsigned, written otherwise": unsigned("NoNe"),
        "public key as a secret": signed_with_the_public_key(issuer),
        "public key as a secret, algorithm of ours": signed_with_the_public_key(issuer, "RS256"),
        "another key of the same name": Issuer(tmp_path).prepare().token("billingAdmin"),
        "key of an unknown name": with_header(good, kid="local-99"),
        "no name of a key": with_header(good, kid=None),
        "a name that is no text": with_header(good, kid=7),
        "key that the token brings along": with_header(good, jwk={"kty": "RSA"}, kid="mine"),
        "other claims": f"{head}.{part({**claims(), 'oid': 'systemAdmin@example.com'})}.{signature}",
        "signature cut off": f"{head}.{body}.{signature[:-8]}",
        "signature left out": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "deep": f"{base64.urlsafe_b64encode(b'[' * 11_000).decode()}.{body}.{signature}",
        "no token": "password",
        "not ASCII": "pässword.ü.ß",
    }

    assert {what: refusal(bearer(token)) for what, token in forged.items()} == dict.fromkeys(forged, "TOKEN_INVALID")


@given(
    st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode() + ".e30.")
)
def test_whatever_is_sent_as_a_token_is_refused_in_one_way(issuer: Issuer, text: str) -> None:
    with pytest.raises(BillingError) as found:
        caller_of_token(text, Trust((ISSUER,), (AUDIENCE,)), FileKeys(issuer.jwks))

    assert found.value.code == "TOKEN_INVALID"
    assert text not in found.value.message or len(text) < 4


def test_a_refusal_does_not_say_why(environment: pytest.MonkeyPatch, issuer: Issuer) -> None:
    messages = set()
    for _, changes in REFUSED:
        with pytest.raises(BillingError) as found:
            identify(bearer(issuer.token("billingAdmin", **changes)))
        messages.add(found.value.message)

    assert len(messages) == 1


# -- who it is --------------------------------------------------------------------------------------------------------

OBJECT = "8F6A2C9E-0000-4000-8000-0000000000AB"
WHO = [
    # what, claims, user id, name, kind
    ("object id before subject", {"oid": OBJECT, "sub": "pairwise"}, OBJECT.lower(), "Ann Lee", "person"),
    ("subject where there is no object id", {"oid": None, "sub": "pairwise"}, "pairwise", "Ann Lee", "person"),
    ("no name", {"name": None, "oid": "a"}, "a", "a", "person"),
    ("a name that is no text", {"name": ["x"], "oid": "a"}, "a", "a", "person"),
    ("an app token by its kind", {"oid": "a", "idtyp": "app"}, "a", "Ann Lee", "service"),
    ("a user token by its kind", {"oid": "a", "sub": "a", "idtyp": "user", "azp": "c"}, "a", "Ann Lee", "person"),
    (
        "an app token by its shape, version 2",
        {"oid": "a", "sub": "a", "idtyp": None, "azp": "c"},
        "a",
        "Ann Lee",
        "service",
    ),
    (
        "an app token by its shape, version 1",
        {"oid": "a", "sub": "a", "idtyp": None, "appid": "c"},
        "a",
        "Ann Lee",
        "service",
    ),
    ("a delegated scope", {"oid": "a", "sub": "a", "idtyp": None, "azp": "c", "scp": "x"}, "a", "Ann Lee", "person"),
    ("subject and object differ", {"oid": "a", "sub": "b", "idtyp": None, "azp": "c"}, "a", "Ann Lee", "person"),
]


@pytest.mark.parametrize(("changes", "user_id", "name", "kind"), [w[1:] for w in WHO], ids=[w[0] for w in WHO])
def test_who_asks(
    environment: pytest.MonkeyPatch, issuer: Issuer, changes: dict[str, Any], user_id: str, name: str, kind: str
) -> None:
    caller = identify(bearer(issuer.token("auditor", **{"name": "Ann Lee", **changes})))

    assert (caller.user_id, caller.name, caller.kind) == (user_id, name, kind)


def test_roles_in_a_token_are_nothing(environment: pytest.MonkeyPatch, issuer: Issuer) -> None:
    assert identify(bearer(issuer.token("auditor", roles=["systemAdmin"], wids=["x"]))).roles == frozenset()


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["IDENTITY_ISSUER", "IDENTITY_AUDIENCE"])
def test_without_an_issuer_or_audience_nobody_comes_in(
    environment: pytest.MonkeyPatch, issuer: Issuer, missing: str
) -> None:
    for name in {missing, *(("IDENTITY_JWKS",) if missing == "IDENTITY_ISSUER" else ())}:
        environment.delenv(name)
    forget()

    assert refusal(bearer(issuer.token("billingAdmin"))) == "IDENTITY_NOT_CONFIGURED"


@pytest.mark.parametrize("location", ["http://issuer.example.com/keys", "ftp://issuer.example.com/keys"])
def test_keys_are_not_fetched_in_the_open(environment: pytest.MonkeyPatch, issuer: Issuer, location: str) -> None:
    environment.setenv("IDENTITY_JWKS", location)
    forget()

    assert refusal(bearer(issuer.token("billingAdmin"))) == "IDENTITY_NOT_CONFIGURED"


def test_trust_from_settings() -> None:
    assert trust(" https://a , https://b,", "api://x, y", " t ", 30) == Trust(
        ("https://a", "https://b"), ("x", "api://x", "y", "api://y"), "t", 30
    )

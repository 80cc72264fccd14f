"""Keys of the issuer over real HTTP: cached, renewed, rotated, and an issuer that is away."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from localhost.identity import Issuer, KeyServer
from shared_code.access.identity import identify
from shared_code.access.keys import (
    PAUSE_AFTER_FAILURE_SECONDS,
    PAUSE_SECONDS,
    TRUSTED_UNSEEN_SECONDS,
    FileKeys,
    KeySource,
    KeysUnavailableError,
    KeyUnknownError,
    RemoteKeys,
    key_source,
)
from shared_code.foundation.errors import BillingError
from tests.unit.access.conftest import forget

LIFETIME = 3600.0


@dataclass(slots=True)
class Hours:
    """Seconds that pass when the test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def rotating(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path / "issuer").prepare()


@pytest.fixture
def server(rotating: Issuer) -> Iterator[KeyServer]:
    with KeyServer(rotating) as server:
        yield server


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def keys(server: KeyServer, hours: Hours) -> RemoteKeys:
    return RemoteKeys(server.url, LIFETIME, hours)


def outcome(keys: KeySource, name: str) -> str:
    try:
        return type(keys.key(name)).__name__ and "known"
    except KeyUnknownError:
        return "unknown"
    except KeysUnavailableError:
        return "unavailable"


def test_keys_are_fetched_once_in_their_lifetime(keys: RemoteKeys, server: KeyServer, hours: Hours) -> None:
    for _ in range(100):
        assert isinstance(keys.key("local-1"), RSAPublicKey)
        hours.seconds += 30
    assert server.requests == 1

    hours.seconds += LIFETIME
    assert outcome(keys, "local-1") == "known"
    assert server.requests == 2


def test_a_new_key_is_found_when_a_token_names_it(
    keys: RemoteKeys, server: KeyServer, hours: Hours, rotating: Issuer
) -> None:
    assert outcome(keys, "local-1") == "known"
    new = rotating.rotate()
    hours.seconds += PAUSE_SECONDS

    assert (outcome(keys, new), outcome(keys, "local-1")) == ("known", "known")
    assert server.requests == 2


def test_a_key_that_the_issuer_withdraws_ends_with_the_next_renewal(
    keys: RemoteKeys, hours: Hours, rotating: Issuer
) -> None:
    assert outcome(keys, "local-1") == "known"
    rotating.rotate()
    rotating.forget_old_keys()
    hours.seconds += LIFETIME

    assert outcome(keys, "local-1") == "unknown"


def test_a_flood_of_invented_names_asks_the_issuer_once_a_minute(
    keys: RemoteKeys, server: KeyServer, hours: Hours
) -> None:
    assert outcome(keys, "local-1") == "known"
    hours.seconds += PAUSE_SECONDS
    for number in range(1200):
        assert outcome(keys, f"forged-{number}") == "unknown"
        hours.seconds += 0.1  # two minutes in all

    assert server.requests == 1 + 2
    assert outcome(keys, "local-1") == "known"


def test_an_issuer_that_is_away_leaves_known_keys_as_they_are(
    keys: RemoteKeys, server: KeyServer, hours: Hours
) -> None:
    assert outcome(keys, "local-1") == "known"
    server.out = True
    hours.seconds += LIFETIME + 1

    assert outcome(keys, "local-1") == "known"
    assert outcome(keys, "local-2") == "unavailable"  # it may be a new one: nobody can tell
    assert server.requests == 2

    server.out = False
    hours.seconds += PAUSE_AFTER_FAILURE_SECONDS
    assert outcome(keys, "local-2") == "unknown"
    assert outcome(keys, "local-1") == "known"
    assert server.requests == 3


def test_an_issuer_that_is_away_for_a_day_is_trusted_no_more(keys: RemoteKeys, server: KeyServer, hours: Hours) -> None:
    assert outcome(keys, "local-1") == "known"
    server.out = True
    hours.seconds += TRUSTED_UNSEEN_SECONDS

    assert outcome(keys, "local-1") == "unavailable"


def test_an_issuer_that_was_never_seen_is_asked_again_soon_but_not_at_each_call(
    keys: RemoteKeys, server: KeyServer, hours: Hours
) -> None:
    server.out = True
    assert [outcome(keys, "local-1") for _ in range(50)] == ["unavailable"] * 50
    assert server.requests == 1

    server.out = False
    hours.seconds += PAUSE_AFTER_FAILURE_SECONDS
    assert outcome(keys, "local-1") == "known"


@pytest.mark.parametrize(
    "document", ["", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA", "kid": "local-1"}]}']
)
def test_an_answer_without_usable_keys_is_no_answer(
    keys: RemoteKeys, hours: Hours, rotating: Issuer, document: str
) -> None:
    """A shared secret in the key set is no key for us, and a broken answer does not push out what is known."""
    assert outcome(keys, "local-1") == "known"
    rotating.jwks.write_text(document)
    hours.seconds += LIFETIME

    assert outcome(keys, "local-1") == "known"
    assert outcome(keys, "local-2") == "unavailable"


def test_twenty_callers_at_once_fetch_the_keys_once(keys: RemoteKeys, server: KeyServer) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(outcome(keys, "local-1"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (found, server.requests) == (["known"] * 20, 1)


# -- from the setting to the caller -----------------------------------------------------------------------------------


def test_tokens_over_a_rotation_and_an_outage(
    environment: pytest.MonkeyPatch, server: KeyServer, rotating: Issuer
) -> None:
    environment.setenv("IDENTITY_JWKS", server.url)
    forget()
    token = rotating.token("auditor")
    assert identify({"Authorization": f"Bearer {token}"}).user_id == "auditor@example.com"

    server.out = True
    assert identify({"Authorization": f"Bearer {token}"}).user_id == "auditor@example.com"
    assert server.requests == 1


def test_an_issuer_that_cannot_be_reached_is_said_to_be_so(
    environment: pytest.MonkeyPatch, server: KeyServer, rotating: Issuer
) -> None:
    server.out = True
    environment.setenv("IDENTITY_JWKS", server.url)
    forget()

    with pytest.raises(BillingError) as found:
        identify({"Authorization": f"Bearer {rotating.token('auditor')}"})
    assert (found.value.code, found.value.kind.retryable) == ("IDENTITY_UNREACHABLE", True)


# -- a file in development -------------------------------------------------------------------------------------------


def test_a_file_is_read_again_when_it_changes(rotating: Issuer) -> None:
    keys = key_source(str(rotating.jwks), LIFETIME)
    assert isinstance(keys, FileKeys)
    assert (outcome(keys, "local-1"), outcome(keys, "local-2")) == ("known", "unknown")

    rotating.rotate()
    assert (outcome(keys, "local-1"), outcome(keys, "local-2")) == ("known", "known")
    rotating.forget_old_keys()
    assert (outcome(keys, "local-1"), outcome(keys, "local-2")) == ("unknown", "known")


def test_a_file_that_is_gone_or_half_written_leaves_the_last_keys(rotating: Issuer) -> None:
    keys = FileKeys(rotating.jwks)
    assert outcome(keys, "local-1") == "known"

    rotating.jwks.write_text('{"keys": [')
    assert (outcome(keys, "local-1"), outcome(keys, "local-2")) == ("known", "unavailable")
    rotating.jwks.unlink()
    assert (outcome(keys, "local-1"), outcome(keys, "local-2")) == ("known", "unavailable")


def test_tokens_of_an_older_key_count_until_it_is_forgotten(environment: pytest.MonkeyPatch, rotating: Issuer) -> None:
    environment.setenv("IDENTITY_JWKS", str(rotating.jwks))
    forget()
    rotating.rotate()
    old = {"Authorization": f"Bearer {rotating.token('auditor', key=1)}"}
    assert identify(old).user_id == "auditor@example.com"

    rotating.forget_old_keys()
    with pytest.raises(BillingError) as found:
        identify(old)
    assert found.value.code == "TOKEN_INVALID"
    assert identify({"Authorization": f"Bearer {rotating.token('auditor')}"}).user_id == "auditor@example.com"

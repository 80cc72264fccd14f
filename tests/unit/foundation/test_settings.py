"""App settings: typed, every problem named at once with its cure, no secret ever shown, and no start unprotected."""

import json
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import NAMES, Settings, check_settings, settings

ROOT = Path(__file__).parents[3]
LOCAL = {"OPERATOR_NAME": "Meridian"}
AZURE = LOCAL | {
    "WEBSITE_SITE_NAME": "powerbill",
    "WEBSITE_AUTH_ENABLED": "True",
    "BillingStorage__blobServiceUri": "https://storage.example",
    "BillingServiceBus__fullyQualifiedNamespace": "bus.example",
    "DATABASE_URL": "mssql+pyodbc://server.example/billing",
    "PUBLIC_URL": "https://billing.example",
    "IDENTITY_TENANT": "00000000-0000-0000-0000-000000000001",
}
TOKENS = {
    "IDENTITY_ISSUER": "https://issuer.example",
    "IDENTITY_AUDIENCE": "api://powerbill",
    "IDENTITY_JWKS": "https://issuer.example/keys",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment in which nothing but the operator's name is set."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPERATOR_NAME", "Meridian")
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


def refused() -> dict[str, str]:
    with pytest.raises(BillingError) as found:
        settings()
    return problems_of(found.value)


def refused_start(given: dict[str, str]) -> dict[str, str]:
    """What keeps the app from starting with these settings; nothing when it starts."""
    try:
        check_settings(given)
    except BillingError as refusal:
        return problems_of(refusal)
    return {}


def problems_of(refusal: BillingError) -> dict[str, str]:
    assert refusal.code == "SETTINGS_INVALID"
    problems = {detail.field: detail.message for detail in refusal.details}
    assert len(problems) == len(refusal.details)
    assert all(f"{name}: {message}" in refusal.message for name, message in problems.items())
    assert all("; " in message for message in problems.values()), "each says the problem, then the cure"
    return problems


# -- reading ------------------------------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_rules() -> None:
    known = settings()

    assert known.business_time_zone == "America/New_York"  # R29
    assert (known.chunk_contracts, known.operator_name) == (100, "Meridian")


READ = [
    # setting, text, field, value
    ("CHUNK_CONTRACTS", "1000", "chunk_contracts", 1000),
    ("BUSINESS_TIME_ZONE", "America/Denver", "business_time_zone", "America/Denver"),
    ("BillingStorage__blobServiceUri", "https://a.example", "storage_uri", "https://a.example"),
    ("WEBSITE_AUTH_ENABLED", "True", "website_auth_enabled", True),
    ("WEBSITE_AUTH_ENABLED", "false", "website_auth_enabled", False),
]


@pytest.mark.parametrize(("name", "text", "field", "value"), READ)
def test_reading(environment: pytest.MonkeyPatch, name: str, text: str, field: str, value: object) -> None:
    environment.setenv(name, text)

    assert getattr(settings(), field) == value


READ_BUSINESS = [
    ("GAP_DAYS", "10", "gap_days", 10),
    ("BELL_EXCLUDED_CODES", " or1, OR9 ,,", "bell_excluded_codes", {"OR1", "OR9"}),
    ("BELL_EXCLUDED_CODES", "", "bell_excluded_codes", frozenset()),
    ("OCCUPIED_ROOMS_VALUE_TYPES", "actual", "occupied_rooms_value_types", {"ACTUAL"}),
]


@pytest.mark.parametrize(("name", "text", "field", "value"), READ_BUSINESS)
def test_reading_what_holds_until_people_decide(
    environment: pytest.MonkeyPatch, name: str, text: str, field: str, value: object
) -> None:
    environment.setenv(name, text)

    assert getattr(settings().business, field) == value
    assert settings().business_stated == {field}


WRONG = [
    ("OPERATOR_NAME", "", "write a text of 1 to 60 characters"),
    ("OPERATOR_NAME", "x" * 61, "write a text of 1 to 60 characters"),
    ("BUSINESS_TIME_ZONE", "New York", "such as America/New_York"),
    ("BUSINESS_TIME_ZONE", "America", "such as America/New_York"),
    ("BUSINESS_TIME_ZONE", "../etc", "such as America/New_York"),
    ("BUSINESS_TIME_ZONE", "", "such as America/New_York"),
    ("GAP_DAYS", "0", "write a whole number from 1 to 31"),
    ("GAP_DAYS", "a week", "write a whole number from 1 to 31"),
    ("GAP_DAYS", "7.5", "write a whole number from 1 to 31"),
    ("GAP_DAYS", "", "write a whole number from 1 to 31"),
    ("CHUNK_CONTRACTS", "1001", "write a whole number from 1 to 1000"),
    ("SCHEDULED_BILLING_DAY", "29", "write a whole number from 0 to 28"),
    ("IMPORT_HOLD_REJECTED_SHARE", "5", "write a number from 0 to 1"),
    ("IMPORT_HOLD_REJECTED_SHARE", "5 %", "write a number from 0 to 1"),
    ("IMPORT_HOLD_REJECTED_SHARE", "nan", "write a number from 0 to 1"),
    ("BELL_EXCLUDED_CODES", "x" * 31, "write codes of at most 30 characters"),
    ("WEBSITE_AUTH_ENABLED", "maybe", "write True or False"),
]


@pytest.mark.parametrize(("name", "text", "cure"), WRONG)
def test_a_wrong_one_is_named_with_its_cure(environment: pytest.MonkeyPatch, name: str, text: str, cure: str) -> None:
    environment.setenv(name, text)

    found = refused()

    assert list(found) == [name]
    assert cure in found[name]


def test_the_operator_has_no_default(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("OPERATOR_NAME")

    assert refused() == {"OPERATOR_NAME": "is missing; write a text of 1 to 60 characters"}


@pytest.mark.parametrize("alone", ["IDENTITY_ISSUER", "IDENTITY_JWKS"])
def test_issuer_and_keys_belong_together(environment: pytest.MonkeyPatch, alone: str) -> None:
    environment.setenv(alone, "https://issuer.example")

    assert list(refused()) == ["IDENTITY_JWKS"]


def test_every_problem_is_named_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("OPERATOR_NAME")
    for name, text in (
        ("BUSINESS_TIME_ZONE", "Mars/Base"),
        ("GAP_DAYS", "-1"),
        ("SLICE_BYTES", "many"),
        ("IDENTITY_ISSUER", "https://issuer.example"),
    ):
        environment.setenv(name, text)

    assert set(refused()) == {"OPERATOR_NAME", "BUSINESS_TIME_ZONE", "GAP_DAYS", "SLICE_BYTES", "IDENTITY_JWKS"}


# -- starting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        LOCAL,
        LOCAL | {"BillingStorage": "AccountName=local;AccountKey=a2V5", "DATABASE_URL": "sqlite:///.state/x.sqlite"},
        LOCAL | {"PUBLIC_URL": "http://127.0.0.1:7071"},
        AZURE,
        AZURE | TOKENS,
        AZURE | TOKENS | {"WEBSITE_AUTH_ENABLED": "False"},
    ],
)
def test_the_app_starts_here_and_in_azure(given: dict[str, str]) -> None:
    assert refused_start(given) == {}


def test_the_example_starts_and_names_no_setting_that_is_not_read() -> None:
    example = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]

    assert refused_start(example) == {}
    assert example.keys() - NAMES == {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}


ONLY_IN_AZURE = [
    # what is otherwise than in AZURE (None: not set), the setting that is named, a part of the cure
    ({"WEBSITE_AUTH_ENABLED": None}, "WEBSITE_AUTH_ENABLED", "turn on the app's authentication"),
    ({"WEBSITE_AUTH_ENABLED": "False"}, "WEBSITE_AUTH_ENABLED", "turn on the app's authentication"),
    ({"BillingStorage": "AccountName=a;AccountKey=a2V5"}, "BillingStorage", "remove it"),
    ({"BillingStorage": "BlobEndpoint=https://a;SharedAccessSignature=sv"}, "BillingStorage", "remove it"),
    ({"AzureWebJobsStorage": "accountkey = a2V5"}, "AzureWebJobsStorage", "AzureWebJobsStorage__accountName"),
    ({"BillingServiceBus": "SharedAccessKeyName=a;SharedAccessKey=b"}, "BillingServiceBus", "remove it"),
    ({"BillingStorage__blobServiceUri": None}, "BillingStorage__blobServiceUri", "set it"),
    (
        {"BillingServiceBus__fullyQualifiedNamespace": None},
        "BillingServiceBus__fullyQualifiedNamespace",
        "set it",
    ),
    ({"DATABASE_URL": "mssql+pyodbc://sa:pass@server.example/billing"}, "DATABASE_URL password", "managed identity"),
    ({"DATABASE_URL": "sqlite:///.state/x.sqlite"}, "DATABASE_URL", "write mssql"),
    ({"DATABASE_URL": None}, "DATABASE_URL", "write mssql"),
    ({"PUBLIC_URL": "http://billing.example"}, "PUBLIC_URL", "https://"),
    ({"BillingStorage__blobServiceUri": "http://storage.example"}, "BillingStorage__blobServiceUri", "https://"),
    (TOKENS | {"IDENTITY_JWKS": "http://issuer.example/keys"}, "IDENTITY_JWKS", "https://"),
]


@pytest.mark.parametrize(("otherwise", "name", "cure"), ONLY_IN_AZURE)
def test_azure_does_not_start_open_or_leaky(otherwise: dict[str, str | None], name: str, cure: str) -> None:
    found = refused_start(changed(AZURE, otherwise))

    assert list(found) == [name]
    assert cure in found[name]


EVERYWHERE: list[tuple[dict[str, str | None], str, str]] = [
    ({"IDENTITY_ISSUER": "@Microsoft.KeyVault(VaultName=v;SecretName=s)"}, "IDENTITY_ISSUER", "Key Vault Secrets User"),
    ({"IDENTITY_AUDIENCE": None}, "IDENTITY_AUDIENCE", "set it"),
    ({"PUBLIC_URL": "https://billing.example?x=1"}, "PUBLIC_URL", "write https://<host>"),
    ({"DATABASE_URL": "Server=a;Database=b"}, "DATABASE_URL", "sqlite:///"),
    ({"OPERATOR_NAM": "Meridian"}, "OPERATOR_NAM", "rename it to OPERATOR_NAME"),
    ({"CHUNK_CONTRACT": "5"}, "CHUNK_CONTRACT", "rename it to CHUNK_CONTRACTS"),
    ({"CHUNKCONTRACTS": "5"}, "CHUNKCONTRACTS", "rename it to CHUNK_CONTRACTS"),
    ({"gap_days": "5"}, "gap_days", "rename it to GAP_DAYS"),
    ({"RUN_PATIENCE_MINUTE": "5"}, "RUN_PATIENCE_MINUTE", "rename it to RUN_PATIENCE_MINUTES"),
    ({"BILLINGSTORAGE": "x"}, "BILLINGSTORAGE", "rename it to BillingStorage"),
]


@pytest.mark.parametrize("place", [LOCAL, AZURE], ids=["here", "azure"])
@pytest.mark.parametrize(("otherwise", "name", "cure"), EVERYWHERE)
def test_what_stops_the_start_everywhere(
    place: dict[str, str], otherwise: dict[str, str | None], name: str, cure: str
) -> None:
    found = refused_start(changed(place | TOKENS, otherwise))

    assert list(found) == [name]
    assert cure in found[name]


# What stands in the environment of a function app in Azure, near to names of ours.
PLATFORM = [
    "WEBSITE_SLOT_NAME",
    "WEBSITE_AUTH_ENCRYPTION_KEY",
    "WEBSITE_AUTH_SIGNING_KEY",
    "IDENTITY_HEADER",
    "IDENTITY_ENDPOINT",
    "MSI_SECRET",
    "FUNCTIONS_WORKER_RUNTIME",
    "AzureWebJobsStorage__accountName",
    "BillingStorage__queueServiceUri",
    "BillingStorage__clientId",
    "BillingServiceBus__credential",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "OTEL_SERVICE_NAME",
    "PYTHONPATH",
    "HOME",
    "LANG",
    "HOSTNAME",
]


def test_names_of_the_platform_are_not_taken_for_misspelt_ones() -> None:
    assert refused_start(AZURE | dict.fromkeys(PLATFORM, "x")) == {}


def test_the_start_names_problems_of_form_and_of_deployment_at_once() -> None:
    wrong: dict[str, str | None] = {
        "WEBSITE_AUTH_ENABLED": "False",
        "GAP_DAYS": "0",
        "BillingStorage": "AccountKey=a2V5",
        "PUBLIC_URL": "http://billing.example",
        "OPERATOR_NAM": "x",
        "OPERATOR_NAME": None,
    }

    assert set(refused_start(changed(AZURE, wrong))) == set(wrong)


def changed(base: dict[str, str], otherwise: dict[str, str | None]) -> dict[str, str]:
    merged: dict[str, str | None] = {**base, **otherwise}
    return {name: value for name, value in merged.items() if value is not None}


# -- secrets ------------------------------------------------------------------------------------------------------

SECRETS = st.text("abcdefghijkmnopqrstuvwxyz0123456789", min_size=12, max_size=40).map(lambda text: f"q7{text}")
HOLDERS = {
    "BillingStorage": "AccountName=a;AccountKey={}",
    "BillingServiceBus": "Endpoint=sb://a;SharedAccessKeyName=a;SharedAccessKey={}",
    "AzureWebJobsStorage": "AccountName=a;AccountKey={}",
    "DATABASE_URL": "mssql+pyodbc://sa:{}@server.example/billing",
    "OPERATOR_ACCOUNT_NUMBER": "{}",
    "OPERATOR_ABA": "{}",
    "GAP_DAYS": "{}",  # a secret that was pasted into the wrong line
    "BUSINESS_TIME_ZONE": "{}",
    "PUBLIC_URL": "{}",
    "IDENTITY_JWKS": "{}",
    "OPERATOR_NAM": "{}",
}


@given(secret=SECRETS, held=st.sets(st.sampled_from(sorted(HOLDERS)), min_size=1), azure=st.booleans())
@profile(max_examples=150, deadline=None, derandomize=True, database=None)
def test_no_secret_shows_in_a_refusal(secret: str, held: set[str], azure: bool) -> None:
    given = (AZURE if azure else LOCAL) | {name: HOLDERS[name].format(secret) for name in held}
    try:
        check_settings(given)
    except BillingError as refusal:
        shown = f"{refusal}{refusal!r}{refusal.details}{''.join(traceback.format_exception(refusal))}"
        assert secret not in shown


@given(secret=SECRETS)
@profile(max_examples=50, deadline=None, derandomize=True, database=None)
def test_no_secret_shows_in_the_settings(secret: str) -> None:
    hidden = ("BillingStorage", "BillingServiceBus", "DATABASE_URL", "OPERATOR_ACCOUNT_NUMBER", "OPERATOR_ABA")
    with pytest.MonkeyPatch.context() as patch:
        for name in hidden:
            patch.setenv(name, HOLDERS[name].format(secret))
        settings.cache_clear()
        known = settings()

    assert secret not in f"{known}{known!r}{known.storage}{known.service_bus!r}"
    assert secret in known.storage.reveal()
    assert isinstance(known, Settings)

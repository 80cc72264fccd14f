"""Settings: typed, from the environment, and every problem named at once."""

from collections.abc import Iterator

import pytest

from shared_code.foundation.errors import BillingError
from shared_code.foundation.settings import Settings, settings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment in which nothing but the operator's name is set."""
    for name, field in Settings.model_fields.items():
        monkeypatch.delenv(field.alias or name, raising=False)
    monkeypatch.setenv("OPERATOR_NAME", "Meridian")
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


def refused() -> dict[str, str]:
    with pytest.raises(BillingError) as found:
        settings()
    assert found.value.code == "SETTINGS_INVALID"
    problems = {detail.field: detail.message for detail in found.value.details}
    assert all(name in found.value.message for name in problems)
    return problems


def test_the_defaults_are_those_of_the_rules() -> None:
    known = settings()

    assert known.business_time_zone == "America/New_York"  # R29
    assert known.gap_days == 7  # R8
    assert known.bell_excluded_codes == {"OR1", "OR2"}  # R4
    assert known.room_value_types == frozenset()  # R47, all
    assert (known.chunk_contracts, known.operator_name) == (100, "Meridian")


READ = [
    # setting, text, field, value
    ("GAP_DAYS", "10", "gap_days", 10),
    ("CHUNK_CONTRACTS", "1000", "chunk_contracts", 1000),
    ("BUSINESS_TIME_ZONE", "America/Denver", "business_time_zone", "America/Denver"),
    ("BELL_EXCLUDED_CODES", " or1, OR9 ,,", "bell_excluded_codes", {"OR1", "OR9"}),
    ("BELL_EXCLUDED_CODES", "", "bell_excluded_codes", frozenset()),
    ("OCCUPIED_ROOMS_VALUE_TYPES", "actual", "room_value_types", {"ACTUAL"}),
    ("BillingStorage__blobServiceUri", "https://a.example", "storage_uri", "https://a.example"),
]


@pytest.mark.parametrize(("name", "text", "field", "value"), READ)
def test_reading(environment: pytest.MonkeyPatch, name: str, text: str, field: str, value: object) -> None:
    environment.setenv(name, text)

    assert getattr(settings(), field) == value


WRONG = [
    ("OPERATOR_NAME", ""),
    ("OPERATOR_NAME", "x" * 61),
    ("BUSINESS_TIME_ZONE", "New York"),
    ("GAP_DAYS", "0"),
    ("GAP_DAYS", "a week"),
    ("GAP_DAYS", ""),
    ("CHUNK_CONTRACTS", "1001"),
    ("SCHEDULED_BILLING_DAY", "29"),
    ("IMPORT_HOLD_REJECTED_SHARE", "5"),
]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_wrong_one_is_named(environment: pytest.MonkeyPatch, name: str, text: str) -> None:
    environment.setenv(name, text)

    assert list(refused()) == [name]


def test_the_operator_has_no_default(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("OPERATOR_NAME")

    assert list(refused()) == ["OPERATOR_NAME"]


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

    problems = refused()

    assert set(problems) == {"OPERATOR_NAME", "BUSINESS_TIME_ZONE", "GAP_DAYS", "SLICE_BYTES", "IDENTITY_JWKS"}
    assert "America/New_York" in problems["BUSINESS_TIME_ZONE"]


def test_a_refusal_keeps_secrets(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BillingServiceBus", "SharedAccessKey=hunter2")
    environment.setenv("GAP_DAYS", "0")

    assert "hunter2" not in str(refused())

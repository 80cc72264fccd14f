"""Every setting, typed, from the environment. A wrong one stops the start, and all wrong ones are named at once.

Names are those of the app settings in Azure. Connections follow the Functions convention: the bare name holds a
connection string, `NAME__blobServiceUri` or `NAME__fullyQualifiedNamespace` an address for managed identity.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared_code.foundation.errors import BillingError, Detail, ErrorKind

SETTINGS_INVALID = ErrorKind(
    code="SETTINGS_INVALID",
    number=5001,
    status=500,
    meaning="The app cannot start with these settings.",
    cure="Correct every setting named in the details; local.settings.json.example shows a working set.",
)

Codes = Annotated[frozenset[str], NoDecode]


class Settings(BaseSettings):
    """The configuration of one deployment. Texts that are printed (operator, remittance) are settings too."""

    model_config = SettingsConfigDict(case_sensitive=True, extra="ignore", frozen=True, populate_by_name=True)

    database_url: str = Field(default="sqlite:///.state/powerbill.sqlite", alias="DATABASE_URL")
    storage: str = Field(default="", alias="BillingStorage")
    storage_uri: str = Field(default="", alias="BillingStorage__blobServiceUri")
    service_bus: str = Field(default="", alias="BillingServiceBus")
    service_bus_namespace: str = Field(default="", alias="BillingServiceBus__fullyQualifiedNamespace")

    business_time_zone: str = Field(default="America/New_York", alias="BUSINESS_TIME_ZONE")
    operator_name: str = Field(min_length=1, max_length=60, alias="OPERATOR_NAME")
    operator_legal_name: str = Field(default="", alias="OPERATOR_LEGAL_NAME")
    operator_address: str = Field(default="", alias="OPERATOR_ADDRESS")
    operator_phone: str = Field(default="", alias="OPERATOR_PHONE")
    operator_email: str = Field(default="", alias="OPERATOR_EMAIL")
    operator_po_box: str = Field(default="", alias="OPERATOR_PO_BOX")
    operator_account_number: str = Field(default="", alias="OPERATOR_ACCOUNT_NUMBER")
    operator_aba: str = Field(default="", alias="OPERATOR_ABA")
    second_brand_name: str = Field(default="", alias="SECOND_BRAND_NAME")
    second_brand_legal_name: str = Field(default="", alias="SECOND_BRAND_LEGAL_NAME")

    identity_issuer: str = Field(default="", alias="IDENTITY_ISSUER")
    identity_audience: str = Field(default="", alias="IDENTITY_AUDIENCE")
    identity_tenant: str = Field(default="", alias="IDENTITY_TENANT")
    identity_jwks: str = Field(default="", alias="IDENTITY_JWKS")
    public_url: str = Field(default="", alias="PUBLIC_URL")

    chunk_contracts: int = Field(default=100, ge=1, le=1000, alias="CHUNK_CONTRACTS")
    documents_per_message: int = Field(default=25, ge=1, le=250, alias="DOCUMENTS_PER_MESSAGE")
    slice_bytes: int = Field(default=8_000_000, ge=1_000, le=256_000_000, alias="SLICE_BYTES")
    gap_days: int = Field(default=7, ge=1, le=31, alias="GAP_DAYS")
    bell_excluded_codes: Codes = Field(default=frozenset({"OR1", "OR2"}), alias="BELL_EXCLUDED_CODES")
    room_value_types: Codes = Field(default=frozenset(), alias="OCCUPIED_ROOMS_VALUE_TYPES")
    held_rejected_share: float = Field(default=0.05, ge=0, le=1, alias="IMPORT_HOLD_REJECTED_SHARE")
    run_patience_minutes: int = Field(default=15, ge=1, le=1440, alias="RUN_PATIENCE_MINUTES")
    scheduled_billing_day: int = Field(default=3, ge=0, le=28, alias="SCHEDULED_BILLING_DAY")

    @field_validator("bell_excluded_codes", "room_value_types", mode="before")
    @classmethod
    def _codes(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(part.strip().upper() for part in value.split(",") if part.strip())
        return value

    @field_validator("business_time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"unknown time zone {value!r}; expected a name such as America/New_York")
        return ZoneInfo(value).key

    @field_validator("identity_jwks")
    @classmethod
    def _identity(cls, value: str, info: ValidationInfo) -> str:
        # On the field, since a check of the whole would wait until every field is right and hide its problem.
        if bool(value) != bool(info.data.get("identity_issuer")):
            raise ValueError("IDENTITY_ISSUER and IDENTITY_JWKS belong together: set both or neither")
        return value


@cache
def settings() -> Settings:
    """The settings of this process, read once. Raises SETTINGS_INVALID with every problem at once."""
    try:
        return Settings()  # the values come from the environment
    except ValidationError as error:
        details = [Detail(_name(str(e["loc"][0])), e["msg"]) for e in error.errors()]
        problems = "; ".join(f"{d.field}: {d.message}" for d in details)
        raise BillingError(SETTINGS_INVALID, f"settings are invalid: {problems}", details) from error


def _name(place: str) -> str:
    """The name of a setting: pydantic says the field's own where a default was at fault."""
    field = Settings.model_fields.get(place)
    return (field.alias if field is not None else None) or place

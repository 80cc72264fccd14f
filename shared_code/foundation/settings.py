"""Every app setting, typed, from the environment. A wrong one stops the start, and all wrong ones are named at once.

Names are those of the app settings in Azure. Connections follow the Functions convention: the bare name holds a
connection string, `NAME__blobServiceUri` or `NAME__fullyQualifiedNamespace` an address for managed identity.
What billing people decide stands in `business_settings`; app settings only give the values that hold until they do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, cast

from shared_code.foundation import deployment_rules
from shared_code.foundation.business_settings.model import CATALOGUE, BusinessSettings, from_environment
from shared_code.foundation.errors import BillingError, Detail, ErrorKind
from shared_code.foundation.setting_kinds import Flag, Hidden, Kind, Secret, Text, Whole, Zone

SETTINGS_INVALID = ErrorKind(
    code="SETTINGS_INVALID",
    number=5001,
    status=500,
    meaning="The app cannot start with these settings.",
    cure="Correct every setting named in the details; local.settings.json.example shows a working set.",
)
_ANY = Text()
_REQUESTS = Whole(1, 1_000_000)
_REQUIRED: Any = object()


def _setting[Value](
    name: str, kind: Kind[Value] | None = None, *, default: Any = _REQUIRED, shown: bool = True
) -> Value:
    """A field that is read from the app setting `name`; one without a default must be set."""
    metadata = {"name": name, "kind": kind or _ANY, "default": default}
    return cast(Value, field(repr=shown, metadata=metadata))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration of one deployment. Texts that are printed (operator, remittance) are settings too.

    Nothing secret shows in `str`, `repr` or an error.
    """

    # On a developer's machine the address may hold a password.
    database_url: str = _setting("DATABASE_URL", default="sqlite:///.state/powerbill.sqlite", shown=False)
    database_max_connections: int = _setting("DATABASE_MAX_CONNECTIONS", Whole(40, 30_000), default=240)
    storage: Secret = _setting("BillingStorage", Hidden(), default=Secret())  # noqa: RUF009 - a field
    storage_uri: str = _setting("BillingStorage__blobServiceUri", default="")
    service_bus: Secret = _setting("BillingServiceBus", Hidden(), default=Secret())  # noqa: RUF009 - a field
    service_bus_namespace: str = _setting("BillingServiceBus__fullyQualifiedNamespace", default="")

    business_time_zone: str = _setting("BUSINESS_TIME_ZONE", Zone(), default="America/New_York")  # rules R29
    operator_name: str = _setting("OPERATOR_NAME", Text(1, 60))
    operator_legal_name: str = _setting("OPERATOR_LEGAL_NAME", default="")
    operator_address: str = _setting("OPERATOR_ADDRESS", default="")
    operator_phone: str = _setting("OPERATOR_PHONE", default="")
    operator_email: str = _setting("OPERATOR_EMAIL", default="")
    operator_po_box: str = _setting("OPERATOR_PO_BOX", default="")
    operator_account_number: str = _setting("OPERATOR_ACCOUNT_NUMBER", default="", shown=False)
    operator_aba: str = _setting("OPERATOR_ABA", default="", shown=False)
    second_brand_name: str = _setting("SECOND_BRAND_NAME", default="")
    second_brand_legal_name: str = _setting("SECOND_BRAND_LEGAL_NAME", default="")

    identity_issuer: str = _setting("IDENTITY_ISSUER", default="")
    identity_audience: str = _setting("IDENTITY_AUDIENCE", default="")
    identity_tenant: str = _setting("IDENTITY_TENANT", default="")
    identity_jwks: str = _setting("IDENTITY_JWKS", default="")
    identity_clock_skew_seconds: int = _setting("IDENTITY_CLOCK_SKEW_SECONDS", Whole(0, 300), default=60)
    identity_keys_seconds: int = _setting("IDENTITY_KEYS_SECONDS", Whole(60, 86_400), default=3600)
    website_site_name: str = _setting("WEBSITE_SITE_NAME", default="")  # set by the platform, and only there
    website_auth_enabled: bool = _setting("WEBSITE_AUTH_ENABLED", Flag(), default=False)  # set by the platform
    public_url: str = _setting("PUBLIC_URL", default="")

    # Limits of callers hold before the database is asked anything, so they are no business settings (decision 0015).
    person_calls_per_minute: int = _setting("PERSON_CALLS_PER_MINUTE", _REQUESTS, default=100)
    person_calls_burst: int = _setting("PERSON_CALLS_BURST", _REQUESTS, default=20)
    service_calls_per_minute: int = _setting("SERVICE_CALLS_PER_MINUTE", _REQUESTS, default=1000)
    service_calls_burst: int = _setting("SERVICE_CALLS_BURST", _REQUESTS, default=100)

    chunk_contracts: int = _setting("CHUNK_CONTRACTS", Whole(1, 1000), default=100)
    documents_per_message: int = _setting("DOCUMENTS_PER_MESSAGE", Whole(1, 250), default=25)
    slice_bytes: int = _setting("SLICE_BYTES", Whole(1_000, 256_000_000), default=8_000_000)

    # What an outage asks of the app: how long it waits, and for what (docs/architecture/way-through.md).
    consumer_pause_seconds: int = _setting("CONSUMER_PAUSE_SECONDS", Whole(0, 60), default=30)
    publish_patience_seconds: int = _setting("PUBLISH_PATIENCE_SECONDS", Whole(1, 30), default=2)
    drop_patience_minutes: int = _setting("DROP_PATIENCE_MINUTES", Whole(0, 1440), default=10)

    business: BusinessSettings
    """Values of business settings where none is stored: `business_settings.repository.current` puts those over them."""
    business_stated: frozenset[str] = frozenset()
    """The fields of business settings that the environment gave a value."""

    @property
    def easy_auth(self) -> bool:
        """Whether the platform itself says who calls: only in Azure, and only while Easy Auth is on."""
        return self.website_auth_enabled and bool(self.website_site_name)


_FIELDS = {one.metadata["name"]: one for one in fields(Settings) if one.metadata}
NAMES = frozenset(_FIELDS) | {entry.app_setting for entry in CATALOGUE.values()}
"""The names of all app settings that the app reads here."""


@cache
def settings() -> Settings:
    """The settings of this process, read once. Raises SETTINGS_INVALID with every problem of form at once."""
    found, problems = _read(os.environ)
    if found is None:
        raise _invalid(problems)
    return found


def check_settings(environment: Mapping[str, str] | None = None) -> None:
    """Refuse to start: every problem at once, of form and of a deployment that would be open, leaky or misspelt.

    Called when the app is registered. Raises SETTINGS_INVALID; each detail names the setting, the problem and the cure,
    and no detail shows a value.
    """
    given = os.environ if environment is None else environment
    _, problems = _read(given)
    if problems := problems + deployment_rules.problems(given, NAMES):
        raise _invalid(problems)


def _read(environment: Mapping[str, str]) -> tuple[Settings | None, list[Detail]]:
    values: dict[str, Any] = {}
    problems: list[Detail] = []
    for name, one in _FIELDS.items():
        kind, default = one.metadata["kind"], one.metadata["default"]
        try:
            values[one.name] = kind.of_text(environment[name]) if name in environment else default
        except ValueError as fault:
            problems.append(Detail(name, f"cannot be used; {fault}"))
        else:
            if values[one.name] is _REQUIRED:
                problems.append(Detail(name, f"is missing; write {kind.wants}"))
    if bool(environment.get("IDENTITY_ISSUER")) != bool(environment.get("IDENTITY_JWKS")):
        problems.append(Detail("IDENTITY_JWKS", "and IDENTITY_ISSUER belong together; set both or neither"))
    stated, wrong = from_environment(environment)
    if problems := problems + wrong:
        return None, problems
    return Settings(business=BusinessSettings(**stated), business_stated=frozenset(stated), **values), []


def _invalid(problems: list[Detail]) -> BillingError:
    listed = "; ".join(f"{problem.field}: {problem.message}" for problem in problems)
    return BillingError(SETTINGS_INVALID, f"settings are invalid: {listed}", problems)

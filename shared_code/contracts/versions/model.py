"""Contracts of a site and their versions as routes answer with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pydantic import ConfigDict, JsonValue, RootModel

from shared_code.contracts.model import Notice
from shared_code.contracts.versions.differences import Change
from shared_code.foundation.answers import Described, PeriodText


@dataclass(frozen=True, slots=True)
class ContractOfSite(Described):
    """One of a site's contracts, as its latest version states it (rules R42)."""

    contract_id: str
    document_id: str
    """The id inside the document."""
    customer_name: str
    version: int
    effective_from: date | None
    hash: str
    """The ETag of the latest version without its quotes."""
    billing_type: Literal["Arrears", "Advanced"]
    components: tuple[str, ...]
    """Parts that are switched on."""
    start_date: date | None
    """The first day in force; null when it is not known."""
    end_date: date | None
    """The last day in force; null for no end."""
    billed_through: PeriodText | None
    """The last month with a statement."""
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ContractVersion(Described):
    """One version of a contract: who made it, why, and from when it serves."""

    contract_id: str
    version: int
    effective_from: date | None
    """The first day that it serves; null for from the beginning of time. The next first of a month counts."""
    rates_as_of: PeriodText
    """The month that its rates were stated for."""
    hash: str
    author: str
    reason: str
    saved_at: datetime
    source_name: str | None
    """The file that brought it; null for one that came through the API."""
    previous: int | None
    """The version that the changes are counted from; null for the first."""


@dataclass(frozen=True, slots=True)
class ContractVersionDetail(Described):
    """A version with its document and what it has changed."""

    about: ContractVersion
    changes: tuple[Change, ...]
    """Differences from the version before; empty for the first."""
    warnings: tuple[Notice, ...]
    document: Mapping[str, object]
    """The contract document as PUT takes it."""


class ContractPatch(RootModel[dict[str, JsonValue]]):
    """What is to change of a contract document: its fields alone, null for one that is to go (RFC 7386)."""

    model_config = ConfigDict(defer_build=True)


@dataclass(frozen=True, slots=True)
class LegacyFile:
    """A legacy contract file and its name."""

    data: bytes
    file_name: str

"""Contracts as people and programs read them: values that reading, saving and checking answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared_code.foundation.answers import Described


@dataclass(frozen=True, slots=True)
class Notice(Described):
    """Something a person should know about a document that is accepted all the same."""

    code: str
    """GET /errors/{code} explains those of the rules; DQ codes name oddities of legacy files."""
    pointer: str
    """The place in the document, as a JSON pointer."""
    message: str
    suggestion: str


ReadinessState = Literal["complete", "needsTerms", "incomplete"]


@dataclass(frozen=True, slots=True)
class ContractReadiness(Described):
    """How far a contract is from being billed (rules R48)."""

    state: ReadinessState
    """incomplete: generation fails until a person enters what is missing. needsTerms: it bills, yet its texts state
    terms that no part of the document holds."""
    reasons: tuple[Notice, ...]
    """Why it is not complete, the worst first."""


@dataclass(frozen=True, slots=True)
class SavedContract(Described):
    """What saving a contract came to."""

    contract_id: str
    site_number: str
    version: int
    """The latest version, made by this call or before."""
    changed: bool
    """False when the latest version says the same already, or was stated later."""
    hash: str
    """The ETag of the latest version without its quotes."""
    notices: tuple[Notice, ...]
    readiness: ContractReadiness
    outdated: bool = False
    """True when the latest version was stated later than this document, which is not saved then."""


@dataclass(frozen=True, slots=True)
class CheckedContract(Described):
    """A document that could be saved, with what a person should know about it. Nothing was saved."""

    valid: Literal[True]
    warnings: tuple[Notice, ...]
    readiness: ContractReadiness


@dataclass(frozen=True, slots=True)
class SiteContract(Described):
    """The latest version of a site's contract."""

    contract_id: str
    site_number: str
    version: int
    effective_from: date | None
    """The first day that this version serves; null for a first version, which serves from the beginning."""
    hash: str
    """The ETag without its quotes."""
    warnings: tuple[Notice, ...]
    document: Mapping[str, object]
    """The contract document as PUT takes it."""
    readiness: ContractReadiness
    other_contracts: tuple[str, ...]
    """Ids of further contracts of the site."""

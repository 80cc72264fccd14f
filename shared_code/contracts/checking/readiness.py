"""How far a contract is from being billed: complete, in need of terms, or incomplete (rules R48)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from shared_code.contracts.findings import Finding
from shared_code.contracts.legacy.quality_amounts import bills_nothing, unanchored_years
from shared_code.contracts.legacy.quality_texts import hidden_factors, states_terms
from shared_code.contracts.rates.rules import escalator_findings
from shared_code.contracts.schema import Contract, ManagementAgreement
from shared_code.contracts.validation import check

State = Literal["complete", "needs terms", "incomplete"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a contract is not complete: a reason code or DQ code, its place in the document, and a sentence."""

    code: str
    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of a contract, with every reason.

    `incomplete`: generation fails, or a whole agreement bills nothing, until a person enters what is missing.
    `needs terms`: it bills, yet a text states terms that no component, term or escalator holds.
    """

    state: State
    reasons: tuple[Reason, ...] = ()


def readiness(contract: Contract) -> Readiness:
    """The readiness of a contract; the reasons of the worse state stand first."""
    missing, terms = tuple(_missing(contract)), tuple(_open_terms(contract))
    state: State = "incomplete" if missing else "needs terms" if terms else "complete"
    return Readiness(state, (*missing, *terms))


def _missing(contract: Contract) -> Iterator[Reason]:
    findings: list[Finding] = [*check(contract), *escalator_findings(contract)]
    yield from (Reason(f.code, f.pointer, f.message) for f in findings if f.blocks_generation)
    for index, component in enumerate(contract.components):
        if isinstance(component, ManagementAgreement) and component.enabled:
            for place, agreement in enumerate(component.agreements):
                if bills_nothing(agreement):
                    at = f"/components/{index}/agreements/{place}"
                    yield Reason("DQ19", at, "the management agreement bills nothing")


def _open_terms(contract: Contract) -> Iterator[Reason]:
    for name, rules in (("escalators", contract.escalators), ("terms", contract.terms)):
        for index, rule in enumerate(rules):
            if rule.status == "proposed":
                yield Reason("PROPOSED", f"/{name}/{index}", "it is proposed and waits for a person's approval")
    if states_terms(contract.notes) and not _note_was_read(contract):
        yield Reason("DQ30", "/notes", "the note states billing terms, and nobody has entered or rejected any")
    for title in hidden_factors(contract):
        yield Reason("DQ38", "/components", f"the title {title!r} hides a quantity, a price or a split")
    for name in dict.fromkeys(unanchored_years(contract)):
        yield Reason("DQ33", "/anchorDate", f"{name} counts anniversary years, and the contract has no anchor date")


def _note_was_read(contract: Contract) -> bool:
    """A person has decided on something that the note says."""
    steps = any(rule.source == "note" and rule.status != "proposed" for rule in contract.escalators)
    return steps or any(term.status != "proposed" for term in contract.terms)

"""What is said about a contract: findings of the rules, and warnings of an import. Values, never exceptions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared_code.contracts.errors import RULE_KINDS
from shared_code.foundation.errors import BillingError, Detail

Severity = Literal["error", "incomplete", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about a contract, with its stable reason code (rules R61) and its place in the document.

    `error`: not saved, and generation fails. `incomplete`: saved, but generation fails until a person
    completes it (rules R48). `warning`: billed as it stands.
    """

    code: str
    pointer: str
    message: str
    severity: Severity = "error"

    @property
    def blocks_generation(self) -> bool:
        return self.severity != "warning"


@dataclass(frozen=True, slots=True)
class LegacyWarning:
    """Something in a legacy file that a person should know: a DQ code of the corpus study, or a reason code."""

    code: str
    pointer: str
    message: str
    suggestion: str


def refusal(findings: Iterable[Finding]) -> BillingError | None:
    """The refusal to save that the errors among findings call for: the kind of the first, all as details."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return None
    kind = RULE_KINDS[errors[0].code]
    details = [Detail(error.pointer, f"{error.code}: {error.message}") for error in errors]
    return BillingError(kind, errors[0].message, details)

"""The body of a decision about a proposal."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from shared_code.foundation.shapes import Printable, RequestModel

# A decision that writes is the reason of a version too, which keeps this many characters.
_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=400), Printable]


class ProposalDecision(RequestModel):
    """What a person decides about a term that a note proposes."""

    decision: Literal["approve", "reject"] = Field(
        description="approve writes the term into the contract where that has a place for it; reject only stores"
    )
    reason: _Reason = Field(description="why, in 3 to 400 characters")
    target: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = Field(
        None, description="the rate that is meant, such as fixedFee.fee, where the note names none or another"
    )
    values: dict[str, JsonValue] = Field(
        default_factory=dict, description="fields of the proposal's value that a person corrects; null removes one"
    )
    replaces: bool = Field(
        False, description="true takes out escalators of the contract that raise the same rate in the same years"
    )

"""Refusals of decisions on proposals from notes."""

from shared_code.foundation.errors import ErrorKind

NOTE_PROPOSAL_NOT_FOUND = ErrorKind(
    "NOTE_PROPOSAL_NOT_FOUND",
    2190,
    404,
    "The contract's note has no such proposal.",
    "List the proposals of the note again.",
)
NOTE_PROPOSAL_GONE = ErrorKind(
    "NOTE_PROPOSAL_GONE",
    4190,
    409,
    "The note no longer says what was proposed, so there is nothing to decide.",
    "List the proposals of the note again, and decide on those that its present text makes.",
)
NOTE_PROPOSAL_RIVAL = ErrorKind(
    "NOTE_PROPOSAL_RIVAL",
    4191,
    409,
    "Another reading of the same words is approved, and only one of them can be right.",
    "Reject the other reading first.",
)
NOTE_TARGET_MISSING = ErrorKind(
    "NOTE_TARGET_MISSING",
    3090,
    422,
    "The note does not name the rate that the proposal is about.",
    "Name the rate as target, for example fixedFee.fee.",
)
NOTE_PROPOSAL_IN_CONTRACT = ErrorKind(
    "NOTE_PROPOSAL_IN_CONTRACT",
    4192,
    409,
    "What the proposal was approved as stands in the contract, so another decision about it would not be true.",
    "Change or remove that part of the contract first (its place is in the details), then decide again.",
)
NOTE_ESCALATOR_RIVAL = ErrorKind(
    "NOTE_ESCALATOR_RIVAL",
    4193,
    409,
    "The contract has another escalator for the same rate and years; billing would stop, since one of them is meant.",
    "Send replaces=true to take out those that the details name, or narrow this one by targetId, firstYear or until.",
)
NOTE_CORRECTION_INVALID = ErrorKind(
    "NOTE_CORRECTION_INVALID",
    3091,
    422,
    "A proposal cannot be approved as it was corrected, or it needs a correction to be followed.",
    "Correct each field listed, the rate as target and others in values; the message names the rates that there are.",
)
KINDS = (
    NOTE_PROPOSAL_NOT_FOUND,
    NOTE_PROPOSAL_GONE,
    NOTE_PROPOSAL_RIVAL,
    NOTE_PROPOSAL_IN_CONTRACT,
    NOTE_ESCALATOR_RIVAL,
    NOTE_TARGET_MISSING,
    NOTE_CORRECTION_INVALID,
)

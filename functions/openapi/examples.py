"""Examples of what the main requests carry, by model; a test sends each through the model that checks requests."""

from __future__ import annotations

from typing import Any

type Json = dict[str, Any]

NOTE = "Rates go up 3% annually."
"""The note of the contract that the examples show: a rise for a person to approve, with rate and month left open."""
_CONTRACT: Json = {
    "schemaVersion": "1",
    "id": "contract-0042",
    "site": {"number": "0042", "customerName": "Harbor Hotel"},
    "paymentTerms": {"kind": "net_days", "days": 30},
    "notes": NOTE,
    "components": [
        {
            "kind": "fixedFee",
            "enabled": True,
            "lines": [
                {
                    "id": "fee-1",
                    "name": "Management fee",
                    "code": "4700",
                    "displayName": "Management fee",
                    "fee": 2500.00,
                }
            ],
        }
    ],
}
_EXAMPLES: dict[str, dict[str, tuple[str, Json]]] = {
    "shared_code.statements.requests:RunRequest": {
        "everything": ("Bill a month for all contracts.", {"period": "2026-10"}),
        "someSites": (
            "See what two sites would be billed, and write nothing.",
            {"period": "2026-10", "siteNumbers": ["0042", "0107"], "source": "preview", "dryRun": True},
        ),
    },
    "shared_code.statements.catch_up.requests:CatchUpRequest": {
        "twoMonths": ("Bill two missed months.", {"periods": ["2026-08", "2026-09"]})
    },
    "shared_code.contracts.schema:Contract": {
        "fixedFee": ("A monthly fee, due in 30 days, with a note that bills nothing yet.", _CONTRACT)
    },
    "shared_code.access.requests:UserRequest": {
        "auditor": (
            "Let an auditor in until the end of the year.",
            {
                "name": "Ann Lee",
                "roles": [{"role": "auditor", "validUntil": "2026-12-31T23:59:59Z"}],
                "reason": "audit of the third quarter",
            },
        )
    },
    "shared_code.access.requests:AssignmentsRequest": {
        "twoSites": (
            "Give an account manager two sites.",
            {"sites": ["0042", "0107"], "districts": [], "reason": "took over from a colleague"},
        )
    },
    "shared_code.foundation.business_settings.requests:SettingsRequest": {
        "gapDays": (
            "Call a month incomplete after five days without rows.",
            {"changes": {"gapDays": 5}, "reason": "agreed with the billing team"},
        )
    },
    "shared_code.contracts.versions.model:ContractPatch": {
        "dueDays": (
            "Change the terms of payment and nothing else.",
            {"paymentTerms": {"kind": "net_days", "days": 45}},
        )
    },
    "shared_code.contracts.notes.requests:ProposalDecision": {
        "approve": (
            "Approve a rise whose rate and month the note does not name.",
            {
                "decision": "approve",
                "reason": "as in the signed addendum of May",
                "target": "fixedFee.fee",
                "values": {"month": "January"},
            },
        ),
        "reject": ("Reject what is agreed no longer.", {"decision": "reject", "reason": "the client has withdrawn it"}),
    },
    "shared_code.contracts.index_values.requests:IndexValuesRequest": {
        "twoIndexes": (
            "Enter what two indexes have risen by.",
            {
                "values": [
                    {"name": "CPI", "year": 2027, "value": 3.1},
                    {"name": "ECI", "year": 2027, "value": 3.45},
                ],
                "reason": "published on 15 January",
            },
        )
    },
    "shared_code.contracts.openings.requests:OpeningsRequest": {
        "twoPlaces": (
            "Take over a structure's revenue of the year, and start a profit share at zero.",
            {
                "balances": [
                    {"kind": "structure", "id": "s-1", "basis": "amount", "asOf": "2026-09", "toDate": 412500.25},
                    {"kind": "profitShare", "id": "a-1", "basis": "zero", "asOf": "2026-09"},
                ],
                "reason": "totals of the system before, checked by two people",
            },
        )
    },
    "shared_code.periods.requests:PeriodRequest": {
        "close": ("Close a month.", {"action": "close"}),
        "reopen": (
            "Bill a closed month again.",
            {"action": "reopen", "reason": "a revenue file was corrected by the source"},
        ),
    },
    "shared_code.statements.lifecycle.requests:TransitionRequest": {
        "approve": ("Approve a statement.", {"to": "ReadyToSend"}),
        "sendBack": (
            "Ask for another look.",
            {"to": "ARReview", "fromStatus": "ApprovalTeam", "reason": "the site disputes the hours of the 14th"},
        ),
    },
    "shared_code.statements.lifecycle.requests:CommentRequest": {
        "hours": ("Say what is odd about a month.", {"text": "Two shifts of the 14th were booked twice."})
    },
    "shared_code.statements.lifecycle.requests:SiteCommentRequest": {
        "hours": (
            "Say what is odd about a month that is not billed yet.",
            {"period": "2026-10", "text": "Two shifts of the 14th were booked twice."},
        )
    },
    "shared_code.statements.adhoc.requests:AdHocLineRequest": {
        "credit": (
            "Credit a client.",
            {"type": "miscellaneous", "title": "Goodwill", "amount": -150.00, "reason": "agreed with the client"},
        ),
        "paidByTheClient": (
            "Credit what the client has paid, on an account of expenses.",
            {
                "type": "clientPaidExpense",
                "title": "Uniforms",
                "amount": 284.50,
                "code": "7170",
                "description": "three jackets",
                "reason": "receipt of 12 October",
            },
        ),
    },
    "shared_code.foundation.shapes:WithReason": {
        "reason": ("Say why.", {"reason": "the database was away for an hour and is back"})
    },
}


def models() -> tuple[str, ...]:
    """The models that have examples."""
    return tuple(_EXAMPLES)


def of_body(model: str) -> Json:
    """The examples of a request body by name, as OpenAPI has them; empty when there are none."""
    return {name: {"summary": text, "value": value} for name, (text, value) in _EXAMPLES.get(model, {}).items()}

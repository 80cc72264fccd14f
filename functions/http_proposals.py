"""Terms that the notes of contracts propose, over HTTP: nothing of them bills before a person approves it."""

from __future__ import annotations

from typing import cast

import azure.functions as func

from functions.contract_queries import CONTRACT, EFFECTIVE, RATES_AS_OF, saving_of
from functions.declarations import PAGED, Body, Query, ok, page_of
from functions.http import Call, Reply, route

blueprint = func.Blueprint()
PROPOSAL = "shared_code.contracts.notes.answers:NoteProposal"
STATE = Query(
    "state",
    "superseded: the note does not say it any more",
    choices=("proposed", "approved", "rejected", "superseded"),
)


@route(
    blueprint,
    "GET",
    "contracts/{site_number}/proposals",
    page_of(PROPOSAL),
    resource="proposals",
    access="read",
    query=(*PAGED, STATE, CONTRACT),
)
def list_proposals(call: Call) -> Reply:
    """What the note of a contract proposes, in the order of its words, with what was decided about each."""
    from shared_code.contracts.notes.lifecycle import State
    from shared_code.contracts.notes.service import proposals_of

    state = cast("State | None", call.choice(STATE.name))
    return Reply(proposals_of(call.path["site_number"], call.query("contractId"), state, call.asked, call.visible))


@route(
    blueprint,
    "GET",
    "contracts/{site_number}/proposals/{proposal_id}",
    ok(PROPOSAL, "ETag"),
    resource="proposals",
    access="read",
    query=(CONTRACT,),
)
def get_proposal(call: Call) -> Reply:
    """One proposal with the words that it came from. The ETag is that of the contract, which an approval changes."""
    from shared_code.contracts.notes.service import proposal_of

    wanted = call.path["site_number"], call.query("contractId"), call.path["proposal_id"]
    found = proposal_of(*wanted, call.visible)
    return Reply(found, headers={"ETag": f'"{found.contract_hash}"'})


@route(
    blueprint,
    "POST",
    "contracts/{site_number}/proposals/{proposal_id}",
    ok(PROPOSAL, "ETag"),
    resource="proposals",
    access="approve",
    body=Body("shared_code.contracts.notes.requests:ProposalDecision"),
    query=(CONTRACT, EFFECTIVE, RATES_AS_OF),
    idempotency="natural",
    if_match=True,
)
def decide_proposal(call: Call) -> Reply:
    """Approve or reject a proposal. An approval writes a version of the contract and needs its ETag as If-Match."""
    from shared_code.contracts.notes.requests import ProposalDecision
    from shared_code.contracts.notes.service import Wish, decide
    from shared_code.contracts.parsing import parse

    body = call.body(ProposalDecision)
    values = parse(call.raw_body).get("values", {})  # as they were written: a float would not be exact
    wish = Wish(body.decision == "approve", body.reason, body.target, values, body.replaces)
    saving = saving_of(call, body.reason, call.if_match)
    wanted = call.path["site_number"], call.query("contractId"), call.path["proposal_id"]
    found = decide(*wanted, wish, saving, call.visible)
    return Reply(found, headers={"ETag": f'"{found.contract_hash}"'})

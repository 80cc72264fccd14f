"""The body of a request to bill, checked before anything happens."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from shared_code.foundation.errors import BillingError, Detail
from shared_code.statements import errors
from shared_code.statements.runs import RunCommand

SiteNumber = Annotated[str, Field(min_length=1, max_length=10)]


class RunRequest(BaseModel):
    """`{"period": "2026-10", "siteNumbers": […], "contractTypes": […], "source": "manual", "dryRun": false}`."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, defer_build=True, strict=True)

    period: str
    # Absent means all; an empty list is a filter that found nothing, and must not bill everything.
    site_numbers: Annotated[list[SiteNumber], Field(min_length=1)] | None = None
    contract_types: Annotated[list[str], Field(min_length=1)] | None = None
    source: Annotated[str, Field(min_length=1, max_length=20, pattern="^[a-zA-Z0-9-]+$")] = "manual"
    dry_run: bool = False


def run_command(body: dict[str, Any], requested_by: str, correlation_id: str) -> RunCommand:
    """The command in a request body. Raises RUN_REQUEST_INVALID with every field that is wrong."""
    try:
        wish = RunRequest.model_validate(body)
    except ValidationError as fault:
        details = [Detail(".".join(map(str, e["loc"])), e["msg"]) for e in fault.errors()]
        message = "; ".join(f"{d.field}: {d.message}" for d in details)
        raise BillingError(errors.RUN_REQUEST_INVALID, message, details) from fault
    return RunCommand(
        period=wish.period,
        requested_by=requested_by,
        correlation_id=correlation_id,
        site_numbers=tuple(wish.site_numbers or ()),
        contract_types=tuple(wish.contract_types or ()),
        source=wish.source,
        dry_run=wish.dry_run,
    )

"""The body of a request to bill, checked before anything happens."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared_code.foundation.shapes import RequestModel
from shared_code.statements.scope import RunCommand

SiteNumber = Annotated[str, Field(min_length=1, max_length=10)]


class RunRequest(RequestModel):
    """`{"period": "2026-10", "siteNumbers": […], "contractTypes": […], "source": "manual", "dryRun": false}`."""

    period: str = Field(description="the month to bill, written YYYY-MM", examples=["2026-10"])
    # Absent means all; an empty list is a filter that found nothing, and must not bill everything.
    site_numbers: Annotated[list[SiteNumber], Field(min_length=1, max_length=5_000)] | None = Field(
        None, description="the sites to bill, leading zeros included; absent for all"
    )
    contract_types: Annotated[list[str], Field(min_length=1, max_length=50)] | None = Field(
        None, description="the parts that a contract must have one of to be billed, such as fixedFee; absent for all"
    )
    source: Annotated[str, Field(min_length=1, max_length=20, pattern="^[a-zA-Z0-9-]+$")] = Field(
        "manual", description="who or what asks; the same period, scope and source is the same run"
    )
    dry_run: bool = Field(False, description="true computes without writing")

    def command(self, requested_by: str, correlation_id: str) -> RunCommand:
        """What is asked for, by whom."""
        return RunCommand(
            period=self.period,
            requested_by=requested_by,
            correlation_id=correlation_id,
            site_numbers=tuple(self.site_numbers or ()),
            contract_types=tuple(self.contract_types or ()),
            source=self.source,
            dry_run=self.dry_run,
        )

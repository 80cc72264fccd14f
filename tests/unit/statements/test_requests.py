"""The body of `POST /statement-runs`: what it means, and every field that is wrong (http-api, Resources)."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared_code.statements.requests import RunRequest
from shared_code.statements.scope import RunCommand

GOOD: list[tuple[dict[str, Any], RunCommand]] = [
    ({"period": "2026-10"}, RunCommand("2026-10", "ann", "c-1")),
    ({"period": "2026-10", "siteNumbers": None, "contractTypes": None}, RunCommand("2026-10", "ann", "c-1")),
    (
        {
            "period": "2026-10",
            "siteNumbers": ["0042", "0007"],
            "contractTypes": ["fixedFee"],
            "source": "power-automate",
            "dryRun": True,
        },
        RunCommand("2026-10", "ann", "c-1", ("0042", "0007"), ("fixedFee",), "power-automate", dry_run=True),
    ),
]


@pytest.mark.parametrize(("body", "command"), GOOD)
def test_a_body_becomes_a_command(body: dict[str, Any], command: RunCommand) -> None:
    assert RunRequest.model_validate(body).command("ann", "c-1") == command


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["period"]),
    ({"period": 202610}, ["period"]),
    ({"period": None}, ["period"]),
    ({"period": "2026-10", "siteNumbers": "0042"}, ["siteNumbers"]),
    ({"period": "2026-10", "siteNumbers": [42]}, ["siteNumbers.0"]),
    ({"period": "2026-10", "siteNumbers": ["0042", ""]}, ["siteNumbers.1"]),
    ({"period": "2026-10", "siteNumbers": ["00000000042"]}, ["siteNumbers.0"]),
    # an empty filter is not "all": a flow whose selection found nothing must not bill everybody
    ({"period": "2026-10", "siteNumbers": []}, ["siteNumbers"]),
    ({"period": "2026-10", "contractTypes": []}, ["contractTypes"]),
    ({"period": "2026-10", "dryRun": "false"}, ["dryRun"]),
    ({"period": "2026-10", "dryRun": 0}, ["dryRun"]),
    ({"period": "2026-10", "source": "two words"}, ["source"]),
    ({"period": "2026-10", "source": ""}, ["source"]),
    ({"period": "2026-10", "source": "x" * 21}, ["source"]),
    ({"period": "2026-10", "sites": ["0042"]}, ["sites"]),
    ({"period": "2026-10", "site_numbers": ["0042"]}, ["site_numbers"]),
    (
        {"siteNumbers": [1, 2], "dryRun": "no", "all": True},
        ["period", "siteNumbers.0", "siteNumbers.1", "dryRun", "all"],
    ),
]


@pytest.mark.parametrize(("body", "fields"), BAD)
def test_every_field_that_is_wrong_is_named(body: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        RunRequest.model_validate(body)

    assert [".".join(map(str, fault["loc"])) for fault in refused.value.errors()] == fields

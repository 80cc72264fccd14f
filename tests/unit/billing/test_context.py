"""Accounts that the configuration states by purpose (rules R34)."""

import pytest

from shared_code.billing.context import GlCodes, gl_codes

STATED = [
    ("nothing is stated: all defaults", {}, GlCodes()),
    ("what is stated replaces its default alone", {"bell_service": "4800"}, GlCodes(bell_service="4800")),
    ("two of them", {"labor_hour": "1", "profit_share": "2"}, GlCodes(labor_hour="1", profit_share="2")),
    (
        "a purpose that no line has changes nothing",
        {"valet_robots": "9", "bell_service": "7"},
        GlCodes(bell_service="7"),
    ),
]


@pytest.mark.parametrize(("accounts", "codes"), [row[1:] for row in STATED], ids=[row[0] for row in STATED])
def test_a_purpose_that_is_not_stated_keeps_its_default(accounts: dict[str, str], codes: GlCodes) -> None:
    assert gl_codes(accounts) == codes

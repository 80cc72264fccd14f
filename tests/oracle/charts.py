"""The codes of the account charts that selections name (rules R31). Part of the oracle, told apart from the product."""

from __future__ import annotations

from typing import Any


def _codes(text: str) -> list[str]:
    return text.split()


CHARTS = {
    "payroll-1": _codes(
        "6000 6002 6003 6004 6005 6007 6010 6012 6013 6014 6015 6016 6017 6019 6030 6035 6100 6101 6110 6115"
    ),
    "expense-1": _codes(
        "7000 7005 7010 7011 7015 7016 7017 7018 7019 7020 7021 7026 7030 7040 7045 7050 7055 7060 7065 7070 7072 7075 "
        "7080 7082 7085 7090 7095 7099 7100 7101 7102 7105 7110 7113 7115 7120 7125 7126 7130 7131 7135 7140 7145 7150 "
        "7155 7160 7165 7170 7171 7175 7178 7180 7182 7185 7190 7195 7200 7205 7210 7215 7217 7219 7220 7225 7230 7240 "
        "7245 7270 7275 7350 7351"
    ),
}

CLAIMS_ACCOUNTS = ("7099", "7100", "7101", "7102")


def enabled(selection: dict[str, Any]) -> set[str]:
    """Account codes that are billed: those of the template that are on by default, and what the rows say (R31)."""
    chart = CHARTS[selection["template"]] if selection.get("template") else []
    codes = set(chart) if selection.get("defaultEnabled") else set()
    for row in selection["rows"]:
        codes.discard(row["code"])
        if row["enabled"]:
            codes.add(row["code"])
    return codes

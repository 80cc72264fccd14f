"""The public surface of the API as one checked-in file. `python -m tests.unit.functions.api_surface` writes it anew.

A changed line in the file is a change that callers see: a renamed operation breaks flows (docs/connector.md).
"""

from __future__ import annotations

import json
from pathlib import Path

import function_app  # noqa: F401 - declares the routes
from functions.openapi.document import document

FILE = Path(__file__).parents[2] / "fixtures/api/surface.json"


def surface() -> list[dict[str, object]]:
    """Every operation by name: method, path, parameters, and the statuses of its answers."""
    found = [
        {
            "operationId": described["operationId"],
            "method": method.upper(),
            "path": path,
            "parameters": [parameter["name"] for parameter in described["parameters"] if "name" in parameter],
            "statuses": sorted(map(int, described["responses"])),
        }
        for path, verbs in document()["paths"].items()
        for method, described in verbs.items()
    ]
    return sorted(found, key=lambda one: str(one["operationId"]))


def text() -> str:
    """The surface as the file has it: one operation a line."""
    return "[\n" + ",\n".join(json.dumps(one) for one in surface()) + "\n]\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

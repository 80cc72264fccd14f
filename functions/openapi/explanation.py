"""The JSON schema of explanations as a file of its own: the models of the API, for whoever has not the whole document.

`python -m functions.openapi.explanation > docs/schemas/explanation.json` writes it anew.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from functions.declarations import ok
from functions.openapi.schemas import Schemas

MODEL = "shared_code.statements.explanation.model:Explanation"


def explanation_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of what GET /lines/{lineId}/explanation answers with."""
    schemas = Schemas("#/$defs/")
    root = schemas.answer(ok(MODEL))
    parts = schemas.components()
    del parts["Error"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Explanation", **root, "$defs": parts}


def text() -> str:
    """The schema as the file has it."""
    return json.dumps(explanation_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())

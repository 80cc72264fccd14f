"""Lenient reading: what the legacy form does not know is set aside instead of refused (contract-corpus 5.5 step 5).

An unknown field is left out. An unknown choice is replaced by the first known one, so that the document has
its shape; the contract then is incomplete until a person chooses (finding UNKNOWN_VALUE).
"""

import json
from copy import deepcopy
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared_code.contracts.legacy.residue import encode
from shared_code.contracts.parsing import Tree
from shared_code.contracts.pointers import child, locate, pointer
from shared_code.contracts.schema import Extension

_UNKNOWN_FIELD = "extra_forbidden"
_UNKNOWN_CHOICE = "literal_error"


def set_aside(tree: Tree, error: ValidationError) -> tuple[Tree, tuple[Extension, ...]]:
    """A copy of the tree without what is only unknown, and what was set aside; other findings remain in it."""
    patched = deepcopy(tree)
    unknown = [found for found in error.errors() if found["type"] in (_UNKNOWN_FIELD, _UNKNOWN_CHOICE)]
    return patched, tuple(_set_aside(patched, found) for found in unknown)


def _set_aside(patched: Tree, found: ErrorDetails) -> Extension:
    *above, last = found["loc"]
    parent: Any = locate(patched, above)
    value = json.dumps(encode(child(parent, last)))
    if found["type"] == _UNKNOWN_FIELD:
        del parent[last]
        return Extension(pointer=pointer(found["loc"]), kind="field", value=value)
    parent[last] = _first_choice(found["ctx"]["expected"])
    return Extension(pointer=pointer(found["loc"]), kind="value", value=value)


def _first_choice(expected: str) -> str:
    """The first of `'Arrears' or 'Advanced'`, as the validator names them."""
    return expected.split("'")[1]

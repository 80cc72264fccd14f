"""A contract document back to the legacy file (contract-corpus 5.4 step 4)."""

import json
from decimal import Decimal

from pydantic import JsonValue

from shared_code.contracts.legacy.flattened import flatten
from shared_code.contracts.legacy.residue import apply_layout, apply_residue
from shared_code.contracts.legacy.writer import DEFAULT_TAX_KEY, write_metadata, write_original
from shared_code.contracts.parsing import NAN, Tree
from shared_code.contracts.schema import Contract


def write_legacy(contract: Contract) -> bytes:
    """The legacy file of a contract: byte-identical to its source when the contract was not changed since.

    What the legacy form cannot express (escalators beyond one step, terms, options) is left out.
    """
    return apply_layout(written_text(written_parts(contract), contract.residue), contract.residue)


def written_text(parts: Tree, residue: dict[str, JsonValue]) -> bytes:
    """The file of `metadata` and `original` in the layout of the legacy export; `parts` take the residue."""
    apply_residue(parts, residue)
    parts["flattened"] = flatten(parts["original"], parts["metadata"])
    return json.dumps(parts, indent=2, default=_plain).encode("ascii")


def written_parts(contract: Contract) -> Tree:
    """`metadata` and `original` by the fixed rules, before the residue."""
    spelled = contract.source.parking_tax_key if contract.source is not None else None
    original = write_original(contract, spelled or DEFAULT_TAX_KEY)
    return {"metadata": write_metadata(contract, original), "original": original}


def _plain(value: object) -> float:
    """Numbers as the legacy form prints them: at most 15 digits, so the shortest float text is exact."""
    if value is NAN:
        return float("nan")
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no legacy form")

"""Documents for the tests of this folder: legacy files that can be edited, and small contracts of our own."""

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from shared_code.contracts.legacy.flattened import flatten
from shared_code.contracts.schema import Component, Contract, NetDays, Site
from tests.fixtures.contracts.expand import archetypes, expand, file_name

ARCHETYPES = {archetype["id"]: archetype for archetype in archetypes()}


def legacy_file(name: str) -> tuple[bytes, str]:
    """The bytes and the file name of an archetype."""
    archetype = ARCHETYPES[name]
    return expand(archetype), file_name(archetype)


def edited(name: str, edit: Callable[[dict[str, Any]], object]) -> bytes:
    """An archetype after an edit of `original`, with `flattened` kept in step where that is possible."""
    document = json.loads(expand(ARCHETYPES[name]))
    edit(document["original"])
    return dump(document)


def dump(document: dict[str, Any]) -> bytes:
    """A legacy document as a file whose copy agrees with the contract."""
    # A document that is broken beyond flattening is refused before the copy is looked at.
    with suppress(KeyError, TypeError, ValueError):
        document["flattened"] = flatten(document["original"], document["metadata"])
    return json.dumps(document, indent=2, default=float).encode("ascii")


def contract(*components: Component, **fields: Any) -> Contract:
    """A small contract with the given components."""
    site = Site(number="8899", customer_name="Larch Street Garage")
    head = {"id": "c-1", "site": site, "payment_terms": NetDays(days=30), **fields}
    return Contract(components=components, **head)


def money(text: str) -> Decimal:
    return Decimal(text)

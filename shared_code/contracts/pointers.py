"""JSON pointers (RFC 6901): the place of a finding in a document, as people and programs can follow it."""

from collections.abc import Iterable, Sequence


def pointer(parts: Iterable[str | int]) -> str:
    """`("components", 0, "lines")` -> `/components/0/lines`; the empty pointer is the whole document."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def parts_of(text: str) -> tuple[str, ...]:
    """The inverse of `pointer`, every part as text."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def child(parent: object, part: str | int) -> object:
    """The value under one part of a pointer; None where there is none."""
    if isinstance(parent, dict):
        return parent.get(part)
    if isinstance(parent, list) and str(part).isdecimal() and int(part) < len(parent):
        return parent[int(part)]
    return None


def locate(document: object, parts: Sequence[str | int]) -> object:
    """The value at a pointer's parts; None where there is none."""
    for part in parts:
        document = child(document, part)
    return document

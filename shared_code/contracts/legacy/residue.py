"""The residue: every place where a rewritten legacy file would differ from its source (contract-corpus 5.4).

It is stored as JSON, hence NaN, numbers and absence are encoded: JSON storage would turn NaN into null and
a number into a float. An entry names both values and applies only while the written one still stands: a
contract that was changed since its import is exported as it is now. `<object>/$keys` keeps an order of keys.

The empty pointer, the file as a whole, is there only for a file of another layout than the legacy export's: other
spaces, spellings of numbers or characters, an order of its parts. It keeps the text itself.
"""

import base64
import hashlib
import zlib
from decimal import Decimal
from typing import Any

from pydantic import JsonValue

from shared_code.contracts.parsing import NAN, Tree
from shared_code.contracts.pointers import child, locate, parts_of, pointer

type Path = tuple[str | int, ...]
_KEYS = "$keys"
_FILE = ""
_LARGEST_TEXT = 16 * 1024 * 1024
_ABSENT: JsonValue = {"$absent": True}


def residue_of(source: Tree, written: Tree) -> dict[str, JsonValue]:
    """JSON pointer -> `{"from": written, "to": source}`, wherever the two differ."""
    found: dict[str, JsonValue] = {}
    _compare(source, written, (), found)
    return found


def _compare(source: Any, written: Any, path: Path, found: dict[str, JsonValue]) -> None:
    if isinstance(source, dict) and isinstance(written, dict):
        _compare_objects(source, written, path, found)
    elif isinstance(source, list) and isinstance(written, list) and len(source) == len(written):
        for place, (one, other) in enumerate(zip(source, written, strict=True)):
            _compare(one, other, (*path, place), found)
    elif source != written or type(source) is not type(written):
        found[pointer(path)] = _entry(written, source)


def _compare_objects(source: Tree, written: Tree, path: Path, found: dict[str, JsonValue]) -> None:
    if list(source) != list(written):
        found[pointer((*path, _KEYS))] = list(source)
    for key, value in source.items():
        if key not in written:
            found[pointer((*path, key))] = {"from": _ABSENT, "to": encode(value)}
        elif value is not written[key]:  # most values pass through untouched as the same object
            _compare(value, written[key], (*path, key), found)
    for key in written:
        if key not in source:
            found[pointer((*path, key))] = {"from": encode(written[key]), "to": _ABSENT}


def _entry(written: Any, source: Any) -> JsonValue:
    return {"from": encode(written), "to": encode(source)}


def apply_residue(written: Tree, residue: dict[str, JsonValue]) -> None:
    """Put the residue back, in place. Entries whose place or written value has changed are without effect."""
    places = {place: entry for place, entry in residue.items() if place != _FILE}
    for place, entry in places.items():
        *above, last = parts_of(place)
        if isinstance(entry, dict) and entry.keys() >= {"from", "to"}:
            _replace(locate(written, above), last, entry)
    for place, entry in places.items():
        *above, last = parts_of(place)
        if last == _KEYS and isinstance(entry, list):
            _reorder(locate(written, above), [str(key) for key in entry])


def layout_of(source: bytes, written: bytes) -> dict[str, JsonValue]:
    """The residue of a file whose text is not the written one; empty where it is."""
    if source == written:
        return {}
    packed = base64.b64encode(zlib.compress(source)).decode("ascii")
    return {_FILE: {"from": {"$sha256": _digest(written)}, "to": {"$packed": packed}}}


def apply_layout(written: bytes, residue: dict[str, JsonValue]) -> bytes:
    """The text of the source, as long as the contract still makes the file that it made then."""
    match residue.get(_FILE):
        case {"from": {"$sha256": digest}, "to": {"$packed": str(packed)}} if digest == _digest(written):
            return _unpacked(packed) or written
        case _:
            return written


def _unpacked(packed: str) -> bytes | None:
    """None for what `layout_of` cannot have made: a residue comes back with the document, from outside."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(base64.b64decode(packed, validate=True), _LARGEST_TEXT)
    except (ValueError, zlib.error):
        return None
    return text if stream.eof else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _replace(parent: Any, key: str, entry: dict[str, JsonValue]) -> None:
    if isinstance(parent, dict):
        current = encode(parent[key]) if key in parent else _ABSENT
        if current == entry["from"]:
            _set(parent, key, entry["to"])
    elif isinstance(parent, list) and _is_place(key, parent) and encode(child(parent, key)) == entry["from"]:
        parent[int(key)] = decode(entry["to"])


def _is_place(key: str, rows: list[Any]) -> bool:
    return key.isdecimal() and int(key) < len(rows)


def _set(parent: Tree, key: str, value: JsonValue) -> None:
    if value == _ABSENT:
        del parent[key]
    else:
        parent[key] = decode(value)


def _reorder(parent: Any, keys: list[str]) -> None:
    if isinstance(parent, dict):
        content = dict(parent)
        parent.clear()
        parent.update({key: content.pop(key) for key in keys if key in content})
        parent.update(content)


def encode(value: Any) -> JsonValue:
    """A value of the source as JSON that survives storage."""
    if value is NAN:
        return {"$nan": True}
    if isinstance(value, Decimal):
        return {"$number": str(value)}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    plain: JsonValue = value
    return plain


def decode(value: JsonValue) -> Any:
    """The inverse of `encode`."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value == {"$nan": True}:
        return NAN
    if list(value) == ["$number"]:
        return Decimal(str(value["$number"]))
    return {key: decode(item) for key, item in value.items()}

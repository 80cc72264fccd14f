"""Bytes of a contract document to a tree: numbers as Decimal, bare NaN as a value of its own, no repeated keys.

Source: contract-corpus 5.5 step 2.
"""

import codecs
import json
import re
from collections import Counter
from decimal import Decimal
from enum import Enum
from math import nan
from typing import Any, Final

from shared_code.contracts.errors import CONTRACT_DUPLICATE_KEY, CONTRACT_UNREADABLE
from shared_code.contracts.pointers import pointer
from shared_code.foundation.errors import BillingError, Detail

type Tree = dict[str, Any]


class Missing(Enum):
    """The bare token `NaN`, which the legacy export writes for a missing value (DQ01)."""

    NAN = nan


NAN: Final = Missing.NAN


class _KeyRepeatedError(Exception):
    """An object states a key twice; raised to stop the fast reading."""


class _Repeated(dict[str, Any]):
    """An object that states a key twice, and which."""

    repeated: tuple[str, ...] = ()


def _constant(token: str) -> Missing:
    if token == "NaN":  # noqa: S105 - a JSON token, not a secret
        return NAN
    raise ValueError(f"{token} is not a number that a contract can hold")


def _object(pairs: list[tuple[str, Any]]) -> Tree:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _KeyRepeatedError
    return found


def _marked_object(pairs: list[tuple[str, Any]]) -> Tree:
    marked = _Repeated(pairs)
    marked.repeated = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return marked


# Decoders for the whole process: building one for each call costs as much as a small document.
# The second one is for a file that is refused anyway: it finds every repeated key, not only the first.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal, parse_constant=_constant)
_MARKING = json.JSONDecoder(object_pairs_hook=_marked_object, parse_float=Decimal, parse_constant=_constant)


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _refuse_halves(text: str) -> None:
    """JSON can spell half of a character, which no database, file or mail can hold."""
    whole = json.dumps(json.loads(text), ensure_ascii=False)
    try:
        whole.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"half a character after {whole[max(error.start - 20, 0) : error.start]!r}") from error


def parse_text(text: str, start: tuple[str | int, ...] = ()) -> Any:
    """Parse JSON text that stands at the place `start` of a document.

    Raises CONTRACT_DUPLICATE_KEY with every place; ValueError, ArithmeticError or RecursionError when the
    text cannot be read.
    """
    if _SURROGATE.search(text):
        _refuse_halves(text)
    try:
        return _DECODER.decode(text)
    except _KeyRepeatedError:
        places = _repeated(_MARKING.decode(text), start)
    found = [Detail(pointer(place), "this field stands twice; keep one") for place in places]
    raise BillingError(CONTRACT_DUPLICATE_KEY, f"{len(found)} field(s) of the contract stand twice.", found)


def parse(data: bytes) -> Tree:
    """The document as a tree. Raises CONTRACT_UNREADABLE or CONTRACT_DUPLICATE_KEY, the latter with every place."""
    try:
        tree = parse_text(_text_of(data))
    except UnicodeDecodeError as error:
        raise _unreadable(f"byte {error.start} is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise _unreadable(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (ValueError, ArithmeticError) as error:
        raise _unreadable(f"a value cannot be read: {error}") from error
    except RecursionError as error:
        raise _unreadable("lists and objects are nested too deeply") from error
    if not isinstance(tree, dict):
        raise _unreadable("the document must be one JSON object")
    return tree


def _text_of(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        raise _unreadable("it starts with a byte order mark; save it as UTF-8 without BOM")
    return data.decode("utf-8")


def _unreadable(reason: str) -> BillingError:
    message = f"The contract cannot be read: {reason}."
    return BillingError(CONTRACT_UNREADABLE, message, [Detail("", reason)])


def _repeated(node: object, path: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    if isinstance(node, dict):
        own = [(*path, name) for name in node.repeated] if isinstance(node, _Repeated) else []
        inner = [hit for name, value in node.items() for hit in _repeated(value, (*path, name))]
        return own + inner
    if isinstance(node, list):
        return [hit for place, value in enumerate(node) for hit in _repeated(value, (*path, place))]
    return []

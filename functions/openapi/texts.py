"""Docstrings as the API's documents show them: without Python's words, and without our notes on where a rule stands."""

from __future__ import annotations

import re

from functions.wire import camel

_NOTE = r"(?:rules?|billing-flows|contract-corpus|http-api|field report|R\d+|DQ\d+)\b[^()]*"
_SOURCE = re.compile(rf"\s*\({_NOTE}\)|[,;] {_NOTE}(?=\))")
_FIELD = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z0-9*]+)+)`")
_NOTHING = re.compile(r"\bNone\b(?! of)")
_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_]")


def public(text: str) -> str:
    """A docstring in the words of the wire: fields in camelCase, null for None, one line a paragraph."""
    text = _LINE_END.sub(" ", _SOURCE.sub("", text.strip()))
    return _NOTHING.sub("null", _FIELD.sub(lambda found: f"`{camel(found[1])}`", text))


def title_of(name: str) -> str:
    """`siteNumber` and `ListSites` as a person reads them: Site number, List sites."""
    return " ".join(_WORDS.sub(" ", camel(name.removeprefix("X-"))).split()).capitalize()

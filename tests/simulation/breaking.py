"""Breaks the app on purpose, in memory and for a while: a piece of the source of a function or statement is another.

What a flaw replaces is quoted as it stands in the source, so a flaw that fits the source no more fails loudly.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import pytest


class Breaks(Protocol):
    """A change of the app that lasts as long as the patch."""

    def make(self, patch: pytest.MonkeyPatch, sources: dict[object, str]) -> None:
        """`sources`: what earlier changes have made of places."""


@dataclass(frozen=True, slots=True)
class Change:
    """`old` becomes `new` in a function, or in the value that a module gives to a name."""

    place: Callable[..., Any] | tuple[ModuleType, str]
    old: str
    new: str

    def make(self, patch: pytest.MonkeyPatch, sources: dict[object, str]) -> None:
        source = sources.get(self.place) or self._source()
        assert source.count(self.old) == 1, f"{self.old!r} stands {source.count(self.old)} times in the source"
        changed = sources[self.place] = source.replace(self.old, self.new)
        if isinstance(self.place, tuple):
            module, name = self.place
            patch.setattr(module, name, _made(changed, vars(module))[name])
        else:  # it gets another code and stays itself, so whoever has imported it has the changed one
            function: Any = inspect.unwrap(self.place)
            made = _made(changed, function.__globals__)[function.__name__]
            patch.setattr(function, "__code__", inspect.unwrap(made).__code__)

    def _source(self) -> str:
        if not isinstance(self.place, tuple):
            return textwrap.dedent(inspect.getsource(inspect.unwrap(self.place)))
        module, name = self.place
        whole = inspect.getsource(module)
        given = next(one for one in ast.parse(whole).body if isinstance(one, ast.Assign) and _gives(one, name))
        return ast.get_source_segment(whole, given) or ""


def _gives(node: ast.Assign, name: str) -> bool:
    target = node.targets[0]
    return isinstance(target, ast.Name) and target.id == name


def _made(source: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """What a piece of source defines, among the names of its module."""
    space = dict(names)
    exec(f"from __future__ import annotations\n{source}", space)  # noqa: S102
    return space


@contextmanager
def broken(changes: Sequence[Breaks]) -> Iterator[None]:
    """The app with these changes."""
    with pytest.MonkeyPatch.context() as patch:
        sources: dict[object, str] = {}
        for change in changes:
            change.make(patch, sources)
        yield

"""What a route says of itself: from this, requests are checked, answers made and the API documents written.

Models are named as `package.module:Name` and imported when they are needed first: indexing the app stays cheap however
many routes there are. A test resolves every name.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

Access = Literal["read", "write", "approve"]
Door = Literal["role", "caller", "key", "anyone"]
Idempotency = Literal["none", "optional", "required", "natural"]
QueryKind = Literal["text", "period", "flag", "date"]

JSON = "application/json"
PDF = "application/pdf"
_PLACE = re.compile(r"\{(\w+)\}")
_MODEL = re.compile(r"[a-z_]+(\.[a-z_]+)+:[A-Za-z]\w*")


class DeclarationError(Exception):
    """A route is declared wrongly or not at all: the app does not start."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter in the query: its name on the wire, its form, and what it is for."""

    name: str
    meaning: str
    kind: QueryKind = "text"
    choices: tuple[str, ...] = ()


LIMIT = Query("limit", "how many items at most, 1 to 1,000; 50 unless given")
CURSOR = Query("cursor", "`nextCursor` of the page before; absent for the first page")
PAGED = (LIMIT, CURSOR)


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries: a model that checks it; or, not `parsed`, a document that the use case reads itself."""

    model: str
    media: tuple[str, ...] = (JSON,)
    parsed: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One way in which a route replies: status, model of the body (None without), media type, its own headers."""

    status: int
    model: str | None = None
    alternative: str | None = None
    paged: bool = False
    media: str = JSON
    headers: tuple[str, ...] = ()


def ok(model: str, *headers: str) -> Answer:
    """200 with one value."""
    return Answer(200, model, headers=headers)


def page_of(model: str) -> Answer:
    """200 with a page of values (http-api, paging)."""
    return Answer(200, model, paged=True)


def created(model: str, *headers: str) -> Answer:
    """201 with the new resource and its address."""
    return Answer(201, model, headers=("Location", *headers))


def accepted(model: str) -> Answer:
    """202: work goes on; the status resource at Location exists already."""
    return Answer(202, model, headers=("Location", "Retry-After"))


def file_of(media: str) -> Answer:
    """200 with a file."""
    return Answer(200, media=media, headers=("Content-Disposition",))


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP function. `resource` and `access` name a cell of the role matrix (http-api, Who may do what)."""

    name: str
    method: str
    path: str
    answers: tuple[Answer, ...]
    door: Door = "role"
    resource: str = ""
    access: Access = "read"
    query: tuple[Query, ...] = ()
    body: Body | None = None
    idempotency: Idempotency = "none"
    if_match: bool = False
    tag: str = ""
    summary: str = ""

    @property
    def operation_id(self) -> str:
        """The name of the action in Power Automate: renaming it breaks flows (azure-facts C.5)."""
        return "".join(part.title() for part in self.name.split("_"))

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD")

    def answer(self, status: int) -> Answer | None:
        return next((answer for answer in self.answers if answer.status == status), None)


_routes: dict[str, Route] = {}


def routes() -> Mapping[str, Route]:
    """Every declared route by the name of its function, in the order of declaration."""
    return _routes


def declare(route: Route) -> Route:
    """Add a route to the app. Raises DeclarationError with everything that is wrong with it."""
    faults = list(_faults(route))
    if faults:
        raise DeclarationError(f"route {route.name} ({route.method} {route.path}): {'; '.join(faults)}")
    _routes[route.name] = route
    return route


def places_of(path: str) -> tuple[str, ...]:
    """The parameters in a path, in order."""
    return tuple(_PLACE.findall(path))


def _faults(route: Route) -> list[str]:
    answered = (model for answer in route.answers for model in (answer.model, answer.alternative))
    named = [model for model in (route.body and route.body.model, *answered) if model]
    checks = {
        "its name is taken": route.name in _routes,
        "its method and path are taken": any(
            (r.method, _PLACE.sub("{}", r.path)) == (route.method, _PLACE.sub("{}", route.path))
            for r in _routes.values()
        ),
        "it says no summary (the docstring of its function)": not route.summary,
        "it declares no answer": not route.answers,
        "a route for roles names its resource": route.door == "role" and not route.resource,
        "a GET has no body": route.body is not None and not route.changes,
        "what changes something says how it bears repetition": route.changes == (route.idempotency == "none"),
        f"a model is written package.module:Name, got {named}": not all(map(_MODEL.fullmatch, named)),
    }
    return [fault for fault, found in checks.items() if found]


@cache
def resolve(model: str) -> Any:
    """The class behind a model's name, imported now. Raises DeclarationError when there is none."""
    module, _, name = model.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as fault:
        raise DeclarationError(f"there is no model {model}") from fault

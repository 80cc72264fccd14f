"""A request that may proceed, and what goes back: all that the body of a door sees of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import azure.functions as func

from functions.declarations import JSON, Route
from functions.parameters import read_whole
from shared_code.foundation import context
from shared_code.foundation.calendar import Period, read_period
from shared_code.foundation.errors import IF_MATCH_REQUIRED, BillingError, Detail

if TYPE_CHECKING:
    from shared_code.access.identity import Caller, Permission
    from shared_code.foundation.listing import PageRequest
    from shared_code.foundation.visibility import Visibility

API = "v1"
MAX_LIMIT = 1000
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may proceed: who asks and what they may see, and the parts of the request."""

    route: Route
    request: func.HttpRequest
    caller: Caller
    granted: Permission | None = None
    checked_body: object = None

    @property
    def permission(self) -> Permission:
        """What the caller's roles allow here. Only a route that names a resource has one."""
        if self.granted is None:
            raise TypeError(f"{self.route.name} names no resource, so it grants nothing")
        return self.granted

    @property
    def visible(self) -> Visibility:
        """The row filter of the caller."""
        return self.permission.visible

    @property
    def path(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.request.route_params
        return found

    @property
    def correlation_id(self) -> str:
        return context.current().correlation_id

    @property
    def if_match(self) -> str | None:
        value: str | None = self.request.headers.get("if-match")
        return value

    @property
    def required_match(self) -> str:
        """The precondition of a change that must not overwrite unseen. Raises IF_MATCH_REQUIRED without one."""
        if self.if_match is None:
            message = "say which state you have read: its ETag as If-Match, or * for whatever is there"
            raise BillingError(IF_MATCH_REQUIRED, message, [Detail("If-Match", message)])
        return self.if_match

    @property
    def content_type(self) -> str:
        return (self.request.headers.get("content-type") or "").partition(";")[0].strip().lower()

    @property
    def raw_body(self) -> bytes:
        body: bytes = self.request.get_body() or b""
        return body

    @property
    def cursor(self) -> str | None:
        return self.query("cursor")

    @property
    def limit(self) -> int:
        return read_whole("limit", self.query("limit"), DEFAULT_LIMIT, 1, MAX_LIMIT)

    @property
    def asked(self) -> PageRequest:
        """Which part of a list, and in which order."""
        from shared_code.foundation.listing import PageRequest

        sorted_by = self.query("sort") if any(query.name == "sort" for query in self.route.query) else None
        return PageRequest(self.limit, self.cursor, sorted_by)

    @property
    def period(self) -> Period:
        return read_period(self.path["period"])

    def query(self, name: str) -> str | None:
        """A declared parameter of the query, None when it is absent or empty."""
        if name not in (query.name for query in self.route.query):
            raise KeyError(f"{self.route.name} does not declare the parameter {name}")
        value: str | None = self.request.params.get(name)
        return value or None

    def choice(self, name: str) -> str | None:
        """A parameter with choices, spelt as it was declared."""
        given = (self.query(name) or "").lower()
        declared = next(query for query in self.route.query if query.name == name)
        return next((choice for choice in declared.choices if choice.lower() == given), None)

    def flag(self, name: str) -> bool:
        """A parameter that is true or false, false when it is absent."""
        return (self.query(name) or "false").lower() == "true"

    def instant(self, name: str, days: int = 0) -> datetime | None:
        """The start of a day that a parameter names, in UTC; `days` later if asked."""
        given = self.query(name)
        return datetime.combine(date.fromisoformat(given), time(), UTC) + timedelta(days) if given else None

    def body[Model](self, model: type[Model]) -> Model:
        """The checked body as the model that the route declares."""
        if not isinstance(self.checked_body, model):
            raise TypeError(f"{self.route.name} declares another body than {model.__name__}")
        return self.checked_body

    def url(self, *parts: str) -> str:
        """An absolute address of this API, as a poller needs it (azure-facts, Power Automate).

        Each part is one step of the path, however it is written: a header holds no character beyond Latin-1.
        """
        from shared_code.foundation.settings import settings

        sent_to = urlsplit(self.request.url)
        base = settings().public_url or f"{sent_to.scheme}://{sent_to.netloc}"
        return "/".join([base.rstrip("/"), "api", API, *(quote(part, safe="@") for part in parts)])


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: a value that becomes JSON, or bytes with their type."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


def running(body: object, location: str, retry_after: int = 2) -> Reply:
    """202: the work goes on; poll `location`, which exists already."""
    return Reply(body, 202, {"Location": location, "Retry-After": str(retry_after)})

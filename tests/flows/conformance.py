"""Every answer that a flow test meets is compared with what the OpenAPI document says of its route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_PLACE = re.compile(r"\{\w+\}")
_DOCUMENT = "urn:api"


class Conformance:
    """Checks answers against one document."""

    def __init__(self, base: str, document: Mapping[str, Any]) -> None:
        self._base = base
        self._paths = [
            (re.compile(_PLACE.sub("[^/]+", path)), path, operations)
            # literal paths win over places, as in routing
            for path, operations in sorted(document["paths"].items(), key=lambda item: item[0].count("{"))
        ]
        headers = document["components"]["headers"]
        self._optional = {name for name, header in headers.items() if not header["required"]}
        resource = DRAFT202012.create_resource(dict(document))
        self._registry: Registry[Any] = Registry().with_resource(_DOCUMENT, resource)

    def check(self, answer: httpx.Response) -> None:
        """Raises AssertionError when an answer is not one that the document announces."""
        if not answer.headers.get("x-api-version"):
            return  # the host's own answer: no function was reached
        method = answer.request.method.lower().replace("head", "get")
        path = answer.request.url.raw_path.decode().partition("?")[0].removeprefix(self._base)
        template, operation = self._operation(method, path)
        status = str(answer.status_code)
        place = f"{method.upper()} {template} answered {status}"
        announced = operation["responses"].get(status)
        assert announced is not None, f"{place}, which the document does not announce: {answer.text[:500]}"
        for header in announced.get("headers", {}).keys() - self._optional:
            assert header in answer.headers, f"{place} without its header {header}"
        media = answer.headers.get("content-type", "").partition(";")[0]
        content = announced.get("content", {})
        assert media in content or not content, f"{place} as {media}; the document announces {', '.join(content)}"
        assert content or not answer.content, f"{place} with a body; the document announces none"
        if content and media == "application/json" and answer.request.method != "HEAD":
            pointer = "/".join(map(_escaped, ("paths", template, method, "responses", status, "content", media)))
            faults = [
                f"{error.json_path}: {error.message[:300]}"
                for error in self._validator(f"{pointer}/schema").iter_errors(answer.json())
            ]
            assert not faults, f"{place} with a body that is not as announced: {faults[:5]}"

    def _operation(self, method: str, path: str) -> tuple[str, Mapping[str, Any]]:
        for pattern, template, operations in self._paths:
            if pattern.fullmatch(path) and method in operations:
                return template, operations[method]
        raise AssertionError(f"the document has no {method.upper()} {path}")

    @cache  # noqa: B019 - one object lives as long as the tests
    def _validator(self, pointer: str) -> Draft202012Validator:
        return Draft202012Validator({"$ref": f"{_DOCUMENT}#/{pointer}"}, registry=self._registry)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")

"""What the API says of itself: OpenAPI 3.1, the connector for the Power Platform, and what an error code means."""

from functools import cache

import azure.functions as func

from functions.declarations import Answer, ok
from functions.http import Reply, open_route
from functions.wire import dumps

blueprint = func.Blueprint()
DOCUMENT = Answer(200, "functions.openapi.document:Document")


@open_route(blueprint, "GET", "openapi.json", DOCUMENT, door="anyone")
def openapi(_req: func.HttpRequest) -> Reply:
    """This API as OpenAPI 3.1, written from the declarations that check its requests."""
    return Reply(_openapi())


@open_route(blueprint, "GET", "connector.json", DOCUMENT, door="anyone")
def connector(_req: func.HttpRequest) -> Reply:
    """This API as Swagger 2.0, for a custom connector of the Power Platform."""
    return Reply(_connector())


@open_route(blueprint, "GET", "errors", ok("shared_code.operations.error_catalog:ErrorList"), door="anyone")
def list_errors(_req: func.HttpRequest) -> Reply:
    """Every error and reason that this API knows, in order of their numbers."""
    return Reply(_errors())


@open_route(blueprint, "GET", "errors/{code}", ok("shared_code.foundation.errors:ErrorKind"), door="anyone")
def explain_error(req: func.HttpRequest) -> Reply:
    """What an error means, and what helps. Its code may be written in any case; its number finds it too."""
    from shared_code.operations.error_catalog import explain

    return Reply(explain(req.route_params["code"]))


@cache
def _openapi() -> bytes:
    """Written once in a process: anybody may ask, as often as they like."""
    from functions.openapi.document import document

    return dumps(document()).encode()


@cache
def _connector() -> bytes:
    from functions.openapi.connector import connector

    return dumps(connector()).encode()


@cache
def _errors() -> bytes:
    from shared_code.operations.error_catalog import all_errors

    return dumps(all_errors()).encode()

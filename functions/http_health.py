"""Health and version. `live` is open; the rest needs a function key, since it says what the app depends on."""

import azure.functions as func

from functions.declarations import Answer, ok
from functions.http import Reply, open_route

blueprint = func.Blueprint()
READINESS = "shared_code.operations.health:Readiness"
DEPENDENCY = "shared_code.operations.health:DependencyState"


@open_route(blueprint, "GET", "health/live", ok("shared_code.operations.health:Liveness"), door="anyone")
def health_live(_req: func.HttpRequest) -> Reply:
    """The process answers."""
    from shared_code.operations.health import liveness

    return Reply(liveness())


@open_route(blueprint, "GET", "health/ready", ok(READINESS), Answer(503, READINESS), door="key")
def health_ready(_req: func.HttpRequest) -> Reply:
    """Whether database, storage and bus answer; 503 and the names of those that do not."""
    from shared_code.operations.health import readiness

    found = readiness()
    return _state(found, found.ready)


@open_route(blueprint, "GET", "health/{dependency}", ok(DEPENDENCY), Answer(503, DEPENDENCY), door="key")
def health_dependency(req: func.HttpRequest) -> Reply:
    """One dependency by name: database, storage, bus."""
    from shared_code.operations.health import dependency

    found = dependency(req.route_params["dependency"])
    return _state(found, found.ok)


@open_route(blueprint, "GET", "version", ok("shared_code.operations.health:Version"), door="key")
def version(_req: func.HttpRequest) -> Reply:
    """Version of the API and revision of the database schema."""
    from shared_code.operations.health import version_info

    return Reply(version_info())


def _state(found: object, good: bool) -> Reply:
    return Reply(found) if good else Reply(found, 503, {"Retry-After": "5"})

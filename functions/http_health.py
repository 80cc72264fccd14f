"""Health and version. `live` is open; the rest needs a function key, since it says what the app depends on."""

import azure.functions as func

from functions.http import Reply, key_route

blueprint = func.Blueprint()


@key_route(blueprint, "GET", "health/live", func.AuthLevel.ANONYMOUS)
def health_live(_req: func.HttpRequest) -> Reply:
    """The process answers."""
    return Reply({"status": "live"})


@key_route(blueprint, "GET", "health/ready", func.AuthLevel.FUNCTION)
def health_ready(_req: func.HttpRequest) -> Reply:
    """Database, storage and bus answer; 503 and the names of those that do not."""
    from shared_code.operations.health import readiness

    found = readiness()
    return Reply(found, 200 if found.ready else 503, {} if found.ready else {"Retry-After": "5"})


@key_route(blueprint, "GET", "health/{dependency}", func.AuthLevel.FUNCTION)
def health_dependency(req: func.HttpRequest) -> Reply:
    """One dependency by name: database, storage, bus."""
    from shared_code.operations.health import dependency

    found = dependency(req.route_params["dependency"])
    return Reply(found, 200 if found.ok else 503)


@key_route(blueprint, "GET", "version", func.AuthLevel.FUNCTION)
def version(_req: func.HttpRequest) -> Reply:
    """Version of the app and revision of the database schema."""
    from shared_code.operations.health import version_info

    return Reply(version_info())


@key_route(blueprint, "GET", "errors/{code}", func.AuthLevel.ANONYMOUS)
def explain_error(req: func.HttpRequest) -> Reply:
    """What an error code means and what helps."""
    from shared_code.operations.error_catalog import explain

    return Reply(explain(req.route_params["code"]))

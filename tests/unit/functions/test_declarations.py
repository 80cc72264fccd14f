"""The app's declarations as a whole: an app with a hole in them does not start, and what they name is there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import azure.functions as func
import pytest

import function_app  # noqa: F401 - declares the routes
from functions.declarations import Answer, DeclarationError, Route, resolve, routes
from functions.http import Reply, open_route
from functions.registration import BillingApp
from shared_code.access.roles import MATRIX

ROUTES = tuple(routes().values())
ANSWERS = {model for route in ROUTES for one in route.answers for model in (one.model, one.alternative) if model}
BODIES = {route.body.model for route in ROUTES if route.body}


def new_blueprint() -> func.Blueprint:
    return func.Blueprint()  # type: ignore[no-untyped-call]  # the library annotates only part of itself


def app_of(blueprint: func.Blueprint) -> BillingApp:
    door: Any = SimpleNamespace(blueprint=blueprint)
    return BillingApp([door])


# -- an app that does not start ---------------------------------------------------------------------------------------


@pytest.fixture
def startable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else keeps the app from its start, and its routes are forgotten afterwards."""
    monkeypatch.setattr("functions.declarations._routes", {})
    monkeypatch.setattr("functions.registration.check_settings", lambda: None)


@pytest.mark.usefixtures("startable")
def test_an_http_function_that_is_not_declared_keeps_the_app_from_its_start() -> None:
    blueprint = new_blueprint()

    @blueprint.route(route="v1/secrets", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def tell_secrets(req: func.HttpRequest) -> str:
        return str(req.url)

    with pytest.raises(DeclarationError, match=r"no `route` declares .*: tell_secrets"):
        app_of(blueprint).get_functions()


@pytest.mark.usefixtures("startable")
def test_a_declared_function_starts() -> None:
    blueprint = new_blueprint()

    @open_route(blueprint, "GET", "ping", Answer(204), door="anyone")
    def ping(_req: func.HttpRequest) -> Reply:
        """The app answers."""
        return Reply(status=204)

    (found,) = app_of(blueprint).get_functions()

    assert found.get_function_name() == "ping"


@pytest.mark.usefixtures("startable")
def test_a_function_without_docstring_is_refused_where_it_is_declared() -> None:
    with pytest.raises(DeclarationError, match=r"route ping \(GET ping\): it says no summary"):

        @open_route(new_blueprint(), "GET", "ping", Answer(204), door="anyone")
        def ping(_req: func.HttpRequest) -> Reply:
            return Reply(status=204)


# -- what declarations name -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", sorted(ANSWERS | BODIES))
def test_every_model_is_there(model: str) -> None:
    assert resolve(model) is not None


@pytest.mark.parametrize("model", ["shared_code.nowhere:Thing", "shared_code.foundation.shapes:Nothing"])
def test_a_model_that_is_not_there_is_named(model: str) -> None:
    with pytest.raises(DeclarationError, match=model):
        resolve(model)


def test_no_model_comes_in_and_goes_out() -> None:
    assert not {resolve(model) for model in ANSWERS} & {resolve(model) for model in BODIES}


def test_a_model_has_one_name() -> None:
    """Components of the API's documents are named after models: two of one name would be one component."""
    names = [model.rpartition(":")[2] for model in ANSWERS | BODIES]

    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("route", [route for route in ROUTES if route.door == "role"], ids=lambda route: route.name)
def test_the_matrix_lets_somebody_in_everywhere(route: Route) -> None:
    assert [role for role, cell in MATRIX[route.resource].items() if route.access in cell.allowed]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_parameters_of_the_query_fit(route: Route) -> None:
    for query in route.query:
        assert query.name.isidentifier() and query.name[0].islower() and "_" not in query.name
        assert query.meaning and not query.meaning.endswith(".")
        assert not query.choices or query.kind == "text", "a choice is text"
        assert len({choice.lower() for choice in query.choices}) == len(query.choices), "case tells none apart"
    assert len({query.name for query in route.query}) == len(route.query)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_list_takes_limit_and_cursor_and_nothing_else_does(route: Route) -> None:
    paged = any(answer.paged for answer in route.answers)

    assert ({"limit", "cursor"} <= {query.name for query in route.query}) == paged


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_what_is_created_or_under_way_has_an_address(route: Route) -> None:
    for answer in route.answers:
        if answer.status in (201, 202):
            assert "Location" in answer.headers
        if answer.status == 202:
            assert "Retry-After" in answer.headers


@pytest.mark.parametrize("route", [route for route in ROUTES if route.if_match], ids=lambda route: route.name)
def test_what_is_changed_by_etag_tells_its_etag_when_it_is_read(route: Route) -> None:
    readers = [one for one in ROUTES if one.path == route.path and one.method == "GET"]

    assert readers
    assert "ETag" in cast(Answer, readers[0].answer(200)).headers

"""Rules of the house that the import rules of `make check` cannot say (design 2, 4 and 6)."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_code.foundation import queues

ROOT = Path(__file__).parents[2]
DEPLOYED = ("function_app.py", "functions", "shared_code")


def sources(*places: str) -> Iterator[Path]:
    for place in places:
        path = ROOT / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function: `a.b`, and `a.b.c` for `from a.b import c`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def under(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_every_queue_of_the_app_is_declared_on_the_local_bus_and_no_other() -> None:
    declared = json.loads((ROOT / "localhost/bus/queues.json").read_text(encoding="utf-8"))
    names = [queue["Name"] for space in declared["UserConfig"]["Namespaces"] for queue in space["Queues"]]

    assert sorted(names) == sorted(queues.ALL)
    assert len(set(queues.ALL)) == len(queues.ALL)


def test_consumers_know_how_often_the_bus_delivers() -> None:
    declared = json.loads((ROOT / "localhost/bus/queues.json").read_text(encoding="utf-8"))
    given = {q["Properties"]["MaxDeliveryCount"] for s in declared["UserConfig"]["Namespaces"] for q in s["Queues"]}

    assert given == {queues.MAX_DELIVERIES}


def test_queues_are_named_in_one_module() -> None:
    known = {name: value for name, value in vars(queues).items() if name.isupper() and isinstance(value, str)}

    assert sorted(known.values()) == sorted(queues.ALL)


SQL_FILES = {"repository.py", "tables.py"} | {
    f"{name}.py"
    for name in ("database", "dialect", "engine", "many", "bus", "listing", "visibility")  # the foundation's own
}
# What a use case may know of SQL: the types of what it passes on, and the table that describes a dataset.
SQL_TYPES = {"sqlalchemy.engine.Connection", "sqlalchemy.engine.Engine"}
DESCRIBES_TABLES = {"shared_code/edw/datasets.py"}


def test_sql_stands_in_repositories_and_tables_and_migrations() -> None:
    strangers = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in sources("function_app.py", "functions", "shared_code")
        for module in imports(path)
        if (under(module, "sqlalchemy") or under(module, "alembic"))
        and path.name not in SQL_FILES
        and module not in SQL_TYPES
        and str(path.relative_to(ROOT)) not in DESCRIBES_TABLES
        and not path.is_relative_to(ROOT / "shared_code/operations/migrations")
        and path != ROOT / "shared_code/operations/migrate.py"
        and not path.is_relative_to(ROOT / "shared_code/operations/invariants")  # a query and its meaning (decision 24)
    }

    assert strangers == set()


def test_a_dataset_names_its_table_and_no_more() -> None:
    tree = ast.parse((ROOT / "shared_code/edw/datasets.py").read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sa"
    }

    assert used <= {"Table"}


def test_no_room_knows_the_functions_library() -> None:
    strangers = [
        str(path) for path in sources("shared_code") for name in imports(path) if under(name, "azure.functions")
    ]

    assert strangers == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements.in", "requirements-dev.in"])
def test_requirements_are_free_of_addresses(name: str) -> None:
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_the_npm_lock_is_free_of_addresses() -> None:
    """A package may say where its licence stands: that is nothing to fetch a package from."""
    lines = (ROOT / "package-lock.json").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if "://" in line and not line.strip().startswith('"license":')] == []
    assert not any('"resolved"' in line for line in lines)


SETTING = re.compile(r"operator_|OPERATOR_|second_brand_|SECOND_BRAND_")


def test_no_brand_is_a_literal() -> None:
    """What is printed of an operator comes from settings: not even the example's operator stands in code (design 1)."""
    example = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]
    brands = {value for name, value in example.items() if SETTING.match(name) and any(c.isalpha() for c in value)}
    assert brands
    for path in sources(*DEPLOYED):
        text = path.read_text(encoding="utf-8")
        assert not [brand for brand in brands if brand in text], path


def test_the_operators_settings_have_no_default_text() -> None:
    tree = ast.parse((ROOT / "shared_code/foundation/settings.py").read_text(encoding="utf-8"))
    defaults = {
        node.target.id: keyword.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Call)
        for keyword in node.value.keywords
        if keyword.arg == "default" and isinstance(keyword.value, ast.Constant)
    }
    texts = {name: default for name, default in defaults.items() if SETTING.match(name) and default}

    assert texts == {}
    assert "operator_name" not in defaults

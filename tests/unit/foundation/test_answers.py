"""What routes answer with: frozen values, each named once, described field by field as the wire has them."""

from __future__ import annotations

import importlib
from collections import Counter
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from pydantic import TypeAdapter

from shared_code.foundation.answers import Described
from shared_code.statements.reading.model import Invoice, Run, Statement

ROOMS = (
    "shared_code.contracts.model",
    "shared_code.edw.model",
    "shared_code.operations.health",
    "shared_code.statements.model",
    "shared_code.statements.reading.model",
)
ANSWERS: list[type[Any]] = [
    found
    for room in ROOMS
    for found in vars(importlib.import_module(room)).values()
    if isinstance(found, type) and issubclass(found, Described) and found.__module__ == room
]


def schema(model: type[Any]) -> dict[str, Any]:
    return TypeAdapter(model).json_schema(mode="serialization")


@pytest.mark.parametrize("model", ANSWERS)
def test_an_answer_is_a_frozen_value_with_a_description_and_a_field_for_every_name(model: type[Any]) -> None:
    parameters = model.__dataclass_params__

    assert is_dataclass(model) and parameters.frozen and "__slots__" in vars(model)
    assert model.__doc__ and not model.__doc__.startswith(f"{model.__name__}(")
    assert list(schema(model)["properties"]) == [field.name for field in fields(model)]


def test_names_of_answers_are_unique_since_they_name_the_schemas_of_the_api() -> None:
    assert [name for name, times in Counter(model.__name__ for model in ANSWERS).items() if times > 1] == []
    assert len(ANSWERS) > 20


def test_the_text_below_a_field_is_its_description_inherited_fields_included() -> None:
    assert schema(Run)["properties"]["expected"]["description"] == "The number of contracts to bill."
    assert schema(Invoice)["properties"]["amount"]["description"] == "The sum of its lines."


def test_money_is_a_number_a_month_a_pattern_and_a_state_one_of_its_names() -> None:
    known = schema(Statement)["properties"]

    assert known["total"]["type"] == "number"
    assert known["period"]["pattern"] == "^[0-9]{4}-(0[1-9]|1[0-2])$"
    assert "ReadyToSend" in known["status"]["enum"]
    assert schema(Invoice)["properties"]["due_date"]["anyOf"] == [
        {"format": "date", "type": "string"},
        {"type": "null"},
    ]

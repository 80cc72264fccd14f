"""Versions and generations, whatever happens to a month in whatever order (rules R24, R27)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from shared_code.statements.places import counts, next_place


@dataclass(frozen=True, slots=True)
class Made:
    """A statement of the month."""

    statement_id: str
    version: int
    generation: int
    status: str = "ReadyToSend"


def after(standing: list[Made], step: str) -> list[Made]:
    """The month's statements after a step: made anew, found to come to nothing, sent."""
    if step == "send":
        return [replace(one, status="Sent") if one.status == "ReadyToSend" else one for one in standing]
    place = next_place(standing)
    kept = [replace(one, status="Superseded") if one.statement_id == place.replaces else one for one in standing]
    if step == "nothing":
        return kept
    return [*kept, Made(f"s{place.generation}", place.version, place.generation)]


@given(st.lists(st.sampled_from(["make", "nothing", "send"]), max_size=12))
def test_whatever_happens_a_month_has_one_unsent_statement_and_versions_without_gaps(steps: list[str]) -> None:
    standing: list[Made] = []
    for step in steps:
        sent = [one for one in standing if one.status == "Sent"]
        standing = after(standing, step)

        counting = counts(standing)
        assert len([one for one in counting if one.status != "Sent"]) <= 1
        assert [one.version for one in counting] == list(range(1, len(counting) + 1))  # each counts once, without a gap
        assert [one.generation for one in standing] == list(range(1, len(standing) + 1))
        assert all(one in standing for one in sent)  # what was sent never changes
        assert next_place(standing).generation == len(standing) + 1

"""Whatever is done to the audit behind its back is found and named: every row, every field, every kind of change.

The first part works on the rows in memory, which allows any bytes at all; the second does in the database what somebody
with all rights there can do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from shared_code.foundation.audit.chain import GENESIS, STREAMS, Head, digest, survey
from shared_code.foundation.audit.diagnosis import Break, examine
from shared_code.foundation.database import reading
from shared_code.operations.audit import verify
from tests.unit.audit_support import Step, audit_database, tamper, texts, write_history

SUBJECT = re.compile(r'"subject":"([^"]*)"')  # tolerant: a row may be broken in any way

type Rows = list[tuple[str, int, str]]

LENGTHS = {"contract/0012": 2, "run/1": 4, "settings": 1, STREAMS: 3}
PLACES = [(stream, sequence) for stream, length in LENGTHS.items() for sequence in range(1, length + 1)]
FIELDS = [
    "stream", "sequence", "previous", "at", "actor", "actor.id", "actor.name", "actor.kind", "actor.roles", "requestId",
    "correlationId", "action", "subject", "site", "reason", "data",
]  # fmt: skip


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, dict[str, Head]]:
    """The rows and heads of a small history, read once."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        audit_database(tmp_path_factory.mktemp("audit"), monkeypatch),
    ):
        write_history()
        with reading() as connection:
            heads = connection.exec_driver_sql("SELECT stream, sequence, hash FROM audit_head").all()
        return texts(), {stream: Head(sequence, hash_) for stream, sequence, hash_ in heads}


def proven(rows: Rows, heads: Mapping[str, Head]) -> list[Break]:
    """The breaks of rows in memory: first what one pass suspects, then what is wrong with that."""
    rows = sorted(rows)
    announced = {name for stream, _, text in rows if stream == STREAMS for name in SUBJECT.findall(text)}
    chains = {stream: [row[1:] for row in group] for stream, group in groupby(rows, key=lambda row: row[0])}
    found = {
        stream: examine(stream, chains.get(stream, []), heads.get(stream), announced=stream in announced)
        for stream in chains.keys() | heads.keys() | announced
    }
    # The fast pass and the thorough one agree about which streams are intact.
    assert survey(rows, heads, announced).suspects == {stream for stream, breaks in found.items() if breaks}
    return [one for _, breaks in sorted(found.items()) for one in breaks]


def named(breaks: Sequence[Break]) -> set[tuple[str, int, str]]:
    return {(one.stream, one.sequence, one.kind) for one in breaks}


def changed_kind(stream: str, sequence: int) -> str:
    """The last row is stated by the head alone, and either may have been changed."""
    return "head" if sequence == LENGTHS[stream] else "changed"


def test_the_history_itself_is_proven(history: tuple[Rows, dict[str, Head]]) -> None:
    rows, heads = history
    assert [(stream, sequence) for stream, sequence, _ in rows] == PLACES
    assert {stream: head.sequence for stream, head in heads.items()} == LENGTHS
    assert proven(rows, heads) == []


@pytest.mark.parametrize("place", range(len(PLACES)), ids=lambda place: "{} {}".format(*PLACES[place]))
def test_any_changed_byte_is_found_and_its_row_named(place: int, history: tuple[Rows, dict[str, Head]]) -> None:
    """Each byte of each row in turn: another byte in its place, the byte gone, and the byte twice."""
    rows, heads = history
    stream, sequence, text = rows[place]
    for at in range(len(text)):
        other = "0" if text[at] != "0" else "1"
        for changed in (
            text[:at] + other + text[at + 1 :],
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
        ):
            if changed == text:
                continue
            breaks = proven([*rows[:place], (stream, sequence, changed), *rows[place + 1 :]], heads)
            assert (stream, sequence) in {(one.stream, one.sequence) for one in breaks}, (at, changed)


OTHER_FORMS: list[tuple[str, Callable[[str], str]]] = [
    ("spaces between", lambda text: json.dumps(json.loads(text))),
    ("keys in another order", lambda text: json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))),
    ("a key twice", lambda text: text[:-1] + ',"action":"nothing"}'),
    ("one key more", lambda text: text[:-1] + ',"note":"x"}'),
    ("escaped letters", lambda text: text.replace("action", "\\u0061ction", 1)),
    ("a line break at the end", lambda text: text + "\n"),
    ("a space at the start", lambda text: " " + text),
    ("letters in the other case", str.swapcase),
    ("an invisible letter", lambda text: text.replace('"data":', '"data\u200b":', 1)),
    ("half a letter", lambda text: text[:-2] + "\ud800" + text[-2:]),
    ("empty", lambda text: ""),
]


@pytest.mark.parametrize("form", [form for _, form in OTHER_FORMS], ids=[name for name, _ in OTHER_FORMS])
@pytest.mark.parametrize("place", range(7), ids=lambda place: "{} {}".format(*PLACES[place]))
def test_another_form_of_the_same_event_is_found(
    place: int, form: Callable[[str], str], history: tuple[Rows, dict[str, Head]]
) -> None:
    rows, heads = history
    stream, sequence, text = rows[place]
    assert form(text) != text

    breaks = proven([*rows[:place], (stream, sequence, form(text)), *rows[place + 1 :]], heads)

    assert (stream, sequence) in {(one.stream, one.sequence) for one in breaks}


def chain_of(length: int) -> tuple[Rows, dict[str, Head]]:
    """One stream and its announcement, with short texts."""
    rows: Rows = []
    previous = GENESIS
    for sequence in range(1, length + 1):
        rows.append(("s", sequence, f'{{"stream":"s","sequence":{sequence},"previous":"{previous}","n":{sequence}}}'))
        previous = digest(rows[-1][2])
    opening = f'{{"stream":"{STREAMS}","sequence":1,"previous":"{GENESIS}","subject":"s"}}'
    return [*rows, (STREAMS, 1, opening)], {"s": Head(length, previous), STREAMS: Head(1, digest(opening))}


def renumbered(row: tuple[str, int, str], sequence: int) -> tuple[str, int, str]:
    stream, old, text = row
    return stream, sequence, text.replace(f'"sequence":{old},', f'"sequence":{sequence},', 1)


def linked(rows: Rows) -> Rows:
    """The rows as a chain of their own: numbered and linked anew."""
    done: Rows = []
    previous = GENESIS
    for sequence, (stream, _, text) in enumerate(rows, start=1):
        fields = json.loads(text) | {"sequence": sequence, "previous": previous}
        done.append((stream, sequence, json.dumps(fields, separators=(",", ":"))))
        previous = digest(done[-1][2])
    return done


@pytest.mark.parametrize(("first", "second"), [(a, b) for a in range(1, 7) for b in range(a + 1, 7)])
def test_two_rows_in_each_others_places_are_named(first: int, second: int) -> None:
    rows, heads = chain_of(6)
    rows[first - 1], rows[second - 1] = renumbered(rows[second - 1], first), renumbered(rows[first - 1], second)

    found = named(proven(rows, heads))

    assert {("s", first, "reordered"), ("s", second, "reordered")} <= found
    assert {kind for _, _, kind in found} <= {"reordered", "unproven"}


def test_the_sentence_of_a_reordered_row_names_the_place_that_it_had() -> None:
    rows, heads = chain_of(6)
    rows[1], rows[3] = renumbered(rows[3], 2), renumbered(rows[1], 4)

    reordered = [one for one in proven(rows, heads) if one.kind == "reordered"]

    assert [one.text for one in reordered] == ["it was written as row 4", "it was written as row 2"]


@pytest.mark.parametrize("place", range(1, 7))
def test_a_row_put_between_with_all_numbers_moved_up_is_named(place: int) -> None:
    """The new row states the row before it, as the row that it pushed up does too."""
    rows, heads = chain_of(6)
    new = ("s", place, rows[place - 1][2].replace('"n":', '"forged":', 1))
    moved = [renumbered(row, row[1] + 1) for row in rows[place - 1 : 6]]

    found = named(proven([*rows[: place - 1], new, *moved, rows[6]], heads))

    assert ("s", place, "inserted") in found
    assert ("s", 7, "inserted") in found  # beyond the head


def test_a_row_put_between_where_another_was_removed_is_named() -> None:
    rows, heads = chain_of(6)
    rows[2] = ("s", 3, rows[2][2].replace('"n":', '"forged":', 1))

    assert named(proven(rows, heads)) == {("s", 3, "changed")}


@pytest.mark.parametrize("since", range(1, 7))
def test_a_chain_that_was_written_anew_does_not_end_in_its_head(since: int) -> None:
    """Rows from `since` on are forged and linked perfectly; the head states what was written in the first place."""
    rows, heads = chain_of(6)
    forged = [(s, n, text.replace('"n":', '"forged":') if n >= since else text) for s, n, text in rows[:6]]

    found = proven([*linked(forged), rows[6]], heads)

    assert named(found) == {("s", 6, "head")}
    assert "this row, the rows before it or the head" in found[0].text


@pytest.mark.parametrize("kept", range(6))
def test_rows_cut_off_the_end_are_missing(kept: int) -> None:
    rows, heads = chain_of(6)

    found = proven([*rows[:kept], rows[6]], heads)

    assert named(found) == {("s", kept + 1, "missing")}
    assert found[0].text.startswith("row 6 is missing" if kept == 5 else f"rows {kept + 1} to 6 are missing")


@pytest.mark.parametrize("place", range(1, 7))
def test_a_missing_row_is_named_and_so_is_the_row_that_it_proved(place: int) -> None:
    rows, heads = chain_of(6)
    del rows[place - 1]

    found = proven(rows, heads)

    assert named(found) == {("s", place, "missing")}
    assert (f"row {place - 1}, whose hash it stated, is unproven" in found[0].text) == (place > 1)


HEADS: list[tuple[str, Callable[[dict[str, Head], Rows], None], tuple[str, int, str]]] = [
    ("another hash", lambda heads, _: heads.update(s=Head(6, "f" * 64)), ("s", 6, "head")),
    ("a hash that is none", lambda heads, _: heads.update(s=Head(6, "")), ("s", 6, "head")),
    ("one row more", lambda heads, _: heads.update(s=heads["s"]._replace(sequence=7)), ("s", 0, "head")),
    ("one row less", lambda heads, _: heads.update(s=heads["s"]._replace(sequence=5)), ("s", 0, "head")),
    ("no rows", lambda heads, _: heads.update(s=Head(0, GENESIS)), ("s", 1, "inserted")),
    ("of nothing", lambda heads, _: heads.update(s=Head(-1, GENESIS)), ("s", 0, "head")),
    ("set back", lambda heads, rows: heads.update(s=Head(4, digest(rows[3][2]))), ("s", 5, "inserted")),
    ("set forward", lambda heads, _: heads.update(s=Head(8, "f" * 64)), ("s", 7, "missing")),
    ("removed", lambda heads, _: heads.pop("s") and None, ("s", 0, "head")),
    ("of a stream that never was", lambda heads, _: heads.update(t=Head(2, "f" * 64)), ("t", 0, "unannounced")),
]


@pytest.mark.parametrize(("change", "expected"), [row[1:] for row in HEADS], ids=[row[0] for row in HEADS])
def test_a_changed_head_is_named(
    change: Callable[[dict[str, Head], Rows], None], expected: tuple[str, int, str]
) -> None:
    rows, heads = chain_of(6)
    change(heads, rows)

    assert expected in named(proven(rows, heads))


@pytest.mark.parametrize("sequence", [-1, 0, 7, 8])
def test_a_row_outside_of_the_chain_is_named(sequence: int) -> None:
    rows, heads = chain_of(6)
    found = named(
        proven([*rows, ("s", sequence, f'{{"stream":"s","sequence":{sequence},"previous":"{GENESIS}"}}')], heads)
    )

    assert ("s", sequence if sequence < 1 else 7, "inserted") in found


@pytest.mark.parametrize("text", ["the same", "another"])
def test_a_second_row_of_one_number_is_named(text: str) -> None:
    """For whoever takes the unique key away as well."""
    rows, heads = chain_of(6)
    second = rows[2] if text == "the same" else ("s", 3, rows[2][2].replace('"n":', '"forged":'))

    assert ("s", 3, "inserted") in named(proven([*rows, second], heads))


@pytest.mark.parametrize("stream", ["s", STREAMS])
def test_a_stream_that_was_emptied_with_its_head_at_nothing_is_named(stream: str) -> None:
    rows, heads = chain_of(6)
    heads[stream] = Head(0, GENESIS)

    assert (stream, 0, "head") in named(proven([row for row in rows if row[0] != stream], heads))


def test_a_row_that_states_a_row_before_the_first_is_named() -> None:
    """Even where everything, the head included, was computed anew."""
    rows, heads = chain_of(3)
    first = ("s", 1, rows[0][2].replace(GENESIS, "1" * 64))
    second = ("s", 2, rows[1][2].replace(digest(rows[0][2]), digest(first[2])))
    heads["s"] = Head(2, digest(second[2]))

    assert named(proven([first, second, rows[3]], heads)) == {("s", 1, "changed")}


def test_a_row_whose_start_was_changed_is_named_even_when_its_hash_was_stated_anew() -> None:
    rows, heads = chain_of(3)
    third = ("s", 3, rows[2][2].replace('"previous":', '"Previous":'))
    heads["s"] = Head(3, digest(third[2]))

    assert ("s", 3, "changed") in named(proven([*rows[:2], third, rows[3]], heads))


def test_several_breaks_are_all_named_in_order() -> None:
    rows, heads = chain_of(40)
    for place in (5, 12, 13):
        rows[place - 1] = ("s", place, rows[place - 1][2].replace('"n":', '"forged":'))
    del rows[29:31]

    assert [str(one) for one in proven(rows, heads)] == [
        "s row 5: changed: its text has not the hash that row 6 states",
        "s row 12: unproven: row 13, which states its hash, is not as it was written",
        "s row 13: changed: its text has not the hash that row 14 states",
        "s row 30: missing: rows 30 to 31 are missing; row 29, whose hash it stated, is unproven",
    ]


edits = st.tuples(
    st.sampled_from(["change", "remove", "move", "repeat", "relink"]), st.integers(0, 7), st.integers(1, 9)
)


def edited(rows: Rows, kind: str, place: int, number: int) -> Rows:
    """The rows after one edit of the row at `place`."""
    before, row, after = rows[:place], rows[place], rows[place + 1 :]
    stated = re.compile(r'"previous":"[0-9a-f]{64}"')
    done = {
        "change": [(*row[:2], f"{row[2][:-1]},{number}}}")],
        "remove": [],
        "move": [renumbered(row, number)],
        "repeat": [row, row],
        "relink": [(*row[:2], stated.sub(f'"previous":"{digest(rows[number % len(rows)][2])}"', row[2]))],
    }
    return [*before, *done[kind], *after]


@given(st.lists(edits, min_size=1, max_size=4))
def test_whatever_edits_leave_other_rows_leave_a_break(steps: list[tuple[str, int, int]]) -> None:
    rows, heads = chain_of(8)
    changed = rows[:8]
    for kind, place, number in steps:
        if place < len(changed):
            changed = edited(changed, kind, place, number)

    assert (proven([*changed, rows[8]], heads) == []) == (sorted(changed) == rows[:8])


# In the database


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    with audit_database(tmp_path, monkeypatch) as engine:
        write_history()
        yield engine


def found_in_database() -> set[tuple[str, int, str]]:
    found = verify()
    assert found.intact == (found.breaks == ())
    assert found.first_break == (found.breaks[0] if found.breaks else None)
    return named(found.breaks)


def rewritten(stream: str, sequence: int, body: str) -> Step:
    return "UPDATE audit_event SET body = ? WHERE stream = ? AND sequence = ?", body, stream, sequence


def with_other(text: str, field: str) -> str:
    """The row with another value in one field, written in the canonical form."""
    fields: dict[str, Any] = json.loads(text)
    inside, _, name = field.rpartition(".")
    holder = fields[inside] if inside else fields
    others: dict[str, object] = {
        "sequence": 99,
        "previous": "ab" * 32,
        "actor": {"id": "x", "name": "x", "kind": "system", "roles": []},
        "actor.roles": ["auditor", "x"],
        "data": {"new": 0},
    }
    holder[name] = others.get(field, "other")
    return json.dumps(fields, separators=(",", ":"))


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(("stream", "sequence"), PLACES)
def test_every_field_of_every_row(stream: str, sequence: int, field: str) -> None:
    (text,) = (text for name, number, text in texts() if (name, number) == (stream, sequence))
    changed = with_other(text, field)
    assert changed != text
    tamper(rewritten(stream, sequence, changed))

    found = found_in_database()

    if field == "stream":
        assert {(stream, sequence, "missing"), ("other", 0, "unannounced")} <= found
    elif field == "sequence":
        assert (stream, sequence, "missing") in found
    else:
        assert (stream, sequence, changed_kind(stream, sequence)) in found


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(("stream", "sequence"), PLACES)
def test_every_removed_row(stream: str, sequence: int) -> None:
    tamper(("DELETE FROM audit_event WHERE stream = ? AND sequence = ?", stream, sequence))

    assert (stream, sequence, "missing") in found_in_database()


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("stream", LENGTHS)
def test_every_removed_head(stream: str) -> None:
    tamper(("DELETE FROM audit_head WHERE stream = ?", stream))

    assert found_in_database() == {(stream, 0, "head")}


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("stream", LENGTHS)
def test_every_changed_head(stream: str) -> None:
    tamper(("UPDATE audit_head SET hash = ? WHERE stream = ?", "f" * 64, stream))

    assert found_in_database() == {(stream, LENGTHS[stream], "head")}


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("stream", ["contract/0012", "run/1", "settings"])
def test_a_stream_removed_whole_with_its_head(stream: str) -> None:
    tamper(("DELETE FROM audit_event WHERE stream = ?", stream), ("DELETE FROM audit_head WHERE stream = ?", stream))

    assert found_in_database() == {(stream, 0, "removed")}


@pytest.mark.usefixtures("written")
def test_the_stream_of_streams_removed_whole_with_its_head() -> None:
    tamper("DELETE FROM audit_event WHERE stream = 'streams'", "DELETE FROM audit_head WHERE stream = 'streams'")

    assert found_in_database() == {(stream, 0, "unannounced") for stream in LENGTHS if stream != STREAMS}


def inserted(text: str, **changes: object) -> tuple[str, str]:
    body = json.dumps(json.loads(text) | changes, separators=(",", ":"))
    return "INSERT INTO audit_event (body) VALUES (?)", body


@pytest.mark.usefixtures("written")
def test_a_row_added_without_its_head() -> None:
    (last,) = (text for stream, _, text in texts() if stream == "settings")
    tamper(inserted(last, sequence=2, previous=digest(last), subject="OTHER"))

    assert found_in_database() == {("settings", 2, "inserted")}


@pytest.mark.usefixtures("written")
def test_a_stream_added_with_its_head_and_never_announced() -> None:
    forged = inserted(texts()[0][2], stream="forged")
    tamper(forged, ("INSERT INTO audit_head VALUES ('forged', 1, ?)", digest(forged[1])))

    assert found_in_database() == {("forged", 0, "unannounced")}


@pytest.mark.usefixtures("written")
def test_two_rows_of_the_database_in_each_others_places() -> None:
    renumber = """UPDATE audit_event SET body = replace(body, '"sequence":' || ? || ',', '"sequence":' || ? || ',')
        WHERE stream = 'run/1'"""
    tamper((renumber, 2, -2), (renumber, 3, 2), (renumber, -2, 3))

    assert {("run/1", 2, "reordered"), ("run/1", 3, "reordered")} <= found_in_database()


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("since", range(1, 5))
def test_a_chain_written_anew_from_any_row_to_its_end(since: int) -> None:
    run = [row for row in texts() if row[0] == "run/1"]
    forged = [(s, n, text.replace('"reason":null', '"reason":"forged"') if n >= since else text) for s, n, text in run]
    tamper(*(rewritten(*row) for row in linked(forged)))

    assert found_in_database() == {("run/1", 4, "head")}


@pytest.mark.usefixtures("written")
def test_everything_removed_but_the_heads() -> None:
    tamper("DELETE FROM audit_event")

    assert found_in_database() == {(stream, 1, "missing") for stream in LENGTHS} | {
        (stream, 0, "unannounced") for stream in LENGTHS if stream != STREAMS
    }

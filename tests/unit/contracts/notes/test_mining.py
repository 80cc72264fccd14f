"""What holds for any note, and the cases that a rule could easily get wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.contracts.notes import Proposal, mine
from shared_code.contracts.notes.text import LONGEST, plain, sentences
from tests.unit.contracts.notes.labels import labelled, stated

_WORDS = sorted({word for one in labelled("development") for word in one.note.split(" ")})
# Words of real notes in any order come nearer to the rules than random characters do.
SCRAMBLED = st.lists(
    st.sampled_from([*_WORDS, "\n", "\r\n", ";", "(", "\u00a0", "0%", "$0", "99/99/9999"]), max_size=60
).map(" ".join)
ANY_TEXT = st.one_of(st.text(), SCRAMBLED)


def said(note: str) -> list[tuple[str, dict[str, object]]]:
    return [(proposal.kind, stated(proposal)) for proposal in mine(note)]


@given(ANY_TEXT)
def test_no_text_fails_and_every_span_is_a_place_in_the_note(note: str) -> None:
    for proposal in mine(note):
        span = proposal.span
        assert 0 <= span.start < span.end <= len(note)
        assert note[span.start : span.end] == span.text == span.text.strip()


@given(ANY_TEXT)
def test_nothing_is_approved_and_everything_says_what_it_means(note: str) -> None:
    for proposal in mine(note):
        assert getattr(proposal.value, "status", "proposed") == "proposed"
        assert getattr(proposal.value, "source", "note") == "note"
        assert proposal.reading[0].isupper() and proposal.reading.endswith(".") and "\n" not in proposal.reading


@given(ANY_TEXT)
def test_an_exclusive_proposal_has_a_rival_in_the_same_words_and_is_of_low_grade(note: str) -> None:
    proposals = mine(note)
    for one in proposals:
        if one.exclusive:
            assert one.grade == "low"
            assert [other for other in proposals if other.span == one.span and other.value != one.value]


@given(ANY_TEXT)
def test_the_same_note_makes_the_same_proposals(note: str) -> None:
    assert mine(note) == mine(note)


@given(ANY_TEXT)
def test_letter_case_changes_no_kind(note: str) -> None:
    """A capital can end a wrapped line's sentence, so the note must be of one line."""
    line = " ".join(note.split())

    assert [proposal.kind for proposal in mine(line)] == [proposal.kind for proposal in mine(plain(line))]


@given(ANY_TEXT)
def test_plain_text_keeps_every_place(note: str) -> None:
    assert len(plain(note)) == len(note)


@given(st.one_of(ANY_TEXT, st.text().map(lambda text: text * 50)))
def test_pieces_are_bounded_in_order_and_lose_no_letter(note: str) -> None:
    """Rules see one piece at a time: this bound is why time grows with the length of a note only."""
    pieces = list(sentences(note))
    seen = {at for piece in pieces for at in range(piece.start, piece.start + len(piece.plain))}

    assert all(len(piece.plain) <= LONGEST for piece in pieces)
    assert len(seen) == sum(len(piece.plain) for piece in pieces)
    assert all(at in seen for at, character in enumerate(note) if character.isalnum())


REPEATED = (
    *(
        "a",
        " ",
        "9",
        "1,",
        "$",
        "$1 ",
        "1% ",
        "increase ",
        "cpi or ",
        "greater of ",
        "not ",
        "fee capped at ",
        "\n",
        ".;(",
    ),
    *("hours over 40 ", "a paid by ", "one one ", "effective 1/1/2025 ", "year 1 $1 ", "2025 deferred to "),
    "skip 2026. 3% increase. ",
    "cpi minimum 2% ",
    "fee not less than ",
)


@pytest.mark.parametrize("unit", REPEATED)
def test_a_very_long_note_is_read_to_its_end(unit: str) -> None:
    """Repetition is what makes a careless expression run for hours."""
    note = unit * (60_000 // len(unit)) + "\nParking tax is paid by the client."

    assert mine(note)[-1].kind == "parking_tax"


SAYS_NOTHING_FOR_TODAY = [
    "",
    "\n",
    "Call the manager before noon, lot closes at 10pm.",
    "Cancelled: 4% increase in June",
    "Previously 2% annual increase.",
    "Not a signing bonus of $5,000.",
    "The client does not get a $500 credit each month.",
    "Client no longer remits parking tax.",
]


@pytest.mark.parametrize("note", SAYS_NOTHING_FOR_TODAY)
def test_what_is_denied_or_gone_is_not_proposed(note: str) -> None:
    assert said(note) == []


HOURLY, MANAGEMENT = "perLaborHour.rate", "managementAgreement.fee"

CASES: list[tuple[str, list[tuple[str, dict[str, object]]]]] = [
    # "may" is a word before it is a month
    ("Client may increase the fee by 3% each year.", [("fixed_pct", {"target": "fixedFee.fee", "pct": "3"})]),
    ("Fixed fee up 3% each May.", [("fixed_pct", {"target": "fixedFee.fee", "pct": "3", "month": "May"})]),
    # two rates in one clause
    (
        "Fixed fee and hourly rates increase 3% each January.",
        [
            ("fixed_pct", {"target": "fixedFee.fee", "pct": "3", "month": "January"}),
            ("fixed_pct", {"target": "perLaborHour.rate", "pct": "3", "month": "January"}),
        ],
    ),
    # a new value is not the size of a step, and a day that does not exist is no date
    ("Rate increases to $500 effective 2/30/2026.", [("unstructured", {})]),
    # no rule reads it, and it speaks of money
    ("Overtime $30/hr.", [("unstructured", {})]),
    # an amount that no term can hold
    ("Net 999", []),
    # said twice, proposed once
    ("Client remits parking tax. Parking tax paid by client.", [("parking_tax", {"responsible": "client"})]),
    # a year without an escalator stands alone, with one it is its exception
    ("Skip 2026.", [("no_increase", {"year": 2026})]),
    (
        "PTEB +0.5 points each January, skip 2026.",
        [
            (
                "percentage_points",
                {
                    "target": "billableAccounts.pteb",
                    "points": "0.5",
                    "month": "January",
                    "exceptions": [{"year": 2026, "action": "skip"}],
                },
            )
        ],
    ),
    # a year alone says since when
    (
        "PTEB rises one point per year starting 2027.",
        [("percentage_points", {"target": "billableAccounts.pteb", "points": "1", "firstYear": 2027})],
    ),
    # agreed anew, although no word of rising stands there
    ("Hourly rates to be renegotiated annually, capped at 3%.", [("negotiated", {"target": HOURLY, "ceiling": "3"})]),
    # an index between a floor and a ceiling is more than one escalator can say
    ("Fixed fee rises with CPI, minimum 2%, maximum 4%, each May.", [("unstructured", {})]),
    ("Fixed fee rises with CPI between 2% and 4% each May.", [("unstructured", {})]),
    # rates begin on a day, and so does an agreement
    ("New rates start 4/1/2027.", []),
    ("Effective date of agreement: July 1, 2026", [("contract_start", {"date": "2026-07-01"})]),
    ("Agreement began May 1, 2026.", [("contract_start", {"date": "2026-05-01"})]),
    # three ways to say a floor
    ("Monthly fee shall not be less than $4,000.", [("minimum_fee", {"target": "contract", "amount": "4000"})]),
    ("Fee floor $48,000/year.", [("minimum_fee", {"target": "contract", "amount": "48000", "per": "year"})]),
    ("Mgmt fee never less than $900 per month", [("minimum_fee", {"target": MANAGEMENT, "amount": "900"})]),
    # a sentence that goes on in the next line
    (
        "Hourly rates increase by\n3% each July",
        [("fixed_pct", {"target": "perLaborHour.rate", "pct": "3", "month": "July"})],
    ),
]


@pytest.mark.parametrize(("note", "expected"), CASES)
def test_a_case_is_read(note: str, expected: list[tuple[str, dict[str, object]]]) -> None:
    assert said(note) == expected


def grades(note: str) -> list[str]:
    return [proposal.grade for proposal in mine(note)]


def test_a_grade_says_how_much_was_inferred() -> None:
    assert grades("Fixed fee increases 3% each May.") == ["high"]
    assert grades("Fee increases 3% each May.") == ["medium"]
    assert grades("Annual increase 3%.") == ["medium"]
    assert grades("Annual increase 3% or CPI.") == ["low", "low"]


def test_a_proposal_shows_its_words_and_its_meaning() -> None:
    note = "Note of May.\nINSURANCE: 3% increase each September"

    proposal: Proposal = mine(note)[-1]

    assert proposal.span.text == "3% increase"
    assert note[proposal.span.start :].startswith("3% increase")
    assert proposal.reading == "The insurance rises by 3 % each September."

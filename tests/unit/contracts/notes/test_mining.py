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

UNREAD: list[tuple[str, dict[str, object]]] = [("unstructured", {})]


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


def test_a_percentage_by_dates_is_no_value_of_an_amount() -> None:
    """Approved as values, these would bill three dollars."""
    assert said("Fixed fee increases 3% on October 1 2025, 3% on Oct 1 2026 and 2.5% on Oct 1 2027.") == UNREAD
    assert said("Management fee increases: Year 1 3%, Year 2 3%, Year 3 2%.") == UNREAD
    assert said("PTEB 32% in 2025, 32.5% in 2026.")[0][0] == "schedule"


@pytest.mark.parametrize(
    "note",
    [
        "Hourly rates increase annually on 7/1 by the greater of 3% or CPI, not to exceed 5%.",
        "Increase by the lesser of CPI-U or 3 percent, min 2 percent, each July.",
        "Annual increase equal to CPI (not less than 2% nor more than 5%).",
        "Hourly rates increase by 75% of CPI each January.",
        "CPI + 1% each January.",
        "3-5% annual increase.",
        "3% increase every other year.",
        "Increase 1.5% every six months.",
        "Rate increases 4% 1/1/26 in lieu of 3%",
        "Credit of $3,600 over 12 months.",
        "Parking rent split 50/50",
        "Hours over 40 billed at OT rate.",
        "If terminated early client owes start-up cost of $18,000.",
        "Advance reduced from $20,000 to $12,500 effective June 2025.",
        "Fee of $12,000 starting 4/1/2026.",
    ],
)
def test_what_the_schema_cannot_say_is_read_by_a_person(note: str) -> None:
    """Half of such a clause would bill wrongly (decision 20)."""
    assert said(note) == UNREAD


def test_whichever_is_greater_names_the_one_that_counts() -> None:
    assert said("Threshold increases by 4% each July or CPI, whichever is higher.") == [
        ("greater_of", {"target": "revenueShare.tiers.upTo", "month": "July", "pct": "4", "index": "CPI"})
    ]
    assert said("Fixed fee rises 3% or ECI (Employment Cost Index), whichever is less, each May 1.") == [
        ("lesser_of", {"target": "fixedFee.fee", "month": "May", "pct": "3", "index": "ECI"})
    ]


def test_a_step_per_hour_is_no_hourly_rate() -> None:
    assert said("Hourly rate increases 25 cents per hour each January.") == [
        ("fixed_amount", {"target": "perLaborHour.rate", "month": "January", "amount": "0.25"})
    ]
    assert said("Hourly rate increases to $25/hr effective 1/1/2026.")[0][0] == "hourly_rate"


@pytest.mark.parametrize("note", ["Rates increased 3.5% on 1/1/24.", "Last increase: 4% Jan 2024"])
def test_an_increase_of_the_past_does_not_go_on(note: str) -> None:
    assert said(note) == []


def test_a_pause_is_not_the_end_of_the_increases() -> None:
    assert said("No increase until 2027, then 3% every March.") == [
        ("fixed_pct", {"target": "contract", "month": "March", "pct": "3", "firstYear": 2027})
    ]


def test_years_left_out_are_exceptions() -> None:
    skipped = {"year": 2026, "action": "skip"}
    assert said("3% increase each January except 2026.")[0][1]["exceptions"] == [skipped]
    assert said("3% increase each March. 2026: 3% increase waived.")[0][1]["exceptions"] == [skipped]


def test_a_small_step_of_a_percentage_may_be_points() -> None:
    """0.5 % of a PTEB of 32 % is 0.16, half a point is 0.5: a person chooses."""
    assert [kind for kind, _ in said("PTEB increases .5% each January.")] == ["percentage_points", "fixed_pct"]


def test_amounts_keep_their_period_and_their_scope() -> None:
    assert said("Annual credit $5,000 in December") == [("client_credit", {"amount": "5000", "period": "year"})]
    assert said("Credit $500/month x 6 months") == [("client_credit", {"amount": "500", "occurrences": 6})]
    assert said("Claims cap $10,000 per occurrence, $40,000 annual aggregate.") == [
        ("claims_cap_per_claim", {"amount": "10000"}),
        ("claims_cap", {"amount": "40000"}),
    ]
    assert said("Equipment bill-back of $412.50/month ends March 2027.") == [
        ("equipment_billback", {"amount": "412.50"})
    ]
    assert said("Equipment bill-back: $18,000 / 36 months") == [("equipment_billback", {})]


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

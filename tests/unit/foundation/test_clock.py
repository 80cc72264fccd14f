"""Time and identifiers: set by tests, the same everywhere for the same key."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from shared_code.foundation import clock

type SetClock = Callable[[str], None]


@pytest.fixture
def at() -> Iterator[SetClock]:
    def set_to(text: str) -> None:
        instant = datetime.fromisoformat(text).astimezone(UTC)
        clock.set_clock(lambda: instant)

    yield set_to
    clock.set_clock(None)


BUSINESS_DATES = [
    # instant, zone, business date (rules R29)
    ("2026-11-01T03:59:59Z", "America/New_York", date(2026, 10, 31)),
    ("2026-11-01T04:00:00Z", "America/New_York", date(2026, 11, 1)),
    ("2026-11-01T04:00:00Z", "UTC", date(2026, 11, 1)),
    ("2026-03-08T07:00:00Z", "America/New_York", date(2026, 3, 8)),  # the hour that daylight saving skips
    ("2027-01-01T04:59:00Z", "America/New_York", date(2026, 12, 31)),
    ("2026-10-31T20:00:00-07:00", "America/New_York", date(2026, 10, 31)),
]


@pytest.mark.parametrize(("instant", "zone", "day"), BUSINESS_DATES)
def test_the_business_date_is_that_of_the_zone(at: SetClock, instant: str, zone: str, day: date) -> None:
    at(instant)

    assert clock.today(zone) == day


def test_the_clock_is_set_and_put_back(at: SetClock) -> None:
    at("2026-10-31T12:00:00Z")
    assert clock.now() == datetime(2026, 10, 31, 12, tzinfo=UTC)

    clock.set_clock(None)
    assert clock.now().tzinfo is UTC
    assert clock.now() != datetime(2026, 10, 31, 12, tzinfo=UTC)


def test_a_natural_key_has_one_identifier_on_every_machine() -> None:
    assert clock.derived_id("statement", "k-1", "2026-10", 1) == clock.derived_id("statement", "k-1", "2026-10", "1")
    assert clock.derived_id("statement", "k-1", "2026-10", 1) == "b1f937567ef3580ab4f63c6a5dcd5ed5"


def test_parts_do_not_run_into_each_other() -> None:
    assert clock.derived_id("ab", "c") != clock.derived_id("a", "bc")
    assert clock.derived_id("a") != clock.derived_id("a", "")


SITES = ["", "0001", "0901", "0902", "1", "10901", "A-17", "a-17", "Ü", "901234", "9012345678"]


def test_identifiers_of_contracts_stand_in_the_order_of_their_sites() -> None:
    identifiers = [clock.derived_in_order(site, "contract", "k-1") for site in SITES]

    in_bytes = sorted(zip((site.encode()[:6] for site in SITES), identifiers, strict=True))
    assert [one for _, one in in_bytes] == sorted(identifiers)
    assert (
        clock.derived_in_order("0901", "contract", "k-1")
        == "303930310000" + clock.derived_id("0901", "contract", "k-1")[12:]
    )
    assert {len(one) for one in identifiers} == {32}


def test_what_shares_its_first_bytes_is_told_apart() -> None:
    named = [("901234", "k"), ("9012345", "k"), ("9012346", "k"), ("9012346", "l")]

    assert len({clock.derived_in_order(site, "contract", name) for site, name in named}) == len(named)


@pytest.mark.parametrize(("number", "digits"), [(0, "0000"), (1, "0001"), (255, "00ff"), (65_535, "ffff")])
def test_parts_are_numbered_by_the_last_digits(number: int, digits: str) -> None:
    parent = clock.derived_id("invoice", "k-1")

    assert clock.numbered_within(parent, number) == parent[:28] + digits


def test_parts_beyond_the_digits_have_identifiers_of_their_own() -> None:
    whole = clock.numbered_within(clock.derived_id("invoice", "k-1"), 0)
    identifiers = [clock.numbered_within(whole, number) for number in range(65_530, 65_542)]

    assert len({whole, *identifiers}) == 13
    assert {len(one) for one in identifiers} == {32}


def test_fresh_identifiers_differ_and_fingerprints_do_not() -> None:
    assert clock.new_id() != clock.new_id()
    assert clock.fingerprint(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("parts", [("statement", "k-1", 3), ("Über", ""), ("x" * 5_000,)])
def test_identifiers_are_uuids_of_version_5(parts: tuple[object, ...]) -> None:
    namespace = uuid.UUID("6f1d3c52-8d0a-5b7e-9a44-2f6f0d6c9e01")

    assert clock.derived_id(*parts) == uuid.uuid5(namespace, "\x1f".join(map(str, parts))).hex

"""The 25 archetypes of the corpus: each loads, warns as expected, survives storage and is written back unchanged."""

import hashlib
import json
from pathlib import Path

import pytest

from shared_code.contracts.legacy import read_legacy, write_legacy
from shared_code.contracts.legacy.wording import label_of
from shared_code.contracts.schema import Contract
from shared_code.contracts.validation import check
from tests.fixtures.contracts import expand
from tests.unit.contracts.documents import ARCHETYPES, dump, legacy_file

every_archetype = pytest.mark.parametrize("name", sorted(ARCHETYPES))


@every_archetype
def test_it_loads_with_its_data_quality_warnings(name: str) -> None:
    data, file_name = legacy_file(name)

    result = read_legacy(data, file_name)

    assert sorted({warning.code for warning in result.warnings}) == ARCHETYPES[name]["dqCodes"]
    assert all(warning.message and warning.suggestion for warning in result.warnings)


@every_archetype
def test_its_enabled_blocks_make_its_label(name: str) -> None:
    data, file_name = legacy_file(name)
    contract = read_legacy(data, file_name).contract

    enabled = [component.kind for component in contract.components if component.enabled]
    label = label_of([*enabled, *(["invoiceGrouping"] if contract.grouping_enabled else [])])

    assert contract.site.master_matched is (ARCHETYPES[name]["label"] != "Unknown")
    assert label == ARCHETYPES[name]["label"] or not contract.site.master_matched


@every_archetype
def test_the_stored_form_reads_back_equal(name: str) -> None:
    data, file_name = legacy_file(name)
    contract = read_legacy(data, file_name).contract

    assert Contract.model_validate_json(contract.model_dump_json(by_alias=True)) == contract


@every_archetype
def test_the_legacy_export_of_the_stored_form_is_identical_to_the_byte(name: str) -> None:
    data, file_name = legacy_file(name)
    stored = read_legacy(data, file_name).contract.model_dump_json(by_alias=True)

    assert write_legacy(Contract.model_validate_json(stored)) == data


@every_archetype
def test_the_file_beside_the_compact_form_is_its_expansion(name: str) -> None:
    data, file_name = legacy_file(name)

    assert (Path(expand.__file__).parent / file_name).read_bytes() == data


def test_only_what_cannot_be_billed_yet_stands_out_in_the_rules() -> None:
    found = {}
    for name in ARCHETYPES:
        data, file_name = legacy_file(name)
        findings = check(read_legacy(data, file_name).contract)
        found[name] = [finding.code for finding in findings if finding.blocks_generation]

    assert {name: codes for name, codes in found.items() if codes} == {"A13": ["NULL_NUMBER"], "A14": ["NO_JOBS"]}


def test_the_source_keeps_what_an_import_needs_to_be_proved() -> None:
    data, file_name = legacy_file("A04")

    source = read_legacy(data, f"drops/revenue-share/{file_name}").contract.source

    assert source is not None
    assert (source.file_name, source.folder) == (file_name, "revenue-share")
    assert source.site_guid == "00000000_0000_4000_8000_000000008804"
    assert source.sha256 == hashlib.sha256(data).hexdigest()
    assert source.parking_tax_key == "operatorResponsibleForParkingTax"


@pytest.mark.parametrize(
    ("folder", "codes"), [("revenue-share", []), ("fixed-fee", ["DQ09"]), ("Processed", []), ("hybrid", ["DQ09"])]
)
def test_a_file_in_the_wrong_folder_is_named_and_read_all_the_same(folder: str, codes: list[str]) -> None:
    data, file_name = legacy_file("A01")

    assert [warning.code for warning in read_legacy(data, f"{folder}/{file_name}").warnings] == codes


def test_another_spelling_of_the_tax_key_is_understood_and_kept() -> None:
    data, file_name = legacy_file("A04")
    other = data.replace(b"operatorResponsibleForParkingTax", b"acmeResponsibleForParkingTax")

    contract = read_legacy(other, file_name).contract

    assert write_legacy(contract) == other
    assert b"acme" not in contract.model_dump_json(by_alias=True, exclude={"source"}).encode()


def test_twice_the_same_file_is_twice_the_same_contract() -> None:
    data, file_name = legacy_file("A17")

    assert read_legacy(data, file_name) == read_legacy(data, file_name)


def test_a_contract_that_changed_since_its_import_is_exported_as_it_is_now() -> None:
    """A15 left a claims type behind under a switch that is off: it must not hide the type that is chosen later."""
    data, file_name = legacy_file("A15")
    contract = read_legacy(data, file_name).contract
    assert "/original/managementAgreement/ManagementFees/0/claimsType" in contract.residue

    document = contract.model_dump_json(by_alias=True).replace(
        '"claims":{"kind":"off"}', '"claims":{"kind":"AnnualCalendar","cap":"5000.0","title":"Claims"}'
    )
    exported = write_legacy(Contract.model_validate_json(document))

    assert b'"claimsType": "AnnualCalendar"' in exported
    assert b'"claimsCapAmount": 5000.0' in exported


def test_another_order_of_keys_is_kept() -> None:
    document = json.loads(legacy_file("A20")[0])
    document["original"]["midMonthAdvance"] = {"midMonthAdvances": [], "enabled": False}
    data = dump(document)

    assert write_legacy(read_legacy(data).contract) == data

"""The contracts and names of the invented operator: complete legacy documents, valid, and nobody's."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sample_data import names
from sample_data.contracts import make_contract
from sample_data.generate import generate
from sample_data.legacy_form import REVENUE_CODES, document, flatten, label_of, to_bytes
from sample_data.options import MAX_SITES, SampleOptions
from sample_data.sites import COMPONENT_SETS, make_site

BLOCKS = (
    "invoiceGrouping",
    "fixedFee",
    "perLaborHour",
    "perOccupiedRoom",
    "revenueShare",
    "bellServiceFee",
    "midMonthAdvance",
    "depositedRevenue",
    "billableAccounts",
    "managementAgreement",
)
ORIGINAL_KEYS = [
    "id",
    "purchaseOrder",
    "paymentTerms",
    "billingType",
    "incrementMonth",
    "incrementAmount",
    "consumerPriceIndex",
    "notes",
    "deviationAmount",
    "deviationPercentage",
    "deposits",
    "contractType",
    "supportingReports",
    *BLOCKS,
]


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 sites with their contracts."""
    folder = tmp_path_factory.mktemp("light")
    generate(SampleOptions(folder, sites=60, volume="light"))
    return folder


def contracts_in(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((folder / "contract-drops").iterdir()):
        yield path.name, json.loads(path.read_bytes())


def nan_paths(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from nan_paths(f"{path}/{key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nan_paths(path, inner)
    elif isinstance(value, float) and math.isnan(value):
        yield path


def check_contract(original: dict[str, Any]) -> None:
    check_groups(original)
    check_shares(original)
    jobs = [job["jobCode"] for job in original["perLaborHour"]["jobRates"]]
    assert len(jobs) == len(set(jobs))
    if original["billingType"] == "Advanced":
        assert not any(original[block]["enabled"] for block in BLOCKS[2:6]), "facts lie ahead of an advanced bill"
    assert any(original[block]["enabled"] for block in BLOCKS[1:])


def check_groups(original: dict[str, Any]) -> None:
    """Every group exists and none is empty."""
    used = set(group_references(original))
    grouping = original["invoiceGrouping"]
    groups = [row["groupNumber"] for row in grouping["invoiceGroups"]]
    assert grouping["enabled"] == bool(groups)
    assert used <= set(groups or [1])
    assert not groups or used | {1} == set(groups)
    assert len(groups) == len(set(groups))


def group_references(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.lower().endswith("invoicegroup"):
                yield inner
            yield from group_references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from group_references(inner)


def check_shares(original: dict[str, Any]) -> None:
    """Revenue codes are dealt out without overlap or rest; tiers ascend to an unbounded last one."""
    structures = original["revenueShare"]["thresholdStructures"]
    tiers = [structure["tiers"] for structure in structures]
    tiers += [row["profitShareTierData"] for row in original["managementAgreement"]["ManagementFees"]]
    for rows in filter(None, tiers):
        *bounds, last = [row["amount"] for row in rows]
        assert last == 0.0
        assert bounds == sorted(set(bounds))
        assert 0.0 not in bounds
        assert all(0 < row["sharePercentage"] <= 100 for row in rows)
    if structures:
        assert sorted(code for structure in structures for code in structure["revenueCodes"]) == sorted(REVENUE_CODES)
        assert all(structure["validationThresholdType"] is None for structure in structures[1:])


class TestContracts:
    def test_each_is_a_complete_legacy_document(self, light: Path) -> None:
        found = list(contracts_in(light))
        assert len(found) == 60
        for name, contract in found:
            metadata, original = contract["metadata"], contract["original"]
            assert list(contract) == ["metadata", "original", "flattened"]
            assert list(original) == ORIGINAL_KEYS
            assert name.startswith(f"{metadata['siteNumber']}_")
            assert metadata["contractType"] in (label_of(original), "Unknown")
            assert (light / "contract-drops" / name).read_bytes() == to_bytes(document(metadata, original))

    def test_bare_nan_stands_only_where_the_corpus_has_it(self, light: Path) -> None:
        places = {path for _, contract in contracts_in(light) for path in nan_paths("", contract)}
        assert places == {
            "/metadata/location/region",
            "/metadata/notes",
            "/metadata/accountManager",
            "/flattened/contract_financials/region",
        }

    def test_each_is_valid(self) -> None:
        """All 637 places of the deck, the awkward ones among them: groups, codes, tiers, percentages, job codes."""
        for index in range(sum(COMPONENT_SETS.values())):
            contract = make_contract(11, make_site(11, index), 0.5)
            check_contract(contract.original)

    @pytest.mark.parametrize("sites", [25, 637, 771, 2_000])
    def test_component_sets_come_in_the_mix_of_the_corpus(self, sites: int) -> None:
        found = Counter(make_site(7, index).component_set for index in range(sites))
        for name, weight in COMPONENT_SETS.items():
            expected = weight / 637 * sites
            assert round(abs(found[name] - expected), 6) <= (0 if sites == 637 else 3), name

    def test_awkward_contracts_are_as_many_as_asked_for(self, tmp_path: Path) -> None:
        none = generate(SampleOptions(tmp_path / "none", sites=25, volume="light", difficult=0.0))
        every = generate(SampleOptions(tmp_path / "all", sites=25, volume="light", difficult=1.0))
        assert (none.contracts.difficult, every.contracts.difficult) == (0, 25)
        noted = [c["original"]["notes"] for _, c in contracts_in(tmp_path / "all") if c["original"]["notes"]]
        assert len(noted) > 10

    def test_flattened_is_derived_as_the_corpus_does(self) -> None:
        original = {block: {"enabled": False} for block in BLOCKS} | {
            "id": "x",
            "purchaseOrder": None,
            "billingType": "Arrears",
            "supportingReports": ["MixOfSales"],
            "invoiceGrouping": {"enabled": True, "invoiceGroups": [{"groupNumber": 2}]},
            "billableAccounts": {
                "enabled": True,
                "billableAccountsData": [
                    {
                        "payrollAccountsData": '[{"code":"6000","title":"A","isEnabled":true}]',
                        "payrollExpenseAccountsData": '[{"code":"7000","title":"B","isEnabled":false}]',
                    }
                ],
            },
        }
        metadata = {"siteNumber": "0042", "contractType": "L", "location": {"district": "D - X", "region": ""}}
        flat = flatten(metadata, original)
        for path, value in {
            "contract_id": "x",
            "contract_purchaseOrder": None,
            "contract_supportingReports_1": "MixOfSales",
            "contract_fixedFee_enabled": False,
            "contract_invoiceGrouping_invoiceGroups_1_groupNumber": 2,
            "contract_enabled_components": ["billableAccounts"],
            "contract_payroll_accounts_enabled": ["6000"],
            "contract_expense_accounts_enabled": [],
        }.items():
            assert flat[path] == value
        assert flat["contract_financials"]["contractTerm"] == 36
        assert flat["contract_financials"]["siteNumber"] == "0042"


class TestInvented:
    def test_every_name_is_made_of_the_invented_vocabulary(self) -> None:
        kinds = {word for kind in names.PLACE_KINDS.values() for text in kind for word in text.split()}
        words = {*names.FIRST_WORDS, *names.SECOND_WORDS, *kinds}
        for index in (*range(300), 12_345, MAX_SITES - 1):
            site = make_site(7, index)
            assert all(word in words or word.isdigit() for word in site.name.split()), site.name
            assert site.city in names.CITIES
            assert site.district.removeprefix("D - ") in names.DISTRICTS
            assert site.manager_last in names.FAMILY_NAMES
            assert site.billing_email.endswith("@example.com")
            assert site.zip.startswith("000")

    def test_numbers_and_names_are_unique_up_to_the_last_site(self) -> None:
        """Every 7th site: the strides that spread them must not meet again."""
        sites = [make_site(7, index) for index in range(0, MAX_SITES, 7)]
        assert len({site.number for site in sites}) == len({site.name for site in sites}) == len(sites)
        assert {len(site.number) for site in sites if site.index < 9_999} == {4}
        assert {len(site.number) for site in sites if site.index >= 9_999} == {5}

    def test_no_contract_writes_an_address_outside_example_com(self, light: Path) -> None:
        for path in (light / "contract-drops").iterdir():
            assert set(re.findall(r"@[\w.-]+", path.read_text(encoding="ascii"))) <= {"@example.com"}

"""The invented operator: same options, same bytes; and figures that hang together to the cent."""

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from sample_data import names
from sample_data.__main__ import main
from sample_data.generate import generate
from sample_data.manifest import Manifest, file_hash
from sample_data.options import OptionsError, SampleOptions, parse_periods
from sample_data.sites import make_site
from shared_code.foundation.calendar import Period

OCTOBER = Period(2026, 10)
FEBRUARY = Period(2026, 2)
CENT = Decimal("0.01")
Rows = list[dict[str, str]]

COLUMNS = {
    "revenue_daily": "SITE DATE REVENUE_CODE REVENUE_CATEGORY COLLECTION_TYPE DEPOSIT_FLAG NETEXTERNALREVENUE "
    "EXTERNALREVENUE TAXRATE BILLABLE_NET_VALIDATION",
    "site_statistics": "FILE_NAME SITE DATE REVENUE_CODE REVENUE_CATEGORY VALUE_TYPE VALUE IS_DRAFT DW_LOADED_DTTM",
    "account_summary": "PERIOD COST_CENTER MAIN_ACCOUNT ENTITY ACCOUNT_INDEX BALANCE",
    "timesheet": "TIMESHEET_ID LOCATION_EXTERNAL_ID YEAR DAY_OF_THE_YEAR WORK_ROLE EMPLOYEE_KEY "
    "REGULAR REGULAR_NEXT_DAY OVERTIME OVERTIME_NEXT_DAY HOLIDAY HOLIDAY_NEXT_DAY "
    "DOUBLE_OVERTIME DOUBLE_OVERTIME_NEXT_DAY HOLIDAY_OVERTIME HOLIDAY_OVERTIME_NEXT_DAY "
    "HOLIDAY_DOUBLE_OVERTIME HOLIDAY_DOUBLE_OVERTIME_NEXT_DAY",
    "forecast": "COST_CENTER PERIOD IS_SUMMARY_CATEGORY FD_BALANCE DW_LOADED_DTTM",
    "budget": "COST_CENTER PERIOD CATEGORY BALANCE",
    "site_master": "SITE NAME DISTRICT STREET CITY STATE ZIP CONTRACT_TYPE FIRST_WORKED_DATE DEPOSIT_FLAG GL_STRING "
    "MANAGER_FIRST MANAGER_LAST MANAGER_ID BILLING_EMAIL TOTAL_ROOMS TOTAL_SPACES",
    "unit_accounts": "SITE MAIN_ACCOUNT REVENUE_CATEGORY CATEGORY GL_STRING VALUE ACCOUNT_DESCRIPTION STATUS PERIOD",
}

KEYS = {
    "site_statistics": ("SITE", "DATE", "REVENUE_CODE", "REVENUE_CATEGORY", "VALUE_TYPE"),
    "timesheet": ("TIMESHEET_ID",),
    "forecast": ("COST_CENTER", "PERIOD", "IS_SUMMARY_CATEGORY"),
    "budget": ("COST_CENTER", "PERIOD", "CATEGORY"),
    "site_master": ("SITE",),
    "unit_accounts": ("SITE", "MAIN_ACCOUNT", "CATEGORY", "PERIOD"),
    # Where rows add up, a whole row repeated would count as a possible duplicate.
    "revenue_daily": tuple(COLUMNS["revenue_daily"].split()),
    "account_summary": tuple(COLUMNS["account_summary"].split()),
}

SITE_COLUMN = {
    "site_master": "SITE",
    "revenue_daily": "SITE",
    "site_statistics": "SITE",
    "unit_accounts": "SITE",
    "timesheet": "LOCATION_EXTERNAL_ID",
}


def rows_of(folder: Path, dataset: str, period: Period = OCTOBER) -> Rows:
    path = folder / "edw-drops" / dataset / str(period) / f"{dataset}-{period}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def site_of(dataset: str, row: dict[str, str]) -> str:
    return row[SITE_COLUMN.get(dataset, "COST_CENTER")]


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(folder)): file_hash(path) for path in files}


def contracts_in(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((folder / "contract-drops").iterdir()):
        yield path.name, json.loads(path.read_bytes())


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """60 sites, light, two months."""
    folder = tmp_path_factory.mktemp("light")
    return folder, generate(SampleOptions(folder, sites=60, volume="light", periods=(FEBRUARY, OCTOBER)))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """Four sites, full, the shortest month."""
    folder = tmp_path_factory.mktemp("full")
    return folder, generate(SampleOptions(folder, sites=4, volume="full", periods=(FEBRUARY,)))


class TestSameOptionsSameBytes:
    def test_two_runs_are_identical(self, light: tuple[Path, Manifest], tmp_path: Path) -> None:
        again = generate(SampleOptions(tmp_path, sites=60, volume="light", periods=(FEBRUARY, OCTOBER)))
        assert again == light[1]
        assert hashes(tmp_path) == hashes(light[0])

    def test_a_site_has_the_same_rows_and_contract_among_few_or_many(
        self, light: tuple[Path, Manifest], tmp_path: Path
    ) -> None:
        """150 sites also cross the boundary between two chunks."""
        generate(SampleOptions(tmp_path, sites=150, volume="light", periods=(OCTOBER,)))
        few = {name: body for name, body in hashes(light[0]).items() if name.startswith("contract-drops")}
        assert few.items() <= hashes(tmp_path).items()
        sites = {row["SITE"] for row in rows_of(light[0], "site_master")}
        for dataset in COLUMNS:
            shared = [row for row in rows_of(tmp_path, dataset) if site_of(dataset, row) in sites]
            assert shared == rows_of(light[0], dataset), dataset

    def test_a_month_does_not_depend_on_the_other_months(self, light: tuple[Path, Manifest], tmp_path: Path) -> None:
        generate(SampleOptions(tmp_path, sites=60, volume="light", periods=(OCTOBER,)))
        assert hashes(tmp_path).items() <= hashes(light[0]).items()

    def test_another_seed_is_another_operator(self, light: tuple[Path, Manifest], tmp_path: Path) -> None:
        other = generate(SampleOptions(tmp_path, sites=60, volume="light", periods=(OCTOBER,), seed=8))
        assert other.contracts.sha256 != light[1].contracts.sha256
        assert not set(hashes(tmp_path).values()) & set(hashes(light[0]).values())


class TestFiles:
    @pytest.mark.parametrize("dataset", COLUMNS)
    def test_each_file_has_exactly_the_warehouse_columns(
        self, light: tuple[Path, Manifest], full: tuple[Path, Manifest], dataset: str
    ) -> None:
        for folder, period in ((light[0], OCTOBER), (full[0], FEBRUARY)):
            assert list(rows_of(folder, dataset, period)[0]) == COLUMNS[dataset].split()

    @pytest.mark.parametrize("dataset", KEYS)
    def test_no_key_repeats(self, light: tuple[Path, Manifest], full: tuple[Path, Manifest], dataset: str) -> None:
        for folder, period in ((light[0], OCTOBER), (full[0], FEBRUARY)):
            keys = [tuple(row[name] for name in KEYS[dataset]) for row in rows_of(folder, dataset, period)]
            assert len(keys) == len(set(keys))

    def test_timesheet_ids_are_unique_over_months(self, light: tuple[Path, Manifest]) -> None:
        ids = [row["TIMESHEET_ID"] for period in (FEBRUARY, OCTOBER) for row in rows_of(light[0], "timesheet", period)]
        assert len(ids) == len(set(ids))

    def test_manifest_counts_and_sums_are_those_of_the_files(self, light: tuple[Path, Manifest]) -> None:
        folder, manifest = light
        assert {entry.dataset for entry in manifest.files} == set(COLUMNS)
        for entry in manifest.files:
            rows = rows_of(folder, entry.dataset, Period.parse(entry.period))
            assert entry.rows == len(rows)
            for column in set(entry.totals) & set(rows[0]):
                assert Decimal(entry.totals[column]) == sum(Decimal(row[column]) for row in rows), column

    def test_money_has_two_decimals_and_numbers_no_exponent(self, full: tuple[Path, Manifest]) -> None:
        for dataset, column in (("revenue_daily", "EXTERNALREVENUE"), ("account_summary", "BALANCE")):
            for row in rows_of(full[0], dataset, FEBRUARY):
                assert re.fullmatch(r"-?\d+\.\d\d", row[column]), row

    def test_site_numbers_and_zip_codes_keep_their_leading_zeros(self, light: tuple[Path, Manifest]) -> None:
        rows = rows_of(light[0], "site_master")
        assert all(re.fullmatch(r"\d{4}", row["SITE"]) and re.fullmatch(r"000\d\d", row["ZIP"]) for row in rows)
        assert any(row["SITE"].startswith("0") for row in rows)


class TestRevenue:
    def test_gross_is_net_and_the_tax_of_the_state_to_the_cent(
        self, light: tuple[Path, Manifest], full: tuple[Path, Manifest]
    ) -> None:
        for folder, period in ((light[0], OCTOBER), (full[0], FEBRUARY)):
            states = {row["SITE"]: row["STATE"] for row in rows_of(folder, "site_master", period)}
            for row in rows_of(folder, "revenue_daily", period):
                net, rate = Decimal(row["NETEXTERNALREVENUE"]), Decimal(row["TAXRATE"])
                tax = (net * rate).quantize(CENT, rounding=ROUND_HALF_UP)
                assert Decimal(row["EXTERNALREVENUE"]) - net == tax, row
                assert rate * 1_000_000 == names.STATE_TAX_PPM[states[row["SITE"]]]

    def test_only_validation_rows_have_a_billable_validation(self, light: tuple[Path, Manifest]) -> None:
        for row in rows_of(light[0], "revenue_daily"):
            billable, net = Decimal(row["BILLABLE_NET_VALIDATION"]), Decimal(row["NETEXTERNALREVENUE"])
            assert 0 <= billable <= net if row["DEPOSIT_FLAG"] == "V" else billable == 0, row

    @pytest.mark.parametrize(("form", "least", "most"), [("light", 140, 155), ("full", 1_500, 1_800)])
    def test_every_site_has_rows_on_every_day(
        self, request: pytest.FixtureRequest, form: str, least: int, most: int
    ) -> None:
        folder, _ = request.getfixturevalue(form)
        days: dict[str, list[str]] = defaultdict(list)
        for row in rows_of(folder, "revenue_daily", FEBRUARY):
            days[row["SITE"]].append(row["DATE"])
        assert set(days) == {row["SITE"] for row in rows_of(folder, "site_master", FEBRUARY)}
        for dates in days.values():
            assert least <= len(dates) <= most
            assert set(dates) == {f"2026-02-{day:02d}" for day in range(1, 29)}

    def test_offices_are_quiet_at_weekends_and_resorts_busy_in_july(self, tmp_path: Path) -> None:
        july = Period(2026, 7)
        generate(SampleOptions(tmp_path, sites=60, volume="light", periods=(FEBRUARY, july)))
        kinds = {site.number: site.kind for site in (make_site(7, index) for index in range(60))}
        month: Counter[str] = Counter()
        office: Counter[bool] = Counter()
        for period in (FEBRUARY, july):
            for row in rows_of(tmp_path, "revenue_daily", period):
                cents = int(Decimal(row["NETEXTERNALREVENUE"]) * 100)
                if kinds[row["SITE"]] == "resort":
                    month[str(period)] += cents // period.days
                if kinds[row["SITE"]] == "office" and period == july:
                    office[Period.parse("2026-07").first_day.replace(day=int(row["DATE"][-2:])).weekday() >= 5] += cents
        assert month["2026-07"] > 1.3 * month["2026-02"]
        assert office[True] / 8 < 0.6 * office[False] / 23  # July 2026 has 8 weekend days

    def test_tables_of_a_site_agree(self, light: tuple[Path, Manifest]) -> None:
        """Ledger account 4785 is minus the deposited gross, and the forecast lies near the external revenue."""
        folder, manifest = light
        deposited: Counter[str] = Counter()
        external: Counter[str] = Counter()
        for row in rows_of(folder, "revenue_daily"):
            if row["DEPOSIT_FLAG"] == "Y":
                deposited[row["SITE"]] += int(Decimal(row["EXTERNALREVENUE"]) * 100)
            if row["DEPOSIT_FLAG"] != "V" and row["REVENUE_CATEGORY"] != "Per Man Hour":
                external[row["SITE"]] += int(Decimal(row["NETEXTERNALREVENUE"]) * 100)
        ledger = {
            row["COST_CENTER"]: -int(Decimal(row["BALANCE"]) * 100)
            for row in rows_of(folder, "account_summary")
            if row["MAIN_ACCOUNT"] == "4785"
        }
        forecast = {
            row["COST_CENTER"]: int(Decimal(row["FD_BALANCE"]) * 100)
            for row in rows_of(folder, "forecast")
            if row["IS_SUMMARY_CATEGORY"] == "EXTERNAL REVENUE"
        }
        assert ledger == dict(deposited)
        assert len(ledger) > 10
        for site, cents in external.items():
            assert abs(forecast[site] - cents) <= 0.081 * cents
        [revenue] = [entry for entry in manifest.entries("revenue_daily") if entry.period == "2026-10"]
        [summary] = [entry for entry in manifest.entries("account_summary") if entry.period == "2026-10"]
        assert Decimal(revenue.totals["DEPOSITED_GROSS"]) == -Decimal(summary.totals["CASH_DEPOSITS"])


class TestOtherFacts:
    def test_revenue_accounts_are_negative_and_costs_positive(self, light: tuple[Path, Manifest]) -> None:
        rows = rows_of(light[0], "account_summary")
        for row in rows:
            balance = Decimal(row["BALANCE"])
            assert balance <= 0 if row["MAIN_ACCOUNT"].startswith("4") else balance >= 0, row
        entities = Counter(row["ENTITY"] for row in rows)
        assert set(entities) == {"01", "06"}
        assert entities["06"] < 0.05 * entities["01"]

    def test_every_hotel_has_final_rooms_on_every_day_and_some_have_drafts(self, light: tuple[Path, Manifest]) -> None:
        rooms = {r["SITE"]: int(r["TOTAL_ROOMS"]) for r in rows_of(light[0], "site_master") if int(r["TOTAL_ROOMS"])}
        final: Counter[str] = Counter()
        drafts = 0
        for row in rows_of(light[0], "site_statistics"):
            assert row["REVENUE_CATEGORY"] == "Occupied Rooms"
            drafts += row["IS_DRAFT"] == "1"
            if row["IS_DRAFT"] == "0":
                final[row["SITE"]] += 1
                assert 0 < Decimal(row["VALUE"]) <= rooms[row["SITE"]]
        assert final == dict.fromkeys(rooms, OCTOBER.days)
        assert 0 < drafts < 0.1 * sum(final.values())

    def test_every_hourly_job_has_hours(self, light: tuple[Path, Manifest]) -> None:
        roles: dict[str, set[str]] = defaultdict(set)
        minutes: Counter[str] = Counter()
        for row in rows_of(light[0], "timesheet"):
            roles[row["LOCATION_EXTERNAL_ID"]].add(row["WORK_ROLE"])
            for column in COLUMNS["timesheet"].split()[6:]:
                minutes[column] += int(row[column])
        hourly = 0
        for _, contract in contracts_in(light[0]):
            jobs = {job["jobCode"] for job in contract["original"]["perLaborHour"]["jobRates"]}
            hourly += bool(jobs)
            assert jobs <= roles[contract["metadata"]["siteNumber"]]
        assert hourly > 5
        for column in ("REGULAR", "REGULAR_NEXT_DAY", "OVERTIME", "OVERTIME_NEXT_DAY", "HOLIDAY", "DOUBLE_OVERTIME"):
            assert minutes[column] > 0, column


class TestFolders:
    def options(self, out: Path, cache: Path | None = None, sites: int = 3) -> SampleOptions:
        return SampleOptions(out, sites=sites, volume="light", periods=(OCTOBER,), cache=cache)

    def test_a_smaller_set_leaves_nothing_of_a_larger_one(self, tmp_path: Path) -> None:
        generate(self.options(tmp_path, sites=5))
        generate(self.options(tmp_path))
        assert len(list((tmp_path / "contract-drops").iterdir())) == 3

    def test_what_a_broken_run_left_is_replaced(self, tmp_path: Path) -> None:
        whole = generate(self.options(tmp_path))
        (tmp_path / "manifest.json").write_text('{"kind": "invented-operator", "complete": false}')
        (tmp_path / "contract-drops" / "9999_Unknown.json").write_text("{")
        assert generate(self.options(tmp_path)) == whole
        assert len(list((tmp_path / "contract-drops").iterdir())) == 3

    def test_drops_of_somebody_else_are_never_touched(self, tmp_path: Path) -> None:
        theirs = tmp_path / "contract-drops" / "real.json"
        theirs.parent.mkdir()
        theirs.write_text("{}")
        with pytest.raises(OptionsError, match="was not written by this generator"):
            generate(self.options(tmp_path))
        assert theirs.read_text() == "{}"
        assert not (tmp_path / "manifest.json").exists()

    def test_a_cached_set_is_reused(self, tmp_path: Path) -> None:
        said: list[str] = []
        first = generate(self.options(tmp_path / "a", tmp_path / "cache"))
        second = generate(self.options(tmp_path / "b", tmp_path / "cache"), said.append)
        assert first == second
        assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
        assert any("reusing" in line for line in said)

    @pytest.mark.parametrize("damage", ["truncate", "drop a contract", "old version", "half a manifest", "edited"])
    def test_a_damaged_cached_set_is_built_again(self, tmp_path: Path, damage: str) -> None:
        whole = generate(self.options(tmp_path / "a", tmp_path / "cache"))
        [kept] = (tmp_path / "cache").iterdir()
        manifest = kept / "manifest.json"
        body = manifest.read_text(encoding="utf-8")
        match damage:
            case "truncate":
                (kept / whole.files[1].path).write_bytes(b"SITE\n")
            case "drop a contract":
                next((kept / "contract-drops").iterdir()).unlink()
            case "old version":
                manifest.write_text(re.sub(r'"format_version": \d+', '"format_version": 0', body))
            case "half a manifest":
                manifest.write_text(body[: len(body) // 2])
            case _:
                manifest.write_text(body.replace('"rows"', '"lines"'))
        again = generate(self.options(tmp_path / "b", tmp_path / "cache"))
        assert again == whole
        assert hashes(tmp_path / "b") == hashes(tmp_path / "a")


class TestOptions:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-10", ["2026-10"]),
            ("2026-10,2026-09", ["2026-09", "2026-10"]),
            ("2025-11:2026-02", ["2025-11", "2025-12", "2026-01", "2026-02"]),
            ("2026-01:2026-02, 2026-02,2026-05", ["2026-01", "2026-02", "2026-05"]),
        ],
    )
    def test_periods(self, text: str, expected: list[str]) -> None:
        assert [str(period) for period in parse_periods(text)] == expected

    @pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-10:2026-09", "2026-10:", "october"])
    def test_what_is_no_period_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"period|backwards"):
            parse_periods(text)

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--sites", "0"],
            ["--sites", "50001"],
            ["--periods", "2023-12"],
            ["--periods", "soon"],
            ["--difficult", "1.5"],
        ],
    )
    def test_the_command_line_refuses_in_one_sentence(
        self, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--out", str(tmp_path / "x"), *arguments]) == 2
        assert capsys.readouterr().err.startswith("sample_data: ")
        assert not (tmp_path / "x").exists()

    def test_a_folder_that_cannot_be_written_is_one_sentence_too(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "file").write_text("")
        assert main(["--out", str(tmp_path / "file" / "inside"), "--sites", "1"]) == 1
        assert capsys.readouterr().err.startswith("sample_data: cannot write the set: ")

    def test_the_last_line_of_the_command_line_is_one_json_object(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--out", str(tmp_path), "--sites", "2", "--volume", "light", "--periods", "2026-02"]) == 0
        summary = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (summary["sites"], summary["contracts"], summary["files"]) == (2, 2, 8)

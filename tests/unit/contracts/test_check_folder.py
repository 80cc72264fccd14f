"""The check of a folder: what it prints, what it counts, and that one bad file never stops the others."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared_code.contracts.check import main
from shared_code.contracts.checking.folder import LARGEST_FILE, FileReport, check_file, legacy_files
from shared_code.contracts.checking.readiness import Readiness
from shared_code.contracts.checking.wording import Tally, lines_of_file
from shared_code.foundation.calendar import Period
from tests.unit.contracts.corpus import invented, invented_document, newer
from tests.unit.contracts.documents import ARCHETYPES, legacy_file

ROOT = Path(__file__).parents[3]


def portfolio(folder: Path) -> Path:
    """The archetypes in the folders of their types."""
    for name, archetype in ARCHETYPES.items():
        data, file_name = legacy_file(name)
        place = folder / archetype.get("folder", "other-files")
        place.mkdir(parents=True, exist_ok=True)
        (place / file_name).write_bytes(data)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], dict[str, int]]:
    code = main(arguments)
    lines = capsys.readouterr().out.splitlines()
    counted: dict[str, int] = json.loads(lines[-1])
    return code, lines, counted


def test_a_portfolio_that_survives_exits_0_and_ends_with_its_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, counted = run(capsys, str(portfolio(tmp_path)))

    assert code == 0
    assert lines[-1] == '{"files":25,"loaded":25,"identical":25,"refused":0}'
    assert counted["identical"] == 25
    assert "readiness: complete 10, incomplete 2, needs terms 13" in lines


def test_each_file_is_told_with_its_warnings_and_its_readiness(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, file_name = legacy_file("A13")
    (tmp_path / file_name).write_bytes(data)

    _, lines, _ = run(capsys, str(tmp_path))

    at = "/original/managementAgreement/ManagementFees/0/validationThresholdAmount"
    place = "/components/8/agreements/0/validation/value"
    assert lines[:4] == [
        f"{file_name}: identical, incomplete",
        f"  DQ23 {at}: the validation rule has no amount",
        "  DQ30 /original/notes: the note holds billing terms",
        f"  incomplete: NULL_NUMBER {place}: the validation percentage is missing",
    ]


def test_what_is_true_of_the_whole_folder_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, site in ((1, "0001"), (1, "0002"), (2, "0003")):
        document, _ = invented_document(seed)
        document["metadata"]["siteNumber"] = document["flattened"]["contract_financials"]["siteNumber"] = site
        (tmp_path / f"{site}_Unknown.json").write_text(json.dumps(document, indent=2), "ascii")

    code, lines, counted = run(capsys, str(tmp_path))

    assert (code, counted["identical"]) == (0, 3)
    assert [line for line in lines if line.startswith("DQ39")] == [
        "DQ39 2 files hold the same contract: 0001_Unknown.json, 0002_Unknown.json"
    ]
    assert len([line for line in lines if line.startswith("DQ07 in 3 of 3 files, for example /flattened of 0001")]) == 1


def test_an_invented_portfolio_with_newer_exports_survives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(60):
        data, file_name = invented(seed)
        for folder, content in (("old", data), ("new", newer(seed))):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"{seed}-{file_name}").write_bytes(content)

    code, _, counted = run(capsys, str(tmp_path))

    assert (code, counted) == (0, {"files": 120, "loaded": 120, "identical": 120, "refused": 0})


def hole(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)


def write(data: bytes) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(data)


GOOD = legacy_file("A01")[0]
# What stands where a contract should, and what is said of it.
BAD: list[tuple[str, Callable[[Path], Any], str, str]] = [
    ("nothing", write(b""), "CONTRACT_UNREADABLE", "line 1, column 1: Expecting value"),
    ("half a file", write(GOOD[: len(GOOD) // 2]), "CONTRACT_UNREADABLE", "the file: line "),
    ("a byte order mark", write(b"\xef\xbb\xbf" + GOOD), "CONTRACT_UNREADABLE", "save it as UTF-8 without BOM"),
    ("UTF-16", write(GOOD.decode().encode("utf-16")), "CONTRACT_UNREADABLE", "byte 0 is not UTF-8 text"),
    ("zeros", write(b"\x00" * 100), "CONTRACT_UNREADABLE", "line 1, column 1: Expecting value"),
    ("a list", write(b"[1, 2]"), "CONTRACT_UNREADABLE", "the document must be one JSON object"),
    ("another document", write(b'{"name": "package"}'), "CONTRACT_FIELD_INVALID", "/metadata: this field is missing"),
    ("no end of nesting", write(b'{"a":' * 100_000), "CONTRACT_UNREADABLE", "nested too deeply"),
    ("a huge file", hole, "CONTRACT_UNREADABLE", "the file has 8,388,609 bytes"),
    ("a link to nothing", lambda path: path.symlink_to("gone"), "CONTRACT_UNREADABLE", "a link to nothing"),
    ("a link to itself", lambda path: path.symlink_to(path.name), "CONTRACT_UNREADABLE", "link"),
    ("a link to a folder", lambda path: path.symlink_to(path.parent), "CONTRACT_UNREADABLE", "this is a folder"),
    ("a pipe", lambda path: os.mkfifo(path), "CONTRACT_UNREADABLE", "this is no ordinary file"),
    ("the contract of another site", write(GOOD), "CONTRACT_SITE_MISMATCH", "the file is named for site 0001"),
    (
        "a value of the wrong kind",
        write(GOOD.replace(b'"deposits": true', b'"deposits": "yes"', 1)),
        "CONTRACT_FIELD_INVALID",
        '/original/deposits: true or false is expected, not "yes"',
    ),
]


@pytest.mark.parametrize(("make", "code", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_file_is_refused_and_the_others_are_checked(
    make: Callable[[Path], Any], code: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "0001_bad.json")
    good, file_name = legacy_file("A20")
    (tmp_path / file_name).write_bytes(good)

    exit_code, lines, counted = run(capsys, str(tmp_path))

    assert exit_code == 1
    assert counted == {"files": 2, "loaded": 1, "identical": 1, "refused": 1}
    assert lines[0] == f"0001_bad.json: refused, {code}"
    assert any(reason in line for line in lines if line.startswith("  "))
    assert f"{file_name}: identical, complete" in lines


def test_only_json_files_count_and_folders_are_entered_whatever_they_are_called(tmp_path: Path) -> None:
    data, file_name = legacy_file("A20")
    for place in ("x.json", "deep/er"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / file_name).write_bytes(data)
    (tmp_path / "desktop.ini").write_text("[x]")
    (tmp_path / "B.JSON").write_bytes(data)

    found = [path.relative_to(tmp_path).as_posix() for path in legacy_files(tmp_path)]

    assert found == ["B.JSON", f"deep/er/{file_name}", f"x.json/{file_name}"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that somebody without rights may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def somebody() -> Iterator[None]:
    """Act as a user without rights: to root nothing is closed."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_what_may_not_be_read_is_refused(open_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (open_folder / "a.json").write_bytes(GOOD)
    run(capsys, str(open_folder))  # all modules are loaded before the rights are gone
    (open_folder / "a.json").chmod(0)
    (open_folder / "closed").mkdir(mode=0)

    with somebody():
        code, lines, counted = run(capsys, str(open_folder))

    assert (code, counted["refused"]) == (1, 2)
    assert "  the file: the file cannot be read: Permission denied" in lines


def test_an_export_that_differs_counts_as_loaded_and_is_not_clean() -> None:
    """No file is known to differ; what would be said of one."""
    report = FileReport("a.json", "different", readiness=Readiness("complete"))
    tally = Tally()
    tally.add(report)

    assert list(lines_of_file(report)) == ["a.json: different, complete"]
    assert tally.json_line() == '{"files":1,"loaded":1,"identical":0,"refused":0}'
    assert not tally.clean


def test_the_folder_of_a_file_is_known_without_being_named(tmp_path: Path) -> None:
    folder = tmp_path / "fixed-fee"
    folder.mkdir()
    data, file_name = legacy_file("A01")
    (folder / file_name).write_bytes(data)

    report = check_file(folder / file_name, folder)

    assert [warning.code for warning in report.warnings] == ["DQ09"]


def test_rates_as_of_a_month_show_what_a_year_makes_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, file_name = legacy_file("A20")
    (tmp_path / file_name).write_bytes(data)

    code, lines, _ = run(capsys, str(tmp_path), "--rates-as-of", "2025-12")

    assert code == 0
    [told] = [line for line in lines if line.startswith("  rate ")]
    assert "after a year (2026-02-01: " in told
    assert check_file(tmp_path / file_name, tmp_path, Period(2025, 12)).rates != ()
    assert check_file(tmp_path / file_name, tmp_path).rates == ()


def test_a_month_that_is_none_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--rates-as-of", "2025-13"])

    assert "'2025-13' is no month; write it as 2025-12" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "gone")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_folder_without_contracts_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 0

    said = capsys.readouterr()
    assert "there is no *.json file" in said.err
    assert said.out.splitlines()[-1] == '{"files":0,"loaded":0,"identical":0,"refused":0}'


def test_the_command_needs_no_setting_and_no_database(tmp_path: Path) -> None:
    """In a bare environment with an output that knows ASCII only, beside a file whose name holds anything."""
    data, file_name = legacy_file("A25")
    (tmp_path / file_name).write_bytes(data)
    (tmp_path / "caf\u00e9\n.json").write_bytes(b"{}")
    program = """
import sys
from shared_code.contracts.check import main
code = main(sys.argv[1:])
sys.exit({"sqlalchemy", "alembic", "polars", "httpx"} & set(sys.modules) or code)
"""

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.stderr == b""
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == b'{"files":2,"loaded":1,"identical":1,"refused":1}'
    assert b"caf\\xe9\\n.json: refused, CONTRACT_FIELD_INVALID" in done.stdout


def test_an_unknown_field_is_refused_or_in_a_lenient_check_kept_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(legacy_file("A20")[0])
    document["original"]["discount"] = document["flattened"]["contract_discount"] = 5.5
    (tmp_path / "a.json").write_text(json.dumps(document, indent=2), "ascii")

    strict, lines, _ = run(capsys, str(tmp_path))
    assert (strict, lines[1]) == (1, "  /original/discount: this field is not known")

    lenient, lines, counted = run(capsys, str(tmp_path), "--lenient")
    assert (lenient, counted["identical"]) == (0, 1)
    assert "  UNKNOWN_FIELD /extensions/0: /original/discount is not known and is kept without effect" in lines

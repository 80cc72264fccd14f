"""Names of blobs and attachments, and that no value of a drop or contract leads out of its folder."""

import pytest

from shared_code.documents import paths
from shared_code.foundation.calendar import Period

OCTOBER = Period(2026, 10)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (paths.statement_pdf(OCTOBER, "0042", "a1b2", 3), "statements/2026-10/0042/a1b2-v03.pdf"),
        (paths.import_report("b77"), "import-reports/b77.json"),
        (paths.rejected_rows("b77"), "import-reports/b77.csv"),
        (paths.run_report("r5"), "run-reports/r5.json"),
        (
            paths.quarantine("b77", "edw-drops", "gl/2026-10/x.csv"),
            "quarantine/b77/edw-drops/gl/2026-10/x.csv",
        ),
        (
            paths.edw_drop("revenue_daily", OCTOBER, "part 1.csv"),
            "edw-drops/revenue_daily/2026-10/part 1.csv",
        ),
    ],
)
def test_a_path_is_written(path: paths.BlobPath, written: str) -> None:
    assert str(path) == written
    assert path.container in paths.CONTAINERS


@pytest.mark.parametrize("part", ["", " ", ".", "..", "a/b", "a\\b", "../x", "a\nb", "a\x00"])
def test_a_part_never_leaves_its_folder(part: str) -> None:
    with pytest.raises(ValueError, match="not a part of a blob name"):
        paths.statement_pdf(OCTOBER, part, "id", 1)
    with pytest.raises(ValueError, match="not a part of a blob name"):
        paths.import_report(part)


def test_a_quarantined_name_keeps_its_folders_but_cannot_climb() -> None:
    with pytest.raises(ValueError, match="not a part of a blob name"):
        paths.quarantine("b77", "edw-drops", "gl/../../statements/x.pdf")


@pytest.mark.parametrize(
    ("case", "numbers", "name"),
    [
        ("one", ["0042-202610-01-01"], "0042-202610-01-01_Invoice.pdf"),
        ("highest group", ["0042-202610-02-01", "0042-202610-10-01"], "0042-202610-10-01_Invoice.pdf"),
        ("another site on a group", ["9999-202610-01-01", "0042-202610-02-01"], "0042-202610-02-01_Invoice.pdf"),
        ("highest version of a group", ["0042-202610-01-02", "0042-202610-01-10"], "0042-202610-01-10_Invoice.pdf"),
        ("a site with a dash", ["A-42-202610-01-01", "A-42-202610-03-01"], "A-42-202610-03-01_Invoice.pdf"),
    ],
)
def test_an_attachment_bears_the_highest_number(case: str, numbers: list[str], name: str) -> None:
    assert paths.attachment_name(numbers) == name, case


@pytest.mark.parametrize("numbers", [[], ["42"], ["0042-202610-XX-01"], ["../-202610-01-01"]])
def test_an_attachment_without_proper_number_is_refused(numbers: list[str]) -> None:
    with pytest.raises(ValueError, match=r"invoice number|blob name"):
        paths.attachment_name(numbers)

"""What the documentation points at is there: its links, headings included, and the files that it names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "architecture").glob("*.md")])
RECIPES = {
    "add-a-block.md",
    "add-a-route.md",
    "add-a-queue.md",
    "add-a-setting.md",
}  # they name files that are still to be made

_FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FILE = re.compile(r"`([\w.-]+(?:/[\w*.-]+)+\.(?:py|json|md))`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# Pages name a file as their reader looks for it: from the root, or from the package that they speak of.
STARTS = (ROOT, ROOT / "shared_code", ROOT / "functions", ROOT / "shared_code" / "foundation")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """A page without its pictures and code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What a link into a page can name: its headings in lower case, words joined by hyphens."""
    headings = _HEADING.findall(prose(page))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in _LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)

    assert lost == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in RECIPES], ids=named)
def test_files_that_are_named_are_there(page: Path) -> None:
    files = _FILE.findall(prose(page))

    assert [file for file in files if not any(any(start.glob(file)) for start in STARTS)] == []


def test_every_page_of_a_mechanism_is_in_the_overview_and_short() -> None:
    overview = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs" / "architecture").glob("*.md"):
        assert f"(architecture/{page.name})" in overview
        if page.name not in RECIPES:
            lines = page.read_text(encoding="utf-8").splitlines()
            assert len(lines) <= 60, f"{page.name} is no longer one page"
            assert "```" in lines, f"{page.name} shows no picture"

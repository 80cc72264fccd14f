"""What a generated set holds: options, files with row counts, control totals and hashes, contracts by kind."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import polars as pl

from sample_data.options import FORMAT_VERSION

MANIFEST: Final = "manifest.json"
KIND: Final = "invented-operator"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One warehouse file: where it lies under the set's folder, its rows, its sums, its bytes.

    `totals` are exact sums of the money columns as decimal text; two extra ones tie datasets together:
    `DEPOSITED_GROSS` (gross of flag Y) and `CASH_DEPOSITS` (account 4785), which is its negative.
    """

    path: str
    dataset: str
    period: str
    rows: int
    bytes: int
    sha256: str
    totals: dict[str, str]


@dataclass(frozen=True, slots=True)
class ContractsEntry:
    """The contract files: how many, of which component sets, how many awkward ones, and one hash over all."""

    count: int
    difficult: int
    component_sets: dict[str, int]
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A complete set. `options` is `SampleOptions.identity`; `rows` counts all warehouse rows."""

    options: dict[str, Any]
    files: tuple[FileEntry, ...]
    contracts: ContractsEntry
    format_version: int = FORMAT_VERSION

    @property
    def rows(self) -> int:
        return sum(entry.rows for entry in self.files)

    def entries(self, dataset: str) -> tuple[FileEntry, ...]:
        """The files of one dataset, in the order of the periods."""
        return tuple(entry for entry in self.files if entry.dataset == dataset)

    def write(self, folder: Path) -> None:
        """Write `manifest.json`; its presence with `complete: true` says that the set is whole."""
        body = {
            "kind": KIND,
            "format_version": self.format_version,
            "complete": True,
            "options": self.options,
            "rows": self.rows,
            "contracts": asdict(self.contracts),
            "files": [asdict(entry) for entry in self.files],
        }
        _replace(folder / MANIFEST, body)


def mark_incomplete(folder: Path) -> None:
    """Claim a folder before the first file is written, so that a broken run can be told and cleared."""
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / MANIFEST, {"kind": KIND, "format_version": FORMAT_VERSION, "complete": False})


def is_ours(folder: Path) -> bool:
    """Whether a run of ours, whole or broken, wrote this folder."""
    return _body(folder).get("kind") == KIND


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a complete set of this format version; None for anything else."""
    body = _body(folder)
    if body.get("kind") != KIND or body.get("format_version") != FORMAT_VERSION or not body.get("complete"):
        return None
    try:
        files = tuple(FileEntry(**entry) for entry in body["files"])
        return Manifest(body["options"], files, ContractsEntry(**body["contracts"]))
    except (KeyError, TypeError):
        return None  # edited by hand: as good as absent


@dataclass(slots=True)
class Sink:
    """A CSV file that is written in chunks and counted, summed and hashed on the way."""

    folder: Path
    dataset: str
    period: str
    rows: int = 0
    cents: dict[str, int] = field(default_factory=dict)
    _file: BinaryIO | None = None

    @property
    def path(self) -> str:
        return f"edw-drops/{self.dataset}/{self.period}/{self.dataset}-{self.period}.csv"

    def __enter__(self) -> Self:
        target = self.folder / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        self._file = target.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, frame: pl.DataFrame) -> None:
        """Append rows; floats are money and print with exactly two decimals."""
        if self._file is None:
            raise RuntimeError("a sink is written inside its with block")
        frame.write_csv(self._file, include_header=self.rows == 0, float_precision=2)
        self.rows += frame.height
        money = frame.select((pl.col(pl.Float64) * 100).round().cast(pl.Int64).sum()).to_dicts()
        for name, cents in money[0].items() if money else ():
            self.tally(name, cents)

    def tally(self, name: str, cents: int) -> None:
        """Add to a control total."""
        self.cents[name] = self.cents.get(name, 0) + cents

    def entry(self) -> FileEntry:
        """The finished file as the manifest lists it."""
        target = self.folder / self.path
        totals = {name: str(Decimal(cents).scaleb(-2)) for name, cents in self.cents.items()}
        size = target.stat().st_size
        return FileEntry(self.path, self.dataset, self.period, self.rows, size, file_hash(target), totals)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def contracts_hash(folder: Path) -> str:
    """One SHA-256 over the names and hashes of all contract files, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted((folder / "contract-drops").glob("*.json")):
        total.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _body(folder: Path) -> dict[str, Any]:
    try:
        body = json.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _replace(path: Path, body: dict[str, Any]) -> None:
    """Write beside and rename, so that no reader ever sees half a manifest."""
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    fresh.replace(path)

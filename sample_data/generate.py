"""Generate a set, or take it from the cache."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import batched
from pathlib import Path
from typing import Final

import polars as pl

from sample_data.columns import Chunk
from sample_data.contracts import make_contract
from sample_data.figures import Figures, make_figures
from sample_data.ledger import CASH_DEPOSITS, ledger_month
from sample_data.legacy_form import to_bytes
from sample_data.manifest import (
    ContractsEntry,
    FileEntry,
    Manifest,
    Sink,
    contracts_hash,
    file_hash,
    is_ours,
    mark_incomplete,
    read_manifest,
)
from sample_data.master import site_master
from sample_data.options import FORMAT_VERSION, OptionsError, SampleOptions
from sample_data.revenue import revenue_month
from sample_data.sites import make_site
from sample_data.statistics import statistics_month
from sample_data.timesheets import timesheet_month
from shared_code.foundation.calendar import Period

DATASETS: Final = (
    "site_master",
    "revenue_daily",
    "site_statistics",
    "account_summary",
    "timesheet",
    "forecast",
    "budget",
    "unit_accounts",
)
_FOLDERS: Final = ("contract-drops", "edw-drops")
_CHUNK: Final = 128
"""Sites per step: about 220,000 revenue rows in memory at once, whatever the number of sites."""

Progress = Callable[[str], None]
_log = logging.getLogger(__name__)


def generate(options: SampleOptions, progress: Progress = _log.info) -> Manifest:
    """Write the set that `options` describe under `options.out` and return its manifest.

    The same options give the same bytes, and site k's rows of a month do not depend on how many sites or which
    other months are generated. Whatever an earlier run left in the folder is replaced; a folder whose drops are
    not ours is refused (OptionsError). With a cache, a sound set of the same options is copied instead.
    """
    _clear(options.out)
    mark_incomplete(options.out)
    if options.cache is None:
        return _build(options, options.out, progress)
    kept = options.cache / _cache_name(options)
    cached = _sound(kept, options)
    if cached is None:
        cached = _fill_cache(options, kept, progress)
    else:
        progress(f"reusing the set in {kept}")
    for folder in _FOLDERS:
        shutil.copytree(kept / folder, options.out / folder)
    cached.write(options.out)
    return cached


def _build(options: SampleOptions, folder: Path, progress: Progress) -> Manifest:
    figures: list[Figures] = []
    contracts = _write_contracts(options, folder, figures)
    progress(f"{contracts.count} contracts")
    files: list[FileEntry] = []
    for period in sorted(options.periods):
        files.extend(_write_month(options, folder, period, figures))
        progress(f"{period}: {sum(entry.rows for entry in files if entry.period == str(period)):,} rows")
    manifest = Manifest(options.identity, tuple(files), contracts)
    manifest.write(folder)
    return manifest


def _write_contracts(options: SampleOptions, folder: Path, figures: list[Figures]) -> ContractsEntry:
    """Write every contract and note each site's scale in `figures`."""
    target = folder / "contract-drops"
    target.mkdir(parents=True)
    sets: Counter[str] = Counter()
    difficult = 0
    for index in range(options.sites):
        site = make_site(options.seed, index)
        contract = make_contract(options.seed, site, options.difficult)
        (target / contract.file_name).write_bytes(to_bytes(contract.document))
        figures.append(make_figures(options.seed, site, contract.original))
        sets[site.component_set] += 1
        difficult += contract.difficult
    return ContractsEntry(options.sites, difficult, dict(sets.most_common()), contracts_hash(folder))


def _write_month(options: SampleOptions, folder: Path, period: Period, figures: list[Figures]) -> Iterator[FileEntry]:
    with ExitStack() as stack:
        sinks = {name: stack.enter_context(Sink(folder, name, str(period))) for name in DATASETS}
        for part in batched(figures, _CHUNK, strict=False):
            _add_chunk(Chunk(options.seed, period, options.volume == "full", part), sinks)
    yield from (sink.entry() for sink in sinks.values())


def _add_chunk(chunk: Chunk, sinks: dict[str, Sink]) -> None:
    revenue = revenue_month(chunk)
    work = timesheet_month(chunk)
    statistics = statistics_month(chunk, revenue.by_category)
    ledger = ledger_month(chunk, revenue, work, statistics)
    frames: dict[str, pl.DataFrame] = {
        "site_master": site_master(chunk),
        "revenue_daily": revenue.frame,
        "site_statistics": statistics.frame,
        "account_summary": ledger.account_summary,
        "timesheet": work.frame,
        "forecast": ledger.forecast,
        "budget": ledger.budget,
        "unit_accounts": ledger.unit_accounts,
    }
    for name, frame in frames.items():
        sinks[name].add(frame)
    sinks["revenue_daily"].tally("DEPOSITED_GROSS", int(revenue.deposited_gross.sum()))
    cash = ledger.account_summary.filter(pl.col("MAIN_ACCOUNT") == CASH_DEPOSITS)["BALANCE"]
    sinks["account_summary"].tally("CASH_DEPOSITS", int((cash * 100).round().cast(pl.Int64).sum()))


def _clear(folder: Path) -> None:
    """Remove what an earlier run of ours left; never touch drops of somebody else."""
    if folder.exists() and not folder.is_dir():
        raise OptionsError(f"{folder} is a file; give a folder")
    held = [folder / name for name in _FOLDERS if (folder / name).exists()]
    if held and not is_ours(folder):
        raise OptionsError(f"{held[0]} was not written by this generator; choose another folder or remove it")
    for path in held:
        shutil.rmtree(path)


def _cache_name(options: SampleOptions) -> str:
    identity = json.dumps(options.identity, sort_keys=True).encode()
    digest = hashlib.sha256(identity).hexdigest()[:12]
    return f"sites-{options.sites}-{options.volume}-seed-{options.seed}-v{FORMAT_VERSION}-{digest}"


def _sound(kept: Path, options: SampleOptions) -> Manifest | None:
    """The cached set's manifest if it is of these options and every byte is still there."""
    manifest = read_manifest(kept)
    if manifest is None or manifest.options != options.identity:
        return None
    for entry in manifest.files:
        path = kept / entry.path
        if not path.is_file() or path.stat().st_size != entry.bytes or file_hash(path) != entry.sha256:
            return None
    return manifest if contracts_hash(kept) == manifest.contracts.sha256 else None


def _fill_cache(options: SampleOptions, kept: Path, progress: Progress) -> Manifest:
    """Build beside the final place and rename: a set in the cache is whole, and two runs may race for it."""
    building = kept.with_name(f"{kept.name}.building-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        manifest = _build(options, building, progress)
        _move(building, kept, options)
    finally:
        shutil.rmtree(building, ignore_errors=True)  # nothing there after a move
    return manifest


def _move(building: Path, kept: Path, options: SampleOptions) -> None:
    """Put a finished set in its place, unless another run was faster; a damaged set there gives way."""
    try:
        building.rename(kept)
    except OSError:
        if _sound(kept, options) is None:
            shutil.rmtree(kept)
            building.rename(kept)

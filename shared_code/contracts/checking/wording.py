"""The report of a folder check in words: lines for each file, then what is true of the folder, then one JSON line."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared_code.contracts.checking.folder import FileReport
from shared_code.contracts.findings import LegacyWarning
from shared_code.contracts.legacy.suggestions import QUALITY, warn
from shared_code.contracts.rates.model import shown


@dataclass(slots=True)
class Tally:
    """What is counted over the files of a folder."""

    outcomes: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[str, LegacyWarning]] = field(default_factory=dict)
    unusual: list[tuple[str, LegacyWarning]] = field(default_factory=list)
    twins: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, report: FileReport) -> None:
        self.outcomes[report.outcome] += 1
        if report.readiness is not None:
            self.states[report.readiness.state] += 1
            self.twins[report.twin_key].append(report.name)
        self.codes.update({warning.code for warning in (*report.warnings, *report.portfolio)})
        for warning in report.portfolio:
            self.first.setdefault(warning.code, (report.name, warning))
            if warning.code == "DQ34":
                self.unusual.append((report.name, warning))

    @property
    def clean(self) -> bool:
        """Whether every file loaded and was written back to the byte."""
        return self.outcomes["identical"] == self.outcomes.total()

    def json_line(self) -> str:
        files, refused = self.outcomes.total(), self.outcomes["refused"]
        counted = {
            "files": files,
            "loaded": files - refused,
            "identical": self.outcomes["identical"],
            "refused": refused,
        }
        return json.dumps(counted, separators=(",", ":"))


def lines_of_file(report: FileReport) -> Iterator[str]:
    """What a person should know of one file."""
    if not report.loaded or report.readiness is None:
        yield f"{_printable(report.name)}: refused, {report.code}"
        yield from (f"  {_at(detail.field)}: {_printable(detail.message)}" for detail in report.refusals)
        return
    yield f"{_printable(report.name)}: {report.outcome}, {report.readiness.state}"
    for warning in report.warnings:
        yield f"  {warning.code} {_at(warning.pointer)}: {_printable(warning.message)}"
    told = {warning.code for warning in report.warnings}
    for reason in report.readiness.reasons:
        if reason.code not in told:
            yield f"  {report.readiness.state}: {reason.code} {_at(reason.pointer)}: {_printable(reason.message)}"
    for notice in report.notices:
        yield f"  {notice.code} {_at(notice.pointer)}: {_printable(notice.message)}"
    for rate in report.rates:
        steps = "; ".join((*(step.text for step in rate.steps), *(note.message for note in rate.notes)))
        yield f"  rate {rate.key}: {shown(rate.value, rate.unit)} after a year ({_printable(steps)})"


def lines_of_folder(tally: Tally) -> Iterator[str]:
    """What is true of the whole folder: its properties, unusual numbers, twins, codes and readiness."""
    files = tally.outcomes.total()
    for code, (name, warning) in sorted(tally.first.items()):
        if code != "DQ34":
            yield _property(code, tally.codes[code], files, f"{_at(warning.pointer)} of {_printable(name)}")
    for name, warning in tally.unusual:
        yield f"DQ34 {_printable(name)} {_at(warning.pointer)}: {warning.message}"
    for twins in _twins(tally):
        yield f"DQ39 {twin_warning(twins).message}"
    yield f"codes: {_counted(tally.codes)}"
    yield f"readiness: {_counted(tally.states)}"


def twin_warning(names: list[str]) -> LegacyWarning:
    """What is said of contracts that are the same but for ids, notes and references."""
    return warn("DQ39", "", f"{len(names)} files hold the same contract: {_printable(', '.join(names))}")


def _twins(tally: Tally) -> Iterable[list[str]]:
    return (names for names in tally.twins.values() if len(names) > 1)


def _property(code: str, count: int, files: int, example: str) -> str:
    return f"{code} in {count} of {files} files, for example {example}: {QUALITY[code].meaning} {QUALITY[code].cure}"


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items())) or "none"


def _at(pointer: str) -> str:
    return _printable(pointer) or "the file"


def _printable(text: str) -> str:
    """Control characters, and letters that an output may not know, as escapes: a file name may hold anything."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)

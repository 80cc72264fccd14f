"""A legacy file to a contract document: read, type, verify, warn (contract-corpus 5.5)."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath

from pydantic import ValidationError

from shared_code.contracts.errors import CONTRACT_FLATTENED_MISMATCH, CONTRACT_SITE_MISMATCH, RULE_KINDS
from shared_code.contracts.findings import Finding, LegacyWarning
from shared_code.contracts.legacy.exporting import written_parts, written_text
from shared_code.contracts.legacy.flattened import differences, flatten
from shared_code.contracts.legacy.form import TAX_KEY, LegacyForm
from shared_code.contracts.legacy.lenience import set_aside
from shared_code.contracts.legacy.places import legacy_pointer
from shared_code.contracts.legacy.quality import quality_warnings
from shared_code.contracts.legacy.quality_texts import character_warnings
from shared_code.contracts.legacy.reader import to_contract
from shared_code.contracts.legacy.residue import layout_of, residue_of
from shared_code.contracts.legacy.wording import UNMATCHED_LABEL, label_of
from shared_code.contracts.legacy.writer import enabled_blocks
from shared_code.contracts.parsing import Tree, parse
from shared_code.contracts.pointers import pointer
from shared_code.contracts.schema import Contract, Extension, Source
from shared_code.contracts.shape_errors import shape_details, shape_refusal
from shared_code.contracts.validation import check
from shared_code.foundation.errors import BillingError, Detail, ErrorKind

_FILE_NAME = re.compile(r"(?P<site>\d+)_(?P<rest>.+)\.json", re.IGNORECASE)
_GUID = re.compile(r"[0-9A-F]{8}(?:_[0-9A-F]{4}){3}_[0-9A-F]{12}", re.IGNORECASE)

type _Refused = tuple[ErrorKind, Detail]


@dataclass(frozen=True, slots=True)
class LegacyResult:
    """A legacy file that was read: its contract and what a person should know about it."""

    contract: Contract
    warnings: tuple[LegacyWarning, ...]


def read_legacy(data: bytes, file_name: str | None = None, *, lenient: bool = False) -> LegacyResult:
    """Read a legacy contract file; `file_name` may carry its folder, which is kept and never trusted.

    Raises BillingError with every finding as a detail (JSON pointer into the file): CONTRACT_UNREADABLE,
    CONTRACT_DUPLICATE_KEY, CONTRACT_FIELD_INVALID, CONTRACT_SITE_MISMATCH, CONTRACT_FLATTENED_MISMATCH, or
    the refusal of a rule, for example CONTRACT_GROUP_UNKNOWN. Data-quality problems are warnings (DQ codes
    of contract-corpus 3); what `check` finds in the contract beyond errors is for the caller to ask.
    `lenient` keeps unknown fields and choices in `extensions`, and takes `original` where `flattened` differs.
    """
    tree = parse(data)
    form, extensions = _typed(tree, lenient=lenient)
    contract = to_contract(form, _source(data, tree, file_name))
    if extensions:
        contract = contract.model_copy(update={"extensions": extensions})
    findings = check(contract, legacy=True)
    edited = list(_hand_edited(tree))
    _refuse_any([*_site_mismatch(contract), *([] if lenient else edited), *_broken_rules(contract, findings)])
    source = {"metadata": tree["metadata"], "original": tree["original"]}
    parts = written_parts(contract)
    residue = residue_of(source, parts)
    # The proof of 5.5 step 9, for every file: a text that the export would write otherwise is kept as it stands.
    residue |= layout_of(data, written_text(parts, residue))
    contract = contract.model_copy(update={"residue": residue})
    warnings = [
        *quality_warnings(contract, tree["original"]),
        *(character_warnings(tree) if not data.isascii() or b"\\u" in data else ()),
        *_copy_warnings(edited),
    ]
    return LegacyResult(contract, tuple(warnings))


def _typed(tree: Tree, *, lenient: bool) -> tuple[LegacyForm, tuple[Extension, ...]]:
    try:
        return LegacyForm.model_validate(tree), ()
    except ValidationError as error:
        if not lenient:
            raise shape_refusal(shape_details(error, tree)) from error
        patched, extensions = set_aside(tree, error)
    try:
        return LegacyForm.model_validate(patched), extensions
    except ValidationError as error:
        raise shape_refusal(shape_details(error, patched)) from error


def _source(data: bytes, tree: Tree, file_name: str | None) -> Source:
    path = None if file_name is None else PureWindowsPath(file_name)
    named = None if path is None else _FILE_NAME.fullmatch(path.name)
    guid = None if named is None else _GUID.fullmatch(named["rest"])
    return Source(
        file_name=None if path is None else path.name,
        folder=None if path is None else path.parent.name or None,
        site_guid=None if guid is None else guid[0],
        export_date=tree["metadata"]["lastModifiedDate"],
        sha256=hashlib.sha256(data).hexdigest(),
        parking_tax_key=next(_tax_keys(tree), None),
    )


def _tax_keys(tree: Tree) -> Iterator[str]:
    rows = tree["original"]["depositedRevenue"]["depositData"]
    return (key for row in rows for key in row if TAX_KEY.match(key))


def _site_mismatch(contract: Contract) -> Iterator[_Refused]:
    name = contract.source.file_name if contract.source is not None else None
    named = None if name is None else _FILE_NAME.fullmatch(name)
    if named is not None and named["site"] != contract.site.number:
        message = f"the file is named for site {named['site']}, the contract is for site {contract.site.number}"
        yield CONTRACT_SITE_MISMATCH, Detail("/metadata/siteNumber", message)


def _hand_edited(tree: Tree) -> Iterator[_Refused]:
    """Recompute the copy and the label: a difference means a file that was edited by hand (5.5 step 4)."""
    original, metadata = tree["original"], tree["metadata"]
    label = label_of(enabled_blocks(original))
    stated = metadata["contractType"]
    if stated not in (label, UNMATCHED_LABEL) and sorted(stated.split("; ")) != sorted(label.split("; ")):
        message = f'the enabled blocks make the label "{label}"'
        yield CONTRACT_FLATTENED_MISMATCH, Detail("/metadata/contractType", message)
    for key in differences(tree["flattened"], flatten(original, metadata)):
        message = "this copy differs from the contract in metadata and original"
        yield CONTRACT_FLATTENED_MISMATCH, Detail(pointer(("flattened", key)), message)


def _broken_rules(contract: Contract, findings: Sequence[Finding]) -> Iterator[_Refused]:
    for finding in findings:
        if finding.severity == "error":
            place = legacy_pointer(contract, finding.pointer)
            yield RULE_KINDS[finding.code], Detail(place, finding.message)


def _refuse_any(refused: Sequence[_Refused]) -> None:
    """Raise all at once: the kind of the first, every finding as a detail."""
    if refused:
        kind, first = refused[0]
        more = f" ({len(refused) - 1} more)" if len(refused) > 1 else ""
        details = [detail for _, detail in refused]
        raise BillingError(kind, f"{first.field}: {first.message}{more}.", details)


def _copy_warnings(edited: Sequence[_Refused]) -> Iterator[LegacyWarning]:
    suggestion = "Only `original` was read; export the contract again to bring the copy up to date."
    return (LegacyWarning("DQ07", detail.field, detail.message, suggestion) for _, detail in edited)

"""Data quality of texts: notes that hold terms, references in the wrong field, spaces, case and characters."""

import re
from collections.abc import Iterable, Iterator

from shared_code.contracts.findings import LegacyWarning
from shared_code.contracts.legacy.suggestions import BLOCKS, ROOT, warn
from shared_code.contracts.legacy.wording import is_purchase_order
from shared_code.contracts.parsing import Tree
from shared_code.contracts.pointers import pointer
from shared_code.contracts.schema import Contract, FixedFee, ManagementAgreement, PerLaborHour

_INDEX = re.compile(r"\b(?:CPI|ECI|(?:consumer price|employment cost) index)\b", re.IGNORECASE)
_INCREASE = re.compile(r"increas|escalat", re.IGNORECASE)
_BILLING_TERM = re.compile(
    r"[$%]|\b(?:\d+(?:\.\d+)?|increas\w*|escalat\w*|cap(?:ped)?|credit\w*|billable|billed|bills?|split|share"
    r"|overtime|OT|rates?|fees?|tax(?:es)?|threshold|validations?|insurance|claims?|CPI|ECI|deposit"
    r"|hours?|wages?|KPI|incentives?|bonus(?:es)?|rents?|negotiat\w*|terminat\w*|equipment|pool(?:ed)?|advances?"
    r"|back-?\s?up|refund\w*|waived?|discount\w*)\b",
    re.IGNORECASE,
)
_ZIP = re.compile(r",\s*[A-Z]{2}\s+\d{4}$")
_SPACES = re.compile(r"^\s|\s$|\s\s|\u00a0")
_FACTOR = re.compile(r"\d\s*[@x×]\s*\$?\d|\d(?:\s+\w+){1,3}\s+[@x×]\s*\$?\d|\$\s?[\d,.]+\s*(?:at|@|x)\s*\d|\d\s*%")
_DEFAULT_TITLE = "Billing Details"
_PO_MARK = re.compile(r"\b(?:p\.?\s?o\b\.?|purchase\s+order)(?:\s*(?:number|no\.?))?\s*[#:\d-]|\bPO\d", re.IGNORECASE)
_DEFAULT_MONTH = "January"
_COPIES = frozenset({"notes", "paymentTerms"})
_NUMERAL = re.compile(r"[IVX]+")


def text_warnings(contract: Contract) -> Iterator[LegacyWarning]:
    """Warnings about the texts of a contract."""
    yield from _notes(contract)
    yield from _increase(contract)
    yield from _references(contract)
    yield from _site_texts(contract)
    yield from _hidden_factors(contract)
    for at, text in _printed_texts(contract):
        if _SPACES.search(text):
            yield warn("DQ11", at, f"{text!r} has needless spaces")


def character_warnings(tree: Tree) -> Iterator[LegacyWarning]:
    """Texts of a file with characters beyond ASCII (DQ16); copies in `metadata` are left out."""
    original, metadata = tree["original"], tree["metadata"]
    own = {key: value for key, value in metadata.items() if key not in _COPIES}
    for at in _beyond_ascii({"metadata": own, "original": original}, ()):
        yield warn("DQ16", pointer(at), "the text has characters beyond ASCII")


def _beyond_ascii(node: object, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(node, str):
        if not node.isascii():
            yield path
    elif isinstance(node, dict | list):
        inner: Iterable[tuple[str | int, object]] = node.items() if isinstance(node, dict) else enumerate(node)
        for part, value in inner:
            yield from _beyond_ascii(value, (*path, part))


def states_terms(notes: str | None) -> bool:
    """Whether a note speaks of billing: an amount, a percentage or a word of the trade (DQ30)."""
    return notes is not None and _BILLING_TERM.search(notes) is not None


def _notes(contract: Contract) -> Iterator[LegacyWarning]:
    notes, at = contract.notes, f"{ROOT}/notes"
    if notes is None:
        return
    if not notes.strip():
        yield warn("DQ12", at, "the note is blank")
    if states_terms(notes):
        yield warn("DQ30", at, "the note holds billing terms")
    if _INDEX.search(notes) and not contract.cpi:
        yield warn("DQ31", at, "the note names a price index and the contract has none")


def _increase(contract: Contract) -> Iterator[LegacyWarning]:
    if contract.increment_pct:
        return
    if contract.increment_month != _DEFAULT_MONTH or _INCREASE.search(contract.notes or ""):
        message = "an increase is mentioned, or its month is set, and its amount is 0"
        yield warn("DQ32", f"{ROOT}/incrementAmount", message)


def _references(contract: Contract) -> Iterator[LegacyWarning]:
    order = contract.purchase_order
    if order is not None and not is_purchase_order(order):
        yield warn("DQ10", f"{ROOT}/purchaseOrder", "the field is not, or not only, a purchase order")
    for index, group in enumerate(contract.groups):
        at = f"{ROOT}/invoiceGrouping/invoiceGroups/{index}"
        if group.title == _DEFAULT_TITLE:
            yield warn("DQ14", f"{at}/title", "the group still has its default title")
        if group.description is not None and _PO_MARK.search(group.description):
            yield warn("DQ14", f"{at}/description", "the description holds a purchase order")


def _site_texts(contract: Contract) -> Iterator[LegacyWarning]:
    manager, address = contract.site.account_manager, contract.site.address
    if manager is not None and _oddly_cased(manager):
        yield warn("DQ15", "/metadata/accountManager", "the name, or a part of it, has capitals or small letters only")
    if address is not None and _ZIP.search(address):
        yield warn("DQ18", "/metadata/location/address", "the ZIP code has four digits")


def _oddly_cased(name: str) -> bool:
    """Capitals or small letters throughout, or in a part that is no initials and no particle: `Jo DOE`, `jo Doe`."""
    words = [word for word in name.split() if "." not in word and not _NUMERAL.fullmatch(word)]
    shouted = any(len(word) > 2 and word.isupper() for word in words)
    return name.isupper() or name.islower() or shouted or any(word.islower() for word in (words[:1] + words[-1:]))


def _printed_texts(contract: Contract) -> Iterator[tuple[str, str]]:
    """Names, titles, references and addresses, with their places."""
    stated = {
        f"{ROOT}/purchaseOrder": contract.purchase_order,
        "/metadata/customerName": contract.site.customer_name,
        "/metadata/accountManager": contract.site.account_manager,
        "/metadata/location/address": contract.site.address,
    }
    for index, group in enumerate(contract.groups):
        at = f"{ROOT}/invoiceGrouping/invoiceGroups/{index}"
        stated[f"{at}/title"] = group.title
        stated[f"{at}/description"] = group.description
        stated[f"{at}/customerName"] = group.customer_name
    stated.update(_line_titles(contract))
    return ((at, text) for at, text in stated.items() if text)


def _line_titles(contract: Contract) -> Iterator[tuple[str, str]]:
    for component in contract.components:
        match component:
            case FixedFee() | PerLaborHour():
                names = [line.display_name for line in component.lines]
                yield from ((f"{BLOCKS[component.kind]}/{i}/displayName", name) for i, name in enumerate(names))
            case ManagementAgreement():
                yield from _expense_titles(component)


def _expense_titles(component: ManagementAgreement) -> Iterator[tuple[str, str]]:
    for row, agreement in enumerate(component.agreements):
        at = f"{BLOCKS[component.kind]}/{row}/nonGlBillableExpenses"
        for index, line in enumerate(agreement.non_gl):
            yield f"{at}/{index}/expensetitle", line.title


def hidden_factors(contract: Contract) -> Iterator[str]:
    """Titles that hold a quantity times a price, or a split (DQ38)."""
    return (title for _, title in _line_titles(contract) if _FACTOR.search(title))


def _hidden_factors(contract: Contract) -> Iterator[LegacyWarning]:
    for at, title in _line_titles(contract):
        if _FACTOR.search(title):
            yield warn("DQ38", at, f"{title!r} hides a quantity, a price or a split")

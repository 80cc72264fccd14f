"""What each data-quality code of a legacy file says and what helps (contract-corpus 3)."""

from dataclasses import dataclass
from typing import Final

from shared_code.contracts.errors import RULE_KINDS
from shared_code.contracts.findings import LegacyWarning

ROOT: Final = "/original"
# Where the rows of each component stand in the file.
BLOCKS: Final = {
    "fixedFee": f"{ROOT}/fixedFee/serviceRates",
    "perLaborHour": f"{ROOT}/perLaborHour/jobRates",
    "revenueShare": f"{ROOT}/revenueShare/thresholdStructures",
    "bellServiceFee": f"{ROOT}/bellServiceFee/bellServices",
    "midMonthAdvance": f"{ROOT}/midMonthAdvance/midMonthAdvances",
    "depositedRevenue": f"{ROOT}/depositedRevenue/depositData",
    "billableAccounts": f"{ROOT}/billableAccounts/billableAccountsData",
    "managementAgreement": f"{ROOT}/managementAgreement/ManagementFees",
}

_CODES: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "DQ01",
        "Bare NaN stands where a value is missing.",
        "Nothing to do: NaN is read as missing at its four places and written back.",
    ),
    (
        "DQ02",
        "The site was not found in the site master.",
        "Add the site to the site master; payment terms and notes are taken from the contract itself.",
    ),
    (
        "DQ03",
        "Missing values are written in several ways: null, NaN and empty text.",
        "Nothing to do: each is read as missing and written back as it was.",
    ),
    (
        "DQ04",
        "The file name carries no site id.",
        "Name the file <site>_<site id>.json if the id is known; the file name is kept as the source.",
    ),
    (
        "DQ05",
        "Placeholders look like data: dates of the export day, status, version, value and term.",
        "Enter the real start date, end date and anchor date; none is taken from here.",
    ),
    (
        "DQ06",
        "Account lists are JSON text inside JSON.",
        "Nothing to do: the lists are read, and kept as text where they are spelled otherwise.",
    ),
    (
        "DQ07",
        "The part `flattened` repeats the contract.",
        "Nothing to do: it is recomputed, and a file whose copy differs is refused.",
    ),
    (
        "DQ08",
        "The label is a synonym or missing.",
        "Nothing to do: the label is display text.",
    ),
    (
        "DQ09",
        "The file lies in the folder of another type.",
        "Nothing to do: the folder is never trusted.",
    ),
    (
        "DQ10",
        "The purchase-order field holds something else, or more.",
        "Split the purchase-order field into its references.",
    ),
    (
        "DQ11",
        "Names, titles or references have needless spaces.",
        "Correct the spelling or the spaces; they are printed as they stand.",
    ),
    (
        "DQ12",
        "The note is blank.",
        "Delete the empty note.",
    ),
    (
        "DQ13",
        "Groups or revenue codes are stored out of order.",
        "Nothing to do: the order is kept.",
    ),
    (
        "DQ14",
        "A group keeps its default title, or its description holds a purchase order.",
        "Give the group its own title and move the reference to its field.",
    ),
    (
        "DQ15",
        "The account manager's name, or a part of it, is in capitals or small letters only.",
        "Correct the name; it is matched without regard to case.",
    ),
    (
        "DQ16",
        "A text has characters beyond ASCII.",
        "Check that the characters print as intended.",
    ),
    (
        "DQ17",
        "The label names a component that is not switched on.",
        "Correct the label or the switch of the component; the switches count.",
    ),
    (
        "DQ18",
        "The ZIP code lost its leading zero.",
        "Correct the ZIP code in the site master.",
    ),
    (
        "DQ19",
        "A management agreement bills nothing.",
        "Complete the management agreement: as it stands it bills nothing.",
    ),
    (
        "DQ20",
        "Something is switched on with an amount of 0.",
        "Switch it off, or enter the amount; 0 may be deliberate.",
    ),
    (
        "DQ21",
        "Data was left behind under a switch that is off.",
        "Nothing to do: it is kept and not billed.",
    ),
    (
        "DQ22",
        "The account block is on and selects no payroll account.",
        "Select the payroll accounts, unless the lot shares net profit.",
    ),
    (
        "DQ23",
        "A validation rule has no amount, or 0.",
        "Enter the threshold; 0 means that all validations are charged.",
    ),
    (
        "DQ24",
        "An advance has no title.",
        "Choose the title; until then 'Less: Mid-Month Billing' is printed.",
    ),
    (
        "DQ25",
        "A day of the month is written in the long spelling.",
        "Nothing to do: both spellings mean the same.",
    ),
    (
        "DQ26",
        "The deposited-revenue block is on and its own switch is off.",
        "Nothing to do if the block only says who remits parking tax.",
    ),
    (
        "DQ27",
        "An overtime rate is neither the rate nor one and a half times it.",
        "Check the overtime rate; it is billed as it stands.",
    ),
    (
        "DQ28",
        "The deposits flag is set and the deposited-revenue block is off.",
        "Switch the block on or the flag off.",
    ),
    (
        "DQ29",
        "Hours without the hours report, or the report without hours.",
        "Add or remove the hours report.",
    ),
    (
        "DQ30",
        "The note states billing terms.",
        "Enter the billing terms of the note as terms or escalators; the note itself bills nothing.",
    ),
    (
        "DQ31",
        "The note names a price index; the contract has none.",
        "Enter an escalator with the index that the note names.",
    ),
    (
        "DQ32",
        "An increase is mentioned, or its month set, and its amount is 0.",
        "Enter the increase, or set the month back to January if there is none.",
    ),
    (
        "DQ33",
        "An anniversary year has no date to start at.",
        "Enter the anchor date of the contract; until then the site's start date counts.",
    ),
    (
        "DQ34",
        "A number lies far outside of what is usual.",
        "Check the number with the signed agreement.",
    ),
    (
        "DQ35",
        "An account list repeats or lacks accounts of the chart.",
        "Compare the list with the chart of accounts and save it anew.",
    ),
    (
        "DQ36",
        "The switch of expenses outside the ledger is null: saved before it existed.",
        "Nothing to do: expenses bill only where the switch is true.",
    ),
    (
        "DQ37",
        "Keys are spelled with other capitals than their neighbours.",
        "Nothing to do: every key is read and written as it is spelled.",
    ),
    (
        "DQ38",
        "A title hides a quantity, a price or a split.",
        "Enter quantity and price, or the split, as terms; the title is only printed.",
    ),
    (
        "DQ39",
        "Two contracts are the same but for ids, notes and references.",
        "Nothing to do if the sites do have the same terms; contracts are told apart by their site.",
    ),
)


@dataclass(frozen=True, slots=True)
class Quality:
    """A data-quality code: what it says, what helps, and whether it is a property of the whole portfolio.

    A portfolio's properties are told once for a folder, never for each file (contract-corpus 3, codes marked *).
    """

    meaning: str
    cure: str
    portfolio: bool


_PORTFOLIO: Final = frozenset({"DQ01", "DQ03", "DQ05", "DQ06", "DQ07", "DQ34", "DQ36", "DQ37", "DQ39"})
QUALITY: Final = {code: Quality(meaning, cure, code in _PORTFOLIO) for code, meaning, cure in _CODES}


def warn(code: str, pointer: str, message: str) -> LegacyWarning:
    """A warning with the suggestion of its code."""
    suggestion = QUALITY[code].cure if code in QUALITY else RULE_KINDS[code].cure
    return LegacyWarning(code, pointer, message, suggestion)

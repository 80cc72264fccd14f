"""What helps with each data-quality code of a legacy file (contract-corpus 3)."""

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

SUGGESTIONS: Final = {
    "DQ02": "Add the site to the site master; payment terms and notes are taken from the contract itself.",
    "DQ04": "Name the file <site>_<site id>.json if the id is known; the file name is kept as the source.",
    "DQ08": "Nothing to do: the label is display text.",
    "DQ09": "Nothing to do: the folder is never trusted.",
    "DQ10": "Split the purchase-order field into its references.",
    "DQ11": "Correct the spelling or the spaces; they are printed as they stand.",
    "DQ12": "Delete the empty note.",
    "DQ13": "Nothing to do: the order is kept.",
    "DQ14": "Give the group its own title and move the reference to its field.",
    "DQ15": "Correct the name; it is matched without regard to case.",
    "DQ16": "Check that the characters print as intended.",
    "DQ17": "Correct the label or the switch of the component; the switches count.",
    "DQ18": "Correct the ZIP code in the site master.",
    "DQ19": "Complete the management agreement: as it stands it bills nothing.",
    "DQ20": "Switch it off, or enter the amount; 0 may be deliberate.",
    "DQ21": "Nothing to do: it is kept and not billed.",
    "DQ22": "Select the payroll accounts, unless the lot shares net profit.",
    "DQ23": "Enter the threshold; 0 means that all validations are charged.",
    "DQ24": "Choose the title; until then 'Less: Mid-Month Billing' is printed.",
    "DQ25": "Nothing to do: both spellings mean the same.",
    "DQ26": "Nothing to do if the block only says who remits parking tax.",
    "DQ27": "Check the overtime rate; it is billed as it stands.",
    "DQ28": "Switch the block on or the flag off.",
    "DQ29": "Add or remove the hours report.",
    "DQ30": "Enter the billing terms of the note as terms or escalators; the note itself bills nothing.",
    "DQ31": "Enter an escalator with the index that the note names.",
    "DQ32": "Enter the increase, or set the month back to January if there is none.",
    "DQ33": "Enter the anchor date of the contract; until then the site's start date counts.",
    "DQ35": "Compare the list with the chart of accounts and save it anew.",
    "DQ38": "Enter quantity and price, or the split, as terms; the title is only printed.",
}


def warn(code: str, pointer: str, message: str) -> LegacyWarning:
    """A warning with the suggestion of its code."""
    suggestion = SUGGESTIONS.get(code) or RULE_KINDS[code].cure
    return LegacyWarning(code, pointer, message, suggestion)

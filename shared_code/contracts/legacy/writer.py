"""The contract document to `metadata` and `original` of the legacy form, with fixed rules for all that is off.

The residue puts back what these rules cannot know (contract-corpus 5.4).
"""

from shared_code.contracts.legacy.management_writer import write_accounts_block, write_management
from shared_code.contracts.legacy.steps import steps_of
from shared_code.contracts.legacy.values import ZERO, stamp, stated, write_tiers, write_validation
from shared_code.contracts.legacy.wording import (
    UNMATCHED_LABEL,
    UNMATCHED_TERMS,
    label_of,
)
from shared_code.contracts.parsing import NAN, Missing, Tree
from shared_code.contracts.schema import (
    BellService,
    BillableAccounts,
    Contract,
    DepositedRevenue,
    FixedFee,
    InvoiceGroup,
    ManagementAgreement,
    MidMonthAdvance,
    PerLaborHour,
    PerOccupiedRoom,
    RevenueShare,
)

DEFAULT_TAX_KEY = "operatorResponsibleForParkingTax"
_UNDATED = ""


def write_original(contract: Contract, tax_key: str) -> Tree:
    """The `original` part before the residue; `tax_key` is the spelling of the operator's parking-tax flag."""
    return {
        "id": contract.id,
        "purchaseOrder": contract.purchase_order,
        "paymentTerms": contract.payment_terms.text,
        "billingType": contract.billing_type,
        "incrementMonth": contract.increment_month,
        "incrementAmount": contract.increment_pct,
        "consumerPriceIndex": contract.cpi,
        "notes": contract.notes,
        "deviationAmount": contract.deviation_amount,
        "deviationPercentage": contract.deviation_pct,
        "deposits": contract.deposits,
        "contractType": contract.type_label,
        **stated(accountsPayable=contract.accounts_payable),
        "supportingReports": list(contract.reports),
        "invoiceGrouping": {
            "enabled": contract.grouping_enabled,
            "invoiceGroups": [_group(group) for group in contract.groups],
        },
        **_blocks(contract, tax_key),
    }


def _blocks(contract: Contract, tax_key: str) -> Tree:
    """All nine blocks: the legacy form has each of them, switched off and empty where a contract has none."""
    blocks: Tree = {
        "fixedFee": {"enabled": False, "serviceRates": []},
        "perLaborHour": {"enabled": False, "hoursBackupReport": True, "jobRates": []},
        "perOccupiedRoom": {"enabled": False, "roomRate": ZERO, "invoiceGroup": 1},
        "revenueShare": {"enabled": False, "thresholdStructures": []},
        "bellServiceFee": {"enabled": False, "bellServices": []},
        "midMonthAdvance": {"enabled": False, "midMonthAdvances": []},
        "depositedRevenue": {"enabled": False, "depositData": []},
        "billableAccounts": {"enabled": False, "billableAccountsData": []},
        "managementAgreement": {"enabled": False, "ManagementFees": []},
    }
    steps = steps_of(contract)
    for component in contract.components:
        match component:
            case FixedFee() | PerLaborHour() | PerOccupiedRoom():
                blocks[component.kind] = _rates(component)
            case BillableAccounts():
                blocks[component.kind] = write_accounts_block(component, steps)
            case ManagementAgreement():
                blocks[component.kind] = write_management(component, steps)
            case _:
                blocks[component.kind] = _shares(component, tax_key)
    return blocks


def _rates(component: FixedFee | PerLaborHour | PerOccupiedRoom) -> Tree:
    match component:
        case FixedFee():
            return {"enabled": component.enabled, "serviceRates": _service_rates(component)}
        case PerLaborHour():
            return {
                "enabled": component.enabled,
                "hoursBackupReport": component.hours_backup,
                "jobRates": _job_rates(component),
            }
        case PerOccupiedRoom():
            return {
                "enabled": component.enabled,
                "roomRate": component.room_rate,
                "invoiceGroup": component.group,
                **stated(occupiedRoomCode=component.code),
            }


def _shares(component: RevenueShare | BellService | MidMonthAdvance | DepositedRevenue, tax_key: str) -> Tree:
    match component:
        case RevenueShare():
            return {"enabled": component.enabled, "thresholdStructures": _structures(component)}
        case BellService():
            items = [{"id": item.id, "invoiceGroup": item.group} for item in component.items]
            return {"enabled": component.enabled, "bellServices": items}
        case MidMonthAdvance():
            return {"enabled": component.enabled, "midMonthAdvances": _advances(component)}
        case DepositedRevenue():
            return {"enabled": component.enabled, "depositData": _deposits(component, tax_key)}


def _group(group: InvoiceGroup) -> Tree:
    return {
        "id": group.id,
        "groupNumber": group.number,
        "title": group.title,
        "description": group.description,
        "vendorId": group.vendor_id,
        "siteNumber": group.site_number,
        "customerName": group.customer_name,
        "billingContactEmails": ";".join(group.emails) or None,
    }


def _service_rates(component: FixedFee) -> list[Tree]:
    return [
        {
            "id": line.id,
            "name": line.name,
            "displayName": line.display_name,
            "code": line.code,
            "fee": line.fee,
            "startDate": stamp(line.start),
            "endDate": stamp(line.end),
            "invoiceGroup": line.group,
        }
        for line in component.lines
    ]


def _job_rates(component: PerLaborHour) -> list[Tree]:
    return [
        {
            "id": line.id,
            "name": line.name,
            "displayName": line.display_name,
            "rate": line.rate,
            "overtimeRate": line.ot_rate,
            "jobCode": line.job_code,
            "startDate": stamp(line.start),
            "endDate": stamp(line.end),
            "invoiceGroup": line.group,
        }
        for line in component.lines
    ]


def _structures(component: RevenueShare) -> list[Tree]:
    rows: list[Tree] = []
    for structure in component.structures:
        kind, amount = write_validation(structure.validation)
        rows.append(
            {
                "id": structure.id,
                "revenueCodes": list(structure.revenue_codes),
                "accumulationType": structure.accumulation,
                "tiers": write_tiers(structure.tiers),
                "validationThresholdType": kind,
                "validationThresholdAmount": amount,
                "invoiceGroup": structure.group,
            }
        )
    return rows


def _advances(component: MidMonthAdvance) -> list[Tree]:
    return [
        {
            "id": item.id,
            "amount": item.amount,
            "lineTitle": item.line_title,
            "invoiceGroup": item.group,
        }
        for item in component.items
    ]


def _deposits(component: DepositedRevenue, tax_key: str) -> list[Tree]:
    return [
        {
            "id": item.id,
            tax_key: item.operator_pays_parking_tax,
            "depositedRevenueEnabled": item.deposited_revenue_enabled,
            "invoiceGroup": item.group,
        }
        for item in component.items
    ]


def write_metadata(contract: Contract, original: Tree) -> Tree:
    """The `metadata` part before the residue: site, export date and copies of `original`.

    A site that is not in the site master has "" where others have NaN, and its terms are forced (DQ02, DQ03).
    """
    site = contract.site
    absent: str | Missing = NAN if site.master_matched else ""
    exported = contract.source.export_date if contract.source is not None else _UNDATED
    return {
        "siteNumber": site.number,
        "customerName": site.customer_name,
        "customerID": f"CUST-{site.number}",
        "contractEffectiveDate": exported,
        "contractEndDate": "",
        "contractStatus": "active",
        "lastModifiedDate": exported,
        "contractVersion": "1.0",
        "contractType": label_of(enabled_blocks(original)) if site.master_matched else UNMATCHED_LABEL,
        "accountManager": site.account_manager or absent,
        "paymentTerms": original["paymentTerms"] if site.master_matched else UNMATCHED_TERMS,
        "notes": (contract.notes if contract.notes is not None else absent) if site.master_matched else "",
        "location": {
            "region": absent,
            "district": site.district or "",
            "state": site.state or "",
            "city": site.city or "",
            "address": site.address or "",
            "siteType": "",
        },
    }


def enabled_blocks(original: Tree) -> tuple[str, ...]:
    """Names of the blocks that are switched on, invoice grouping included, in the order of the file."""
    return tuple(name for name, block in original.items() if isinstance(block, dict) and block.get("enabled") is True)

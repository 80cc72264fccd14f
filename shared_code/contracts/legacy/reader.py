"""The legacy form to the contract document, block by block (contract-corpus 5.2).

Nothing is dropped: what a variant that is off leaves behind returns through the residue (5.4).
"""

from shared_code.contracts.legacy import form
from shared_code.contracts.legacy.management_reader import read_accounts_block, read_management
from shared_code.contracts.legacy.shapes import group_of, read_share_tiers, read_validation
from shared_code.contracts.legacy.steps import read_steps
from shared_code.contracts.legacy.wording import UNMATCHED_LABEL, read_payment_terms, read_references
from shared_code.contracts.schema import (
    AdvanceItem,
    BellItem,
    BellService,
    BillingRef,
    Component,
    Contract,
    DepositedRevenue,
    DepositItem,
    Escalator,
    FixedFee,
    FixedPct,
    InvoiceGroup,
    JobRate,
    MidMonthAdvance,
    PerLaborHour,
    PerOccupiedRoom,
    RevenueShare,
    ServiceLine,
    Site,
    Source,
    Structure,
)


def to_contract(legacy: form.LegacyForm, source: Source) -> Contract:
    """The contract document of a legacy form. `original` counts; `metadata` gives the site only (5.5 step 3)."""
    original = legacy.original
    return Contract(
        source=source,
        site=_site(legacy.metadata),
        id=original.id,
        purchase_order=original.purchase_order,
        references=_references(original),
        payment_terms=read_payment_terms(original.payment_terms),
        billing_type=original.billing_type,
        increment_month=original.increment_month,
        increment_pct=original.increment_amount,
        cpi=original.consumer_price_index,
        deviation_amount=original.deviation_amount,
        deviation_pct=original.deviation_percentage,
        deposits=original.deposits,
        type_label=original.contract_type,
        accounts_payable=original.accounts_payable,
        reports=tuple(original.supporting_reports),
        notes=original.notes,
        grouping_enabled=original.invoice_grouping.enabled,
        groups=tuple(_group(group) for group in original.invoice_grouping.invoice_groups),
        components=_components(original),
        escalators=(*_increment(original), *read_steps(original)),
    )


def _site(metadata: form.MetadataForm) -> Site:
    place = metadata.location
    manager = metadata.account_manager
    return Site(
        number=metadata.site_number,
        master_matched=metadata.contract_type != UNMATCHED_LABEL,
        customer_name=metadata.customer_name,
        account_manager=manager if isinstance(manager, str) and manager else None,
        district=place.district or None,
        state=place.state or None,
        city=place.city or None,
        address=place.address or None,
    )


def _references(original: form.OriginalForm) -> tuple[BillingRef, ...]:
    stated = read_references(original.purchase_order)
    for group in original.invoice_grouping.invoice_groups:
        stated += read_references(group.description, group.group_number)
    return stated


def _group(row: form.GroupForm) -> InvoiceGroup:
    return InvoiceGroup(
        id=row.id,
        number=row.group_number,
        title=row.title,
        description=row.description,
        vendor_id=row.vendor_id,
        site_number=row.site_number,
        customer_name=row.customer_name,
        emails=_emails(row.billing_contact_emails),
    )


def _emails(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(";") if part.strip())


def _components(original: form.OriginalForm) -> tuple[Component, ...]:
    """The nine blocks, all always present, in the order of the legacy form."""
    room = original.per_occupied_room
    return (
        _fixed_fee(original.fixed_fee),
        _labor(original.per_labor_hour),
        PerOccupiedRoom(
            enabled=room.enabled,
            room_rate=room.room_rate,
            group=group_of(room.invoice_group),
            code=room.occupied_room_code,
        ),
        _revenue_share(original.revenue_share),
        _bell(original.bell_service_fee),
        _advances(original.mid_month_advance),
        _deposited(original.deposited_revenue),
        read_accounts_block(original.billable_accounts),
        read_management(original.management_agreement),
    )


def _fixed_fee(block: form.FixedFeeForm) -> FixedFee:
    lines = tuple(
        ServiceLine(
            id=row.id,
            name=row.name,
            code=row.code,
            display_name=row.display_name,
            fee=row.fee,
            start=row.start_date,
            end=row.end_date,
            group=group_of(row.invoice_group),
        )
        for row in block.service_rates
    )
    return FixedFee(enabled=block.enabled, lines=lines)


def _labor(block: form.LaborForm) -> PerLaborHour:
    lines = tuple(
        JobRate(
            id=row.id,
            name=row.name,
            display_name=row.display_name,
            job_code=row.job_code,
            rate=row.rate,
            ot_rate=row.overtime_rate,
            start=row.start_date,
            end=row.end_date,
            group=group_of(row.invoice_group),
        )
        for row in block.job_rates
    )
    return PerLaborHour(enabled=block.enabled, hours_backup=block.hours_backup_report, lines=lines)


def _revenue_share(block: form.RevenueShareForm) -> RevenueShare:
    structures = tuple(
        Structure(
            id=row.id,
            revenue_codes=tuple(row.revenue_codes),
            accumulation=row.accumulation_type,
            tiers=read_share_tiers(row.tiers),
            validation=read_validation(row.validation_threshold_type, row.validation_threshold_amount),
            group=group_of(row.invoice_group),
        )
        for row in block.threshold_structures
    )
    return RevenueShare(enabled=block.enabled, structures=structures)


def _bell(block: form.BellServiceForm) -> BellService:
    items = tuple(BellItem(id=row.id, group=group_of(row.invoice_group)) for row in block.bell_services)
    return BellService(enabled=block.enabled, items=items)


def _advances(block: form.MidMonthForm) -> MidMonthAdvance:
    items = tuple(
        AdvanceItem(
            id=row.id,
            amount=row.amount,
            line_title=row.line_title,
            group=group_of(row.invoice_group),
        )
        for row in block.mid_month_advances
    )
    return MidMonthAdvance(enabled=block.enabled, items=items)


def _deposited(block: form.DepositedForm) -> DepositedRevenue:
    items = tuple(
        DepositItem(
            id=row.id,
            deposited_revenue_enabled=row.deposited_revenue_enabled,
            operator_pays_parking_tax=row.responsible_for_parking_tax,
            group=group_of(row.invoice_group),
        )
        for row in block.deposit_data
    )
    return DepositedRevenue(enabled=block.enabled, items=items)


def _increment(original: form.OriginalForm) -> tuple[Escalator, ...]:
    """The yearly step of the header: it raises fixed-fee lines and hourly rates, nothing else (billing-flows 13.2)."""
    percent = original.increment_amount
    if not percent:
        return ()
    raised = {
        "fixedFee.fee": original.fixed_fee.service_rates,
        "perLaborHour.rate": original.per_labor_hour.job_rates,
    }
    return tuple(
        FixedPct(target=target, month=original.increment_month, pct=percent, source="field")
        for target, rows in raised.items()
        if rows
    )

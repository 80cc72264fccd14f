"""The blocks of a contract. A new block is one file and one entry here: in the order in which lines are printed."""

from __future__ import annotations

from shared_code.billing import (
    adhoc,
    bell_service,
    billable_expenses,
    billable_payroll,
    claims,
    deposited_revenue,
    fixed_fee,
    insurance,
    management_fee,
    mid_month_advance,
    non_gl_expense,
    per_labor_hour,
    per_occupied_room,
    profit_share,
    pteb,
    revenue_share,
    support_services,
    validations,
)
from shared_code.billing.block import Block

# Billing-flows 5.5, step 5. Ad-hoc lines have their place among them.
BLOCKS: tuple[Block, ...] = (
    fixed_fee.BLOCK,
    per_occupied_room.BLOCK,
    bell_service.BLOCK,
    deposited_revenue.BLOCK,
    billable_expenses.BLOCK,
    billable_payroll.BLOCK,
    pteb.BLOCK,
    support_services.BLOCK,
    insurance.BLOCK,
    claims.BLOCK,
    management_fee.BLOCK,
    non_gl_expense.BLOCK,
    mid_month_advance.BLOCK,
    per_labor_hour.BLOCK,
    adhoc.BLOCK,
    revenue_share.BLOCK,
    validations.BLOCK,
    profit_share.BLOCK,
)


def in_order(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks as they are computed: givers before readers, the last ones last, else as printed.

    The order is the same in every process, since reasons are told in it. Raises ValueError for a value that nobody or
    more than one block gives, or a circle.
    """
    giver: dict[str, str] = {}
    for block in blocks:
        for value in block.gives:
            if value.name in giver:
                raise ValueError(f"{value.name} is given by {giver[value.name]} and by {block.name}")
            giver[value.name] = block.name
    missing = {value.name for block in blocks for value in block.reads} - giver.keys()
    if missing:
        raise ValueError(f"no block gives {', '.join(sorted(missing))}")
    before = {block.name: {giver[value.name] for value in block.reads} for block in blocks}
    for block in blocks:
        if block.last:
            before[block.name] |= {other.name for other in blocks if not other.last}
    waiting, order = list(blocks), dict[str, Block]()
    while waiting:
        ready = next((block for block in waiting if before[block.name] <= order.keys()), None)
        if ready is None:
            raise ValueError(f"a cycle of {', '.join(block.name for block in waiting)}")
        waiting.remove(ready)
        order[ready.name] = ready
    return tuple(order.values())


SUPPORTED = frozenset(block.component for block in BLOCKS if block.component is not None)
"""The components of a contract that can be billed."""

"""The contract document: a header and a set of components. No "contract type" field drives logic.

Source: contract-corpus 5.1 to 5.3.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from shared_code.contracts.schema.accounts import BillableAccounts
from shared_code.contracts.schema.base import Money, Month, Part, Percent, Report, Switch
from shared_code.contracts.schema.clauses import Term
from shared_code.contracts.schema.components import (
    BellService,
    DepositedRevenue,
    FixedFee,
    MidMonthAdvance,
    PerLaborHour,
    PerOccupiedRoom,
    RevenueShare,
)
from shared_code.contracts.schema.escalation import Escalator
from shared_code.contracts.schema.header import (
    BillingRef,
    Extension,
    InvoiceGroup,
    PaymentTerms,
    Site,
    Source,
)
from shared_code.contracts.schema.management import ManagementAgreement

Component = Annotated[
    FixedFee
    | PerLaborHour
    | PerOccupiedRoom
    | RevenueShare
    | BellService
    | MidMonthAdvance
    | DepositedRevenue
    | BillableAccounts
    | ManagementAgreement,
    Field(discriminator="kind"),
]
BillingType = Literal["Arrears", "Advanced"]


class Contract(Part):
    """One validated contract document.

    `increment_month` and `increment_pct` are the legacy record of the yearly step, kept for display and
    export; what bills is `escalators`. `accounts_payable` is a record too. `deviation_*` None or 0 = no limit
    (rules R51). `anchor_date` starts anniversary windows (R2). `start_date` and `end_date` are the first and last day
    in force (R42).
    `residue` holds what only a byte-identical legacy export needs; `extensions` what the schema does not know.
    """

    schema_version: Literal["1"] = "1"
    source: Source | None = None
    site: Site
    id: str
    purchase_order: str | None = None
    references: tuple[BillingRef, ...] = ()
    payment_terms: PaymentTerms
    billing_type: BillingType = "Arrears"
    increment_month: Month = "January"
    increment_pct: Percent | None = None
    cpi: Switch = False
    deviation_amount: Money | None = None
    deviation_pct: Percent | None = None
    deposits: Switch = False
    type_label: str | None = None
    accounts_payable: str | None = None
    reports: tuple[Report, ...] = ()
    notes: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    anchor_date: date | None = None
    proration: Literal["none", "daily"] = "none"
    loss_rule: Literal["highWaterMark", "reference"] = "highWaterMark"
    grouping_enabled: Switch = False
    groups: tuple[InvoiceGroup, ...] = ()
    components: tuple[Component, ...]
    escalators: tuple[Escalator, ...] = ()
    terms: tuple[Term, ...] = ()
    extensions: tuple[Extension, ...] = ()
    residue: dict[str, JsonValue] = Field(default_factory=dict)

    def component[T: Part](self, kind: type[T]) -> T | None:
        """The component of that model, enabled or not; None when the document has none."""
        return next((found for found in self.components if isinstance(found, kind)), None)

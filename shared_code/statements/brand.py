"""The operator's name and remittance texts, from settings to the value that is printed."""

from __future__ import annotations

from shared_code.documents.model import Brand, SecondBrand
from shared_code.foundation.settings import settings


def brand() -> Brand:
    """The brand of this deployment; a second one where its name is set (requirements PDF-03, PDF-07)."""
    known = settings()
    second = None
    if known.second_brand_name:
        second = SecondBrand(known.second_brand_name, known.second_brand_legal_name)
    return Brand(
        operator_name=known.operator_name,
        address=known.operator_address,
        phone=known.operator_phone,
        legal_name=known.operator_legal_name or known.operator_name,
        po_box=known.operator_po_box,
        account_number=known.operator_account_number,
        aba=known.operator_aba,
        email=known.operator_email,
        second=second,
    )

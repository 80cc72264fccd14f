"""The site master: one row per site."""

from __future__ import annotations

import polars as pl

from sample_data.columns import Chunk
from sample_data.figures import Figures
from sample_data.legacy_form import BLOCK_LABELS

_ABBREVIATIONS = dict(
    zip(("FF", "PLH", "POR", "IG", "RS", "BELL", "MMA", "DR", "BA", "MA"), BLOCK_LABELS.values(), strict=True)
)


def site_master(chunk: Chunk) -> pl.DataFrame:
    """The chunk's sites with the columns of the warehouse's master; all text but the two counts."""
    return pl.DataFrame([_row(figures) for figures in chunk.figures])


def _row(figures: Figures) -> dict[str, str | int]:
    site = figures.site
    labels = [label for name, label in _ABBREVIATIONS.items() if name in site.blocks]
    return {
        "SITE": site.number,
        "NAME": site.name,
        "DISTRICT": site.district,
        "STREET": site.street,
        "CITY": site.city,
        "STATE": site.state,
        "ZIP": site.zip,
        "CONTRACT_TYPE": "; ".join(labels),
        "FIRST_WORKED_DATE": site.first_worked.isoformat(),
        "DEPOSIT_FLAG": "Y" if figures.collects else "N",
        "GL_STRING": site.gl_string,
        "MANAGER_FIRST": site.manager_first,
        "MANAGER_LAST": site.manager_last,
        "MANAGER_ID": site.manager_id,
        "BILLING_EMAIL": site.billing_email,
        "TOTAL_ROOMS": site.rooms,
        "TOTAL_SPACES": site.spaces,
    }

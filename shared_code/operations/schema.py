"""Every table of the app, registered by importing the rooms that own them."""

import shared_code.access.tables
import shared_code.contracts.index_values.tables
import shared_code.contracts.notes.tables
import shared_code.contracts.openings.tables
import shared_code.contracts.tables
import shared_code.edw.tables
import shared_code.facts.tables
import shared_code.foundation.audit.tables
import shared_code.foundation.business_settings.tables
import shared_code.foundation.dead_letters.tables
import shared_code.foundation.idempotency.tables
import shared_code.periods.tables
import shared_code.statements.tables  # noqa: F401
from shared_code.foundation.database import metadata

__all__ = ["metadata"]

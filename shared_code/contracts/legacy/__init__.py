"""The legacy contract file: read, with every doubt named, and written back byte for byte (contract-corpus 5)."""

from shared_code.contracts.findings import LegacyWarning
from shared_code.contracts.legacy.exporting import write_legacy
from shared_code.contracts.legacy.importing import LegacyResult, read_legacy

__all__ = ["LegacyResult", "LegacyWarning", "read_legacy", "write_legacy"]

"""Months of a contract that should have a statement and have none: found, explained, and billed after all."""

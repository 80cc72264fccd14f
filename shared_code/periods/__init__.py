"""Months as the books know them: open or closed (rules R41)."""

"""Lines that people add to a statement and take back (rules R18, R52, R53; billing-flows 5.10)."""

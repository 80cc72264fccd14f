"""The reading side of statements: what lists, status pages and downloads show."""

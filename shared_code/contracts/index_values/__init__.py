"""Price indexes by year, which escalators of contracts grow with (rules R13)."""

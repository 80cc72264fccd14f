"""Why a printed amount is what it is: from a line to the clause, the rate version and the source rows."""

"""How far a month is: what of it is billed, what waits for whom, and what is missing, before it is closed."""

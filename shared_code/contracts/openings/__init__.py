"""Opening balances: what accumulated before the first month that is billed here (rules R39)."""

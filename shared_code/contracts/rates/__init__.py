"""Rates and their dates: what a rate is in a service period, and why (rules R12, R13, R43; decision 19)."""

"""Statements that would be billed otherwise by now: found by a timer, shown with the difference, kept from sending."""

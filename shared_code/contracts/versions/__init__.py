"""Versions of a contract: its history, changes of a part of it, and its legacy file (rules R12, R42)."""

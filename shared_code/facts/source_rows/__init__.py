"""The rows behind a sum, found again by the selection that its reference carries."""

"""What is asked of a contract before it is trusted: rules of saving, readiness, and the check of a whole folder."""

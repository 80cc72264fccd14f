"""What a statement is computed from besides terms and facts."""

"""What becomes of a statement after it was made: reviewed, approved, sent; and what people say about its month."""

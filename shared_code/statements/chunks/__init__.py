"""What a chunk of a run reads of its contracts."""

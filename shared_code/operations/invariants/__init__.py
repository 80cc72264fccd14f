"""What must always be true of the database, each as a read-only query with what it means when it is not."""

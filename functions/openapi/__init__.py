"""The API's documents, written from the declarations that also check the requests."""

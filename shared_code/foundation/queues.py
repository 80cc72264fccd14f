"""All queue names. `localhost/bus/queues.json` declares the same ones, and a test compares the two."""

IMPORT_SLICES = "import-slices"
STATEMENT_CHUNKS = "statement-chunks"
STATEMENT_DOCUMENTS = "statement-documents"
RUN_PROGRESS = "run-progress"

ALL = (IMPORT_SLICES, STATEMENT_CHUNKS, STATEMENT_DOCUMENTS, RUN_PROGRESS)

MAX_DELIVERIES = 10
"""After so many deliveries the bus gives a message up: `MaxDeliveryCount` of every queue, which a test compares."""

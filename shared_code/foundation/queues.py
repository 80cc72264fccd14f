"""All queue names. `localhost/bus/queues.json` declares the same ones, and a test compares the two."""

IMPORT_SLICES = "import-slices"
STATEMENT_CHUNKS = "statement-chunks"
STATEMENT_DOCUMENTS = "statement-documents"
RUN_PROGRESS = "run-progress"

ALL = (IMPORT_SLICES, STATEMENT_CHUNKS, STATEMENT_DOCUMENTS, RUN_PROGRESS)

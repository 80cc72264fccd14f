"""Work on statements, one message at a time: chunks of contracts, documents to draw, runs to settle."""

import azure.functions as func

from functions.queue import Letter, consumer
from shared_code.foundation import queues

blueprint = func.Blueprint()


@consumer(blueprint, queues.STATEMENT_CHUNKS, "shared_code.statements.messages:ChunkWork")
def generate_statement_chunk(letter: Letter) -> None:
    """Bill one chunk of a run."""
    from shared_code.statements.generation import generate_chunk
    from shared_code.statements.messages import ChunkWork

    work = letter.body(ChunkWork)
    generate_chunk(work.run, work.chunk, letter.effect)


@consumer(blueprint, queues.STATEMENT_DOCUMENTS, "shared_code.statements.messages:DocumentsWork")
def render_statement_documents(letter: Letter) -> None:
    """Draw the PDFs of some statements."""
    from shared_code.statements.messages import DocumentsWork
    from shared_code.statements.rendering import render_documents

    work = letter.body(DocumentsWork)
    render_documents(work.run, work.statements, letter.effect, letter.correlation_id)


@consumer(blueprint, queues.RUN_PROGRESS, "shared_code.statements.messages:RunProgress")
def settle_statement_run(letter: Letter) -> None:
    """Finish a run when nothing of it is left."""
    from shared_code.statements.messages import RunProgress
    from shared_code.statements.runs import settle_run

    settle_run(letter.body(RunProgress).run)

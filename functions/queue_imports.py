"""Large files, one slice a message."""

import azure.functions as func

from functions.queue import Letter, consumer
from shared_code.foundation import queues

blueprint = func.Blueprint()


@consumer(blueprint, queues.IMPORT_SLICES, "shared_code.edw.messages:ImportWork")
def import_slice(letter: Letter) -> None:
    """Stage one slice of an import batch, or publish the batch when all are staged."""
    from shared_code.edw.messages import ImportWork
    from shared_code.edw.slices import finish_batch, stage_slice

    work = letter.body(ImportWork)
    if work.slice is None:
        finish_batch(work.batch)
    else:
        stage_slice(work.batch, work.slice)

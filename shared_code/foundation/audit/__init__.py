"""The audit: who did what to which thing, append-only, hash-chained per stream, in the transaction of what it records.

A use case calls `record(work, [Event(...), ...])` once, as the last thing of its transaction: from then to the commit
it holds the locks of the streams that it wrote to.
"""

from shared_code.foundation.audit.record import Event, record

__all__ = ["Event", "record"]

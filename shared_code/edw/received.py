"""Which versions of drops were received to the end: noted in the inbox, so that what was missed can be told from it.

A version is a blob's ETag: the same name dropped anew is another one, even with the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared_code.edw import repository
from shared_code.edw.storage import Version
from shared_code.foundation.clock import derived_id
from shared_code.foundation.database import reading, transaction
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError

CONSUMER = "drops"


def note(container: str, name: str, etag: str) -> None:
    """Note that a version was received and nothing of it is left to do. Noting it twice changes nothing."""
    try:
        with transaction() as work:
            work.first(CONSUMER, _key(container, name, etag))
    except BillingError as error:
        if error.kind is not CONCURRENT_CHANGE:  # another delivery noted it at the same moment
            raise


def missed(versions: Sequence[Version]) -> list[Version]:
    """Those of at most a thousand versions that were not received."""
    keys = {_key(version.container, version.name, version.etag): version for version in versions}
    if not keys:
        return []
    with reading() as connection:
        known = repository.versions_received(connection, CONSUMER, list(keys))
    return [version for key, version in keys.items() if key not in known]


def _key(container: str, name: str, etag: str) -> str:
    return derived_id("drop", container, name, etag.strip('"'))  # a list names ETags without their quotes

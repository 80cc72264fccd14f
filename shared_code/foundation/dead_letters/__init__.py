"""What could not be processed is kept, listed, and can be sent again (azure-facts C.3: poison is ours to decide)."""

from shared_code.foundation.dead_letters.model import (
    STATES,
    DeadLetter,
    DeadLetterDetail,
    DeadLetterFilter,
    DeadLetterSummary,
    shown_body,
)
from shared_code.foundation.dead_letters.service import (
    bury,
    discard,
    effect_of,
    get_dead_letter,
    list_dead_letters,
    replay,
)

__all__ = [
    "STATES",
    "DeadLetter",
    "DeadLetterDetail",
    "DeadLetterFilter",
    "DeadLetterSummary",
    "bury",
    "discard",
    "effect_of",
    "get_dead_letter",
    "list_dead_letters",
    "replay",
    "shown_body",
]

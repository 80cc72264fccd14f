"""What nobody raises here and a caller or operator meets all the same: words of the platform, the host and the bus.

They are explained like refusals of our own. Those of the bus are written as it writes them, since a dead letter keeps
its reason as it came.
"""

from shared_code.foundation.errors import ErrorKind

KEY_REQUIRED = ErrorKind(
    "KEY_REQUIRED",
    1951,
    401,
    "The route is opened by a function key, and the request has none that fits.",
    "Send the key in the header x-functions-key, or as ?code=; make run prints the one of your machine.",
)
NOT_FOUND = ErrorKind(
    "NOT_FOUND",
    2951,
    404,
    "No function has this route.",
    "Compare the path with those of GET /openapi.json; all of them begin with /api/v1/.",
)
METHOD_NOT_ALLOWED = ErrorKind(
    "METHOD_NOT_ALLOWED",
    2952,
    405,
    "The route is there, but not for this method.",
    "Use a method of the header Allow.",
)
MESSAGE_MALFORMED = ErrorKind(
    "MESSAGE_MALFORMED",
    2022,
    422,
    "A dead letter: the message is not what its queue carries, so something else than the app has written it.",
    "Find the sender, and discard the dead letter.",
)
MESSAGE_TOO_LARGE = ErrorKind(
    "MESSAGE_TOO_LARGE",
    2023,
    422,
    "A dead letter: the message is larger than the bus takes, so it was never sent.",
    "Lower CHUNK_CONTRACTS or DOCUMENTS_PER_MESSAGE, retry the run that wrote it, and discard the dead letter.",
)
DELIVERED_TOO_OFTEN = ErrorKind(
    "MaxDeliveryCountExceeded",
    5921,
    500,
    "A dead letter: the message was delivered as often as its queue allows, and failed each time.",
    "Find the failures in the log by the correlation id of the dead letter, mend their cause, and replay it.",
)
EXPIRED = ErrorKind(
    "TTLExpiredException",
    5922,
    500,
    "A dead letter: nobody took the message within its time to live.",
    "See why the app did not take messages (GET /health/bus), then replay it.",
)
DEAD_LETTERED = ErrorKind(
    "DEAD_LETTERED",
    5923,
    500,
    "A dead letter to which the bus has given no reason.",
    "Look at its body and at the log by its correlation id; then replay or discard it.",
)

KINDS = (
    KEY_REQUIRED,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    MESSAGE_MALFORMED,
    MESSAGE_TOO_LARGE,
    DELIVERED_TOO_OFTEN,
    EXPIRED,
    DEAD_LETTERED,
)

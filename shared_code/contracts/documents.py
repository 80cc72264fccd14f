"""Our own contract document, as the API takes it."""

from pydantic import ValidationError

from shared_code.contracts.parsing import parse
from shared_code.contracts.schema import Contract
from shared_code.contracts.shape_errors import shape_details, shape_refusal
from shared_code.foundation.errors import Detail

_ANSWER = {"contractId", "document"}  # what GET puts around a document


def parse_document(data: bytes) -> Contract:
    """The contract of a JSON document in our own form; what it means is for `check` to judge.

    Raises CONTRACT_UNREADABLE, CONTRACT_DUPLICATE_KEY or CONTRACT_FIELD_INVALID with every place at once.
    """
    tree = parse(data)
    if tree.keys() >= _ANSWER:
        raise shape_refusal([Detail("/document", "this is a whole answer of GET; send its `document` alone")])
    try:
        return Contract.model_validate_json(data)
    except ValidationError as error:
        raise shape_refusal(shape_details(error, tree)) from error

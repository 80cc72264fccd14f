"""The SDK type of blob triggers, imported without its credential library.

The binding package imports azure.identity at its top, for the one case of managed identity; that costs more than the
rest of indexing together (decision 0003). Here the package sees a stand-in that loads the library when it is called.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

_LIBRARY = "azure.identity"


def managed_identity_credential(*args: Any, **kwargs: Any) -> Any:
    """Make the real ManagedIdentityCredential; the library is imported now, when an identity is needed."""
    return importlib.import_module(_LIBRARY).ManagedIdentityCredential(*args, **kwargs)


def _blob_client_type() -> type:
    if _LIBRARY in sys.modules:
        return _import()
    stand_in = ModuleType(_LIBRARY)
    stand_in.ManagedIdentityCredential = managed_identity_credential  # type: ignore[attr-defined]  # a stand-in
    sys.modules[_LIBRARY] = stand_in
    try:
        return _import()
    finally:
        del sys.modules[_LIBRARY]


def _import() -> type:
    package = importlib.import_module("azurefunctions.extensions.bindings.blob")
    client: type = package.BlobClient
    return client


if TYPE_CHECKING:
    from azure.storage.blob import BlobClient
else:
    BlobClient = _blob_client_type()

__all__ = ["BlobClient", "managed_identity_credential"]

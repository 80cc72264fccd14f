"""The SDK type of blob triggers, imported without the SDK.

The binding package imports azure.storage.blob and azure.identity at its top, but uses them only to make the client of
a blob that has arrived; together they cost more than the rest of indexing (decision 0003). Here the package sees
stand-ins: its annotation classes get empty bases, and what makes clients and credentials loads the real library when it
is first called.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

_STORAGE, _IDENTITY = "azure.storage.blob", "azure.identity"
_ANNOTATIONS = ("BlobClient", "ContainerClient", "StorageStreamDownloader")


class Late:
    """A name of a library that is imported when the name is first used."""

    def __init__(self, library: str, name: str) -> None:
        self._library, self._name = library, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._real()(*args, **kwargs)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._real(), attribute)

    def _real(self) -> Any:
        return getattr(importlib.import_module(self._library), self._name)


def _stand_ins() -> Iterator[ModuleType]:
    """One module for each library that is not loaded yet, with the names that the package imports and no other."""
    storage = {name: type(name, (), {}) for name in _ANNOTATIONS}
    for library, names in (
        (_STORAGE, storage | {"BlobServiceClient": Late(_STORAGE, "BlobServiceClient")}),
        (_IDENTITY, {"ManagedIdentityCredential": Late(_IDENTITY, "ManagedIdentityCredential")}),
    ):
        if library not in sys.modules:
            module = ModuleType(library)
            vars(module).update(names)
            yield module


@contextmanager
def _in_place() -> Iterator[None]:
    modules = {module.__name__: module for module in _stand_ins()}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]


def _blob_client_type() -> type:
    with _in_place():
        client: type = importlib.import_module("azurefunctions.extensions.bindings.blob").BlobClient
    return client


if TYPE_CHECKING:
    from azure.storage.blob import BlobClient
else:
    BlobClient = _blob_client_type()

__all__ = ["BlobClient", "Late"]

"""The objects of a PDF, read from its bytes without a library: enough to see what PDF/A asks of our own files.

Our writer puts no object into an object stream, so each stands as `number 0 obj … endobj`, and dictionaries are told
by their text. A file of another making is not read by this.
"""

from __future__ import annotations

import re
import zlib
from functools import cached_property

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*)\nendstream", re.DOTALL)


class PdfObjects:
    """Objects by number; a part of one is told by its key."""

    def __init__(self, file: bytes) -> None:
        self.file = file
        self.bodies: dict[int, bytes] = {int(number): body for number, body in _OBJECT.findall(file)}

    @cached_property
    def catalog(self) -> bytes:
        return self.of_type(b"Catalog")[0]

    @cached_property
    def trailer(self) -> bytes:
        return self.file[self.file.rindex(b"trailer") :]

    def of_type(self, name: bytes) -> list[bytes]:
        """The dictionaries of a type."""
        return [body for body in self.bodies.values() if re.search(rb"/Type\s*/%b\b" % name, _head(body))]

    def follow(self, body: bytes, key: bytes) -> bytes:
        """The object that a key refers to, also as the first of a list, or that stands there itself."""
        found = re.search(rb"/%b\s*\[?\s*(\d+) 0 R" % key, _head(body))
        assert found is not None, f"no /{key.decode()} in {_head(body)!r}"
        return self.bodies[int(found[1])]

    def has(self, body: bytes, text: bytes) -> bool:
        """Whether the dictionary has this key, or this key with this name."""
        return re.search(rb"%b(?![A-Za-z0-9])" % text.replace(b" ", rb"\s*"), _head(body)) is not None


def _head(body: bytes) -> bytes:
    return body.partition(b"stream\n")[0]


def content_of(body: bytes) -> bytes:
    """The bytes of a stream, inflated where they are deflated."""
    found = _STREAM.search(body)
    assert found is not None
    return zlib.decompress(found[1]) if b"/FlateDecode" in _head(body) else found[1]

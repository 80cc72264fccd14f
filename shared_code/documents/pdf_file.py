"""The PDF file of a statement: fpdf2 writes pages, catalogue, metadata and cross-references; fonts are replayed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any
from xml.sax.saxutils import escape

from fpdf import FPDF
from fpdf.enums import OutputIntentSubType, ResourceAccessPolicy
from fpdf.output import OutputProducer, PDFICCProfile
from fpdf.syntax import PDFObject
from fpdf.util import builtin_srgb2014_bytes

from shared_code.documents.typeface import body_of, typeface

_XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>{creator}</xmp:CreatorTool>
<xmp:CreateDate>{created}</xmp:CreateDate><xmp:ModifyDate>{created}</xmp:ModifyDate>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its content stream, and the name under which a reader's outline lists it, if it does."""

    content: bytes
    bookmark: str | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a viewer shows about the file. `identity` names the document for ever, whatever its bytes."""

    title: str
    author: str
    subject: str
    creator: str
    created: datetime
    identity: str


class _FinishedObject(PDFObject):  # type: ignore[misc]  # fpdf2's types are not followed (pyproject)
    """An object whose body is bytes already; only its number depends on the file."""

    def __init__(self, body: bytes) -> None:
        PDFObject.__init__(self)
        self._body = body

    def serialize(self, *_: object, **__: object) -> bytes:
        return b"%d 0 obj\n%b" % (self.id, self._body)


class _FinishedProfile(_FinishedObject, PDFICCProfile):  # type: ignore[misc]  # as above
    """A finished object where fpdf2 takes nothing but a color profile."""


class _Producer(OutputProducer):  # type: ignore[misc]  # fpdf2's types are not followed (pyproject)
    """fpdf2's writer, with the finished fonts in place of its own parsing and subsetting."""

    def _add_fonts(self, *_: Mapping[Any, Any]) -> dict[int, PDFObject]:
        fonts = typeface()
        finished = [_FinishedObject(body) for body in fonts.bodies]
        for number, item in enumerate(finished, start=1):
            item.id = number
        self.pdf_objs.extend(finished)
        return {index: finished[number - 1] for index, number in fonts.roots.items()}


@cache
def _color_profile() -> bytes:
    """The body of fpdf2's sRGB profile, which PDF/A wants in every file: read and compressed once."""
    profile = PDFICCProfile(contents=builtin_srgb2014_bytes(), n=3, alternate="DeviceRGB")
    profile.id = 1
    return body_of(profile)


class _File(FPDF):  # type: ignore[misc]  # fpdf2's types are not followed (pyproject)
    """An fpdf2 document in points on US Letter whose identifiers depend on nothing but its content."""

    def __init__(self, identity: str, compliance: str | None) -> None:
        super().__init__(unit="pt", format="letter", enforce_compliance=compliance)
        self._identity = identity
        self._content = sha256((compliance or "plain").encode())
        self.resource_access_policy = ResourceAccessPolicy.NONE
        self.single_resources_object = True
        self.set_auto_page_break(False)
        # The fonts own the first object numbers, so their bytes are the same in every file.
        self._resource_catalog.last_reserved_object_id = len(typeface().bodies)

    def add_content(self, content: bytes) -> None:
        """Append one page with this content stream."""
        self.add_page()
        self._out(content)
        self._content.update(content)

    def file_id(self) -> str:
        first = sha256(self._identity.encode()).hexdigest()[:32]
        return f"<{first}><{self._content.hexdigest()[:32]}>"


def write(pages: Sequence[Page], metadata: Metadata) -> bytes:
    """A plain PDF of these pages. Equal arguments give equal bytes."""
    pdf = _started(metadata, None)
    for page in pages:
        pdf.add_content(page.content)
    return bytes(pdf.output(output_producer_class=_Producer))


def write_archival(pages: Sequence[Page], metadata: Metadata, twin_name: str, twin: bytes) -> bytes:
    """A PDF/A-3B of these pages with an outline and `twin`, a JSON document, as its associated data (budgets P3)."""
    pdf = _started(metadata, "PDF/A-3B")
    pdf.xmp_metadata = xmp_packet(metadata)
    pdf.embed_file(
        bytes=twin,
        basename=twin_name,
        mime_type="application/json",
        associated_file_relationship="Data",
        desc="The statement as data",
        creation_date=metadata.created,
        modification_date=metadata.created,
    )
    pdf.add_output_intent(
        OutputIntentSubType.PDFA,
        output_condition_identifier="sRGB",
        output_condition="IEC 61966-2-1:1999",
        registry_name="http://www.color.org",
        dest_output_profile=_FinishedProfile(_color_profile()),
    )
    for page in pages:
        pdf.add_content(page.content)
        if page.bookmark is not None:
            pdf.start_section(page.bookmark)
    return bytes(pdf.output(output_producer_class=_Producer))


def _started(metadata: Metadata, compliance: str | None) -> _File:
    pdf = _File(metadata.identity, compliance)
    pdf.creation_date = metadata.created
    pdf.set_title(metadata.title)
    pdf.set_author(metadata.author)
    pdf.set_subject(metadata.subject)
    pdf.set_creator(metadata.creator)
    pdf.set_lang("en-US")
    return pdf


def xmp_packet(metadata: Metadata) -> str:
    """The metadata as XMP. Written here because fpdf2 stamps its own with the time of writing."""
    created = metadata.created.isoformat(timespec="seconds")
    return _XMP.format(
        title=_xml(metadata.title),
        author=_xml(metadata.author),
        subject=_xml(metadata.subject),
        creator=_xml(metadata.creator),
        created=created,
    )


def _xml(text: str) -> str:
    """Escaped, without the code points that XML forbids."""
    return escape("".join(c for c in text if c.isprintable() or c in "\n\u00a0"))

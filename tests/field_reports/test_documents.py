"""Rows of PDFs: that they are there, that drawing them is light, and that what they claim to be is so."""

from __future__ import annotations

import hashlib
import re
import socket
import subprocess
from typing import Any, NoReturn

import pytest

from shared_code.documents.statement_pdf import render, render_archival
from shared_code.foundation import blobs, queues
from shared_code.statements.runs import watch_running_runs
from shared_code.statements.tables import statement_document
from tests.field_reports.pdfa import RULES, broken_rules
from tests.field_reports.support import OUTAGE, at, lose_messages
from tests.unit.documents.examples import invoice, lines, opened, page_texts, statement
from tests.unit.statements.stage import NOVEMBER, Stage, open_sites, outcomes, rows_of, save, start

LONGEST = 1_000  # lines of an invoice: dozens of pages
LARGEST = 1_000_000  # bytes


def test_row_17_the_pdf_is_null_until_somebody_downloads_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 17: a PDF was made when somebody asked for it; until then there was none, or a broken one, or no renderer.

    A PDF is a row with a state, from the transaction that made its statement on. While storage is away it is Pending
    and its run not over; afterwards it is drawn, without anybody's asking, and the row names the bytes that are there.
    """
    open_sites("0901")
    save("0901")
    run = start().run_id
    stage.deliver(queues.STATEMENT_CHUNKS)
    (waiting,) = rows_of(statement_document)
    assert (waiting.state, waiting.blob_path) == ("Pending", None)

    def away(*_: object) -> NoReturn:
        raise ConnectionError("storage is away")

    with monkeypatch.context() as outage:
        outage.setattr(blobs, "put", away)
        with pytest.raises(ConnectionError):
            stage.deliver(queues.STATEMENT_DOCUMENTS)
    lose_messages(stage)
    assert rows_of(statement_document) == [waiting]
    at(NOVEMBER + OUTAGE)
    assert watch_running_runs() == 1
    stage.drain()

    (drawn,) = rows_of(statement_document)
    assert drawn.state == "Rendered"
    (data,) = [data for name, data in stage.stored.items() if drawn.blob_path.endswith(name)]
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (drawn.sha256, drawn.byte_count)
    assert "0901-202610-01-01" in page_texts(data)[0]
    assert outcomes(run) == {"generated": 1}


def test_row_18_rendering_takes_a_browser_and_runs_into_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 18: PDFs came from a browser beside the app, which took a minute, hundreds of megabytes, or was not there.

    A long invoice is drawn in this process alone: it starts no program, opens no connection, and its file is small.
    """

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("drawing a PDF asks nobody else")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(socket, "socket", refuse)

    file = render(statement(invoice(*lines(LONGEST))))

    with opened(file) as pdf:
        assert len(pdf) > 10
    assert len(file) < LARGEST


ARCHIVED = statement(invoice(*lines(60)), invoice(*lines(2), number="0042-202610-02-01"))


def test_row_21_the_file_that_is_mailed_is_not_what_it_claims_to_be() -> None:
    """Row 21: an invoice with its data embedded was no PDF/A, which only a log told.

    A validator of the format is a Java program that this project does not carry. What can be told from a file's objects
    is told here, clause by clause, of each file form that claims it; what a validator would see beyond that (glyph
    widths, the inside of fonts and profiles) is not.
    """
    assert broken_rules(render_archival(ARCHIVED)) == []


BREAKS: dict[str, tuple[bytes, bytes]] = {
    "6.1.2 file header with a line of bytes": (rb"%PDF-1\.\d\n%[^\n]+", b"%PDF-1.7\n%plain"),
    "6.1.3 file identifier": (rb"/ID \[", b"/IX ["),
    "6.1.3 not encrypted": (rb"\ntrailer\n<<", b"\ntrailer\n<< /Encrypt 9 0 R"),
    "6.1.7 no LZW": (rb"/FlateDecode", b"/LZWDecode"),
    "6.2.3 output intent with an RGB profile": (rb"/GTS_PDFA1", b"/GTS_PDFX"),
    "6.2.4 nothing blended": (rb"/Type /Catalog", b"/Type /Catalog /SMask 9 0 R"),
    "6.2.11.4 fonts embedded": (rb"/FontFile2", b"/FontFileX"),
    "6.2.11.7 fonts say which text they show": (rb"/ToUnicode", b"/FromUnicode"),
    "6.5.1 no actions that are forbidden": (rb"/Type /Catalog", b"/Type /Catalog /JavaScript 9 0 R"),
    "6.6.2 metadata not filtered": (rb"/Type /Metadata", b"/Filter /None /Type /Metadata"),
    "6.6.4 says that it is PDF/A-3B": (rb"<pdfaid:part>3", b"<pdfaid:part>1"),
    "6.8 associated file with its relation": (rb"/AFRelationship /Data", b"/AFRelationship /None"),
    "6.8 embedded file with type and day": (rb"/ModDate", b"/NoDate"),
}


@pytest.mark.parametrize("rule", RULES)
def test_what_row_21_looks_at_can_be_broken(rule: str) -> None:
    """Each clause is seen to be broken in a file in which it is."""
    place, other = BREAKS[rule]
    file = render_archival(ARCHIVED)
    broken = re.sub(place, lambda _: other, file)

    assert broken != file
    assert rule in broken_rules(broken)


def test_the_plain_form_claims_nothing() -> None:
    """What is shown on a screen is no PDF/A and does not say so."""
    assert {"6.6.4 says that it is PDF/A-3B", "6.8 associated file with its relation"} <= set(
        broken_rules(render(ARCHIVED))
    )

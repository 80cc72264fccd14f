"""Lines that people add, over HTTP: added and removed, shown and drawn at once, kept when a statement is made anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pypdfium2  # type: ignore[import-untyped]  # it comes without types
import pytest

from localhost.processes import wait_until
from shared_code.documents.paths import CONTRACT_DROPS
from tests.flows.conftest import App, contract_files, error_of, exact, fixed_fees, running_app, site_master

pytestmark = pytest.mark.flow
LINE = {"type": "miscellaneous", "title": "Broken gate", "amount": 25.5, "reason": "agreed by phone"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """October of three sites, billed: 100.00 in group 1, and a second group without an invoice."""
    with running_app(tmp_path_factory.mktemp("ad-hoc")) as app:
        sites = ("0901", "0902", "0903")
        app.take_in({"site_master/2026-10/sites.csv": site_master(*sites)})
        groups = [{"id": "g1", "number": 1}, {"id": "g2", "number": 2}]
        app.take_in(contract_files(*(fixed_fees(site, ("100.00", 1), groups=groups) for site in sites)), CONTRACT_DROPS)
        app.bill()
        yield app


def number_of(site: str, group: int = 1, version: int = 1) -> str:
    return f"{site}-202610-{group:02}-{version:02}"


def post(app: App, site: str, key: str, role: str = "billingAdmin", **fields: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    path = f"invoices/{number_of(site)}/ad-hoc-lines"
    return app.call("POST", path, role, json=LINE | fields, headers=headers)


def words(app: App, statement_id: str) -> str:
    """The words of a statement's PDF, once it is drawn."""

    def drawn() -> bytes:
        answer = app.call("GET", f"statements/{statement_id}/pdf")
        return answer.content if answer.status_code == 200 else b""

    pages = pypdfium2.PdfDocument(wait_until(drawn, app.stack.host))
    return " ".join(page.get_textpage().get_text_range() for page in pages)


def test_a_line_is_added_drawn_kept_and_removed(app: App) -> None:
    answer = post(app, "0901", "first", description="Gate 3")

    assert answer.status_code == 201, answer.text
    added = exact(answer)
    line, statement_id = added["line"], added["statementId"]
    assert answer.headers["Location"].endswith(f"/invoices/{number_of('0901')}/ad-hoc-lines/{line['id']}")
    assert (added["invoiceAmount"], added["statementTotal"], line["code"]) == (125.5, 125.5, "4790")
    invoice = app.get(f"invoices/{number_of('0901')}")
    assert (invoice["amount"], invoice["statementId"], invoice["siteNumber"]) == (125.5, statement_id, "0901")
    assert [shown["adHocLineId"] for shown in invoice["lines"]] == [None, line["id"]]
    assert "Broken gate" in words(app, statement_id)

    again = app.call("POST", f"statements/{statement_id}/regenerate", headers={"Idempotency-Key": "anew"})
    wait_until(lambda: app.get(f"statements/{statement_id}")["status"] == "Superseded", app.stack.host)
    assert again.status_code == 202
    made = app.get(f"invoices/{number_of('0901')}")
    assert (made["amount"], made["statementId"] != statement_id) == (125.5, True)
    assert "Broken gate" in words(app, made["statementId"])
    (listed,) = app.get(f"invoices/{number_of('0901')}/ad-hoc-lines")["lines"]
    assert (listed["id"], listed["invoiceNumber"]) == (line["id"], number_of("0901"))

    path = f"invoices/{number_of('0901')}/ad-hoc-lines/{line['id']}"
    removed, replayed, gone = (
        app.call("DELETE", path, headers={"Idempotency-Key": key}) for key in ("gone", "gone", "gone again")
    )
    assert [(one.status_code, one.content) for one in (removed, replayed)] == [(204, b""), (204, b"")]
    assert error_of(gone)["code"] == "AD_HOC_LINE_NOT_FOUND"
    assert app.get(f"statements/{made['statementId']}")["total"] == 100
    assert "Broken gate" not in words(app, made["statementId"])


def test_the_same_request_is_one_line(app: App) -> None:
    first, again = post(app, "0902", "once"), post(app, "0902", "once")

    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert app.get(f"invoices/{number_of('0902')}")["amount"] == 125.5


def test_a_line_on_another_group_makes_its_invoice(app: App) -> None:
    """Rules R52."""
    added = exact(post(app, "0902", "second group", group=2, amount=-10))

    assert added["line"]["invoiceNumber"] == number_of("0902", 2)
    assert app.get(f"invoices/{number_of('0902', 2)}")["amount"] == -10


REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    # case, idempotency key, fields, status, code
    ("without a key", "", {}, 400, "IDEMPOTENCY_KEY_REQUIRED"),
    ("more than two decimals", "k1", {"amount": 1.001}, 400, "BODY_INVALID"),
    ("another type", "k2", {"type": "refund"}, 400, "BODY_INVALID"),
    ("nothing", "k3", {"amount": 0}, 422, "AD_HOC_AMOUNT_INVALID"),
    ("an expense below nothing", "k4", {"type": "reimbursableExpense", "amount": -1}, 422, "AD_HOC_AMOUNT_INVALID"),
    ("a client-paid expense without account", "k5", {"type": "clientPaidExpense"}, 422, "AD_HOC_CODE_INVALID"),
    ("R53: no profit share", "k6", {"type": "nonBillableExpense"}, 422, "AD_HOC_NO_PROFIT_SHARE"),
    ("R52: an unknown group", "k7", {"group": 9}, 422, "AD_HOC_GROUP_UNKNOWN"),
]


@pytest.mark.parametrize(("key", "fields", "status", "code"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refusals(app: App, key: str, fields: dict[str, Any], status: int, code: str) -> None:
    answer = post(app, "0903", key, **fields)

    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert app.get(f"invoices/{number_of('0903')}")["amount"] == 100


def test_an_unknown_invoice_is_not_found(app: App) -> None:
    for path in ("invoices/0999-202610-01-01", "invoices/0999-202610-01-01/ad-hoc-lines"):
        answer = app.call("GET", path)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "INVOICE_NOT_FOUND")


@pytest.mark.parametrize("role", ["contractAdmin", "accountManager", "auditor", "integration", "systemAdmin"])
def test_only_billing_people_add_lines(app: App, role: str) -> None:
    assert post(app, "0903", "theirs", role).status_code == 403

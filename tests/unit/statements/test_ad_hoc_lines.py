"""Lines that people add to statements, on the real use cases over SQLite: what is shown, kept, refused and told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # it comes without types
import pytest
import sqlalchemy as sa

from shared_code.documents import paths
from shared_code.documents.model import from_json
from shared_code.foundation import clock, context, database
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING, Visibility
from shared_code.periods.closing import decide as decide_period
from shared_code.statements.adhoc import repository, service
from shared_code.statements.adhoc.answers import added_lines
from shared_code.statements.adhoc.model import Addition
from shared_code.statements.reading.invoices import invoice_detail
from shared_code.statements.reading.model import StatementDetail
from shared_code.statements.rendering import draw_forgotten
from shared_code.statements.tables import (
    gl_account,
    invoice,
    invoice_line,
    statement,
    statement_document,
    statement_run,
)
from tests.flows.conftest import fixed_fees
from tests.unit.statements.added import add, current, load, remove, save_sharing, shown, wish
from tests.unit.statements.stage import (
    Stage,
    items,
    live_numbers,
    open_sites,
    opened,
    outcomes,
    rooms,
    rows_of,
    save,
    save_rooms,
    send_out,
    standing,
    start,
)

ONE, TWO = "0901-202610-01-01", "0901-202610-02-01"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        yield stage


def billed(stage: Stage, *fees: tuple[str, int], **changes: Any) -> str:
    """A billed October of site 0901 without profit share, forecast as it came, so that nobody has to look."""
    open_sites("0901")
    load("0901", posted="900", expected="1000")
    contract = save("0901", *fees, **changes).contract_id
    stage.bill()
    return contract


def sharing(stage: Stage, *fees: tuple[str, int]) -> str:
    """A billed October of site 0901 with half of a profit of 1,000.00."""
    open_sites("0901")
    load("0901", revenue="1000", posted="900", expected="1500")
    contract = save_sharing("0901", *fees).contract_id
    stage.bill()
    return contract


def refusal(number: str, kind: str = "miscellaneous", **fields: Any) -> BillingError:
    with pytest.raises(BillingError) as refused:
        add(number, kind, **fields)
    return refused.value


def texts(stage: Stage, found: StatementDetail) -> str:
    """The words of the statement's PDF."""
    path = paths.statement_pdf(Period.parse(found.period), found.site_number, found.id, found.version)
    pages = pypdfium2.PdfDocument(stage.stored[path.name])
    return " ".join(page.get_textpage().get_text_range() for page in pages)


# -- what a line does -------------------------------------------------------------------------------------------------


def test_a_line_is_shown_with_new_totals_at_once(stage: Stage) -> None:
    contract = billed(stage, ("100.00", 1), ("50.00", 2))

    answer = add(ONE, amount="25.00", description="Gate 3")

    assert (answer.line.invoice_number, answer.line.amount, answer.line.code) == (ONE, Decimal(25), "4790")
    assert (answer.invoice_amount, answer.statement_total) == (Decimal(125), Decimal(175))
    assert answer.statement_status == "ReadyToSend"
    assert shown(current(contract)) == [(1, "fixedFee", "100.00"), (1, "adHoc", "25.00"), (2, "fixedFee", "50.00")]
    assert [one.amount for one in current(contract).invoices] == [125, 50]


def test_what_was_generated_keeps_its_ids_metadata_and_traces(stage: Stage) -> None:
    """B35, with a line that is printed behind the added ones."""
    contract = sharing(stage)
    first = {line.block: (line.line_id, line.meta, line.trace, line.ordinal) for line in rows_of(invoice_line)}

    add(ONE, "reimbursableExpense", "20.00")

    after = {line.block: (line.line_id, line.meta, line.trace, line.ordinal) for line in rows_of(invoice_line)}
    assert after["fixedFee"] == first["fixedFee"]
    assert after["profitShare"][:3] == first["profitShare"][:3]
    assert [after[block][3] for block in ("fixedFee", "adHoc", "profitShare")] == [1, 2, 3]
    assert current(contract).total == 620


def test_adh_08_a_line_keeps_what_it_is_and_why(stage: Stage) -> None:
    billed(stage)
    answer = add(ONE, "clientPaidExpense", "10.00")

    (line,) = [row for row in rows_of(invoice_line) if row.block == "adHoc"]
    kept, trace = json.loads(line.meta), json.loads(line.trace)
    assert kept == {"isAdhoc": True, "adHocId": answer.line.id, "adHocType": "clientPaidExpense", "invoiceGroup": 1}
    assert trace["inputs"]["author"] == "ann"
    assert trace["inputs"]["reason"] == "agreed by phone"


def test_r52_a_line_on_a_group_without_invoice_makes_one(stage: Stage) -> None:
    groups = [{"id": "g1", "number": 1}, {"id": "g2", "number": 2, "siteNumber": "0955", "customerName": "Owner LLC"}]
    contract = billed(stage, ("100.00", 1), groups=groups)

    answer = add(ONE, amount="5.00", group=2)

    assert (answer.line.invoice_number, answer.invoice_amount) == ("0955-202610-02-01", Decimal(5))
    made = invoice_detail("0955-202610-02-01", EVERYTHING)
    assert (made.group, made.amount) == (2, Decimal(5))
    assert (made.customer_name, made.invoice_date) == ("Owner LLC", date(2026, 10, 31))
    stage.drain()
    assert "0955-202610-02-01" in texts(stage, current(contract))


def test_an_invoice_without_charges_goes_with_its_last_line(stage: Stage) -> None:
    contract = billed(stage, ("100.00", 1), groups=[{"id": "g1", "number": 1}, {"id": "g2", "number": 2}])
    answer = add(ONE, amount="5.00", group=2)

    remove(TWO, answer.line.id)

    assert live_numbers() == [ONE]
    assert current(contract).total == 100
    assert add(ONE, amount="6.00", group=2).line.invoice_number == TWO  # and comes again


def test_a_line_is_removed_by_any_number_of_its_statement(stage: Stage) -> None:
    contract = billed(stage, ("100.00", 1), ("50.00", 2))
    first, second = add(ONE, amount="5.00"), add(TWO, amount="7.00")

    remove(TWO, first.line.id)

    assert shown(current(contract)) == [(1, "fixedFee", "100.00"), (2, "fixedFee", "50.00"), (2, "adHoc", "7.00")]
    assert [line.id for line in added_lines(ONE, EVERYTHING).lines] == [second.line.id]


def test_the_comparison_and_the_review_follow(stage: Stage) -> None:
    """ADH-07 and rules R25: 100.00 more on a revenue account than was expected is beyond the limits."""
    contract = billed(stage, ("100.00", 1), deviationAmount="50.00", deviationPct="5")
    assert current(contract).status == "ReadyToSend"

    answer = add(ONE, amount="100.00")

    assert (answer.statement_status, answer.status_reason) == ("ApprovalTeam", "DEVIATION")
    found = answer.comparison
    assert found is not None
    assert (found.invoiced_revenue, found.total_actual_revenue) == (Decimal(200), Decimal(1100))
    assert (found.forecast_deviation_amount, found.forecast_deviation_percentage) == (Decimal(100), Decimal(10))
    assert found.why == ("DEVIATION",)
    remove(ONE, answer.line.id)
    assert current(contract).status == "ApprovalTeam"  # whoever is to look still looks
    assert current(contract).comparison.forecast_deviation_amount == 0  # type: ignore[union-attr]  # in arrears


def test_a_line_on_an_expense_account_leaves_the_comparison_alone(stage: Stage) -> None:
    contract = billed(stage, ("100.00", 1), deviationAmount="50.00", deviationPct="5")
    before = current(contract).comparison

    add(ONE, "clientPaidExpense", "90.00", code="7170")

    assert current(contract).comparison == before
    assert current(contract).status == "ReadyToSend"


def test_a_contract_in_advance_is_not_compared(stage: Stage) -> None:
    open_sites("0901")
    contract = save("0901", billingType="Advanced").contract_id
    stage.bill("2026-10")

    answer = add("0901-202609-01-01")

    assert (answer.comparison, answer.statement_status) == (None, "ReadyToSend")
    assert current(contract).total == 125


def test_the_pdf_is_drawn_again_in_its_place_and_has_the_line(stage: Stage) -> None:
    contract = billed(stage)
    names = set(stage.stored)
    assert "Broken gate" not in texts(stage, current(contract))

    answer = add(ONE, title="Broken gate", amount="1234.50", description="as agreed")

    assert [row.state for row in rows_of(statement_document)] == ["Pending"]
    stage.drain()
    assert all(word in texts(stage, current(contract)) for word in ("Broken gate", "as agreed", "1,234.50", "1,334.50"))
    assert [row.state for row in rows_of(statement_document)] == ["Rendered"]
    assert {name for name in stage.stored if name.endswith(".pdf")} <= names
    remove(ONE, answer.line.id)
    stage.drain()
    assert "Broken gate" not in texts(stage, current(contract))


def test_a_drawing_that_was_overtaken_by_a_line_does_not_stand(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers draw a statement before and after a line was added, and the one that began first ends last."""
    from shared_code.foundation import blobs
    from shared_code.statements import rendering

    contract = billed(stage)
    found = current(contract)
    put = blobs.put
    overtaken: list[str] = []

    def slow(container: str, name: str, data: bytes, kind: str) -> None:
        if not overtaken:  # this worker has drawn, and is held up before its blob is put
            overtaken.append(name)
            add(ONE, title="Broken gate")
            stage.drain()
            assert [row.state for row in rows_of(statement_document)] == ["Rendered"]
        put(container, name, data, kind)

    monkeypatch.setattr(blobs, "put", slow)
    rendering.render_documents(found.run_id, [found.id], "a message that was late", "c")

    assert overtaken
    assert "Broken gate" in texts(stage, current(contract))
    (row,) = rows_of(statement_document)
    assert row.sha256 == clock.fingerprint(stage.stored[row.blob_path])


def test_the_account_of_a_line_is_that_of_the_configuration_table(stage: Stage) -> None:
    """Rules R34: with the row of the table that serves the month."""
    billed(stage)
    with database.transaction() as work:
        row = {"purpose": "miscellaneous", "effective_from": date(2026, 1, 1), "account": "4123"}
        work.connection.execute(gl_account.insert(), row)

    assert add(ONE).line.code == "4123"


# -- profit share -----------------------------------------------------------------------------------------------------


def test_tv_ma_15_a_client_paid_expense_lowers_the_shared_profit(stage: Stage) -> None:
    """Not on the invoice; the statement is stale until it is made anew, and then the profit is lower by it."""
    contract = sharing(stage)

    answer = add(ONE, "clientPaidExpense", "284.00")

    assert (answer.line.invoice_number, answer.stale_reason) == (None, "PROFIT_CHANGED")
    assert answer.statement_total == 600
    assert answer.stale_since is not None
    stage.regenerate(current(contract).id)
    made = current(contract)
    assert shown(made) == [(1, "fixedFee", "100.00"), (1, "profitShare", "358.00")]
    assert made.stale_since is None


def test_gen_22_a_line_that_changes_the_profit_stays_a_reason_when_it_is_removed(stage: Stage) -> None:
    contract = sharing(stage)
    answer = add(ONE, "nonBillableExpense", "10.00")

    remove(ONE, answer.line.id)

    assert current(contract).stale_reason == "PROFIT_CHANGED"


@pytest.mark.parametrize("kind", ["miscellaneous", "reimbursableExpense"])
def test_other_lines_leave_the_profit_alone(stage: Stage, kind: str) -> None:
    sharing(stage)

    assert add(ONE, kind, "10.00").stale_reason is None


def test_a_line_that_no_invoice_prints_draws_nothing_again(stage: Stage) -> None:
    sharing(stage)

    add(ONE, "nonBillableExpense", "10.00")

    assert [row.state for row in rows_of(statement_document)] == ["Rendered"]


SURVIVE: list[tuple[str, str, bool, str | None, str | None]] = [
    # type, entered, whether profit is shared, the line as it is billed, the profit share
    ("miscellaneous", "-10.00", False, "-10.00", None),
    ("reimbursableExpense", "10.00", False, "10.00", None),
    ("clientPaidExpense", "10.00", False, "-10.00", None),
    ("miscellaneous", "-10.00", True, "-10.00", "500.00"),
    ("reimbursableExpense", "10.00", True, "10.00", "500.00"),
    ("clientPaidExpense", "10.00", True, None, "495.00"),
    ("nonBillableExpense", "10.00", True, None, "495.00"),
]


@pytest.mark.parametrize(("kind", "entered", "shared", "billed_as", "share"), SURVIVE)
def test_a_line_survives_every_regeneration(
    stage: Stage, kind: str, entered: str, shared: bool, billed_as: str | None, share: str | None
) -> None:
    """Billing-flows A.3, item 3: once and twice, and into the version that follows a sent one."""
    contract = sharing(stage) if shared else billed(stage)
    line = add(ONE, kind, entered).line
    wanted = (("fixedFee", "100.00"), ("adHoc", billed_as), ("profitShare", share))
    after = [(1, block, amount) for block, amount in wanted if amount is not None]

    for _ in range(2):
        stage.regenerate(current(contract).id)
        assert shown(current(contract)) == after
        assert [one.id for one in added_lines(ONE, EVERYTHING).lines] == [line.id]
    send_out(contract)
    stage.regenerate(current(contract).id)

    assert (current(contract).version, shown(current(contract))) == (2, after)
    remove(current(contract).invoices[0].number, line.id)
    assert [one.id for one in added_lines(ONE, EVERYTHING).lines] == [line.id]  # the sent one had it
    assert added_lines("0901-202610-01-02", EVERYTHING).lines == ()


def test_r53_a_non_billable_expense_needs_a_profit_share(stage: Stage) -> None:
    billed(stage)

    found = refusal(ONE, "nonBillableExpense")

    assert (found.code, found.kind.status) == ("AD_HOC_NO_PROFIT_SHARE", 422)


# -- nothing left -----------------------------------------------------------------------------------------------------


def test_the_last_line_leaves_a_statement_that_is_made_anew_and_goes(stage: Stage) -> None:
    """A statement of 0.00 does not stay: a run says that there is nothing to bill (rules R56)."""
    open_sites("0901")
    rooms("0901", 100)
    contract = save_rooms("0901").contract_id
    stage.bill()
    line = add(ONE, amount="5.00").line
    rooms("0901", 0)
    stage.regenerate(current(contract).id)
    assert shown(current(contract)) == [(1, "adHoc", "5.00")]

    remove(ONE, line.id)

    waiting = current(contract)
    assert (waiting.stale_reason, waiting.total) == ("LINE_REMOVED", Decimal(5))
    stage.drain()
    assert [row.status for row in standing(contract)] == ["Superseded", "Superseded"]
    assert live_numbers() == []
    last = next(run for run in rows_of(statement_run) if run.source == "ad-hoc-line")
    assert (last.kind, outcomes(last.run_id)) == ("Regenerate", {"nothing_to_bill": 1})
    assert [item.reason for item in items(last.run_id)] == ["NOTHING_TO_BILL"]


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_a_sent_statement_does_not_change(stage: Stage) -> None:
    contract = billed(stage)
    line = add(ONE).line
    send_out(contract)

    assert refusal(ONE).code == "AD_HOC_STATEMENT_SENT"
    with pytest.raises(BillingError) as refused:
        remove(ONE, line.id)
    assert (refused.value.code, refused.value.kind.status) == ("AD_HOC_STATEMENT_SENT", 409)


def test_a_closed_month_does_not_change(stage: Stage) -> None:
    """Rules R41."""
    billed(stage)
    decide_period(Period(2026, 10), "close")

    assert refusal(ONE).code == "PERIOD_CLOSED"


def test_an_invoice_that_was_replaced_is_not_taken_for_another(stage: Stage) -> None:
    open_sites("0901")
    rooms("0901", 50)
    of_rooms = {"kind": "perOccupiedRoom", "enabled": True, "roomRate": "1.00", "group": 2}
    document = fixed_fees("0901", ("100.00", 1), ("10.00", 1))
    groups = [{"id": "g1", "number": 1}, {"id": "g2", "number": 2}]
    contract = save("0901", components=[*document["components"], of_rooms], groups=groups).contract_id
    stage.bill()
    assert live_numbers() == [ONE, TWO]
    rooms("0901", 0)
    stage.regenerate(current(contract).id)

    assert refusal(TWO).code == "STATEMENT_SUPERSEDED"
    with pytest.raises(BillingError, match="no invoice") as refused:
        invoice_detail(TWO, EVERYTHING)
    assert refused.value.code == "INVOICE_NOT_FOUND"


def test_what_is_not_there_or_not_seen_is_not_found(stage: Stage) -> None:
    billed(stage)
    nothing = Visibility(sa.select(invoice.c.number).where(sa.false()))

    assert refusal("0901-202610-09-01").code == "INVOICE_NOT_FOUND"
    for call in (invoice_detail, added_lines):
        with pytest.raises(BillingError) as refused:
            call(ONE, nothing)
        assert refused.value.code == "INVOICE_NOT_FOUND"
    with pytest.raises(BillingError) as refused:
        remove(ONE, "0" * 32)
    assert refused.value.code == "AD_HOC_LINE_NOT_FOUND"


def test_a_line_is_removed_once(stage: Stage) -> None:
    billed(stage)
    line = add(ONE).line
    remove(ONE, line.id)

    with pytest.raises(BillingError) as refused:
        remove(ONE, line.id)

    assert refused.value.code == "AD_HOC_LINE_NOT_FOUND"


def test_adh_03_there_is_one_reimbursable_expense_per_invoice(stage: Stage) -> None:
    billed(stage, ("100.00", 1), ("50.00", 2))
    first = add(ONE, "reimbursableExpense").line

    assert refusal(ONE, "reimbursableExpense").code == "AD_HOC_REIMBURSABLE_TWICE"
    add(TWO, "reimbursableExpense")
    remove(ONE, first.id)
    add(ONE, "reimbursableExpense")


def test_r52_a_group_is_one_of_the_contract(stage: Stage) -> None:
    billed(stage, ("100.00", 1), ("50.00", 2))

    found = refusal(ONE, group=3)

    assert (found.code, [one.field for one in found.details]) == ("AD_HOC_GROUP_UNKNOWN", ["group"])
    assert "there is 1, 2" in found.message


def test_r52_without_grouping_there_is_group_1(stage: Stage) -> None:
    billed(stage, ("100.00", 1), groupingEnabled=False)

    assert refusal(ONE, group=2).code == "AD_HOC_GROUP_UNKNOWN"


def test_a_number_that_another_contract_has_is_refused_with_both(stage: Stage) -> None:
    """Rules R27: the new invoice would have the number of another contract of the site."""
    open_sites("0901")
    first = save("0901", groups=[{"id": "g1", "number": 1}, {"id": "g2", "number": 2}]).contract_id
    second = save("0901", ("70.00", 2), id="second", additional=True).contract_id
    stage.bill()

    found = refusal(ONE, group=2)

    assert found.code == "NUMBER_TAKEN"
    assert first in found.message
    assert second in found.message
    assert shown(current(first)) == [(1, "fixedFee", "100.00")]
    assert added_lines(ONE, EVERYTHING).lines == ()


def test_a_total_beyond_any_month_is_refused(stage: Stage) -> None:
    billed(stage)
    add(ONE, amount="999999999000.00")

    assert refusal(ONE, amount="1000.00").code == "AD_HOC_AMOUNT_INVALID"


# -- once, together, told ---------------------------------------------------------------------------------------------


def test_the_same_request_again_is_one_line(stage: Stage) -> None:
    """Also where the kept answer is lost: the line's id follows from key and request."""
    contract = billed(stage)

    def ask(key: str, **fields: Any) -> Addition:
        with context.acting(context.Context(actor_id="ann", idempotency_key=key)):
            return service.add(ONE, wish(**fields), EVERYTHING)

    first, again, other = ask("k1"), ask("k1"), ask("k2")
    different = ask("k1", amount="30.00")

    assert first == again
    assert len({first.line.id, other.line.id, different.line.id}) == 3
    assert current(contract).total == 180


def test_two_additions_at_once_are_both_in_the_total(stage: Stage) -> None:
    contract = billed(stage)
    together = Barrier(4)

    def one(number: int) -> Addition:
        together.wait(timeout=30)
        return add(ONE, amount=f"{number}.00")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, (1, 2, 4, 8)))

    assert current(contract).total == 115
    assert sorted(amount for _, block, amount in shown(current(contract)) if block == "adHoc") == [
        *("1.00", "2.00", "4.00", "8.00"),
    ]


def test_a_statement_that_was_changed_meanwhile_is_not_overwritten(stage: Stage) -> None:
    billed(stage)
    with database.transaction() as work:
        row = repository.statement_of_number(work.connection, ONE, EVERYTHING)
        assert row is not None
        work.connection.execute(statement.update().values(status="ARReview"))

        assert not repository.change_statement(work.connection, row, {"total": row.total})


def test_the_audit_says_who_did_what_and_why(stage: Stage) -> None:
    contract = billed(stage)
    line = add(ONE, amount="5.00").line
    remove(ONE, line.id)

    with database.reading() as connection:
        chosen = sa.select(audit_event).where(audit_event.c.stream == f"contract/{contract}")
        found = [row for row in connection.execute(chosen.order_by(audit_event.c.sequence)) if row.subject == line.id]
    assert [(row.action, row.actor_id, row.site) for row in found] == [
        ("adHocLine.added", "ann", "0901"),
        ("adHocLine.removed", "ann", "0901"),
    ]
    told = [json.loads(row.body)["data"] for row in found]
    assert [one["total"] for one in told] == [
        {"before": "100.0000", "after": "105.00"},
        {"before": "105.0000", "after": "100.00"},
    ]


def test_the_snapshot_says_what_the_rows_say(stage: Stage) -> None:
    contract = billed(stage, ("100.00", 1), ("50.00", 2))
    add(ONE, amount="5.00")

    (row,) = rows_of(statement_document)
    document = from_json(row.snapshot)

    assert document.total == current(contract).total == 155
    assert [(one.number, one.amount) for one in document.invoices] == [(ONE, Decimal(105)), (TWO, Decimal(50))]


def test_a_document_whose_message_was_lost_is_drawn_after_all(stage: Stage) -> None:
    """The watchdog looks after running runs; this one was done when the line was added (field report 25)."""
    contract = billed(stage, ("100.00", 1))
    add(ONE, amount="25.00")
    stage.waiting.clear()
    assert "Gate repair" not in texts(stage, current(contract))

    assert draw_forgotten() == 1
    stage.drain()

    assert [row.state for row in rows_of(statement_document)] == ["Rendered"]
    assert "Gate repair" in texts(stage, current(contract))
    assert draw_forgotten() == 0


def test_a_document_of_a_run_that_is_at_work_is_left_to_it(stage: Stage) -> None:
    open_sites("0901")
    save("0901")
    run = start().run_id
    stage.deliver("statement-chunks")
    assert (outcomes(run), [row.state for row in rows_of(statement_document)]) == ({"generated": 1}, ["Pending"])

    assert draw_forgotten() == 0

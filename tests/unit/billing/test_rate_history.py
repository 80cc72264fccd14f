"""How a rate became what it is stands with the line that it bills, and with no other (rules R12, R43)."""

from collections.abc import Mapping

from shared_code.billing.calculation import compute
from shared_code.billing.model import Line
from shared_code.contracts.schema import (
    Contract,
    Escalator,
    FeeFixed,
    FixedPct,
    InsuranceFixed,
    PtebPercentage,
    SupportFixed,
)
from shared_code.facts.model import TIMESHEET, SiteFacts
from tests.unit.billing.builders import (
    CONTEXT,
    PERIOD,
    contract,
    facts,
    fees,
    job,
    labor,
    managed,
    money,
    monthly,
    october,
    on_accounts,
    selected,
    service,
    share,
    structure,
)
from tests.unit.contracts import rated


def rise(target: str, **fields: object) -> Escalator:
    """Ten percent more from July on; rates are stated as of June."""
    return rated.rule(FixedPct, target, "July", pct="10", **fields)


def histories(deal: Contract, found: SiteFacts) -> dict[str, object]:
    """What each line says of its rates by its title, None for a line that says nothing."""
    lines: tuple[Line, ...] = compute(rated.terms(deal, str(PERIOD)), found, CONTEXT).lines
    assert lines
    return {line.title: line.trace.inputs.get("rateHistory") for line in lines}


def keys(found: object) -> list[str]:
    assert isinstance(found, Mapping)
    return sorted(found)


def test_a_fee_that_has_risen_says_what_was_stated_and_each_step() -> None:
    deal = contract(fees(service("100")), escalators=(rise("fixedFee.fee"),))

    (line,) = compute(rated.terms(deal, str(PERIOD)), facts(), CONTEXT).lines

    assert str(line.amount) == "110.00"
    assert line.trace.inputs["fee"] == money("110.00")  # what the line had said before is kept
    assert line.trace.inputs["rateHistory"] == {
        "fixedFee/valet/fee": [
            "$100.00 stated as of 2026-06-01 by version 1",
            "2026-07-01: $100.00 to $110.00, 10 % more",
        ]
    }


def test_a_line_with_a_history_keeps_its_steps_and_source_rows() -> None:
    deal = contract(labor(job("VALET", "20", "20")), escalators=(rise("perLaborHour.rate"),))

    (line,) = compute(rated.terms(deal, str(PERIOD)), facts(hours={"VALET": ("8", "1")}), CONTEXT).lines

    assert keys(line.trace.inputs["rateHistory"]) == ["perLaborHour/valet/otRate", "perLaborHour/valet/rate"]
    assert [step.text for step in line.trace.steps] == [
        "8 regular hours at $22.00",
        "1 overtime and holiday hours at $22.00",
        "Both together, since their rates are the same",
    ]
    assert [source.dataset for source in line.trace.facts] == [TIMESHEET]


def test_a_fee_that_stands_as_it_was_stated_has_no_history() -> None:
    assert histories(contract(fees(service("100"))), facts()) == {"Valet": None}


def test_only_the_row_that_has_risen_has_a_history() -> None:
    """Ids are compared without regard to case and spaces, as an escalator names them."""
    rows = fees(service("100", " Valet "), service("200", "Bell"))
    deal = contract(rows, escalators=(rise("fixedFee.fee", target_id="Valet"),))

    found = histories(deal, facts())

    assert keys(found[" Valet "]) == ["fixedFee/valet/fee"]
    assert found["Bell"] is None


def test_only_the_part_of_an_agreement_that_has_risen_has_a_history() -> None:
    """Fee and insurance are of one row, and each has its own rate."""
    agreement = managed(fee=FeeFixed(amount=money("500")), insurance=InsuranceFixed(amount=money("20")))
    deal = contract(agreement, escalators=(rise("managementAgreement.insurance"),))

    found = histories(deal, facts())

    assert keys(found["Insurance"]) == ["managementAgreement/deal/insurance/amount"]
    assert found["Management Fee"] is None


def test_support_and_pteb_of_one_row_are_told_apart() -> None:
    accounts = on_accounts(
        payroll=selected("6002"), pteb=PtebPercentage(pct=money("10")), support=SupportFixed(amount=money("50"))
    )
    deal = contract(accounts, escalators=(rise("billableAccounts.support"), rise("billableAccounts.pteb")))

    found = histories(deal, october(a6002="100"))

    assert keys(found["PTEB"]) == ["billableAccounts/block/pteb/pct"]
    assert keys(found["Support Services"]) == ["billableAccounts/block/support/amount"]


def test_a_rate_of_another_component_is_not_the_lines_own() -> None:
    """The row ids are the same, the components are not."""
    deal = contract(
        fees(service("100", "SD1")),
        share(structure(("10", None), codes=["SD1"])),
        escalators=(rise("fixedFee.fee"),),
    )

    found = histories(deal, facts(revenue=monthly("1000")))

    assert keys(found.pop("SD1")) == ["fixedFee/sd1/fee"]
    assert list(found.values()) == [None]


def test_the_payroll_line_says_nothing_of_rates_that_other_lines_of_its_row_bill() -> None:
    deal = contract(
        on_accounts(payroll=selected("7001"), pteb=PtebPercentage(pct=money("10"))),
        escalators=(rise("billableAccounts.pteb"),),
    )

    found = histories(deal, october(a7001="1000"))

    assert {title: history is not None for title, history in found.items()} == {
        "Site Salaries & Wages": False,
        "PTEB": True,
    }

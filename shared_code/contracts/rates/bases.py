"""Since when each rate of a version is stated, and what has raised it before (rules R43)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson
from pydantic import TypeAdapter

from shared_code.contracts.rates.fields import rates_of
from shared_code.contracts.rates.model import EarlierRules, Rate, RateBase, RateBases
from shared_code.contracts.rates.rules import rules_for, rules_in_force
from shared_code.contracts.schema import Contract, Escalator


@dataclass(frozen=True, slots=True)
class RatedVersion:
    """A version of a contract as far as rates go. `effective_from` None serves from the beginning (rules R12)."""

    version: int
    effective_from: date | None
    contract: Contract
    bases: RateBases


def bases_of_version(
    contract: Contract,
    version: int,
    stated: date,
    effective_from: date | None,
    before: RatedVersion | None,
    corrected: RatedVersion | None = None,
) -> RateBases:
    """The bases of a new version's rates.

    `stated` is the day that its new and changed rates are of: they start a new base there, or at the later start of
    their row. A rate that `before`, the version that served until `effective_from`, states as well inherits its base.
    Where other escalators raise it from now on, those that have raised it so far stay with the base, so that no step
    of the past is taken back or made anew. Without `effective_from` the new version corrects `before` as a whole.
    `corrected` is the version that would have served from the same month on: what it has stated itself, and the new
    one leaves alone, stays stated as it was.
    """
    old = {rate.key: rate for rate in rates_of(before.contract)} if before else {}
    meant = _own_bases(corrected, before)
    rules = rules_in_force(contract)
    found: dict[str, RateBase] = {}
    for rate in rates_of(contract):
        known = old.get(rate.key)
        if (restated := meant.get(rate.key)) is not None and restated.value == rate.value:
            base = restated
        elif before is None or known is None or known.value != rate.value:
            base = RateBase(rate.value, stated, version)
        else:
            base = _inherited(known, before, rules_for(rate, rules), effective_from)
        found[rate.key] = replace(base, since=max(base.since, rate.start or date.min))
    return RateBases(found, stated)


def _own_bases(corrected: RatedVersion | None, before: RatedVersion | None) -> dict[str, RateBase]:
    """The bases that a corrected version does not have from the one before it."""
    if corrected is None or before is None:
        return {}
    bases = ((rate.key, corrected.bases.of(rate)) for rate in rates_of(corrected.contract))
    return {key: base for key, base in bases if base.version > before.version}


def _inherited(known: Rate, before: RatedVersion, now: tuple[Escalator, ...], effective_from: date | None) -> RateBase:
    base = before.bases.of(known)
    so_far = rules_for(known, rules_in_force(before.contract))
    # A version for the beginning of time corrects the other as a whole; there is no time in which that one has served.
    # Any other reaches back to its own day, also where nothing has raised the rate so far.
    if so_far == now or effective_from is None:
        return base
    return replace(base, earlier=(*base.earlier, EarlierRules(effective_from, so_far)))


def bases_json(bases: RateBases) -> str:
    """Bases as they are stored with a version: by key the value as decimal text, the day, the version, past rules."""
    return json.dumps({key: _to_json(base) for key, base in bases.by_key.items()}, separators=(",", ":"))


def read_bases(text: str, otherwise: date) -> RateBases:
    """Stored bases. A rate without one, of a version that was saved before bases were, is stated as of `otherwise`."""
    return RateBases({key: _from_json(found) for key, found in orjson.loads(text).items()}, otherwise)


def _to_json(base: RateBase) -> dict[str, object]:
    value = None if base.value is None else str(base.value)
    found: dict[str, object] = {"value": value, "base": base.since.isoformat(), "version": base.version}
    if base.earlier:
        found["earlier"] = [
            {"before": past.before.isoformat(), "rules": [_rule_json(rule) for rule in past.rules]}
            for past in base.earlier
        ]
    return found


def _rule_json(rule: Escalator) -> dict[str, object]:
    return {"rule": rule.rule, **rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)}


def _from_json(found: Mapping[str, Any]) -> RateBase:
    value, earlier = found["value"], found.get("earlier")
    return RateBase(
        None if value is None else Decimal(value),
        _day(found["base"]),
        found["version"],
        tuple(_earlier(past) for past in earlier) if earlier else (),
    )


def _earlier(past: Mapping[str, Any]) -> EarlierRules:
    return EarlierRules(_day(past["before"]), tuple(_rules().validate_python(past["rules"])))


@lru_cache(maxsize=1024)
def _day(text: str) -> date:
    """Most rates of a portfolio are stated as of a few days."""
    return date.fromisoformat(text)


@lru_cache(maxsize=1)
def _rules() -> TypeAdapter[list[Escalator]]:
    return TypeAdapter(list[Escalator])

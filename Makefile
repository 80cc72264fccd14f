# Every command of the project. Each one sets up what it needs; nothing has to be activated first.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?=
PY := .venv/bin/python
SITES ?= 771
VOLUME ?= full
PERIOD ?=
RATES_AS_OF ?=
SITE ?=
SINCE ?=
GENERATE ?=
DIR ?=
STATE ?= .state/local
PORT ?= 7071
ORACLE_MONTHS ?= 200000
SOURCES := function_app.py functions shared_code localhost sample_data tests

.PHONY: help setup demo run test test-unit test-oracle test-simulation test-flows test-long test-long-slice mutants check contracts-check missed-periods invariants shadow shadow-compare format bench bench-instructions lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-18s %s\n", $$1, $$2}'

setup:
	@PYTHON="$(PYTHON)" localhost/setup.sh

demo: setup ## invent an operator, ingest its month, bill it, print it (SITES=25 VOLUME=light PERIOD=2026-10; default: last month)
	@$(PY) -m localhost.demo --sites $(SITES) --volume $(VOLUME) --period "$(PERIOD)"

run: setup ## the whole app on this machine until Ctrl-C (STATE=.state/local PORT=7071)
	@$(PY) -m localhost --state "$(STATE)" --port $(PORT)

contracts-check: setup ## does every legacy contract under DIR load, and survive its export to the byte (DIR=… RATES_AS_OF=2025-12)
	@test -n "$(DIR)" || { echo "say which folder: make contracts-check DIR=/where/they/are" >&2; exit 2; }
	@$(PY) -m shared_code.contracts.check "$(DIR)" --rates-as-of "$(RATES_AS_OF)"

missed-periods: setup ## months that the contracts of a site have missed (SITE=0901 SINCE=2026-01; GENERATE=1 bills them)
	@test -n "$(SITE)" || { echo "say which site: make missed-periods SITE=0901" >&2; exit 2; }
	@$(PY) -m shared_code.statements.catch_up --site "$(SITE)" --since "$(SINCE)" $(if $(GENERATE),--generate)

test: test-unit test-oracle test-simulation test-flows ## all tests

test-unit: setup ## the pure tests, in seconds
	$(PY) -m pytest tests/unit tests/field_reports tests/stateful -m "not long" -n 2

test-oracle: setup ## 200,000 generated contract-months against a second telling of the rules
	ORACLE_MONTHS=$(ORACLE_MONTHS) $(PY) -m pytest tests/oracle -n 2

test-simulation: setup ## a run with every fault at every boundary, in a simulated world (SIM_SEED, SIM_SCHEDULES)
	$(PY) -m pytest tests/simulation -m "not long" -n 2

# Flows mostly wait for locks, polls and starts: four files at a time keep two cores busy.
test-flows: setup ## the app on real parts: host, bus, storage emulator
	$(PY) -m pytest tests/flows -m "not long" -n 4 --dist loadfile

test-long: setup ## what make test leaves out: soaks, and a month of 50,000 contracts (MANY_CONTRACTS)
	$(PY) -m pytest tests/flows tests/stateful -m long
	SIM_SCHEDULES=$${SIM_SCHEDULES:-2000} $(PY) -m pytest tests/simulation -n 2

test-long-slice: setup ## of each part of test-long so much as CI has time for, in minutes
	MANY_CONTRACTS=$${MANY_CONTRACTS:-1000} $(PY) -m pytest tests/flows/test_many_contracts.py
	STATEFUL_EXAMPLES=$${STATEFUL_EXAMPLES:-40} SIM_SCHEDULES=$${SIM_SCHEDULES:-200} \
		$(PY) -m pytest tests/stateful/test_histories.py::test_long_histories tests/simulation/test_soak.py -n 2

mutants: setup ## breaks the calculators in thousands of ways: each must fail a test, 90 % at least (minutes, outside CI)
	@$(PY) -m tests.mutants.report

check: setup ## format, lint, types, import rules
	.venv/bin/ruff format --check $(SOURCES)
	.venv/bin/ruff check $(SOURCES)
	.venv/bin/mypy
	.venv/bin/lint-imports

format: setup ## put the code into its form
	.venv/bin/ruff format $(SOURCES)
	.venv/bin/ruff check --fix $(SOURCES)

invariants: setup ## what must always be true of the database (STATE=.state/local, or DATABASE_URL)
	@OPERATOR_NAME="$${OPERATOR_NAME:-operator}" DATABASE_URL="$${DATABASE_URL:-sqlite:///$(STATE)/powerbill.sqlite}" $(PY) -m shared_code.operations.invariants

shadow: setup ## bill a folder of drops month by month (DROPS=folder PERIODS=2026-01:2026-09 OUT=file RATES_AS_OF=2025-12)
	@test -n "$(DROPS)" -a -n "$(PERIODS)" -a -n "$(OUT)" || { echo "say what to bill, and where to write it: make shadow DROPS=folder PERIODS=2026-01:2026-09 OUT=file" >&2; exit 2; }
	@$(PY) -m localhost.shadow --drops "$(DROPS)" --periods "$(PERIODS)" --out "$(OUT)" --rates-as-of "$(RATES_AS_OF)"

shadow-compare: setup ## the differences of two such files by site, line and cent (A=file B=file)
	@$(PY) -m localhost.shadow_compare "$(A)" "$(B)"

bench: setup ## the benchmarks, one JSON line each
	@$(PY) -m tests.bench

bench-instructions: setup ## instructions that a contract takes to be closed; the same on a busy machine (needs valgrind)
	@$(PY) -m tests.bench.instructions

lock: ## compile the requirements with hashes, and the npm lock without addresses (needs uv)
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --python-version 3.13 --generate-hashes --universal -q requirements.in -o requirements.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --python-version 3.13 --generate-hashes --universal -q requirements-dev.in -o requirements-dev.txt
	npm install --package-lock-only --silent
	node -e 'const f="package-lock.json",j=JSON.parse(require("fs").readFileSync(f));for(const p of Object.values(j.packages)){delete p.funding;delete p.resolved;if(String(p.license).includes(":/"+"/"))delete p.license}require("fs").writeFileSync(f,JSON.stringify(j,null,2)+"\n")'

clean: ## remove everything that was made here
	rm -rf .venv node_modules mutants .state .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The menu of this project. `make` alone prints it; every target installs what it needs by itself.

# Where nobody names a Python, the installer may prefer the distribution's own: see tools/install.py.
THIS_PYTHON := $(if $(filter undefined,$(origin PYTHON)),,--this-python)
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(PYTHON) tools/install.py $(THIS_PYTHON)
WORKERS ?= 2

.DEFAULT_GOAL := menu
.PHONY: menu try test check fmt lint types imports clients unit compat bench cpu-gate bench-growth bench-scanner bench-run reliability machine quality train wheel docs lock clean

menu:     ## print this menu
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

try:      ## see it work: store a secret, deliver it to a process, find it in the audit log
	@$(INSTALL) server
	@$(BIN)/python tools/try.py

test:     ## everything that CI runs: lint, types, imports, docs, clients' own suites, all tests
	@$(MAKE) --no-print-directory lint types imports compat unit

check:    ## what to run before a commit: fmt, lint, types, imports, docs, unit
	@$(MAKE) --no-print-directory fmt lint types imports docs unit

fmt:      ## format the code and fix what can be fixed safely
	@$(INSTALL) dev
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --quiet --fix .

lint:     ## check style and formatting
	@$(INSTALL) dev
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .

types:    ## check types, strictly, in source and tests
	@$(INSTALL) dev
	$(BIN)/mypy

imports:  ## check who may import whom (.importlinter)
	@$(INSTALL) dev
	$(BIN)/lint-imports

clients:  ## install the clients of others whose journeys are tested: node-vault, and Ansible with its collection for Vault
	@$(INSTALL) dev
	@$(BIN)/python tools/clients.py

unit:     ## run every test, in parallel (WORKERS=2)
	@$(INSTALL) dev
	@$(BIN)/python tools/clients.py
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup --timeout 300

compat:   ## run hvac's own integration suite against the server
	@$(INSTALL) dev
	$(BIN)/python tools/hvac_suite.py

bench:    ## measure beside OpenBao on this machine (needs wrk); WRITE=--write stores the table
	@$(INSTALL) dev
	$(BIN)/python -m bench.run $(WRITE)

cpu-gate: ## hold the processor time of a read and a write to their bars, beside a fixed loop (needs wrk and a quiet machine)
	@$(INSTALL) dev
	$(BIN)/python -m bench.cpu_gate

bench-run: ## measure how long `strongroom run` takes beside `bao kv get`, interleaved; fails above 0.6 of it
	@$(INSTALL) dev
	$(BIN)/python -m bench.start

bench-growth: ## measure what a growing store costs, up to 1M secrets and tokens (a quarter of an hour); WRITE=--write
	@$(INSTALL) dev
	$(BIN)/python -m bench.growth $(WRITE)

bench-scanner: ## measure the scanner beside kingfisher: speed, start, memory, hostile bytes (10 minutes, 10 GB of disk); WRITE=--write
	@$(INSTALL) dev
	@$(INSTALL) bench
	$(BIN)/python -m bench.scanner $(WRITE)

reliability: ## prove that nothing is lost: kills, power loss, disk faults, full disks (20 to 30 minutes, as root); WRITE=--write
	@$(INSTALL) dev
	$(BIN)/python -m reliability.everything $(WRITE)

machine:  ## walk many new ways through a vault and a dictionary beside it, and see every seeded mistake (10 minutes)
	@$(INSTALL) dev
	MACHINE_SEED=random MACHINE_ROUNDS=300 MACHINE_MISTAKES=all $(BIN)/pytest -q -s --timeout 3000 tests/machine

quality:  ## measure the scanner's judge on labelled data, on repositories that its weights were not made from (DATA=folder)
	@$(INSTALL) scanner
	@$(INSTALL) train
	@$(BIN)/python -m tools.train_scorer $(DATA)

train:    ## make the weights of the scanner's judge anew from labelled data (DATA=folder)
	@$(INSTALL) scanner
	@$(INSTALL) train
	@$(BIN)/python -m tools.train_scorer $(DATA) --write

wheel:    ## build both wheels into dist/, reproducibly, with manual pages, completion and units
	@$(INSTALL) cli
	rm -rf dist
	$(BIN)/hatchling build -t wheel -d dist
	cd packaging/strongroom-cli && ../../$(BIN)/hatchling build -t wheel -d ../../dist

docs:     ## bring the generated pages up to date, and check the documentation against the code
	@$(INSTALL) dev
	$(BIN)/python -m tools.reference
	$(BIN)/pytest -q tests/test_docs.py

lock:     ## pin all requirements anew, at versions at least a week old
	@$(INSTALL) lock
	sh tools/lock.sh

clean:    ## remove everything that was made: environment, caches, builds
	rm -rf .venv build dist site .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

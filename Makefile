# hireledger from a checkout. `make` alone lists the targets.
# Needed: make, and Python 3.11 or newer with venv. Everything else goes into .venv, by hash.

PYTHON ?= python3
DEMO_ARGS ?=
SERVE_ARGS ?=
PYTEST_ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test lint format bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: .venv/.ready-dev ## Make .venv from the hash-locked requirements

demo: .venv/.ready-runtime ## Serve a sample hiring season (DEMO_ARGS="--exit" stops after it)
	$(BIN)/hireledger demo $(DEMO_ARGS)

serve: .venv/.ready-runtime ## Serve a ledger (SERVE_ARGS="--data DIR --port N")
	$(BIN)/hireledger serve $(SERVE_ARGS)

test: setup ## Run the tests, three at a time (PYTEST_ARGS="tests/rules" narrows)
	$(BIN)/pytest -n 3 --dist loadfile $(PYTEST_ARGS)

lint: setup ## Check format, style, types, rooms and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/squawk ledger/migrations/*.sql

format: setup ## Put the code into the format that lint expects
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure: how fast the ledger accepts and reads
	$(BIN)/pytest -p no:xdist -s -o python_files="bench_*.py" tests/bench $(PYTEST_ARGS)

lock: setup ## Renew requirements/*.txt from pyproject.toml and requirements/build.in
	$(LOCK) requirements/build.in -o requirements/build.txt
	$(LOCK) pyproject.toml --extra embedded -o requirements/runtime.txt
	$(LOCK) pyproject.toml --extra embedded --extra pdf --extra dev \
		-c requirements/build.txt -c requirements/runtime.txt -o requirements/dev.txt

clean: ## Remove .venv and every cache
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- the environment

# A stamp is written last: an interrupted set-up starts again, a finished one is not repeated
# until a lock or pyproject.toml changes.
.venv/.ready-%: requirements/%.txt requirements/build.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "hireledger needs Python 3.11 or newer as $(PYTHON); name another:" >&2; \
		echo "    make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip; ensurepip.version()' 2>/dev/null || { \
		echo "Python lacks venv, which Debian and Ubuntu package on its own. Install it (as root):" >&2; \
		echo "    apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "Installing requirements/$*.txt into .venv (about half a minute)"
	@$(PIP) --require-hashes --only-binary :all: -r requirements/build.txt -r $<
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# Every target works on a fresh machine with Python 3.11, make and git; each does only what is not yet done.
# ARGS='...' is handed on to the command behind a target.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv/bin

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up -------------------------------------------------------------------------------------
setup: .venv/.installed ## Create .venv with the pinned packages and the commands deployer and forecast-etl

.venv/.installed: requirements/all.txt pyproject.toml packaging/forecast-etl/pyproject.toml
	@scripts/ensure-venv
	@touch $@

engine:
	@scripts/ensure-engine

base: setup engine
	@scripts/ensure-base

data/downloaded: | setup
	@umask 022 && $(VENV)/forecast-etl sample --rows 4950 --out $@.new && mv $@.new $@

compose-env: base data/downloaded ## Write .env for `docker compose` by hand, and sample data to load
	@scripts/compose-env

# --- use ----------------------------------------------------------------------------------------
release: base ## Release the ETL to this machine, for real; DATA=dir loads your files instead of a sample
	@$(if $(DATA),DEPLOYER_DATA="$(abspath $(DATA))") $(VENV)/deployer release --env sandbox $(ARGS)

down: ## Stop the sandbox and everything that it started
	@if [[ -x $(VENV)/deployer ]]; then $(VENV)/deployer sandbox down; fi

clean: down ## Stop the sandbox and remove the environment and all state; the Docker images stay
	rm -rf .venv .deployer .env .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

# --- proof --------------------------------------------------------------------------------------
check: setup ## Lint, types, layers
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports

# Two workers: tests that share a sandbox, a server or an image stay on one (tests/conftest.py).
WORKERS := -n 2 --no-loadscope-reorder

docs: setup ## Write the generated pages of docs/ anew
	$(VENV)/python -m scripts.docs
	$(VENV)/python -m scripts.handbook > docs/how-to/when-it-fails.md

test-fast: setup ## The unit tests: under a minute, without Docker
	$(VENV)/python -m pytest -q -m unit $(WORKERS) $(ARGS)

test: base data/downloaded ## Every test: unit, integration (MongoDB, AWS emulators), Docker, end to end
	$(VENV)/python -m pytest $(WORKERS) $(ARGS)

test-browser: setup ## The pages of `deployer report` in a browser without a screen
	@scripts/ensure-browser
	$(VENV)/python -m pytest -q tests/browser $(ARGS)

test-crash: base ## Kill a release before and after every journal record, resume it, compare; 20 minutes
	$(VENV)/python -m pytest -k crash -o faulthandler_timeout=3600 $(ARGS)

test-fuzz: setup ## Try 5000 other inputs each of what tests/fuzz tries 60 of; FUZZ_EXAMPLES=n for more
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-5000} $(VENV)/python -m pytest -q tests/fuzz $(WORKERS) $(ARGS)

test-faults: base ## Break what the release depends on, one thing at a time
	FAULTED_RELEASES=50 $(VENV)/python -m pytest -k faults $(ARGS)

bench-pipeline: setup ## Measure the pipeline: rows and bytes a second, memory
	$(VENV)/python -m bench.pipeline $(ARGS)

bench-release: base ## Measure a release against the flowchart's own commands, and what the deployer itself uses
	$(VENV)/python -m bench.release $(ARGS)

bench-diagnosis: base ## Measure how long after a task has stopped its cause is known, branch by branch
	$(VENV)/python -m bench.diagnosis $(ARGS)

bench-logs: base ## Measure following logs: lines a second, completeness
	$(VENV)/python -m bench.logs $(ARGS)

bench-scale: setup ## Measure whether costs grow: each at two sizes, against what is wanted
	$(VENV)/python -m bench.scale $(ARGS)

bench-verify: setup ## Measure the checks of deploy.toml on 5,000,000 documents
	$(VENV)/python -m bench.verify $(ARGS)

.PHONY: help setup engine base compose-env release down clean check docs test-fast test test-browser test-crash \
	test-fuzz test-faults \
	bench-pipeline bench-release bench-diagnosis bench-logs bench-scale bench-verify

# Everything a newcomer needs: `make demo` runs the main job, `make test` runs all tests.
# Both make their own environment in .venv from the locked requirements.
.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# uv from the PATH, or a private copy beside the environment.
UV := $(or $(shell command -v uv 2>/dev/null),.venv-uv/bin/uv)

.venv-uv/bin/uv:
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check uv

$(READY): requirements/dev.txt pyproject.toml | $(filter .venv-uv/%,$(UV))
	@echo "Making the environment in .venv (once; packages are downloaded)"
	@test -x $(BIN)/python || $(UV) venv --quiet --python '>=3.11' .venv
	@UV_COMPILE_BYTECODE=1 $(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(READY)

.PHONY: help
help: ## List what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: $(READY) ## Make the environment, nothing else

.PHONY: demo
demo: $(READY) ## One real model, from an empty folder to production and once round the loop
	@$(BIN)/python examples/flights/demo.py $(DEMO)

.PHONY: test
# Hundreds of processes are started: with bytecode none of them compiles the sources again.
test: $(READY) ## All tests, with the floor under branch coverage
	@$(BIN)/coverage erase
	@PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered $(ARGS)

.PHONY: lint
lint: $(READY) ## Style, formatting and the arrows between packages
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache

.PHONY: types
types: $(READY) ## Strict types on source, tests, bench, examples and tools
	@$(BIN)/mypy

.PHONY: audit
audit: $(READY) ## Known vulnerabilities in the locked dependencies
	@$(BIN)/pip-audit --requirement requirements/dev.txt --disable-pip --progress-spinner off

.PHONY: check
check: lint types test ## What CI runs: lint, types, tests

.PHONY: bench
bench: $(READY) ## Start-up times beside the neighbours' (makes their environments)
	@$(BIN)/python bench/startup.py

.PHONY: bench-online
bench-online: $(READY) ## Online scoring beside six neighbours', an hour (BENCH=--quick: minutes)
	@$(BIN)/python -m bench.online $(BENCH)

.PHONY: bench-cold
bench-cold: $(READY) ## Cold start to the first decision, and memory
	@$(BIN)/python -m bench.cold $(BENCH)

.PHONY: bench-lean
bench-lean: $(READY) ## What a lean image installs, and how large it is
	@$(BIN)/python -m bench.lean

.PHONY: bench-batch
bench-batch: $(READY) ## Batch scoring of 2 million rows beside the neighbours' and the engine
	@$(BIN)/python -m bench.batch $(BENCH)

.PHONY: bench-data-snapshot
bench-data-snapshot: $(READY) ## Snapshots beside a plain copy and dvc, and their memory over rows
	@$(BIN)/python -m bench.data_snapshot $(BENCH)

.PHONY: bench-replay
bench-replay: $(READY) ## A day's decisions made again, against the batch that made them
	@$(BIN)/python -m bench.replay $(BENCH)

.PHONY: bench-data-compare
bench-data-compare: $(READY) ## Training against production beside one pass of Polars, and memory
	@$(BIN)/python -m bench.data_compare $(BENCH)

.PHONY: bench-data-features
bench-data-features: $(READY) ## As-of join of training sets beside Polars, DuckDB and Feast
	@$(BIN)/python -m bench.data_features $(BENCH)

.PHONY: bench-data-check
bench-data-check: $(READY) ## A check of 7 million rows beside a bare scan, pandera and Great Expectations
	@$(BIN)/python -m bench.data_check $(BENCH)

.PHONY: docs
docs: $(READY) ## Write the generated reference pages again
	@$(BIN)/python tools/reference.py

.PHONY: lock
lock: ## Resolve the newest versions that work together
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --extra demo --extra otel --extra delta --extra postgres --extra ray --extra redis --extra s3 --extra odcs --group dev --upgrade pyproject.toml -o requirements/dev.txt

.PHONY: clean
clean: ## Remove the environment and everything made
	rm -rf .venv .venv-uv build dist .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis

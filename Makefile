# `make` lists what there is. Everything runs from a fresh clone: set-up is done where it is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest
export OMP_NUM_THREADS ?= 1
# Empty is unset: where nothing compiled is kept, each start of a process takes seconds to compile all it imports.
export PYTHONDONTWRITEBYTECODE :=
# uv: the one on PATH, else one of our own beside the environment.
UV := $(shell command -v uv || echo .venv-uv/bin/uv)
export UV

.PHONY: help setup setup-test check unit unit-privacy unit-others contracts architecture integration e2e test demo bench chaos planted fuzz fuzz-short docs lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed parser programs deploy/kafka/libs/.complete ## install all that running needs
	@echo "setup: ready; the command is $(BIN)/auscult"

setup-test: .venv/.installed parser programs-test deploy/kafka/libs/.complete

.PHONY: parser programs programs-test
# Does nothing where the sources are those that were compiled last, and only says so without a compiler.
parser: | .venv/.installed
	@$(BIN)/python -m cli.compile_parser
programs: | .venv/.installed
	@deploy/setup/programs.sh run
programs-test: | .venv/.installed
	@deploy/setup/programs.sh test

.venv-uv/bin/uv:
	@echo "setup: uv is not here; installing it into .venv-uv"
	@$(PYTHON) -m venv .venv-uv || { echo "setup: python3-venv is missing. Install with: sudo apt-get install python3-venv" >&2; exit 1; }
	@.venv-uv/bin/pip install --quiet uv

.venv/.installed: requirements.lock pyproject.toml | $(filter .venv-uv/bin/uv,$(UV))
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "setup: Python 3.11 or newer is needed, this is %d.%d; set PYTHON=" % v[:2])'
	@[ -x $(BIN)/python ] || { echo "setup: Python environment in .venv"; $(UV) venv --quiet --python $(PYTHON) .venv; }
	@echo "setup: Python packages from requirements.lock (torch is large: minutes when nothing is cached)"
	@$(UV) pip install --python $(BIN)/python --require-hashes --quiet -r requirements.lock
	@$(UV) pip install --python $(BIN)/python --no-deps --quiet -e .
	@$(BIN)/python -c 'import cli.main, services.gateway.app, services.inference.app, services.ingest.app, services.privacy.app'
	@touch $@

deploy/kafka/libs/.complete: deploy/kafka/pom.xml | programs .venv/.installed
	@echo "setup: Kafka's jars from Maven Central"
	@rm -rf deploy/kafka/libs
	@mvn -q -B -Dstyle.color=never -f deploy/kafka/pom.xml dependency:copy-dependencies
	@$(BIN)/python -m cli.kafka_classes
	@touch $@

check: .venv/.installed ## lint, format, types, import contracts
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .import_linter.log || { cat .import_linter.log; exit 1; }

# READY=1 says that set-up is done: two rungs at once must not both look into it.
TEST_READY := $(if $(READY),,setup-test)

unit contracts architecture integration e2e: $(TEST_READY)
	@$(PYTEST) tests/$@ $(ARGS)

# Two halves of `unit`, so that neither of two cores waits for the other at the end.
unit-privacy: $(TEST_READY)
	@$(PYTEST) tests/unit/privacy
unit-others: $(TEST_READY)
	@$(PYTEST) tests/unit --ignore tests/unit/privacy

test: setup-test ## every rung, two at a time: check, unit, integration, e2e, fuzz, contracts, architecture
	@deploy/setup/rungs.sh integration unit-others e2e unit-privacy check architecture fuzz-short contracts

demo: setup ## the whole stack and a simulated hospital day; prints the page's address
	@$(BIN)/auscult demo $(ARGS)

bench: setup ## all benchmarks, ours and their peers
	@$(BIN)/auscult bench all $(ARGS)

chaos: setup-test ## kill every process in turn under a running feed; three seeds
	@$(PYTEST) tests/e2e/test_chaos.py --chaos-seeds 1,2,3 $(ARGS)

planted: setup-test ## a thousand patients with an identifier in every field; search all that is left for any
	@$(PYTEST) tests/e2e/test_no_identity_leaves.py --planted-patients 1000 --timeout 3600 -o junit_family=xunit1 --junitxml .planted.xml $(ARGS)
	@$(BIN)/python -c 'import re, pathlib; print(*re.findall(r"name=\"(patients|bytes_searched)\" value=\"(\d+)\"", pathlib.Path(".planted.xml").read_text()))'

fuzz: setup-test ## ten minutes of made-up bytes for the parser and the framing
	@$(PYTEST) tests/fuzz --fuzz-seconds 600 --timeout 900 $(ARGS)

fuzz-short: $(TEST_READY)
	@$(PYTEST) tests/fuzz $(ARGS)

docs: .venv/.installed ## write docs/settings.md, docs/metrics.md and the schemas from the code
	@$(BIN)/python -m cli.documentation
	@$(BIN)/python -m contracts.schema

lock: | $(filter .venv-uv/bin/uv,$(UV)) ## pin all Python packages with their hashes
	@$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links --extra dev pyproject.toml -o requirements.lock
	@$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links deploy/setup/rootless.in -o deploy/setup/rootless.lock

clean: ## remove what was built (not .auscult, the stack's state)
	@rm -rf .venv .venv-uv services/ingest/_compiled deploy/kafka/libs dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .import_linter.log

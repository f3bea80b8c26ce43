# Everything here works on a fresh clone with Python 3.11 or newer and make. The tests also need Go 1.25 or newer and
# Prometheus' and Alertmanager's own tools, which tools/install-test-tools.sh fetches where it can.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SOURCE := sloforge tests bench handbook

# Tools that tools/install-test-tools.sh had to unpack; anything on PATH wins over them.
export PATH := $(PATH):$(CURDIR)/.tools/usr/bin:$(CURDIR)/.tools/usr/sbin

# Two more than the usual two cores: the live tests mostly wait for Prometheus to count. They start first.
WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help generate test story check format bench docs clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

generate: $(READY) ## compile slo_definitions.yml into generated/
	$(BIN)/sloforge generate

test: $(READY) ## run every test, real Prometheus included
	@tools/install-test-tools.sh
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

story: $(READY) ## have an engine tell all four weeks of tests/rules/story.py
	@tools/install-test-tools.sh
	SLOFORGE_STORY=whole $(BIN)/pytest tests/rules/test_story.py

check: $(READY) ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put the code in the form that `make check` asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## print each figure beside its peer's
	$(BIN)/python -m bench

# NO_MKDOCS_2_WARNING: the theme's notice about its successor is no finding of ours.
docs: $(READY) ## build the docs site into build/site, links and all checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

clean: ## remove what make has made; generated/ is committed and stays
	rm -rf $(VENV) .tools bench/.peer build dist tests/engine/bin tests/deploy/bin
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(SOURCE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "sloforge needs Python 3.11 or newer; run: make PYTHON=/path/to/python3.11" >&2; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements-dev.lock --editable '.[dev]'
	@touch $@

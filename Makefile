# Every target makes the virtual environment it needs by itself.
VENV ?= .venv
PYTHON ?= $(firstword $(foreach v,3.13 3.12 3.11,$(shell command -v python$(v) 2>/dev/null)) python3)
ARGS ?=
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help train test lint types bench constraints clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

train: $(INSTALLED)  ## install what is missing, train the default recipe on MNIST (ARGS="--epochs 3" adds options)
	$(BIN)/digitcli train $(ARGS)

test: $(INSTALLED)  ## install what is missing, run the tests (ARGS="-k onnx" adds options)
	$(BIN)/python -m pytest $(ARGS)

lint: $(INSTALLED)  ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)  ## strict types over src
	$(BIN)/mypy

bench: $(INSTALLED)  ## measure start-up and the recipes (about 15 minutes on 2 cores)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/recipes.py

constraints:  ## write constraints.txt anew from the newest packages that fit pyproject.toml
	tools/make_constraints.sh $(PYTHON)

clean:  ## remove the virtual environment, caches and build leftovers
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

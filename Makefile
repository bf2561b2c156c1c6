# Every target creates the virtual environment that it needs.
VENV ?= .venv
# the first Python of a supported version
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)
ARGS ?=
# pen strokes that name their writers, to fit the reader's scores with
SOURCE ?=
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help train test test-fast lint types bench bench-long pretrained pretrained-detector constraints clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' Makefile

$(INSTALLED): pyproject.toml constraints.txt
	@[ -n "$(PYTHON)" ] || { echo "digitcli needs Python 3.11, 3.12 or 3.13; found none"; exit 1; }
	@PYTHON=$(PYTHON) tools/install_system_packages.sh venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

train: $(INSTALLED)  ## install what is missing, train the default recipe on MNIST (ARGS="--epochs 3" adds options)
	@tools/install_system_packages.sh opencv
	$(BIN)/digitcli train $(ARGS)

test: $(INSTALLED)  ## install what is missing, run the tests (ARGS="-k onnx" adds options)
	@tools/install_system_packages.sh opencv tests
	$(BIN)/python -m pytest --numprocesses 2 $(ARGS)

test-fast: $(INSTALLED)  ## run the fast tests, which need neither screen nor browser
	@tools/install_system_packages.sh opencv
	$(BIN)/python -m pytest --numprocesses 2 -m "not slow and not gui and not browser" $(ARGS)

lint: $(INSTALLED)  ## check style, format and the imports between packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(INSTALLED)  ## check types in src, strictly
	$(BIN)/mypy

bench: $(INSTALLED)  ## run the benchmarks: start-up, recipes, peers, scaling, reading and serving (half an hour or more on 2 cores)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/command.py
	$(BIN)/python benchmarks/operations.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/recipes.py
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/handwriting.py --as-pages
	$(BIN)/python benchmarks/drawing.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/serving.py

bench-long: $(INSTALLED)  ## train the long recipes for the table of recipes (two hours or more)
	$(BIN)/python benchmarks/recipes.py --recipes best ensemble pretrained

pretrained: $(INSTALLED)  ## retrain the pretrained model (about an hour on 2 cores)
	$(BIN)/digitcli train --config pretrained --artifacts build/pretrained
	cp build/pretrained/model.onnx build/pretrained/run.json src/digitcli/recognition/pretrained/

pretrained-detector: $(INSTALLED)  ## retrain the pretrained detector (about 80 minutes on 2 cores; SOURCE=FILE adds writers)
	$(BIN)/digitcli train --config detector --epochs 16 --artifacts build/pretrained-detector
	cp build/pretrained-detector/detector.onnx build/pretrained-detector/detector-run.json src/digitcli/recognition/pretrained/
	$(BIN)/python benchmarks/fit_scoring.py $(if $(SOURCE),--source $(SOURCE))

constraints:  ## update constraints.txt to the newest packages that pyproject.toml allows
	tools/make_constraints.sh

clean:  ## remove the virtual environment, caches and build files
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

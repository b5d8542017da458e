# SPDX-License-Identifier: GPL-2.0-or-later
# `make demo` judges one real QEMU, `make check` runs every test; both set up what they need.

VENV := .venv
BIN := $(VENV)/bin
SOURCES := setup.py README.md $(shell find avocado_migdowntime tests variants images -type f -not -name '*.pyc')
RESULTS := results

.PHONY: demo check bench packages browser lint types wheel clean

demo: packages $(VENV)/installed
	$(BIN)/avocado run --job-results-dir $(RESULTS) --migdowntime-arch ppc64 --migdowntime-page-size 2M \
		migdowntime:expected-downtime
	@echo
	@$(BIN)/avocado migdowntime analyze $(RESULTS)/latest/test-results/*/data/trace.jsonl

check: browser $(VENV)/installed-dev lint types wheel
	$(BIN)/python -m pytest -q --durations=10 selftests

bench: packages $(VENV)/installed-dev
	$(BIN)/python bench/run.py

lint: $(VENV)/installed-dev
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .

types: $(VENV)/installed-dev
	$(BIN)/mypy

wheel: $(VENV)/installed-dev
	tools/try-wheel $(BIN)/python

packages:
	@tools/packages

browser:
	@tools/packages chromium libatomic1

$(VENV)/bin/python:
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet 'setuptools<80.9' wheel

$(VENV)/installed: $(VENV)/bin/python $(SOURCES)
	$(BIN)/pip install --quiet --no-build-isolation .
	@rm -rf build *.egg-info
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/pip install --quiet --no-build-isolation '.[dev,images]'
	@rm -rf build *.egg-info
	@touch $@

clean:
	rm -rf $(VENV) $(RESULTS) build dist *.egg-info

# Which changes of the pure core does no quick test notice? Goes on where it was ended; one room by ROOM=comparison.
.PHONY: mutants
mutants: $(VENV)/installed-dev
	$(BIN)/python tools/mutants.py $(ROOM)

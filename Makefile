# SPDX-License-Identifier: GPL-2.0-or-later
# `make test` runs the tests that need nothing but Python, `make demo` judges one real QEMU, `make check` runs every
# test; all set up what they need.

VENV := .venv
BIN := $(VENV)/bin
SOURCES := setup.py README.md $(shell find avocado_migdowntime tests variants images -type f -not -name '*.pyc')
RESULTS := results
QUICK := selftests/fast selftests/property
PYTEST := $(BIN)/python -m pytest -q
# As many at a time as there are CPUs; those that share what takes long to set up one after the other.
AT_ONCE := -n auto --dist loadgroup

.PHONY: test demo check coverage beside alone golden bench packages browser lint types wheel clean

test: $(VENV)/installed-dev
	$(PYTEST) $(AT_ONCE) $(QUICK)

demo: packages $(VENV)/installed
	$(BIN)/avocado run --job-results-dir $(RESULTS) --migdowntime-arch ppc64 --migdowntime-page-size 2M \
		migdowntime:expected-downtime
	@echo
	@$(BIN)/avocado migdowntime analyze $(RESULTS)/latest/test-results/*/data/trace.jsonl

check: browser $(VENV)/installed-dev lint types coverage beside wheel alone

# The quick tests, and how much of the pure core they go through (pyproject.toml says what that is).
coverage: $(VENV)/installed-dev
	$(PYTEST) $(AT_ONCE) --cov --cov-report=term:skip-covered $(QUICK)

# The other tests that may run beside each other, then those that may not.
beside: browser $(VENV)/installed-dev
	$(PYTEST) $(AT_ONCE) --durations=10 -m 'not alone' $(addprefix --ignore=,$(QUICK)) selftests

alone: browser $(VENV)/installed-dev
	$(PYTEST) --durations=10 -m alone selftests

golden: $(VENV)/installed-dev
	$(BIN)/python -m selftests.support.golden

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

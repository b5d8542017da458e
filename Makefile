# SPDX-License-Identifier: GPL-2.0-or-later
# `make test` runs the quick tests, which need nothing but Python, `make demo` judges one real QEMU, `make check` runs every
# test; all set up what they need.

VENV := .venv
BIN := $(VENV)/bin
SOURCES := setup.py README.md $(shell find avocado_migdowntime tests variants images -type f -not -name '*.pyc')
RESULTS := results
FAST := selftests/fast
# Property tests, each of which takes long, first: so no process ends with one while others have nothing left.
QUICK := selftests/property $(FAST)
NEEDS_THE_HOST := selftests/root selftests/network
NOT_QUICK := $(addprefix --ignore=,$(QUICK)) selftests
PYTEST := $(BIN)/python -m pytest -q
# The quick tests hardly wait, so more at a time would only be read once more.
QUICK_AT_ONCE = -n $(shell nproc) --dist worksteal
# One more at a time than there are CPUs, as some wait; where a module's tests share what takes long to set up, modules.
MODULES_AT_ONCE = -n $(shell expr $$(nproc) + 1) --dist loadscope
# Tests of hosts mostly wait for each other's machines.
HOSTS_AT_ONCE = -n $(shell expr $$(nproc) + 3) --dist loadscope

# Tests start many a Python: what was compiled for one is there for the next.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: test demo check coverage unwatched alone apart others beside golden bench packages demo-packages browser libvirt lint types sources wheel clean
# One after the other, but for what `check` has done side by side.
ifneq ($(SIDE_BY_SIDE),yes)
.NOTPARALLEL:
else
wheel: alone # It judges a QEMU as well, which those that run alone would disturb.
endif

test: $(VENV)/installed-dev
	$(PYTEST) $(QUICK_AT_ONCE) --hypothesis-profile fewer -m 'not long' $(QUICK)

demo: demo-packages $(VENV)/installed
	@$(BIN)/python tools/demo.py $(RESULTS)

check: browser $(VENV)/installed-libvirt lint
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target SIDE_BY_SIDE=yes alone apart audit wheel
	@$(MAKE) --no-print-directory beside

# The fast tests; of those that are watched, how much of the pure core they go through (pyproject.toml says what that is).
coverage: $(VENV)/installed-dev
	$(PYTEST) $(QUICK_AT_ONCE) --cov --cov-report=term:skip-covered -m watched $(FAST)

unwatched: $(VENV)/installed-dev
	$(PYTEST) $(QUICK_AT_ONCE) -m 'not watched' $(FAST)

# What judges timing, or takes of the host what there is one of: one at a time.
alone: browser $(VENV)/installed-libvirt
	$(PYTEST) --durations=10 -m alone $(NOT_QUICK)

# Meanwhile what is no test of the host, on what those leave of the processors: they mostly wait.
apart: browser $(VENV)/installed-dev
	tools/apart $(MAKE) --no-print-directory SIDE_BY_SIDE=no types sources coverage unwatched others

others: browser $(VENV)/installed-dev
	$(PYTEST) $(MODULES_AT_ONCE) --durations=10 -m 'not alone' $(addprefix --ignore=,$(FAST) $(NEEDS_THE_HOST)) selftests

# Then what needs the host's network or root, and may run beside each other.
beside: $(VENV)/installed-libvirt
	$(PYTEST) $(HOSTS_AT_ONCE) --durations=10 -m 'not alone' $(NEEDS_THE_HOST)

golden: $(VENV)/installed-dev
	$(BIN)/python -m selftests.support.golden

bench: packages $(VENV)/installed-dev
	$(BIN)/python -m bench.run

lint: $(VENV)/installed-dev
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/codespell

types: $(VENV)/installed-dev
	$(BIN)/mypy

# What is published, as it is described.
sources: $(VENV)/installed-dev
	$(BIN)/python setup.py --quiet sdist --dist-dir $(VENV)/sdist
	@rm -rf *.egg-info
	$(BIN)/twine check --strict $(VENV)/wheel/*.whl $(VENV)/sdist/*.tar.gz

wheel: $(VENV)/tried/installed
	tools/try-wheel use $(VENV)/tried

packages:
	@tools/packages

demo-packages:
	@tools/packages venv qemu-system-ppc64

browser: packages
	@tools/packages chromium libatomic.so.1

libvirt: packages
	@tools/packages libvirtd libvirt_driver_qemu.so virsh pkg-config libvirt.pc cc Python.h

# What follows is set up once. A step that is done has left its file in the environment; one that failed or was killed
# has left none, and is done again.

$(VENV)/made: tools/locked-build.txt
	@tools/environment make $(VENV)

# The one wheel that all use.
$(VENV)/built: $(VENV)/made $(SOURCES)
	@rm -rf $(VENV)/wheel build *.egg-info
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(VENV)/wheel .
	@rm -rf build *.egg-info
	@touch $@

$(VENV)/tried/installed: $(VENV)/built tools/locked-run.txt
	@nice tools/try-wheel install $(VENV)/tried $(VENV)/wheel/*.whl
	@touch $@

# The very releases that `make locked` has chosen. By itself pip leaves a package alone that has the version of the wheel.
$(VENV)/installed: $(VENV)/built tools/locked-run.txt
	@tools/environment pip $(VENV) install --quiet --require-hashes --requirement tools/locked-run.txt
	@tools/environment pip $(VENV) install --quiet --force-reinstall --no-deps $(VENV)/wheel/*.whl
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed tools/locked.txt
	@tools/environment pip $(VENV) install --quiet --require-hashes --requirement tools/locked.txt
	@touch $@

# Its Python binding is compiled: whoever runs the quick tests alone needs neither.
$(VENV)/installed-libvirt: $(VENV)/installed-dev tools/locked-libvirt.txt | libvirt
	@tools/environment pip $(VENV) install --quiet --no-build-isolation --require-hashes --requirement tools/locked-libvirt.txt
	@touch $@

# Are vulnerabilities known of what is installed? Says where no database is to be had.
.PHONY: audit locked
audit: $(VENV)/installed-dev
	@$(BIN)/python tools/audit.py

# Choose the releases that are installed anew.
locked: $(VENV)/made tools/locked-lock.txt
	@tools/environment pip $(VENV) install --quiet --require-hashes --requirement tools/locked-lock.txt
	$(BIN)/python tools/lock.py

clean:
	rm -rf $(VENV) $(RESULTS) .mutants build dist *.egg-info

# Does a part of a recording, in any form, ever say something else than the whole? 100 000 cases; docs/theory.md has
# the table that it prints.
.PHONY: contradictions
contradictions: $(VENV)/installed-dev
	nice -n 19 $(BIN)/python -m bench.contradictions --cases 100000 --processes 2

# Which changes of the pure core does no quick test notice? Goes on where it was ended; one room by ROOM=comparison,
# a sample at random by SAMPLE=1000, another one by SEED=2.
.PHONY: mutants
mutants: $(VENV)/installed-dev
	$(BIN)/python -m tools.mutants $(ROOM) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

# The quick set with each Python and on each QEMU that is here, which takes some minutes for each Python.
.PHONY: versions
versions: packages $(VENV)/built
	$(VENV)/bin/python -m tools.versions

# Each fault at each moment of a job, three times: some hours, or SECONDS; it goes on where it was ended. The page
# docs/faults.md is made of it.
.PHONY: faults
faults: packages $(VENV)/installed-dev
	@tools/packages cc
	$(BIN)/python -m selftests.support.fault_runs --repeat 3 $(if $(SECONDS),--seconds $(SECONDS))

# Every reader of what others made on inputs that a fuzzer makes up: RUNS of them each, SECONDS at most, MATCH for some.
.PHONY: fuzz
RUNS := 1000000
fuzz: $(VENV)/installed-fuzz
	nice -n 19 $(BIN)/python -m bench.fuzz --runs $(RUNS) --match '$(MATCH)' $(if $(SECONDS),--seconds $(SECONDS))

$(VENV)/installed-fuzz: $(VENV)/installed-dev tools/locked-fuzz.txt
	@tools/environment pip $(VENV) install --quiet --require-hashes --requirement tools/locked-fuzz.txt
	@touch $@

# The default matrix again and again for SECONDS, an hour by default: does anything pile up?
.PHONY: soak
soak: packages $(VENV)/installed-dev
	$(BIN)/python -m bench.soak $(if $(SECONDS),--seconds $(SECONDS))

# Each way to migrate on each QEMU that is here, some half an hour; goes on where it was ended. Writes docs/features.md.
.PHONY: features
features: packages $(VENV)/installed-dev
	$(BIN)/python -m tools.features

# Each known fault on each QEMU that is here, over TLS, by multifd and by xbzrle, some 40 minutes; goes on where it was
# ended. Writes docs/found.md.
.PHONY: found
found: packages $(VENV)/installed-dev
	$(BIN)/python -m bench.found

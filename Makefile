# `make demo` and `make test` need nothing but Python 3.11 or newer and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := build/demo
READY := $(VENV)/.ready
# Three processes for two cores: much of what is tested waits, for a signal or for the end of a time.
PROCESSES := $(shell $(PYTHON) -c "import os; print(3 * (os.cpu_count() or 1) // 2)")
TEST := $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile

.PHONY: help demo test check test-without-posix format bench bench-accuracy fuzz fuzz-guided faults mutants promise try-tools audit fixtures docs site changelog lock sbom deb man clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dupfind needs Python 3.11 or newer; say make PYTHON=python3.11, for example")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python .ci/install dev
	@touch $@

demo: $(READY) ## Build two small photo trees and run the main job on them
	@$(BIN)/python -m fixtures $(DEMO)
	@echo
	@echo '$$ dupfind scan --haystack Masters --needles Josie_Backup'
	@cd $(DEMO) && $(CURDIR)/$(BIN)/dupfind scan --haystack Masters --needles Josie_Backup --cache ../demo-cache.sqlite; \
		code=$$?; echo; echo "exit code $$code"; test $$code -eq 1

fixtures: $(READY) ## Build the two photo trees of the demo only
	@$(BIN)/python -m fixtures $(DEMO)

test: $(READY) ## Run the fast tests, in less than two minutes on two cores
	$(TEST) -m "not slow"

check: $(READY) ## The whole gate: format, lint, imports, types, docs drift, all tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/mypy
	$(BIN)/python -m docs.generate --check
	$(TEST)
	$(BIN)/python -m tests.helpers.no_posix -q -m "not slow" $(PORTABLE)

# What looks at files, folders, processes and caches, without what only POSIX has: about a minute of processor time.
PORTABLE := $(patsubst %,tests/test_%.py,walk roots pipeline verdict archives output source tasks final_check file_lists hostile_names exact_hashes)

test-without-posix: $(READY) ## Run the fast tests over a program that has nothing of POSIX: no fork, timers, users, handles of folders
	$(BIN)/python -m tests.helpers.no_posix --numprocesses $(PROCESSES) --dist loadfile -m "not slow"

format: $(READY) ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

docs: $(READY) ## Write the parts of the docs that are made from the program, and build the site
	$(BIN)/python -m docs.images
	$(BIN)/python -m docs.screens
	$(BIN)/python -m docs.generate
	$(MAKE) site

# Not --quiet: it hides warnings from `strict` too, so that a link that leads nowhere would pass.
site: $(READY) ## Build the docs as a site in build/site
	@test -x $(BIN)/mkdocs || $(BIN)/python .ci/install docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

lock: ## Pin what the container, the Debian package and the release are made of, to the newest that fits
	@test -x build/uv/bin/uv || { $(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet --disable-pip-version-check uv; }
	UV=build/uv/bin/uv packaging/lock.sh

sbom: ## Write the bill of materials of what the lock pins, build/dupfind.cdx.json
	@test -x build/sbom/bin/cyclonedx-py || { $(PYTHON) -m venv build/sbom && \
		build/sbom/bin/pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=5,<8'; }
	build/sbom/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
		--sv 1.6 --of JSON -o build/dupfind.cdx.json packaging/lock.txt

deb: ## Build the Debian package beside this folder (needs debhelper and an index)
	dpkg-buildpackage --unsigned-source --unsigned-changes --build=binary

changelog: $(READY) ## Show what the changelog of the next release would say
	$(BIN)/towncrier build --draft --version next

man: $(READY) ## Show the manual page as it would be installed
	$(BIN)/python -m docs.generate
	man -l docs/man/dupfind.1

bench: $(READY) ## Measure against djpeg and find (see benchmarks/README.md)
	$(BIN)/python -m benchmarks.cold
	$(BIN)/python -m benchmarks.warm

bench-accuracy: $(READY) ## Measure how often the verdicts are right, and write docs/accuracy.md and docs/accuracy-kinds.md
	$(BIN)/python -m benchmarks.accuracy --write docs/accuracy.md --kinds docs/accuracy-kinds.md --failures build/accuracy-failures.csv
	$(BIN)/python -m benchmarks.film_accuracy --write docs/accuracy.md
	$(BIN)/python -m benchmarks.losses --every --size all --pictures 200 --write docs/accuracy-kinds.md --out build/losses.csv

audit: $(READY) ## Ask the advisory database about the versions that are installed (needs a network)
	@test -x build/audit/bin/pip-audit || { $(PYTHON) -m venv build/audit && build/audit/bin/pip install --quiet --disable-pip-version-check pip-audit; }
	build/audit/bin/pip-audit --skip-editable --progress-spinner off --path $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

mutants: $(READY) ## Break each safety rule and see that a test fails (half an hour)
	$(BIN)/python -m faults.mutants

promise: $(READY) ## Break the safety rules that the machine of the promise has to see, and see that it does (ten minutes)
	$(BIN)/python -m faults.mutants --promise

try-tools: ## Install the wheel with pipx and with uv, and run selftest there (asks the package index)
	packaging/try-tools.sh

fuzz: $(READY) ## Break 10,000 pictures and many more outlines, and see that nothing else breaks (see docs/hostile.md)
	$(BIN)/python -m fuzz.pictures --keep build/fuzz
	$(BIN)/python -m fuzz.parsers

fuzz-guided: $(READY) ## Break what our parsers read, guided by coverage (atheris), a minute each (see docs/hostile.md)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python .ci/install fuzz
	$(BIN)/python -m fuzz.guided

faults: $(READY) ## Break things on purpose by the hundred: half an hour and more
	$(BIN)/python -m faults.rot
	$(BIN)/python -m faults.crowd
	$(BIN)/python -m faults.disk
	$(BIN)/python -m faults.kills

clean: ## Remove everything that was built
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

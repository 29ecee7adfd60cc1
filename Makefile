# Every target sets itself up in .venv: python3, make and git are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DJANGO := EMBEDDED=on VAR_DIR=$(VENV)/var $(BIN)/python manage.py
MESSAGES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))
SLOW := faults or fuzz or journey

.PHONY: run test test-all check bench pictures format messages lock help
.DEFAULT_GOAL := help

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

run: $(VENV)/run.done $(MESSAGES)  ## the dashboard on this machine, with emulated workspaces unless one is configured
	@exec $(BIN)/python -m dashboard.run

test: $(VENV)/dev.done $(MESSAGES)  ## all that Python packages alone allow
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not ($(SLOW))"
	@$(BIN)/python -m tests.needs

test-all: test  ## also faults, fuzzing, a real browser, accessibility, PostgreSQL
	$(BIN)/python -m pytest -m "$(SLOW)"
	$(BIN)/python -m pytest -n 2 -m "hypothesis and not ($(SLOW))" --hypothesis-profile=long
	$(BIN)/python -m tests.on_postgresql

check: $(VENV)/dev.done $(MESSAGES)  ## style, types, imports, templates, migrations, translations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	EMBEDDED=on VAR_DIR=$(VENV)/var $(BIN)/mypy dashboard endpoints_app tests/harness.py
	$(BIN)/lint-imports --no-logo
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(DJANGO) check --fail-level WARNING
	$(DJANGO) makemigrations --check --dry-run
	$(DJANGO) catalogue check

bench: $(VENV)/dev.done $(MESSAGES)  ## what requests cost, as ratios to a bare view of the same run
	$(BIN)/python -m tests.bench

pictures: $(VENV)/dev.done $(MESSAGES)  ## the pictures of the README, from the running program
	$(BIN)/python -m tests.pictures

format: $(VENV)/dev.done  ## put code and templates in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djade --target-version 5.2 $$(git ls-files 'templates/*.html')

messages: $(VENV)/dev.done  ## take new strings over into the catalogues
	$(DJANGO) catalogue update

lock: $(VENV)/dev.done  ## lock the dependencies anew, with hashes and without addresses
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group dev --group clients -c requirements/run.txt -o requirements/dev.txt
LOCK := -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Serving Desk needs Python 3.11 or newer; PYTHON=python3.x names another one."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make environments: install your system's python3-venv package."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run.done: requirements/run.txt | $(VENV)/made
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/dev.done: requirements/dev.txt | $(VENV)/made
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@ $(VENV)/run.done

%.mo: %.po | $(VENV)/run.done
	$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

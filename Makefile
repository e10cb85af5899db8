# What a developer does with this checkout. Everything that it installs goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TEST_PROCESSES ?= 2

# The checks import the settings, which keep state beside the database: not beside the data of a running service.
CHECK := SKG_DB_PATH="$(CURDIR)/$(VENV)/checks/skg.db"
PYTEST := $(BIN)/pytest -n $(TEST_PROCESSES) --dist worksteal
# Measuring takes nearly as long again as what is measured. Both databases have code of their own; what crosses
# processes has none.
MEASURED := $(PYTEST) --cov --cov-report= --cov-fail-under=0
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-cache-dir

.DEFAULT_GOAL := help
.PHONY: help install run test test-quick test-long bench lint format clean

help:  ## show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed  ## make .venv with what the service needs

run: $(VENV)/installed  ## install, migrate, make the first user and key, serve on port 7777 (SKG_PORT)
	@$(BIN)/python manage.py migrate --no-input --verbosity 0
	@SKG_LOG_LEVEL=WARNING $(BIN)/python manage.py bootstrap
	@exec $(BIN)/gunicorn -c deploy/gunicorn.conf.py skg_site.asgi:application

test: lint  ## every check, then the tests on SQLite, on PostgreSQL, and of three services behind nginx; with coverage
	$(BIN)/coverage erase
	$(MEASURED)
	$(MEASURED) --cov-append --database postgresql -m both
	$(PYTEST) --database postgresql -m both --instances 3 tests/api
	$(BIN)/coverage report

test-quick: $(VENV)/installed-dev  ## for daily work: the tests that start no process, on SQLite
	$(PYTEST) --quick

test-long: $(VENV)/installed-dev  ## thousands of examples for each property, on both databases
	$(PYTEST) --hypothesis-profile long --timeout 10800 -m hypothesis
	$(PYTEST) --hypothesis-profile long --timeout 10800 -m "hypothesis and both" --database postgresql

# make bench PEERS=FOLDER PEER_PYTHON=PYTHON GRAPH=FILE RULES=FILE RECURSION_PEER=FILE BENCH='--only floor --quick'
bench: $(VENV)/installed-dev  ## measure the service beside its peers, report in bench-report/ (BENCH=--help)
	@$(BIN)/python -m tests.benchmarks $(if $(PEERS),--peers "$(PEERS)") \
		$(if $(PEER_PYTHON),--peer-python "$(PEER_PYTHON)") $(if $(GRAPH),--graph "$(GRAPH)") \
		$(if $(RULES),--rules "$(RULES)") $(if $(RECURSION_PEER),--recursion-peer "$(RECURSION_PEER)") $(BENCH)

lint: $(VENV)/installed-dev  ## layout, types, import contracts, Django's own checks, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CHECK) $(BIN)/mypy
	$(BIN)/lint-imports
	$(CHECK) $(BIN)/python manage.py check --fail-level WARNING
	$(CHECK) $(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/installed-dev  ## put imports and layout in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove .venv and what checks left behind; data stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*

# A stamp for each list of requirements, so that nothing is installed again until the list changes.
$(VENV)/installed: requirements.txt | $(BIN)/python
	@echo "Installing requirements.txt into $(VENV) ..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "$(PYTHON) was not found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than 3.11: install a newer one, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment: on Debian, apt install python3-venv" >&2; exit 1; }

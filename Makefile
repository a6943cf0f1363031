# defai: `make demo` runs it, `make test` tests it, `make` lists the rest.
VENV := .venv
BIN := $(VENV)/bin
MODULES := contracts/node_modules
TOOLS := .tools
SET_UP = python=$$(PYTHON="$(PYTHON)" scripts/find-python) && exec "$$python" scripts/set_up.py
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate
WORKERS ?= auto

# A node that came from PyPI is found where there is no other.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# An environment that was moved or copied from another checkout is made anew.
ifneq ($(shell cat $(VENV)/checkout 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/run.done $(VENV)/dev.done
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long check check-contracts bench contest fixtures screenshots docs contracts lock fmt clean clean-all

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 14

setup: $(VENV)/dev.done $(MODULES)/dev.done ## install everything a developer needs

demo: $(VENV)/run.done $(MODULES)/run.done ## set up what is needed and open the terminal on a living market
	@$(BIN)/defai demo $(ARGS)

test: setup ## run the tests (ARGS="tests/unit -k name" runs some)
	$(BIN)/pytest -m "not long" --numprocesses $(WORKERS) --maxprocesses 4 --dist loadfile $(ARGS)

test-long: setup ## run the nightly-sized tests
	$(BIN)/pytest -m long --timeout 7200 $(ARGS)

check: setup ## lint, format, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check-contracts: setup $(TOOLS)/slither/run.done $(TOOLS)/halmos/run.done ## slither and halmos on the contracts
	$(BIN)/python scripts/check_contracts.py $(ARGS)

bench: setup ## measure, each figure beside its alternative
	$(BIN)/python scripts/bench.py $(ARGS)

DAYS ?= 20220719-20220815
FROM ?= 20220809
BARS ?= ../shared/data/univ3_minute/polygon_usdc_weth_005
contest: setup ## what a forecast is worth in a pool (BARS=folder DAYS=20220719-20220815 FROM=20220809)
	$(BIN)/defai contest --source $(BARS) --timerange $(DAYS) --test-from $(FROM) --gas-gwei 0.125 --retrain-days 1 $(ARGS)

fixtures: setup ## record fixtures/ anew from the stand-in
	$(BIN)/python scripts/make_fixtures.py $(ARGS)

screenshots: setup ## draw docs/pictures/ anew
	$(BIN)/python scripts/screenshots.py $(ARGS)

docs: setup ## build the documentation as a site in build/site, offline
	$(BIN)/python scripts/build_docs.py $(ARGS)

contracts: setup ## compile our contracts and renew the package's ABI and bytecode
	$(BIN)/python scripts/build_contracts.py $(ARGS)

lock: $(VENV)/dev.done ## resolve requirements/ anew (UPGRADE=--upgrade takes newer versions)
	$(COMPILE) $(UPGRADE) --group bootstrap -o requirements/bootstrap.lock
	$(COMPILE) $(UPGRADE) --group node -o requirements/node.lock
	$(COMPILE) $(UPGRADE) pyproject.toml --group build --group test --group check --group docs -o requirements/dev.lock
	$(COMPILE) $(UPGRADE) requirements/slither.in -o requirements/slither.lock
	$(COMPILE) $(UPGRADE) requirements/halmos.in -o requirements/halmos.lock
	$(COMPILE) --constraints requirements/dev.lock pyproject.toml --group build -o requirements/run.lock
	cd contracts && npm install --package-lock-only --ignore-scripts --legacy-peer-deps \
		--omit-lockfile-registry-resolved --no-audit --no-fund

fmt: setup ## format, and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cd contracts && PATH="$(CURDIR)/$(MODULES)/@foundry-rs/forge-linux-amd64/bin:$$PATH" forge fmt

clean: ## remove caches and build products
	rm -rf build dist htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf contracts/out contracts/cache
	find defai strategies scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +

clean-all: clean ## remove the environments too, so that the next make starts afresh
	rm -rf $(VENV) $(MODULES) $(TOOLS)

$(VENV)/run.done: pyproject.toml requirements/bootstrap.lock requirements/run.lock
	@$(SET_UP) python run

$(VENV)/dev.done: pyproject.toml requirements/bootstrap.lock requirements/dev.lock
	@$(SET_UP) python dev

$(MODULES)/run.done: contracts/package-lock.json | $(VENV)/run.done
	@$(SET_UP) npm run

$(MODULES)/dev.done: contracts/package-lock.json | $(VENV)/dev.done
	@$(SET_UP) npm dev

$(TOOLS)/%/run.done: requirements/%.lock | $(VENV)/run.done
	@$(SET_UP) tool $*

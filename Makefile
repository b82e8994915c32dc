# Every target sets up only what it needs, and only when its lock file changed.
# Variables: PORT=8000 (make demo), DIR=path (make demo: keep the data there), MODELS=real (make demo), UPGRADE=1 (make lock)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules
PYTHON_BIN := .venv/bin/python
SETUP := scripts/setup.sh
DEMO_OPTIONS := $(if $(PORT),--port $(PORT)) $(if $(DIR),--dir $(DIR)) $(if $(MODELS),--models $(MODELS))

.PHONY: help demo test lint bench lock vendor screenshots clean debian-test debian-bench

help: ## this list
	@echo "Blind Arena. Start with: make demo"
	@echo
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo
	@sed -n 's/^# Variables: /Variables: /p' $(MAKEFILE_LIST)

demo: .venv/.runtime $(if $(filter real,$(MODELS)),.venv-models/.installed) ## set up and serve the arena with demo teams at http://127.0.0.1:8000 (MODELS=real: small language models)
	@exec .venv/bin/arena demo $(DEMO_OPTIONS)

test: .venv/.dev .venv-models/.installed .venv-peers/.installed debian-test ## set up and run every check and test, with a real browser and a real PostgreSQL (half an hour on 2 cores)
	@exec scripts/check.sh lint tests browser

lint: .venv/.dev ## the checks that run nothing: ruff, mypy, djlint, import-linter (half a minute)
	@exec scripts/check.sh lint

bench: .venv/.dev .venv-peers/.installed debian-bench ## measure the arena beside nginx, its ratings beside other projects', their intervals' coverage, Markdown, what the ledger costs, and the office
	@$(PYTHON_BIN) -m benchmarks.run
	@$(PYTHON_BIN) -m benchmarks.ratings
	@$(PYTHON_BIN) -m benchmarks.coverage
	@$(PYTHON_BIN) -m benchmarks.markdown
	@$(PYTHON_BIN) -m benchmarks.ledger
	@$(PYTHON_BIN) -m benchmarks.verify
	@$(PYTHON_BIN) -m benchmarks.queue
	@$(PYTHON_BIN) -m benchmarks.desk

lock: .venv/.bootstrap ## write the lock files anew from pyproject.toml (UPGRADE=1: with the newest versions)
	@exec scripts/lock.sh $(if $(UPGRADE),--upgrade)

vendor: .venv/.bootstrap ## fetch the front-end files anew from npm (needs npm)
	@exec $(PYTHON_BIN) scripts/vendor.py

screenshots: .venv/.dev debian-test ## take the screenshots of the README anew
	@exec $(PYTHON_BIN) scripts/screenshots.py

clean: ## remove what set-up and tests made (environments, caches); data stays
	rm -rf .venv .venv-models .venv-peers .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/.bootstrap: requirements-bootstrap.lock
	@$(SETUP) venv && touch $@

.venv/.runtime: requirements.lock .venv/.bootstrap
	@$(SETUP) runtime && touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@$(SETUP) dev && touch $@

.venv-models/.installed: requirements-models.lock .venv/.bootstrap
	@$(SETUP) models && touch $@

.venv-peers/.installed: requirements-peers.lock .venv/.bootstrap
	@$(SETUP) peers && touch $@

debian-test:
	@$(SETUP) debian chromium fonts-noto-cjk postgresql

debian-bench:
	@$(SETUP) debian nginx

# Two commands do everything: `make demo` and `make test`. tools/setup holds the logic.
# PYTHON=... chooses the interpreter, DEMO=... PROTECT=... BENCH=... TEST=... SOAK=... LOCK=... hand arguments on.

export PATH := $(CURDIR)/.tools/bin:$(PATH)
python := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo protect test soak burn check bench lock format clean setup-demo setup-test setup-soak setup-bench

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: setup-demo ## protect a small dossier system, destroy it, and prove that it comes back
	@$(python) -m opsd.demo run $(DEMO)

protect: setup-demo ## burn a database server whose log is kept, and bring back every acknowledged commit
	@$(python) -m opsd.demo protect $(PROTECT)

test: setup-test ## run every test
	@$(python) -m pytest $(TEST)

soak: setup-soak ## run what takes long: nights, crashes and losses by the hundred
	@$(python) -m pytest --timeout=0 $(or $(SOAK),tests/soak)

burn: setup-soak ## burn fifty database servers down (ROUNDS=...): no acknowledged commit may be lost
	@$(python) -m pytest --timeout=0 -n 0 -s tests/soak/test_burning.py

check: setup-test ## format, lint, types and import contracts
	@$(python) -m ruff format --check .
	@$(python) -m ruff check .
	@$(python) -m mypy
	@.venv/bin/lint-imports

bench: setup-bench ## measure speed and cost
	@$(python) -m benchmarks $(BENCH)

lock: ## rebuild the locks (LOCK=--upgrade takes newer versions)
	@tools/setup lock $(LOCK)

format: setup-test ## format the code and mend what the linter can mend
	@$(python) -m ruff check --fix-only .
	@$(python) -m ruff format .

clean: ## remove everything that was generated, the demo's state too
	@tools/setup clean

setup-demo setup-test setup-soak setup-bench:
	@tools/setup $(@:setup-%=%)

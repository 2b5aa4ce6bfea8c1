# Everything a newcomer needs: `make run` looks at this node (or at a demo), `make test` proves it works.
PYTHON ?= python3
BIN := .venv/bin
RUN := build/demo
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: run test check format bench docs stress cluster-test clean

run: .venv/.ready  ## Watch this node, or a demo node where this is none, and print the address
	@scripts/run $(BIN)/kube-pki-exporter $(RUN)

test: .venv/.ready  ## Run everything but the cluster test; installs the tools it needs where it may
	scripts/install-tools
	$(PYTEST) --ignore tests/cluster -m "not stress" --cov --cov-report=
	$(BIN)/python -m coverage report --fail-under=100 --include='exporter/model/*,exporter/parsing/*,exporter/inventory/*,exporter/checks/*,exporter/discovery/*,exporter/exposition/*,exporter/report/*,exporter/settle.py'

check: .venv/.ready  ## Lint, types and import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/.ready  ## Write the generated tables and objects anew
	$(BIN)/python scripts/generate_docs.py
	$(BIN)/python -m dashboards.generate
	$(BIN)/python deploy/generate.py

bench: .venv/.ready  ## Measure the budgets; PEER_CMD runs another exporter beside
	$(BIN)/python -m bench.bench

stress: .venv/.ready  ## 100 of 100 changes within a second while every core is busy
	$(BIN)/python -m pytest -s -m stress tests/test_watch.py tests/e2e

cluster-test: .venv/.ready  ## Prove it on a real cluster (root, Linux)
	scripts/install-tools cluster
	$(BIN)/python -m pytest tests/cluster -m cluster -o timeout=0 --maxfail=4

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -m venv .venv || { echo "this Python lacks venv: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --upgrade --constraint constraints.txt pip
	$(BIN)/pip install --quiet --constraint constraints.txt --group dev --editable .
	@touch $@

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*

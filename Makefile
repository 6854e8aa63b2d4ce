# Two commands do everything: `make launch` and `make test`. Both set the machine up first; that takes minutes once, then nothing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup setup-dev launch test lint

setup:
	@PYTHON=$(PYTHON) scripts/setup.sh

setup-dev:
	@PYTHON=$(PYTHON) scripts/setup.sh dev

launch: setup  ## train a calibrated policy on the embedded default
	$(BIN)/emocal-rl launch --reward loglik --no-normalize $(ARGS)

test: setup-dev  ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

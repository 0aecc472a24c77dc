# Two commands for a newcomer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test quick format models bench clean

$(STAMP): pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(STAMP)

demo: $(STAMP)  ## install, run the whole job on the sample study, say where the report is
	$(BIN)/themes demo --out demo-study

test: $(STAMP)  ## the whole gate: format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

quick: $(STAMP)  ## for editing: no slow tests
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q -m "not slow"

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

models: $(STAMP)  ## rebuild what is shipped trained
	$(BIN)/python -m models.encoder.build
	$(BIN)/python -m models.hiring.tune
	$(BIN)/themes train corpora/sample corpora/training/passages.csv --encoder hiring-int8 --out models/tagger
	$(BIN)/python -m models.tagger.card

bench: $(STAMP)
	$(BIN)/python -m benchmarks.end_to_end
	$(BIN)/python -m benchmarks.tagger
	$(BIN)/python -m benchmarks.processors
	$(BIN)/python -m benchmarks.themes
	$(BIN)/python -m benchmarks.disclosure
	$(BIN)/python -m benchmarks.statistics

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

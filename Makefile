PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check

.PHONY: help setup demo test lint clean

help:
	@echo "make demo    install, then learn from examples/: answers before and after"
	@echo "make test    install, then run every test"
	@echo "make lint    ruff and mypy"
	@echo "make setup   install into .venv and fetch the embedded base model"
	@echo "make clean   remove what make has made, but for the models"

# torch goes first, so that its build is chosen by the pin alone.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "learnctl needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet -c constraints.txt "$$(grep '^torch==' constraints.txt)"
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	touch $@

setup: $(VENV)/.installed
	$(VENV)/bin/learnctl model pull embedded

demo: setup
	$(VENV)/bin/python examples/demo.py

# A file to a process, each with one thread: on two cores that is nearly twice as fast as two threads in one.
test: setup
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/mypy tests examples benchmarks

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache demo-home
	find cli memory trainer tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

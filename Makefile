# Everything runs from a virtual environment in .venv that these targets create themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FLOORS := .venv-floors

.PHONY: demo test test-slow test-floors lint format docs docs-transcripts bench bench-speed bench-tabular bench-labels bench-memory bench-series-memory bench-jobs bench-explain bench-explain-truth bench-false-drift bench-feedback bench-groups bench-series bench-series-alarms bench-reliability bench-gpu bench-growth bench-scale everyday clean

# torch is pinned on installation alone: a range would fetch the newest build, with several
# gigabytes of CUDA packages on a machine that may have no GPU. Set TORCH to choose another.
TORCH ?= torch==2.13.0
# What is installed is compiled when it is first used: most of it never is.
PIP_OPTIONS := --quiet --disable-pip-version-check --no-compile

$(VENV)/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "aedetect needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_OPTIONS) "$(TORCH)" --editable .
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install $(PIP_OPTIONS) --editable '.[dev]'
	touch $@

# The lowest torch named is on PyPI only with several gigabytes of CUDA packages, so the build that
# TORCH names stands in for it. With the true one: make test-floors TORCH=torch==2.3.0
FLOORS_READY := $(FLOORS)/ready-$(subst =,,$(TORCH))

$(FLOORS_READY): pyproject.toml tests/floors.txt
	rm -rf $(FLOORS)
	$(PYTHON) -m venv $(FLOORS)
	$(FLOORS)/bin/python -m pip install $(PIP_OPTIONS) \
		--constraint tests/floors.txt "$(TORCH)" --editable '.[test]'
	touch $@

$(VENV)/ready-bench: $(VENV)/ready-dev
	$(BIN)/python -m pip install $(PIP_OPTIONS) --editable '.[bench]'
	touch $@

demo: $(VENV)/ready
	$(BIN)/python sample_data/demo.py

test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n 2 -m "not slow" -q

test-slow: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n 2 -m slow -q

# The suite with the lowest releases named in pyproject.toml; FLOORS_TESTS names a part of it.
FLOORS_TESTS ?= tests
test-floors: $(FLOORS_READY)
	$(FLOORS)/bin/python -m pytest -n 2 -m "not slow" -q $(FLOORS_TESTS)

lint: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/ready-dev
	$(BIN)/python tests/docs/write.py

docs-transcripts: $(VENV)/ready-dev
	$(BIN)/python tests/docs/write.py --transcripts

bench: bench-speed bench-tabular

bench-speed: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/speed.py

bench-tabular: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/tabular.py $(BENCH_ARGS)

bench-labels: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/labels.py $(BENCH_ARGS)

bench-series: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/series.py $(BENCH_ARGS)

bench-series-alarms: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/series_alarms.py $(BENCH_ARGS)

everyday: $(VENV)/ready-dev
	PYTHONPATH=tests $(BIN)/python -m everyday.run $(EVERYDAY_ARGS)

bench-memory: $(VENV)/ready-dev
	$(BIN)/python tests/benchmarks/memory.py

bench-series-memory: $(VENV)/ready-dev
	$(BIN)/python tests/benchmarks/series_memory.py $(BENCH_ARGS)

bench-gpu: $(VENV)/ready-dev
	$(BIN)/python tests/benchmarks/gpu.py $(BENCH_ARGS)

bench-scale: $(VENV)/ready-dev
	$(BIN)/python tests/benchmarks/scale.py $(BENCH_ARGS)

# H2O's autoencoder is measured where `h2o` is installed, and Java: no part of the extra, as it is large.
bench-growth: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/growth.py $(BENCH_ARGS)

bench-reliability: $(VENV)/ready-dev
	$(BIN)/python tests/benchmarks/reliability.py --write

bench-jobs: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/jobs.py $(BENCH_ARGS)

bench-explain: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/explain.py $(BENCH_ARGS)

bench-explain-truth: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/explain_truth.py $(BENCH_ARGS)

bench-feedback: $(VENV)/ready-bench
	$(BIN)/python tests/benchmarks/feedback.py $(BENCH_ARGS)


bench-groups: $(VENV)/ready-dev
	$(BIN)/python tests/benchmarks/groups.py $(BENCH_ARGS)

bench-false-drift: $(VENV)/ready-dev
	$(BIN)/python tests/benchmarks/false_drift.py $(BENCH_ARGS)

clean:
	rm -rf $(VENV) $(FLOORS) build dist demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

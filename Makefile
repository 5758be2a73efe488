# `make demo` runs the main job, `make test` passes the tests; both install what they need.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test torture mutation bench bench-env lint types check clean

# torch is installed first and pinned: a looser request would bring several GB of CUDA to a CPU machine.
.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet "torch==2.13.0"
	$(BIN)/pip install --quiet --group dev --editable .
	touch $@

demo: .venv/installed
	$(BIN)/flaredb demo demo

test: .venv/installed
	$(BIN)/pytest -n 2 --dist loadfile

# Many processes on one catalogue, and kill -9, on both databases, over imports, gc and exports, over a round in each of
# its states, and on a full disk (root only): some twenty minutes. SEED=N repeats what was drawn.
torture: .venv/installed
	$(BIN)/python -m tests.torture --on both --seconds 60 --writers 8 --readers 4 --kills 100 --upgrade-kills 40 \
		--store-kills 200 --round-kills 10 $(if $(SEED),--seed $(SEED))

# Some hundred damaged files given to every import, each in a process of its own with bounded memory: minutes.
mutation: .venv/installed
	$(BIN)/python -m tests.mutation --count 400 $(if $(SEED),--seed $(SEED))

# The programs that benchmarks hold flaredb against, in an environment of their own.
bench-env: .bench/installed .bench/FLARE

# The organisers' evaluation, run where it lies and never copied.
.bench/FLARE: | .bench/installed
	git clone --quiet --depth 1 https://github.com/JunMa11/FLARE $@

.bench/installed: benchmarks/rivals/requirements.txt
	$(PYTHON) -m venv .bench
	.bench/bin/pip install --quiet --upgrade pip
	.bench/bin/pip install --quiet "torch==2.13.0"
	.bench/bin/pip install --quiet --requirement $<
	touch $@

# Every benchmark that runs by itself in minutes: the JSON line of each. Not demo_seeds: that is hours.
bench: .venv/installed .bench/installed
	@failed=; for script in $(filter-out benchmarks/demo_seeds.py,$(wildcard benchmarks/*.py)); do \
		echo "$$script" >&2; line=$$($(BIN)/python $$script) && echo "$$line" | tail -n 1 || failed="$$failed $$script"; \
	done; test -z "$$failed" || { echo "failed:$$failed" >&2; exit 1; }

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

check: lint types test

clean:
	rm -rf .venv .bench demo

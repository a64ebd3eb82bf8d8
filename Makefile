# make help lists what there is.  Everything lives in .venv; PYTHON=python3.12 chooses another interpreter.
PYTHON ?= python3
# There are as many workers as cores: each with one thread, or they wait for each other.
ALONE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test test-slow fuzz kills parity faults mutants strangers matrix lock bench notes lint figures clean

help:            ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(READY)   ## parity on real data, a character model on both sides, its text, a forecast, a planted fault: out/demo.html
	@$(BIN)/python -m parity_tests.demo

test: $(READY)   ## lint, types and all tests but the slow ones
	@$(MAKE) --no-print-directory lint
	@$(ALONE) $(BIN)/python -m pytest -q -n auto

test-slow: $(READY) ## thousands of random cases, and the study behind the tolerance rule
	@$(ALONE) $(BIN)/python -m pytest -q -n auto -m slow
	@$(BIN)/python -m pytest -q parity_tests/judge/tests/test_properties.py --hypothesis-profile=thorough

fuzz: $(READY)   ## random search at every door: forged files and wrong arguments, for an hour; fuzz-MINUTES: so long
	@$(MAKE) --no-print-directory fuzz-60

fuzz-%: $(READY)
	@$(ALONE) $(BIN)/python -m pytest -q -m fuzz --fuzz-minutes $*

kills: $(READY)  ## both applications on both sides, killed 200 times at random, must end as if they had not been
	@$(ALONE) $(BIN)/python -m parity_tests.kills

parity: $(READY) ## the parity tables: every built-in implementation, every part and model, whole training runs
	@$(BIN)/python -m parity_tests
	@$(BIN)/python -m parity_tests.demo.models

faults: $(READY) ## which case catches which wrong implementation
	@$(BIN)/python -m parity_tests.mutation

mutants: $(READY) ## small changes of the code, and which of them no test notices; mutants-CHAPTER: one
	@$(BIN)/python -m parity_tests.mutants

mutants-%: $(READY)
	@$(BIN)/python -m parity_tests.mutants $*

strangers: $(READY) ## libraries by others, each judged where it is installed; strangers-NAME: one
	@$(BIN)/python -m parity_tests.strangers

strangers-%: $(READY)
	@$(BIN)/python -m parity_tests.strangers $*

matrix: $(READY) ## the whole suite under every Python that is found here, newest pins and oldest; matrix-NAME: one
	@$(BIN)/python -m parity_tests.platforms

matrix-%: $(READY)
	@$(BIN)/python -m parity_tests.platforms $*

lock: $(READY)   ## the locks with hashes from constraints.txt, and the licences of what is installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@$(BIN)/python -m parity_tests.platforms.locked
	@$(BIN)/python -m parity_tests.platforms.licences

bench: $(READY)  ## the quick benchmark: what each implementation costs here; table and plots in out/benchmark
	@$(BIN)/python -m benchmarks run --preset quick --overwrite --out out/benchmark/quick.json
	@$(BIN)/python -m benchmarks report out/benchmark/quick.json --out out/benchmark

notes: $(READY)  ## the notes as a site with explorers and notebooks, in out/notes, and its tests; needs node and npm
	@$(BIN)/python -m notes.site
	@$(BIN)/python -m pytest -q -m site notes/site

lint: $(READY)   ## ruff, its formatter, and mypy
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary

figures: $(READY) ## the README's picture, the notes' pictures and generated parts, from what was measured
	@$(BIN)/python -m notes.diagrams.parity
	@$(BIN)/python -m notes.diagrams
	@$(BIN)/cog -r README.md README.zh.md
	@$(BIN)/python -m notes.generated --write --figures

clean:           ## remove .venv and everything generated
	@rm -rf .venv out build dist *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache .benchmarks

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 15) else "Python 3.11 to 3.14 is needed, this is %d.%d; try: make PYTHON=python3.12 ..." % v)'
	@echo "[1/3] making .venv"
	@$(PYTHON) -m venv .venv
	@echo "[2/3] installing PyTorch and NumPy (the longest step)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt numpy torch
	@echo "[3/3] installing the rest"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

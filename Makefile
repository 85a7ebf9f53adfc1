# Everything that a person or CI runs. Needs Python 3.11+ and make; the rest is installed into .venv.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

SECONDS ?= 60
PLANS ?= 1000
FLEETS ?= 200
SEED ?= 1
# Half of the tests wait for processes of their own, so there are more workers than cores.
WORKERS ?= $(shell expr 3 '*' $$(getconf _NPROCESSORS_ONLN))
# Each of many processes would compile all that it imports, where nothing may be kept.
CACHED := env -u PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-hosts hosts-proof test lint bench bench-million soak fuzz fuzz-proof properties comparison mutants protections words picture setup dist lock clean

demo: $(VENV)/.run
	@rm -rf .demo
	@echo "== 1. The preview: what would happen to the fleet (nothing is sent)"
	$(BIN)/orchestrator plan plans/quickstart.yaml --simulate --speed 240 --state .demo
	@echo
	@echo "== 2. The run, against the embedded simulated cloud. Exit code 1 is right: some proxies are refused, one job fails"
	$(BIN)/orchestrator run plans/quickstart.yaml --simulate --speed 240 --state .demo --log-level error || test $$? -eq 1
	@echo
	@echo "== 3. The report"
	$(BIN)/orchestrator report plans/quickstart.yaml --simulate --state .demo --format text

# A takeover among three hosts on this machine: a PostgreSQL of its own, the simulated cloud, and a kill -9 in the middle.
demo-hosts: $(VENV)/.test
	PYTHONPATH=tests:. $(BIN)/python -m hosts.demo

# The cases of several hosts by real processes, each as often as its table says; TIMES=1 once each, ROWS names some.
hosts-proof: $(VENV)/.test
	PYTHONPATH=tests:. $(BIN)/python -m hosts.proof $(if $(TIMES),--times $(TIMES)) $(ROWS)

test: $(VENV)/.test $(VENV)/.collected
	$(CACHED) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

lint: $(VENV)/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A row per goal, beside plain references in the same run; needs a C compiler. Takes about half an hour.
bench: $(VENV)/.test
	PYTHONPATH=tests:. $(BIN)/python -m benchmarks

# The rows of a million targets.
bench-million: $(VENV)/.test
	PYTHONPATH=tests:. $(BIN)/python -m benchmarks --long

# Random fleets, faults and crashes on virtual time, each judged by an oracle; a violation prints the command that replays it.
# With HOSTS=3 several hosts share one log: they die, stand still and wake up too late.
soak: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m soak --seconds $(SECONDS) $(if $(HOSTS),--hosts $(HOSTS))

# Hostile answers, clocks, exceptions and inputs; SEED draws them, INDEX (with INPUTS=1 one of inputs) plays one again.
fuzz: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m fuzz --seconds $(SECONDS) --seed $(SEED) $(if $(INDEX),--index $(INDEX)) $(if $(INPUTS),--inputs)

# The fuzzer finds out the program without its protections, one at a time.
fuzz-proof: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m fuzz.broken

# Each protection of docs/protections.md taken out in turn: its test must fail. NAMES (words of names) chooses some.
mutants: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m mutants $(NAMES)

# docs/protections.md, from tests/mutants/mutants.toml.
protections: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m mutants.page

# What is generated of the command line from its grammar: the table of its words and the text of each --help.
words: $(VENV)/.lint
	PYTHONPATH=tests $(BIN)/python -m words
	$(BIN)/ruff format --quiet orchestrator/cli/grammar/words.py

# The picture of a report's page in README: a bad night of the simulated cloud, and a headless Chromium (Debian: chromium, chromium-driver).
picture: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m picture

# Random plans on virtual time; an independent judge reads each journal, and what was met is counted.
properties: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m properties --plans $(PLANS)

# Gates that compare, on fleets with a slower kernel and fleets in a spike of the region: how often each is told from the other.
comparison: $(VENV)/.test
	PYTHONPATH=tests $(BIN)/python -m comparison --fleets $(FLEETS)

# Wheel and sdist, built twice and compared; a pex; an SBOM. Into dist/; see distribution/README.md.
dist: $(VENV)/.dist
	$(BIN)/python -m distribution

# deploy/requirements.lock: what the image installs, with the newest versions that pyproject.toml allows.
lock: $(VENV)/.dist
	echo 'setuptools>=68' | $(BIN)/python -m uv pip compile --quiet --upgrade --generate-hashes --universal --no-annotate \
	  --python-version 3.11 --extra fast --custom-compile-command 'make lock' -o deploy/requirements.lock pyproject.toml -

setup: $(VENV)/.lint

# One virtual environment; each stamp says which group of dependencies it holds.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[fast]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[fast,test]'
	@touch $@ $(VENV)/.run

# Collected once before the workers do, after a change: what pytest makes of the tests is kept, and they all read it.
$(VENV)/.collected: $(VENV)/.test $(shell find orchestrator tests -name '*.py')
	$(CACHED) $(BIN)/python -m compileall -q orchestrator
	$(CACHED) $(BIN)/python -m pytest --collect-only -q --no-header > /dev/null
	@touch $@

$(VENV)/.lint: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[fast,test,lint]'
	@touch $@ $(VENV)/.test $(VENV)/.run

$(VENV)/.dist: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[fast,dist]'
	@touch $@

clean:
	rm -rf $(VENV) dist .demo .orchestrator build *.egg-info

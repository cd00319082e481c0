# make run    sets up and starts the platform        make lint   style, types, import directions
# make test   sets up and runs the tests, but for the slow ones and those with containers
# make test-all  every test                          make bench  measurements beside their peers
# make clean  removes what the other targets made    make chaos  the long fault run
# make coverage  branches that the unit tests of a room run, with the promised shares
# make docs   the documentation site            make wheel  wheel and sdist in dist/
# make validate  the refinement beside published structures (docs/validation.md)
# make instructions  which SHELXL instructions are applied (docs/shelxl_instructions.md)
# make images  the container images that tests use; they build what is absent themselves
# make types  TypeScript types of the REST contract        make watch  rebuild Lab extension and widgets on save
SHELL := /bin/bash
# Where the environment forbids compiled modules, each process compiles anew: two thirds of its start.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
DATA ?= data
# Parallel pytest workers. One more than two processors, because a worker waits while the platform that it tests is busy.
WORKERS ?= 3
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
# The machine's node first; the one from the Python registry where there is none.
NPM := PATH="$$PATH:$(CURDIR)/$(BIN)" npm
LAB := extension/qcrbox_extension/labextension/package.json
WIDGETS := qcrbox_kernel_lib/qcrbox/widgets/static/.built

.PHONY: run test test-all images lint lint-front-end types watch coverage bench validate instructions docs tutorials wheel chaos clean setup setup-dev frontend constraints system
.DELETE_ON_ERROR:
# Packages of Python and of npm are fetched side by side. A make in a make shares the jobs of the outer one.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j2
endif

run: setup
	@$(BIN)/qcrbox up --data $(DATA) $(ARGS)

test: setup-dev system
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not slow and not docker" $(ARGS)

test-all: setup-dev system
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

TEST_IMAGES := $(addprefix tests/applications/,window intruder fragile) app_images/agent/tests/fixtures/sample \
  $(addprefix app_images/,shelxle avogadro)
images: $(VENV)/.dev frontend
	@$(BIN)/qcrbox apps build $(TEST_IMAGES)
	@$(BIN)/qcrbox image build

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	@$(MAKE) --no-print-directory lint-front-end

lint-front-end: setup-dev
	cd extension && $(NPM) run --silent lint
	cd qcrbox_kernel_lib/js && ../../extension/node_modules/.bin/eslint . && ../../extension/node_modules/.bin/prettier --check .

types: setup-dev
	$(BIN)/python -m tools.contract_types

# Reload the page of Lab to see a change; of a widget, restart the kernel as well.
watch: setup-dev
	cd extension && export PATH="$(CURDIR)/$(BIN):$$PATH" && trap 'kill 0' EXIT && \
	  { npx tsc -w --preserveWatchOutput & (cd ../qcrbox_kernel_lib/js && npm run --silent watch) & jupyter-builder watch . ; }

# The unit tests of every room; ROOM="contract cif" measures some layers or rooms with their own tests only.
coverage: setup-dev system
	@$(BIN)/python -m tools.coverage_table $(ROOM)

bench: setup-dev system
	@$(UV) --require-hashes -r constraints/bench.txt
	@$(BIN)/python -m benchmarks $(ARGS)

# DATA_SETS=/path adds every CIF of a folder.
validate: setup-dev
	@$(BIN)/python -m tools.validation $(if $(DATA_SETS),--data-sets "$(DATA_SETS)") $(ARGS)

instructions: setup-dev
	@$(BIN)/python -m tools.shelxl_instructions

# The site, in docs/_build/html; opens from the file system.
docs: setup-dev
	@$(BIN)/python -m tools.site $(ARGS)

# Runs the notebooks and keeps their outputs for the site: after a change of notebooks/.
tutorials: setup-dev
	@$(BIN)/python -m tools.tutorials $(ARGS)

wheel: setup
	@$(BIN)/uv build --no-build-isolation --out-dir dist .

chaos: setup-dev
	@$(BIN)/python -m tests.faults.chaos --minutes 10 $(ARGS)

setup: $(VENV)/.run frontend
	@$(BIN)/python -m qcrbox_extension.develop

setup-dev: $(VENV)/.dev frontend
	@$(BIN)/python -m qcrbox_extension.develop

frontend: $(LAB) $(WIDGETS)

system:
	@tools/system-packages

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit("QCrBox needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	@echo "Making the Python environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints/uv.txt

$(VENV)/.run: constraints/run.txt pyproject.toml | $(BIN)/uv
	@echo "Installing the platform's packages ..."
	@$(UV) --require-hashes -r constraints/run.txt
	@command -v node >/dev/null || { echo "No node on this machine: taking it from the Python registry ..."; $(UV) --require-hashes -r constraints/node.txt; }
	@$(UV) --no-deps --no-build-isolation --editable .
	@touch $@

# Servers in sandboxes cannot compile what they import; the first platforms of a test run would end before they had.
$(VENV)/.dev: $(VENV)/.run constraints/dev.txt
	@echo "Installing the packages for tests ..."
	@$(UV) --require-hashes -r constraints/dev.txt
	@$(BIN)/python -I -m qcrbox_hub.jupyterhub.bytecode
	@touch $@

# Packages anew only when the lock file changed; a changed source is built with those that are there.
extension/node_modules/.package-lock.json: extension/package-lock.json | $(VENV)/.run
	@echo "Installing the packages of the JupyterLab extension ..."
	@cd extension && $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(LAB): extension/node_modules/.package-lock.json $(shell find extension/src extension/style extension/package.json extension/tsconfig.json -type f 2>/dev/null)
	@echo "Building the JupyterLab extension ..."
	@cd extension && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build

qcrbox_kernel_lib/js/node_modules/.package-lock.json: qcrbox_kernel_lib/js/package-lock.json | $(VENV)/.run
	@echo "Installing the packages of the widgets ..."
	@cd qcrbox_kernel_lib/js && $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WIDGETS): qcrbox_kernel_lib/js/node_modules/.package-lock.json $(shell find qcrbox_kernel_lib/qcrbox/widgets \( -name '*.[jt]s' -o -name '*.css' \) -not -path '*/static/*' 2>/dev/null) $(wildcard hub/qcrbox_hub/bridge/page/*)
	@echo "Building the widgets ..."
	@cd qcrbox_kernel_lib/js && $(NPM) run --silent build
	@touch $@

# Pins with hashes, no host: run after a change of pyproject.toml's dependencies.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
constraints: | $(BIN)/uv
	echo uv | $(COMPILE) -o constraints/uv.txt -
	$(COMPILE) --extra hub --extra agent --extra build -o constraints/run.txt pyproject.toml
	$(COMPILE) --extra agent -c constraints/run.txt -o constraints/agent.txt pyproject.toml
	$(COMPILE) --extra person -c constraints/run.txt -o constraints/person.txt pyproject.toml
	$(COMPILE) --extra node -c constraints/run.txt -o constraints/node.txt pyproject.toml
	$(COMPILE) --extra dev -c constraints/run.txt -o constraints/dev.txt pyproject.toml
	$(COMPILE) --extra nbgrader -c constraints/dev.txt -o constraints/nbgrader.txt pyproject.toml
	$(COMPILE) --extra dev --extra bench -c constraints/dev.txt -o constraints/bench.txt pyproject.toml

clean:
	rm -rf $(VENV) extension/node_modules extension/lib extension/qcrbox_extension/labextension \
	  qcrbox_kernel_lib/js/node_modules qcrbox_kernel_lib/qcrbox/widgets/static hub/qcrbox_hub/bridge/static \
	  .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `make demo`, `make test`, `make check`, `make bench`: each puts what it needs, and no more, into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Files that say which extras are installed: .venv/.samples and .venv/.dev.
SAMPLES := $(VENV)/.samples
DEV := $(VENV)/.dev

.PHONY: demo docs notebooks release test check test-faults test-versions coverage mutants bench lint types audit sbom install clean

install: $(SAMPLES)

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "input_iba needs Python 3.10 or newer; '$(PYTHON)' is $$($(PYTHON) --version). Try 'make PYTHON=python3.11'."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(SAMPLES) $(DEV): $(VENV)/.%: pyproject.toml setup.py | $(BIN)/pip
	$(BIN)/pip install --quiet --editable '.[$*]'
	@touch $@

demo: $(SAMPLES)
	$(BIN)/input-iba demo || \
		{ echo "To start the demo afresh: rm -r workdirs/samples"; exit 1; }

# The site, build/site/index.html: built strictly, then looked at by tests/documents/test_site.py.
docs: $(DEV)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	$(BIN)/pytest -n 2 --dist worksteal tests/documents/test_site.py

# The notebooks with what they show, for the site, which shows them without where they are not run.
notebooks: $(DEV)
	$(BIN)/jupyter nbconvert --log-level WARN --to notebook --execute \
		--output-dir build/executed/tutorials tutorials/*.ipynb

# Builds dist/, checks it, and explains a photograph with it in environments of its own; TAG, where
# it is given, must be that of the version.
release: $(DEV)
	$(BIN)/python -m tests.release $(if $(TAG),--tag $(TAG))

# Seconds per sample against the published way; needs a quiet machine for ten minutes.
bench: $(DEV)
	for model in vgg16 efficientnet_lite0 resnet8; do $(BIN)/python -m benchmarks.attribution --model $$model || exit 1; done
	$(BIN)/python -m benchmarks.scaling
	$(BIN)/python -m benchmarks.reviews

test: lint types
	$(BIN)/pytest -n 2 --dist worksteal

check: lint types
	$(BIN)/pytest -n 2 --dist worksteal -m 'not slow and not data'

# Everything in tests/reliability in full, about an hour; writes docs/reliability.md.
EVIDENCE := build/evidence.jsonl
test-faults: $(DEV)
	@mkdir -p $(dir $(EVIDENCE)) && rm -f $(EVIDENCE)
	INPUT_IBA_EVIDENCE=$(EVIDENCE) $(BIN)/pytest -n 2 --dist worksteal tests/reliability
	INPUT_IBA_EVIDENCE=$(EVIDENCE) $(BIN)/python -m tests.reliability.killing --sample 400
	$(BIN)/python -m tests.reliability.page $(EVIDENCE)

# Which lines and branches all tests run, in about as long as `make test`; fails where too few.
COVERAGE := build/coverage
coverage: $(DEV)
	@rm -rf $(COVERAGE) && mkdir -p $(COVERAGE)
	$(BIN)/coverage run -m pytest -n 2 --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet -o $(COVERAGE)/report.json
	$(BIN)/coverage report --skip-covered --sort=miss | head -40
	$(BIN)/python -m tests.reliability.covered $(COVERAGE)/report.json

# How many changes of code in core/ and of the metrics the tests notice.
mutants: $(DEV)
	$(BIN)/python -m tests.reliability.killing

# The fast tests with other Pythons, the lowest versions that are allowed, and transformers 4.
test-versions: $(DEV)
	tests/versions.sh

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive input_iba tools

# Known holes in what is installed; needs a connection.
audit: $(DEV)
	$(BIN)/pip install --quiet pip-audit
	$(BIN)/pip-audit --skip-editable

# What a plain installation brings, as CycloneDX.
SBOM := build/sbom
sbom: $(BIN)/pip
	$(PYTHON) -m venv --clear $(SBOM).env $(SBOM).tool
	$(SBOM).env/bin/pip install --quiet .
	$(SBOM).tool/bin/pip install --quiet cyclonedx-bom
	$(SBOM).tool/bin/cyclonedx-py environment $(SBOM).env --pyproject pyproject.toml --output-file $(SBOM).json

types: $(DEV)
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache

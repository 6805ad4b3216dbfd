#!/usr/bin/env bash
# Run the fast tests with other versions, each in an environment of its own, .venvs/NAME:
#   python3.N      every Python from 3.10 to 3.13 that is installed, but the one in .venv
#   lowest         the lowest versions that pyproject.toml allows, on the oldest Python found
#   transformers4  the newest transformers below 5: only tests that know the package
# `make test-versions` runs all; arguments name some.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
own=$(.venv/bin/python -c 'import sys; print("python3.%d" % sys.version_info[1])')
pythons=()
for minor in 10 11 12 13; do
    python3.$minor --version > /dev/null 2>&1 && pythons+=("python3.$minor")
done

# Arguments: name of the environment, its Python, what uv installs beside the package and how.
environment() {
    echo "== $1"
    $uv venv --quiet --allow-existing --python "$2" ".venvs/$1"
    $uv pip install --quiet --python ".venvs/$1/bin/python" --editable '.[test]' "${@:3}"
    touch -c .venvs
}

# Arguments: name of the environment, paths of tests.
run() {
    ".venvs/$1/bin/python" -m pytest -n 2 --dist worksteal -m 'not slow and not data' \
        --disable-warnings "${@:2}"
}

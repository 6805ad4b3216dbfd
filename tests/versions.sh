#!/usr/bin/env bash
# Run the fast tests with other versions, each in an environment of its own, .venvs/NAME:
#   python3.N      every Python from 3.10 to 3.13 that is installed, but the one in .venv
#   lowest         the lowest versions that pyproject.toml allows, on the oldest of these Pythons
#   transformers4  the newest transformers below 5; only tests that have to do with it
# `make test-versions` runs all; arguments name some. `--quick` runs only tests of what depends most
# on versions: arguments, files, settings and tensors.
set -euo pipefail
cd "$(dirname "$0")/.."

own=$(.venv/bin/python -c 'import sys; print("python3.%d" % sys.version_info[1])')
others=()
for minor in 10 11 12 13; do
    if python3.$minor --version > /dev/null 2>&1; then
        oldest=${oldest:-python3.$minor}
        [ python3.$minor = "$own" ] || others+=("python3.$minor")
    fi
done
quick=()
if [ "${1:-}" = --quick ]; then
    quick=(tests/{cli,config,core,datasets,results} tests/test_imports.py)
    shift
fi
if [ $# -gt 0 ]; then chosen=("$@"); else chosen=("${others[@]}" lowest transformers4); fi

trained=test_known_answer_the_copied_word_comes_first
for name in "${chosen[@]}"; do
    python=$own how=() tests=()
    case $name in
        python3.*)
            python=$name
            if ! $name --version > /dev/null 2>&1; then echo "== $name is not installed"; continue; fi ;;
        lowest)
            python=${oldest:-$own} how=(--resolution lowest-direct)
            # The network that is trained there, by other draws, is no answer that is known.
            tests=(--deselect tests/attribution/test_language_models.py::$trained) ;;
        transformers4)
            how=('transformers<5')
            mapfile -t tests < <(grep -rlE --include='test_*.py' \
                'transformers|tokenizers|tiny_(bert|lm)|dual_encoders|text_models' tests) ;;
        *) echo "Unknown: $name. Known: ${others[*]} lowest transformers4." >&2; exit 2 ;;
    esac
    echo "== $name, on $python"
    .venv/bin/uv venv --quiet --clear --python "$python" ".venvs/$name"
    .venv/bin/uv pip install --quiet --python ".venvs/$name/bin/python" \
        --editable '.[test]' "${how[@]}"
    ".venvs/$name/bin/python" -m pytest -n 2 --dist worksteal -m 'not slow and not data' \
        --disable-warnings "${tests[@]}" "${quick[@]}"
done

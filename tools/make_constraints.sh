#!/usr/bin/env bash
# Write constraints.txt: the newest packages that fit pyproject.toml, resolved in an empty environment.
#   tools/make_constraints.sh [PYTHON]   (3.12 or newer: before that, setuptools comes with the environment)
set -euo pipefail
cd "$(dirname "$0")/.."
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
"${1:-python3}" -m venv "$environment"
"$environment/bin/python" -m pip install --quiet '.[dev]'
{
    echo "# The whole environment, pinned: what the tests pass with. Made by: make constraints"
    "$environment/bin/python" -m pip freeze --all --exclude pip --exclude digitcli
} > constraints.txt.new
mv constraints.txt.new constraints.txt

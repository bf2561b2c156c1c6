#!/usr/bin/env bash
# Write constraints.txt: the newest packages that fit pyproject.toml, resolved in an empty environment.
#   tools/make_constraints.sh [PYTHON]
# Use the oldest Python that digitcli supports: its packages serve the newer ones too.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
"${1:-python3.11}" -m venv "$environment"
# TensorFlow needs setuptools, which comes with the environment, and old, before Python 3.12
"$environment/bin/python" -m pip install --quiet --upgrade setuptools '.[dev]'
{
    echo "# The whole environment, pinned: what the tests pass with. Made by: make constraints"
    "$environment/bin/python" -m pip freeze --all --exclude pip --exclude digitcli
} > constraints.txt.new
mv constraints.txt.new constraints.txt

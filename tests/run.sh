#!/bin/sh
# Everything that must hold, cheapest first. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
step() { echo "== $*"; "$@"; }
step ruff check .
step ruff format --check .
step mypy schemas streams connectors samenloop bench
step lint-imports
step pytest "$@"

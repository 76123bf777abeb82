#!/bin/sh
# Everything that must hold, cheapest first. Arguments go to pytest, which runs two files at a time: much of what they do is waiting.
set -eu
cd "$(dirname "$0")/.."
step() { echo "== $*"; "$@"; }
step ruff check .
step ruff format --check .
step mypy schemas streams connectors samenloop bench
step lint-imports
step pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"

#!/usr/bin/env bash
# Writes the lock files anew from pyproject.toml: lock.sh [--upgrade]
# No index address is written into a lock, so that every machine may use its own.
set -euo pipefail
cd "$(dirname "$0")/.."

# What the ratings of arena-rank and FastChat never import.
needless_for_peers="aiohttp datasets fastapi httpx markdown2 nh3 prompt-toolkit pydantic requests rich shortuuid
  tiktoken uvicorn"

compile() {
  .venv/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-annotate --no-header "$@"
}

echo "uv" | compile "$@" - -o requirements-bootstrap.lock
compile "$@" pyproject.toml -o requirements.lock
compile "$@" pyproject.toml --group dev --constraints requirements.lock -o requirements-dev.lock
compile "$@" --no-deps requirements-models.in -o requirements-models.lock
compile "$@" --excludes <(printf "%s\n" $needless_for_peers) requirements-peers.in -o requirements-peers.lock
wc -l requirements*.lock

#!/usr/bin/env bash
# Runs checks and says in the last line how they went: check.sh [lint] [tests] [browser]
# Every check runs, also after one has failed, so that one run tells all.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
passed=0
failed=()

# check NAME COMMAND...
check() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  if "$@" </dev/null; then passed=$((passed + 1)); else failed+=("$name"); fi
  echo "== $name took $((SECONDS - start)) s"
}

lint() {
  check "ruff check" ruff check .
  check "ruff format" ruff format --check .
  check "mypy" mypy
  check "djlint" djlint --lint --quiet templates
  check "import-linter" lint-imports --no-logo
}

tests() {
  check "tests" pytest -n 2 --dist loadfile --ignore=tests/browser
}

# A run of its own: Playwright's sync API and asyncio tests do not mix in one process.
browser() {
  check "browser tests" pytest tests/browser
}

for group in "$@"; do "$group"; done
if [ ${#failed[@]} -gt 0 ]; then
  printf -v names '%s, ' "${failed[@]}"
  echo "FAILED: ${names%, } ($passed other checks passed, $SECONDS s)"
  exit 1
fi
echo "PASSED: all $passed checks in $SECONDS s"

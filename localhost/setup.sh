#!/bin/sh
# Makes a fresh machine ready: a virtual environment of CPython 3.13 and the npm parts, both from lock files.
# Idempotent: a second call with the same lock files does nothing. What is missing is named with its cure.
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf 'setup: %s\n       %s\n' "$1" "$2" >&2
    exit 1
}

# A candidate counts only when it runs: a pyenv shim can exist and still end with 127.
is_python() {
    "$1" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1
}

find_python() {
    pyenv_root="${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}"
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3 python \
        "$pyenv_root"/versions/3.13*/bin/python3 /usr/local/bin/python3.13 /opt/python*/bin/python3.13; do
        if is_python "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    if command -v uv >/dev/null 2>&1; then
        uv python install 3.13 >/dev/null 2>&1 || true
        candidate="$(uv python find 3.13 2>/dev/null || true)"
        if [ -n "$candidate" ] && is_python "$candidate"; then
            printf '%s\n' "$candidate"
        fi
    fi
}

digest() {
    cat "$@" | cksum
}

python_parts() {
    if [ -n "${PYTHON:-}" ] && ! is_python "$PYTHON"; then
        fail "PYTHON=$PYTHON is no CPython 3.13 that runs." "Name another one, or leave PYTHON out to have one looked for."
    fi
    stamp=.venv/.installed
    wanted="$(digest requirements-dev.txt)"
    if [ -x .venv/bin/python ] && is_python .venv/bin/python && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
        return
    fi
    python="$(find_python)"
    [ -n "$python" ] || fail "CPython 3.13 was not found." \
        "Install it, for example with: uv python install 3.13   (or: pyenv install 3.13), or name it: make PYTHON=/path/to/python3.13"
    command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || fail \
        "a C compiler is missing (one development package is compiled)." \
        "Install it, for example with: sudo apt-get install build-essential   (macOS: xcode-select --install)"
    echo "setup: Python packages ($("$python" --version))"
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt ||
        fail "the Python packages could not be installed." "Look at the lines above; behind a proxy set PIP_INDEX_URL or HTTPS_PROXY."
    printf '%s' "$wanted" >"$stamp"
}

node_parts() {
    stamp=node_modules/.installed
    wanted="$(digest package-lock.json)"
    [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && return
    command -v node >/dev/null 2>&1 || fail "Node.js is missing (the storage emulator runs on it)." \
        "Install Node.js 20 or newer, for example with: sudo apt-get install nodejs npm"
    command -v npm >/dev/null 2>&1 || fail "npm is missing." "Install it, for example with: sudo apt-get install npm"
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' ||
        fail "Node.js $(node --version) is too old." "Install Node.js 20 or newer."
    echo "setup: npm packages (Node.js $(node --version))"
    npm ci --silent || fail "the npm packages could not be installed." "Look at the lines above."
    printf '%s' "$wanted" >"$stamp"
}

python_parts
node_parts

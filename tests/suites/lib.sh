# shellcheck shell=bash
# What the suites share. Sourced by each, with its name: `. lib.sh NAME`.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
suite=$1
export CARGO_TERM_COLOR=never
# shellcheck disable=SC2034 # used by those who source this
target=${CARGO_TARGET_DIR:-target}

# finish PASSED FAILED SKIPPED: the last line, and the exit code that goes with it.
finish() {
    echo "$suite: $1 passed, $2 failed, $3 skipped"
    [ "$2" -eq 0 ] && exit 0
    exit 1
}

# skip REASON: ends a suite that cannot run here; tests/run makes that a failure in CI.
skip() {
    echo "SKIP $suite: $*"
    echo "$suite: 0 passed, 0 failed, 1 skipped"
    exit 77
}

# check WORDS COMMAND...: runs one check and counts it.
good=0 bad=0
check() {
    local words=$1
    shift
    if "$@"; then
        good=$((good + 1))
        echo "ok      $words"
    else
        bad=$((bad + 1))
        echo "FAILED  $words"
    fi
}

# need COMMAND PACKAGE...: in CI installs what is missing; elsewhere skips.
need() {
    local command=$1
    shift
    command -v "$command" >/dev/null && return
    [ "${CI:-}" = true ] || skip "no $command here (Debian: apt-get install $*)"
    { apt-get -q update && apt-get -qy install --no-install-recommends "$@"; } >/dev/null
    command -v "$command" >/dev/null || skip "$command could not be installed"
}

# python_with REQUIREMENTS: a virtual environment under target/ with what a
# requirements file asks for; sets $python.
python_with() {
    need python3 python3 python3-venv
    local venv=target/venv/$suite
    python=$venv/bin/python
    if ! cmp -s "$1" "$venv/requirements.txt"; then
        rm -rf "$venv"
        { python3 -m venv "$venv" &&
            "$python" -m pip install -q --disable-pip-version-check -r "$1" &&
            cp "$1" "$venv/requirements.txt"; } || skip "could not install $1"
    fi
}

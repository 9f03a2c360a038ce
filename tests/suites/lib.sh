# shellcheck shell=bash
# What the suites share. Sourced by each; a suite is named as its file.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/need.sh
. tests/need.sh
export CARGO_TERM_COLOR=never
# shellcheck disable=SC2034 # used by those who source this
target=${CARGO_TARGET_DIR:-target}

# finish PASSED FAILED SKIPPED: the last line, and the exit code that goes with it.
finish() {
    echo "${name:?}: $1 passed, $2 failed, $3 skipped"
    [ "$2" -eq 0 ] && exit 0
    exit 1
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

# cargo_counts LOG CODE: how many tests of `cargo test` passed, failed and were
# skipped. One that cannot run writes `SKIP name: why` to standard error and returns;
# libtest calls that passed.
cargo_counts() {
    local skipped failed
    skipped=$(grep -c '^SKIP ' "$1")
    failed=$(cargo_sum failed "$1")
    # Cargo fails for more than a test: what does not compile has no result.
    [ "$2" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
    echo "$(($(cargo_sum passed "$1") - skipped)) $failed $((skipped + $(cargo_sum ignored "$1")))"
}
cargo_sum() { grep -oE "^test result:.* [0-9]+ $1" "$2" | awk '{ n += $(NF - 1) } END { print n + 0 }'; }

# python_with REQUIREMENTS: a virtual environment under target/ with what a
# requirements file asks for; sets $python.
python_with() {
    need python3 python3 python3-venv
    python3 -c 'import ensurepip' 2>/dev/null || need python3-ensurepip python3-venv
    local venv=target/venv/${name:?}
    python=$venv/bin/python
    if ! cmp -s "$1" "$venv/requirements.txt"; then
        rm -rf "$venv"
        { python3 -m venv "$venv" &&
            "$python" -m pip install -q --disable-pip-version-check -r "$1" &&
            cp "$1" "$venv/requirements.txt"; } || skip "could not install $1"
    fi
}

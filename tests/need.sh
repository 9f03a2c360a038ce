# shellcheck shell=bash
# Sourced by the test scripts, for the tools that they need.

name=$(basename "$0")

# Ends the script as skipped; in CI nothing is.
skip() {
    echo "SKIP $name: $1" >&2
    [[ ${CI-} != true ]] || exit 1
    exit 77
}

# need COMMAND PACKAGE...: the command of these Debian packages. Where it is
# missing, CI installs them, and anybody else is told.
need() {
    if command -v "$1" >/dev/null; then
        return
    elif [[ ${CI-} == true ]]; then
        # Two suites at once may want to install something.
        flock "${TMPDIR:-/tmp}/homeline-apt.lock" apt-get update --quiet --quiet
        DEBIAN_FRONTEND=noninteractive flock "${TMPDIR:-/tmp}/homeline-apt.lock" \
            apt-get install --quiet --quiet --yes "${@:2}"
    else
        skip "there is no $1 (apt-get install ${*:2})"
    fi
}

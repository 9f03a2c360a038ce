# shellcheck shell=bash
# Sourced by the test scripts of the bindings.

name=$(basename "$0")

# Ends the script as skipped; in CI nothing is.
skip() {
    echo "SKIP $name: $1" >&2
    [[ ${CI-} != true ]] || exit 1
    exit 77
}

# need COMMAND PACKAGE: the command of that Debian package. Where it is missing,
# CI installs it, and anybody else is told.
need() {
    if command -v "$1" >/dev/null; then
        return
    elif [[ ${CI-} == true ]]; then
        apt-get update --quiet --quiet
        DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes "$2"
    else
        skip "there is no $1 (apt-get install $2)"
    fi
}

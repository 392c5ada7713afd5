#!/usr/bin/env bash
# Makes the virtual environment of the contract fuzzing: tests/contract/venv.sh target/contract/venv
#
# Without Python or without PyPI the contract is not fuzzed, and that is an error: nothing is skipped silently.
set -eu

fail() {
    echo "contract: $*" >&2
    exit 1
}

place=${1:?where to?}
requirements=$(dirname "$0")/requirements.txt

command -v python3 >/dev/null || fail "python3 was not found: Python 3.10 or newer is needed"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "$(python3 --version) is too old: 3.10 or newer is needed"
rm -rf "$place"
mkdir -p "$(dirname "$place")"
python3 -m venv "$place" || fail "python3 -m venv does not work: on Debian install the package python3-venv"
"$place/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$requirements" ||
    fail "the packages of $requirements could not be installed: is PyPI within reach?"
"$place/bin/schemathesis" --version
touch "$place/ready"

#!/usr/bin/env bash
# Installs the OpenID provider of the sign-in tests into a folder, once for each state of the lock file: tests/oidc/install.sh target/oidc
#
# Needs Node.js 20 or newer with npm and, the first time, the npm registry.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# = 1 ] || { echo "install: into which folder?" >&2; exit 1; }
command -v node >/dev/null && command -v npm >/dev/null || { echo "install: Node.js (node, npm) is not on this machine" >&2; exit 1; }
mkdir -p "$1"
cd "$1"
if [ -f ready ] && cmp -s package-lock.json "$here/package-lock.json"; then
    cp "$here/issuer.mjs" .
    touch ready
    exit 0
fi
rm -rf ready node_modules
cp "$here/package.json" "$here/package-lock.json" "$here/issuer.mjs" .
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
touch ready

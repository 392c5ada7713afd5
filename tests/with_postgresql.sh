#!/usr/bin/env bash
# Runs a command with a throw-away PostgreSQL on a private socket: tests/with_postgresql.sh cargo test
#
# The server programs are those of the machine; on Debian, as root, they are installed when they are missing. When no server can be started the
# command is not run and the exit code says so: tests are never skipped silently.
set -eu

fail() {
    echo "with_postgresql: $*" >&2
    exit 1
}

[ $# -gt 0 ] || fail "which command?"

programs=""
find_programs() {
    for folder in "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin /usr/local/pgsql/bin /opt/homebrew/opt/postgresql*/bin; do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && [ -x "$folder/createdb" ]; then
            programs=$folder
        fi
    done
}

find_programs
if [ -z "$programs" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "with_postgresql: installing PostgreSQL" >&2
    (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql postgresql-client) >&2 ||
        fail "PostgreSQL cannot be installed"
    find_programs
fi
[ -n "$programs" ] || fail "no PostgreSQL server programs (initdb, postgres, createdb) were found; install the package postgresql"

base=$(mktemp -d "${TMPDIR:-/tmp}/lahete-postgresql.XXXXXX")
user=""
if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$base"
fi
chmod 755 "$base"
as_user() {
    if [ -n "$user" ]; then runuser -u "$user" -- "$@"; else "$@"; fi
}

server=""
stop() {
    if [ -n "$server" ]; then
        as_user "$programs/pg_ctl" -D "$base/data" -m immediate stop >/dev/null 2>&1 || true
    fi
    rm -rf "$base"
}
trap stop EXIT
trap 'exit 130' INT TERM

as_user "$programs/initdb" -D "$base/data" -U lahete --auth=trust --encoding=UTF8 --locale=C --no-sync >"$base/initdb.log" 2>&1 ||
    fail "initdb failed: $(tail -n 5 "$base/initdb.log")"
# Only a socket, no port; durability is what the tests of the store look at, so it stays on.
as_user "$programs/pg_ctl" -D "$base/data" -w -t 60 -l "$base/server.log" \
    -o "-c listen_addresses='' -c unix_socket_directories='$base' -c max_connections=300 -c lc_messages=C -c max_pred_locks_per_transaction=256" \
    start >/dev/null 2>&1 || fail "the server did not start: $(tail -n 5 "$base/server.log" 2>/dev/null)"
server=running
chmod 755 "$base"

export LAHETE_TEST_POSTGRESQL_SOCKET=$base
export LAHETE_TEST_POSTGRESQL_PROGRAMS=$programs
"$@"

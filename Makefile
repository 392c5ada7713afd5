# Two commands are all that a newcomer needs: `make run` and `make test`.

.PHONY: run test test-unit test-faults test-trust contract check fmt lint openapi golden document-is-clean build bench bench-ptv

# The demo: an SQLite database in ./data, one programme, a user for every role.
run:
	cargo run --release --bin lahete -- serve --demo

build:
	cargo build --release --bin lahete

# Everything: unit tests, both databases, HTTP, contract. Starts a throw-away PostgreSQL of its own, and an OpenID provider from npm.
# It takes a quarter of an hour; after an hour something stands still, and the test that does is among those that "run for over 60 seconds".
test: target/oidc/ready
	tests/with_postgresql.sh timeout 60m cargo test --workspace

target/oidc/ready: tests/oidc/package-lock.json tests/oidc/issuer.mjs tests/oidc/install.sh
	tests/oidc/install.sh target/oidc

test-unit:
	tests/with_postgresql.sh cargo test --workspace --lib

# Fuzzes the contract: the demo on both databases against schemathesis with the token of every role. Needs Python and, the first time, PyPI.
contract: target/contract/venv/ready
	cargo build --quiet --bin lahete
	tests/with_postgresql.sh target/contract/venv/bin/python tests/contract/run.py

target/contract/venv/ready: tests/contract/requirements.txt tests/contract/venv.sh
	tests/contract/venv.sh target/contract/venv

# The long form of the tests of faults, one after the other, with the program as it is built for use; about half an hour on two free cores.
# FAULT=kill runs those of one kind, ROUNDS=5 that many rounds of each. The test program itself is the one of `make test`: only the server has to be
# quick, and building the tests a second time would take longer than many of them.
test-faults: build
	LAHETE_TEST_FAULTS=long LAHETE_TEST_PROGRAM=$(CURDIR)/target/release/lahete $(if $(ROUNDS),LAHETE_TEST_ROUNDS=$(ROUNDS)) \
	  tests/with_postgresql.sh cargo test -p lahete-api --test it -- faults::$(FAULT) migrations:: --nocapture --test-threads 1

# The long form of the tests of trust: two thousand changes of the trail on each database, a change of keys under load with a thousand people, forty
# kills in the middle of one, and how quick the check of a million events is. About half an hour. ROUNDS=5 runs that many rounds of each.
test-trust: build
	LAHETE_TEST_TRUST=long LAHETE_TEST_PROGRAM=$(CURDIR)/target/release/lahete $(if $(ROUNDS),LAHETE_TEST_ROUNDS=$(ROUNDS)) \
	  tests/with_postgresql.sh cargo test -p lahete-api --test it -- trust:: --nocapture --test-threads 1

# The server against its limits, on both databases with up to a million referrals: table, JSON and chart in target/bench. About a quarter of an
# hour and twelve gigabytes of disk; QUICK=1 is the same table from short looks at ten and at a hundred thousand, in two minutes once it is built.
bench:
	tests/with_postgresql.sh cargo bench -p lahete-api --bench bench

# How many services of the national service directory an import takes over in a second, on SQLite; SERVICES=5000 makes it shorter.
bench-ptv:
	cargo bench -p lahete-api --bench ptv

fmt:
	cargo fmt --all --check

lint:
	cargo clippy --workspace --all-targets -- -D warnings

# Writes the contract anew from the handlers. openapi.yaml is never edited by hand.
openapi:
	cargo run --quiet --bin lahete -- openapi > openapi.yaml

# Writes the golden files anew; read the difference before you commit it.
golden:
	UPDATE_GOLDEN=1 tests/with_postgresql.sh cargo test -p lahete-api --test it

document-is-clean:
	cargo run --quiet --bin lahete -- openapi | diff -u openapi.yaml - \
	  || { echo "openapi.yaml is not what the handlers say: run 'make openapi'"; exit 1; }

# What CI runs.
check: fmt lint test contract document-is-clean

CREATE TABLE idempotency_keys_old (
    caller      TEXT NOT NULL,
    operation   TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status      INTEGER NOT NULL CONSTRAINT idempotency_keys_status CHECK (status BETWEEN 100 AND 599),
    headers     TEXT NOT NULL,
    body        TEXT NOT NULL,
    created_at  TEXT NOT NULL CONSTRAINT idempotency_keys_created_at CHECK (length(created_at) = 27),
    PRIMARY KEY (caller, operation, key)
) STRICT;

INSERT INTO idempotency_keys_old SELECT caller, operation, key, fingerprint, status, '[]', '', created_at FROM idempotency_keys;
DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_old RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
DROP INDEX clients_programme_id_created_at_idx;
DROP TABLE retention_runs;
DROP TABLE retention_policies;
DROP TABLE data_requests;
DROP TABLE legal_holds;
DROP TABLE client_restrictions;
DROP TABLE client_changes;
DROP INDEX clients_restricted_idx;
ALTER TABLE clients DROP COLUMN standing;

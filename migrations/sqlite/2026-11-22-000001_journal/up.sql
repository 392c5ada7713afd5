CREATE TABLE audit_events (
    id              TEXT NOT NULL PRIMARY KEY,
    writer_id       TEXT NOT NULL,
    seq             INTEGER NOT NULL CONSTRAINT audit_events_seq CHECK (seq >= 1),
    prev_hash       BLOB NOT NULL CONSTRAINT audit_events_prev_hash CHECK (length(prev_hash) = 32),
    hash            BLOB NOT NULL CONSTRAINT audit_events_hash CHECK (length(hash) = 32),
    at              TEXT NOT NULL CONSTRAINT audit_events_at CHECK (length(at) = 27),
    caller_kind     TEXT NOT NULL CONSTRAINT audit_events_caller_kind CHECK (caller_kind IN ('user', 'api_client', 'anonymous', 'clock')),
    user_id         TEXT,
    api_client_id   TEXT,
    role            TEXT,
    organisation_id TEXT,
    programme_id    TEXT,
    client_id       TEXT,
    referral_id     TEXT,
    operation       TEXT NOT NULL,
    action          TEXT NOT NULL CONSTRAINT audit_events_action CHECK (action IN ('read', 'created', 'changed', 'searched')),
    outcome         TEXT NOT NULL CONSTRAINT audit_events_outcome CHECK (outcome IN ('allowed', 'denied')),
    reason          TEXT,
    request_id      TEXT NOT NULL,
    CONSTRAINT audit_events_caller CHECK (
        (caller_kind = 'user') = (user_id IS NOT NULL) AND (caller_kind = 'api_client') = (api_client_id IS NOT NULL)
    )
) STRICT;

CREATE UNIQUE INDEX audit_events_place ON audit_events (writer_id, seq);
CREATE INDEX audit_events_of_client ON audit_events (client_id, at, id);
CREATE INDEX audit_events_of_programme ON audit_events (programme_id, at, id);

CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

CREATE TABLE idempotency_keys (
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

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

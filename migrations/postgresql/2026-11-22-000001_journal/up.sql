CREATE TABLE audit_events (
    id              uuid NOT NULL PRIMARY KEY,
    writer_id       uuid NOT NULL,
    seq             bigint NOT NULL CONSTRAINT audit_events_seq CHECK (seq >= 1),
    prev_hash       bytea NOT NULL CONSTRAINT audit_events_prev_hash CHECK (octet_length(prev_hash) = 32),
    hash            bytea NOT NULL CONSTRAINT audit_events_hash CHECK (octet_length(hash) = 32),
    at              timestamptz NOT NULL,
    caller_kind     text COLLATE "C" NOT NULL CONSTRAINT audit_events_caller_kind CHECK (caller_kind IN ('user', 'api_client', 'anonymous', 'clock')),
    user_id         uuid,
    api_client_id   uuid,
    role            text COLLATE "C",
    organisation_id uuid,
    programme_id    uuid,
    client_id       uuid,
    referral_id     uuid,
    operation       text COLLATE "C" NOT NULL,
    action          text COLLATE "C" NOT NULL CONSTRAINT audit_events_action CHECK (action IN ('read', 'created', 'changed', 'searched')),
    outcome         text COLLATE "C" NOT NULL CONSTRAINT audit_events_outcome CHECK (outcome IN ('allowed', 'denied')),
    reason          text COLLATE "C",
    request_id      text COLLATE "C" NOT NULL,
    CONSTRAINT audit_events_caller CHECK (
        (caller_kind = 'user') = (user_id IS NOT NULL) AND (caller_kind = 'api_client') = (api_client_id IS NOT NULL)
    )
);

CREATE UNIQUE INDEX audit_events_place ON audit_events (writer_id, seq);
CREATE INDEX audit_events_of_client ON audit_events (client_id, at, id);
CREATE INDEX audit_events_of_programme ON audit_events (programme_id, at, id);

CREATE FUNCTION audit_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_events is append-only';
END;
$$;

CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only();

CREATE TABLE idempotency_keys (
    caller      text COLLATE "C" NOT NULL,
    operation   text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    status      smallint NOT NULL CONSTRAINT idempotency_keys_status CHECK (status BETWEEN 100 AND 599),
    headers     text COLLATE "C" NOT NULL,
    body        text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (caller, operation, key)
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

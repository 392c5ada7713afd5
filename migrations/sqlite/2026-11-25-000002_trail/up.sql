-- Data keys that change, and a trail that can be checked against what was signed outside the database.

-- While keys are changed an identity code has an index under a key of each slot: odd ids here, even ids there.
ALTER TABLE clients ADD COLUMN identity_code_index_2 BLOB;
CREATE UNIQUE INDEX clients_programme_id_identity_code_2_key ON clients (programme_id, identity_code_index_2) WHERE identity_code_index_2 IS NOT NULL AND NOT provisional;

CREATE TABLE data_keys (
    id INTEGER NOT NULL CHECK (id BETWEEN 1 AND 255),
    check_value BLOB NOT NULL CHECK (length(check_value) = 32),
    since TEXT NOT NULL CHECK (length(since) = 27),
    retired_at TEXT CHECK (length(retired_at) = 27),
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

-- The chain holds a salted hash of a stated reason in place of the reason, so that an erasure can take the reason out.
ALTER TABLE audit_events ADD COLUMN reason_salt BLOB CHECK (length(reason_salt) = 16);
ALTER TABLE audit_events ADD COLUMN reason_hash BLOB CHECK (length(reason_hash) = 32);

-- Where chains begin whose oldest events were forgotten, signed by the program.
CREATE TABLE audit_beginnings (
    writer_id TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 2),
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    at TEXT NOT NULL CHECK (length(at) = 27),
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    PRIMARY KEY (writer_id)
) STRICT;

CREATE TRIGGER audit_beginnings_forward BEFORE UPDATE ON audit_beginnings
WHEN NEW.writer_id IS NOT OLD.writer_id OR NEW.seq <= OLD.seq
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

CREATE TRIGGER audit_beginnings_no_delete BEFORE DELETE ON audit_beginnings
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

DROP TRIGGER audit_events_no_update;
DROP TRIGGER audit_events_no_delete;

CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
WHEN NOT (
    NEW.reason IS NULL AND NEW.reason_salt IS NULL AND OLD.reason_hash IS NOT NULL AND NEW.reason_hash IS OLD.reason_hash
    AND NEW.id IS OLD.id AND NEW.writer_id IS OLD.writer_id AND NEW.seq IS OLD.seq AND NEW.prev_hash IS OLD.prev_hash
    AND NEW.hash IS OLD.hash AND NEW.at IS OLD.at AND NEW.caller_kind IS OLD.caller_kind AND NEW.user_id IS OLD.user_id
    AND NEW.api_client_id IS OLD.api_client_id AND NEW.role IS OLD.role AND NEW.organisation_id IS OLD.organisation_id
    AND NEW.programme_id IS OLD.programme_id AND NEW.client_id IS OLD.client_id AND NEW.referral_id IS OLD.referral_id
    AND NEW.operation IS OLD.operation AND NEW.action IS OLD.action AND NEW.outcome IS OLD.outcome AND NEW.request_id IS OLD.request_id
)
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM audit_beginnings b WHERE b.writer_id = OLD.writer_id AND OLD.seq < b.seq)
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

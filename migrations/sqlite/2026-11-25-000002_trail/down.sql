DROP TRIGGER audit_events_no_update;
DROP TRIGGER audit_events_no_delete;
DROP TABLE audit_beginnings;
ALTER TABLE audit_events DROP COLUMN reason_hash;
ALTER TABLE audit_events DROP COLUMN reason_salt;

CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

DROP TABLE data_keys;
DROP INDEX clients_programme_id_identity_code_2_key;
ALTER TABLE clients DROP COLUMN identity_code_index_2;

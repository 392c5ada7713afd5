DROP TRIGGER audit_events_no_truncate ON audit_events;
DROP TRIGGER audit_events_no_change ON audit_events;
DROP FUNCTION audit_events_guard();
CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only();

DROP TABLE audit_beginnings;
DROP FUNCTION audit_beginnings_forward();
ALTER TABLE audit_events DROP COLUMN reason_hash;
ALTER TABLE audit_events DROP COLUMN reason_salt;

DROP TABLE data_keys;
DROP INDEX clients_programme_id_identity_code_2_key;
ALTER TABLE clients DROP COLUMN identity_code_index_2;

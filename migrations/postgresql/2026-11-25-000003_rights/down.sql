DROP INDEX idempotency_keys_client;
ALTER TABLE idempotency_keys
    ADD COLUMN headers text NOT NULL DEFAULT '[]',
    ADD COLUMN body text NOT NULL DEFAULT '',
    DROP COLUMN answer,
    DROP COLUMN client_id,
    DROP COLUMN id;
ALTER TABLE idempotency_keys ALTER COLUMN headers DROP DEFAULT, ALTER COLUMN body DROP DEFAULT;
DROP INDEX clients_programme_id_created_at_idx;
DROP TABLE retention_runs;
DROP TABLE retention_policies;
DROP TABLE data_requests;
DROP TABLE legal_holds;
DROP TABLE client_restrictions;
DROP TABLE client_changes;
DROP INDEX clients_restricted_idx;
ALTER TABLE clients DROP COLUMN standing;

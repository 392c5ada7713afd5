ALTER TABLE api_clients DROP COLUMN secret_used_at;
ALTER TABLE api_clients DROP COLUMN old_secret_until;
ALTER TABLE api_clients DROP COLUMN old_secret_sha256;
DROP TABLE used_assertions;
DROP TABLE api_client_keys;
DROP TABLE revocations;
DROP TABLE identities;

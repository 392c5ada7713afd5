-- Who signs in from elsewhere, by what a machine proves who it is, and which tokens have been ended before their time.

CREATE TABLE identities (
    id TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT REFERENCES users (id),
    api_client_id TEXT REFERENCES api_clients (id),
    created_by TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT identities_issuer_subject_key UNIQUE (issuer, subject),
    CHECK ((user_id IS NULL) <> (api_client_id IS NULL))
) STRICT;

CREATE INDEX identities_user_id_idx ON identities (user_id, created_at, id) WHERE user_id IS NOT NULL;
CREATE INDEX identities_api_client_id_idx ON identities (api_client_id, created_at, id) WHERE api_client_id IS NOT NULL;

-- All tokens of a caller that were issued by an instant, or one token by its digest.
CREATE TABLE revocations (
    subject TEXT NOT NULL,
    not_before TEXT NOT NULL,
    until TEXT NOT NULL,
    PRIMARY KEY (subject)
) STRICT;

CREATE INDEX revocations_until_idx ON revocations (until);

CREATE TABLE api_client_keys (
    id TEXT NOT NULL,
    api_client_id TEXT NOT NULL REFERENCES api_clients (id),
    key_name TEXT NOT NULL,
    algorithm TEXT NOT NULL CHECK (algorithm IN ('ES256', 'EdDSA', 'RS256', 'PS256')),
    jwk TEXT NOT NULL,
    expires_at TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT api_client_keys_api_client_id_key_name_key UNIQUE (api_client_id, key_name)
) STRICT;

CREATE INDEX api_client_keys_api_client_id_idx ON api_client_keys (api_client_id, created_at, id);

-- An assertion opens once.
CREATE TABLE used_assertions (
    api_client_id TEXT NOT NULL REFERENCES api_clients (id),
    jti_sha256 BLOB NOT NULL CHECK (length(jti_sha256) = 32),
    until TEXT NOT NULL,
    PRIMARY KEY (api_client_id, jti_sha256)
) STRICT;

CREATE INDEX used_assertions_until_idx ON used_assertions (until);

ALTER TABLE api_clients ADD COLUMN old_secret_sha256 BLOB;
ALTER TABLE api_clients ADD COLUMN old_secret_until TEXT;
ALTER TABLE api_clients ADD COLUMN secret_used_at TEXT;

-- Who signs in from elsewhere, by what a machine proves who it is, and which tokens have been ended before their time.

CREATE TABLE identities (
    id uuid NOT NULL,
    issuer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    user_id uuid REFERENCES users (id),
    api_client_id uuid REFERENCES api_clients (id),
    created_by uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT identities_issuer_subject_key UNIQUE (issuer, subject),
    CHECK ((user_id IS NULL) <> (api_client_id IS NULL))
);

CREATE INDEX identities_user_id_idx ON identities (user_id, created_at, id) WHERE user_id IS NOT NULL;
CREATE INDEX identities_api_client_id_idx ON identities (api_client_id, created_at, id) WHERE api_client_id IS NOT NULL;

-- All tokens of a caller that were issued by an instant, or one token by its digest.
CREATE TABLE revocations (
    subject text COLLATE "C" NOT NULL,
    not_before timestamptz NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (subject)
);

CREATE INDEX revocations_until_idx ON revocations (until);

CREATE TABLE api_client_keys (
    id uuid NOT NULL,
    api_client_id uuid NOT NULL REFERENCES api_clients (id),
    key_name text COLLATE "C" NOT NULL,
    algorithm text COLLATE "C" NOT NULL CHECK (algorithm IN ('ES256', 'EdDSA', 'RS256', 'PS256')),
    jwk text COLLATE "C" NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT api_client_keys_api_client_id_key_name_key UNIQUE (api_client_id, key_name)
);

CREATE INDEX api_client_keys_api_client_id_idx ON api_client_keys (api_client_id, created_at, id);

-- An assertion opens once.
CREATE TABLE used_assertions (
    api_client_id uuid NOT NULL REFERENCES api_clients (id),
    jti_sha256 bytea NOT NULL CHECK (octet_length(jti_sha256) = 32),
    until timestamptz NOT NULL,
    PRIMARY KEY (api_client_id, jti_sha256)
);

CREATE INDEX used_assertions_until_idx ON used_assertions (until);

ALTER TABLE api_clients
    ADD COLUMN old_secret_sha256 bytea,
    ADD COLUMN old_secret_until timestamptz,
    ADD COLUMN secret_used_at timestamptz;

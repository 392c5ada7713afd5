-- The rights of the person whose data these are: requests with a deadline, what was before a correction, restriction, legal hold, retention.

ALTER TABLE clients ADD COLUMN standing TEXT NOT NULL DEFAULT 'open' CHECK (standing IN ('open', 'restricted', 'erased'));
CREATE INDEX clients_restricted_idx ON clients (programme_id, id) WHERE standing = 'restricted';

CREATE TABLE client_changes (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    referral_id TEXT,
    at TEXT NOT NULL,
    user_id TEXT,
    role TEXT NOT NULL CHECK (role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    members TEXT NOT NULL,
    details BLOB NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX client_changes_client_id_idx ON client_changes (client_id, at, id);

CREATE TABLE client_restrictions (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    reason TEXT NOT NULL,
    restricted_at TEXT NOT NULL,
    restricted_by TEXT NOT NULL,
    release_reason TEXT,
    released_at TEXT,
    released_by TEXT,
    lifted_at TEXT,
    lifted_by TEXT,
    PRIMARY KEY (id),
    CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
) STRICT;

CREATE UNIQUE INDEX client_restrictions_one_open_key ON client_restrictions (client_id) WHERE lifted_at IS NULL;
CREATE INDEX client_restrictions_client_id_idx ON client_restrictions (client_id, restricted_at, id);

CREATE TABLE legal_holds (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    referral_id TEXT,
    reason TEXT NOT NULL,
    placed_at TEXT NOT NULL,
    placed_by TEXT NOT NULL,
    hold_until TEXT,
    ended_at TEXT,
    ended_by TEXT,
    end_reason TEXT,
    PRIMARY KEY (id),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
) STRICT;

CREATE INDEX legal_holds_programme_id_idx ON legal_holds (programme_id, placed_at, id);
CREATE INDEX legal_holds_client_id_idx ON legal_holds (client_id, placed_at, id);

CREATE TABLE data_requests (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    kind TEXT NOT NULL CHECK (kind IN ('access', 'rectification', 'erasure', 'restriction', 'objection', 'portability')),
    state TEXT NOT NULL CHECK (state IN ('received', 'in_progress', 'extended', 'fulfilled', 'refused', 'withdrawn')),
    words TEXT,
    received_at TEXT NOT NULL,
    received_on TEXT NOT NULL,
    due_on TEXT NOT NULL,
    recorded_by TEXT,
    recorded_role TEXT NOT NULL CHECK (recorded_role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    handler_id TEXT,
    extended_at TEXT,
    extension_reason TEXT,
    decided_at TEXT,
    decided_by TEXT,
    ground TEXT CHECK (ground IN ('statutory_task', 'legal_hold', 'legal_claims', 'not_identified', 'manifestly_unfounded', 'rights_of_others', 'nothing_held', 'other')),
    decision TEXT,
    outcome TEXT,
    PRIMARY KEY (id),
    CHECK ((state IN ('fulfilled', 'refused', 'withdrawn')) = (decided_at IS NOT NULL)),
    CHECK ((state = 'refused') = (ground IS NOT NULL)),
    CHECK (due_on >= received_on)
) STRICT;

CREATE INDEX data_requests_programme_id_idx ON data_requests (programme_id, due_on, id);
CREATE INDEX data_requests_programme_id_state_idx ON data_requests (programme_id, state, due_on, id);
CREATE INDEX data_requests_client_id_idx ON data_requests (client_id, due_on, id);

CREATE TABLE retention_policies (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    record_class TEXT NOT NULL CHECK (record_class IN ('client', 'client_history', 'sign_in', 'referral', 'consent', 'message', 'contact_attempt', 'timeline', 'assignment', 'support_period', 'goal', 'activity_link', 'visit', 'measure', 'data_request', 'stored_answer', 'access_log', 'statistics', 'pay', 'staff')),
    valid_from TEXT NOT NULL,
    keep_months INTEGER CHECK (keep_months BETWEEN 1 AND 1200),
    statutory INTEGER NOT NULL CHECK (statutory IN (0, 1)),
    legal_basis TEXT NOT NULL,
    given_at TEXT NOT NULL,
    given_by TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT retention_policies_day_key UNIQUE (programme_id, record_class, valid_from)
) STRICT;

CREATE TABLE retention_runs (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    on_day TEXT NOT NULL,
    dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
    started_at TEXT NOT NULL,
    finished_at TEXT,
    report TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX retention_runs_programme_id_idx ON retention_runs (programme_id, started_at, id);
CREATE UNIQUE INDEX retention_runs_unfinished_key ON retention_runs (programme_id) WHERE finished_at IS NULL;

-- From where retention counts; ended referrals are in the index over their states.
CREATE INDEX clients_programme_id_created_at_idx ON clients (programme_id, created_at, id);
CREATE INDEX data_requests_decided_idx ON data_requests (programme_id, decided_at, id) WHERE decided_at IS NOT NULL;

-- A stored answer holds data of clients: it is sealed from now on, and tied to whom it is about. One from before cannot be sealed here: what was
-- asked for stays known, so that it is not done twice, but its answer is forgotten.
CREATE TABLE idempotency_keys_new (
    caller      TEXT NOT NULL,
    operation   TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status      INTEGER NOT NULL CONSTRAINT idempotency_keys_status CHECK (status BETWEEN 100 AND 599),
    created_at  TEXT NOT NULL CONSTRAINT idempotency_keys_created_at CHECK (length(created_at) = 27),
    id          TEXT NOT NULL,
    client_id   TEXT,
    answer      BLOB,
    PRIMARY KEY (caller, operation, key)
) STRICT;

INSERT INTO idempotency_keys_new
SELECT caller, operation, key, fingerprint, status, created_at,
    lower(substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-8' || substr(h, 18, 3) || '-' || substr(h, 21, 12)), NULL, NULL
FROM (SELECT *, hex(randomblob(16)) AS h FROM idempotency_keys);

DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_new RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_client ON idempotency_keys (client_id) WHERE client_id IS NOT NULL;


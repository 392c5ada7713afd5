-- The rights of the person whose data these are: requests with a deadline, what was before a correction, restriction, legal hold, retention.

ALTER TABLE clients ADD COLUMN standing text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (standing IN ('open', 'restricted', 'erased'));
CREATE INDEX clients_restricted_idx ON clients (programme_id, id) WHERE standing = 'restricted';

CREATE TABLE client_changes (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    referral_id uuid,
    at timestamptz NOT NULL,
    user_id uuid,
    role text COLLATE "C" NOT NULL CHECK (role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    members text COLLATE "C" NOT NULL,
    details bytea NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX client_changes_client_id_idx ON client_changes (client_id, at, id);

CREATE TABLE client_restrictions (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    reason text COLLATE "C" NOT NULL,
    restricted_at timestamptz NOT NULL,
    restricted_by uuid NOT NULL,
    release_reason text COLLATE "C",
    released_at timestamptz,
    released_by uuid,
    lifted_at timestamptz,
    lifted_by uuid,
    PRIMARY KEY (id),
    CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);

CREATE UNIQUE INDEX client_restrictions_one_open_key ON client_restrictions (client_id) WHERE lifted_at IS NULL;
CREATE INDEX client_restrictions_client_id_idx ON client_restrictions (client_id, restricted_at, id);

CREATE TABLE legal_holds (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    referral_id uuid,
    reason text COLLATE "C" NOT NULL,
    placed_at timestamptz NOT NULL,
    placed_by uuid NOT NULL,
    hold_until date,
    ended_at timestamptz,
    ended_by uuid,
    end_reason text COLLATE "C",
    PRIMARY KEY (id),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);

CREATE INDEX legal_holds_programme_id_idx ON legal_holds (programme_id, placed_at, id);
CREATE INDEX legal_holds_client_id_idx ON legal_holds (client_id, placed_at, id);

CREATE TABLE data_requests (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('access', 'rectification', 'erasure', 'restriction', 'objection', 'portability')),
    state text COLLATE "C" NOT NULL CHECK (state IN ('received', 'in_progress', 'extended', 'fulfilled', 'refused', 'withdrawn')),
    words text COLLATE "C",
    received_at timestamptz NOT NULL,
    received_on date NOT NULL,
    due_on date NOT NULL,
    recorded_by uuid,
    recorded_role text COLLATE "C" NOT NULL CHECK (recorded_role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    handler_id uuid,
    extended_at timestamptz,
    extension_reason text COLLATE "C",
    decided_at timestamptz,
    decided_by uuid,
    ground text COLLATE "C" CHECK (ground IN ('statutory_task', 'legal_hold', 'legal_claims', 'not_identified', 'manifestly_unfounded', 'rights_of_others', 'nothing_held', 'other')),
    decision text COLLATE "C",
    outcome jsonb,
    PRIMARY KEY (id),
    CHECK ((state IN ('fulfilled', 'refused', 'withdrawn')) = (decided_at IS NOT NULL)),
    CHECK ((state = 'refused') = (ground IS NOT NULL)),
    CHECK (due_on >= received_on)
);

CREATE INDEX data_requests_programme_id_idx ON data_requests (programme_id, due_on, id);
CREATE INDEX data_requests_programme_id_state_idx ON data_requests (programme_id, state, due_on, id);
CREATE INDEX data_requests_client_id_idx ON data_requests (client_id, due_on, id);

CREATE TABLE retention_policies (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    record_class text COLLATE "C" NOT NULL CHECK (record_class IN ('client', 'client_history', 'sign_in', 'referral', 'consent', 'message', 'contact_attempt', 'timeline', 'assignment', 'support_period', 'goal', 'activity_link', 'visit', 'measure', 'data_request', 'stored_answer', 'access_log', 'statistics', 'pay', 'staff')),
    valid_from date NOT NULL,
    keep_months bigint CHECK (keep_months BETWEEN 1 AND 1200),
    statutory boolean NOT NULL,
    legal_basis text COLLATE "C" NOT NULL,
    given_at timestamptz NOT NULL,
    given_by uuid NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT retention_policies_day_key UNIQUE (programme_id, record_class, valid_from)
);

CREATE TABLE retention_runs (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    on_day date NOT NULL,
    dry_run boolean NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    report jsonb NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX retention_runs_programme_id_idx ON retention_runs (programme_id, started_at, id);
CREATE UNIQUE INDEX retention_runs_unfinished_key ON retention_runs (programme_id) WHERE finished_at IS NULL;

-- From where retention counts; ended referrals are in the index over their states.
CREATE INDEX clients_programme_id_created_at_idx ON clients (programme_id, created_at, id);
CREATE INDEX data_requests_decided_idx ON data_requests (programme_id, decided_at, id) WHERE decided_at IS NOT NULL;

-- A stored answer holds data of clients: it is sealed from now on, and tied to whom it is about. One from before cannot be sealed here: what was
-- asked for stays known, so that it is not done twice, but its answer is forgotten.
ALTER TABLE idempotency_keys
    ADD COLUMN id uuid,
    ADD COLUMN client_id uuid,
    ADD COLUMN answer bytea,
    DROP COLUMN headers,
    DROP COLUMN body;
UPDATE idempotency_keys SET id = gen_random_uuid();
ALTER TABLE idempotency_keys ALTER COLUMN id SET NOT NULL;
CREATE INDEX idempotency_keys_client ON idempotency_keys (client_id) WHERE client_id IS NOT NULL;

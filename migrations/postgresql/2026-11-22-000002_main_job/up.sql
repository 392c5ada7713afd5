-- The main job, from a written referral to a closed support period. Codes are checked here as in the domain crate.

CREATE TABLE programmes (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    name text COLLATE "C" NOT NULL,
    controller text COLLATE "C" NOT NULL,
    privacy_notice_url text COLLATE "C",
    active boolean NOT NULL,
    PRIMARY KEY (id)
);


CREATE TABLE programme_municipalities (
    programme_id uuid NOT NULL REFERENCES programmes (id),
    municipality text COLLATE "C" NOT NULL,
    PRIMARY KEY (programme_id, municipality)
);

CREATE INDEX programme_municipalities_municipality_idx ON programme_municipalities (municipality, programme_id);

CREATE TABLE programme_terms (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    valid_from date NOT NULL,
    max_months bigint NOT NULL CHECK (max_months BETWEEN 1 AND 6),
    max_minutes_per_month bigint NOT NULL CHECK (max_minutes_per_month BETWEEN 1 AND 44640),
    fee_cents_per_hour bigint NOT NULL CHECK (fee_cents_per_hour BETWEEN 0 AND 100000),
    PRIMARY KEY (id),
    CONSTRAINT programme_terms_programme_id_valid_from_key UNIQUE (programme_id, valid_from)
);


CREATE TABLE organisations (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    name text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('wellbeing_county', 'municipality', 'association', 'parish', 'employment_service', 'state', 'company')),
    sector text COLLATE "C" CHECK (sector IN ('elderly', 'mental_health', 'social_services', 'rehabilitation', 'primary_care', 'hospital', 'employment', 'education_culture', 'leisure_sports', 'parish', 'association', 'self')),
    municipality text COLLATE "C",
    active boolean NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX organisations_programme_id_name_idx ON organisations (programme_id, name, id);

CREATE TABLE users (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    login text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    password_hash text COLLATE "C",
    active boolean NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT users_login_key UNIQUE (login)
);

CREATE INDEX users_programme_id_name_idx ON users (programme_id, name, id);

CREATE TABLE role_assignments (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    user_id uuid NOT NULL REFERENCES users (id),
    role text COLLATE "C" NOT NULL CHECK (role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    organisation_id uuid REFERENCES organisations (id),
    valid_from date NOT NULL,
    valid_until date,
    given_by uuid,
    given_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CHECK (role <> 'integration')
);

CREATE INDEX role_assignments_user_id_idx ON role_assignments (user_id, valid_from);
CREATE INDEX role_assignments_programme_id_idx ON role_assignments (programme_id, given_at, id);

CREATE TABLE api_clients (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    name text COLLATE "C" NOT NULL,
    source_system text COLLATE "C" NOT NULL,
    secret_sha256 bytea NOT NULL,
    secret_expires_at timestamptz,
    active boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX api_clients_programme_id_idx ON api_clients (programme_id, name, id);

CREATE TABLE api_client_organisations (
    api_client_id uuid NOT NULL REFERENCES api_clients (id),
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    PRIMARY KEY (api_client_id, organisation_id)
);


CREATE TABLE clients (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    user_id uuid REFERENCES users (id),
    provisional boolean NOT NULL,
    given_name text COLLATE "C" NOT NULL,
    family_name text COLLATE "C" NOT NULL,
    phone text COLLATE "C",
    email text COLLATE "C",
    address text COLLATE "C",
    client_will_contact boolean NOT NULL,
    birth_date date,
    birth_year bigint,
    identity_code_cipher bytea,
    identity_code_index bytea,
    sex text COLLATE "C" CHECK (sex IN ('female', 'male', 'other')),
    municipality text COLLATE "C" NOT NULL,
    language text COLLATE "C" NOT NULL,
    interpreter_needed boolean NOT NULL,
    non_disclosure boolean NOT NULL,
    lives_at_home boolean,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CHECK ((birth_date IS NULL) <> (birth_year IS NULL)),
    CHECK ((identity_code_cipher IS NULL) = (identity_code_index IS NULL))
);

CREATE UNIQUE INDEX clients_programme_id_identity_code_key ON clients (programme_id, identity_code_index) WHERE identity_code_index IS NOT NULL AND NOT provisional;
CREATE INDEX clients_user_id_idx ON clients (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE referrals (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('signed_in', 'anonymous', 'integration', 'self')),
    referrer_user_id uuid REFERENCES users (id),
    api_client_id uuid REFERENCES api_clients (id),
    organisation_id uuid REFERENCES organisations (id),
    sector text COLLATE "C" NOT NULL CHECK (sector IN ('elderly', 'mental_health', 'social_services', 'rehabilitation', 'primary_care', 'hospital', 'employment', 'education_culture', 'leisure_sports', 'parish', 'association', 'self')),
    municipality text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('draft', 'submitted', 'in_review', 'awaiting_information', 'waitlisted', 'deferred', 'assigned', 'in_support', 'directly_guided', 'closed', 'entered_in_error')),
    state_since timestamptz NOT NULL,
    coordinator_id uuid REFERENCES users (id),
    asked text COLLATE "C" CHECK (asked IN ('referrer', 'client', 'coordinator')),
    queue_accepted_at timestamptz,
    queue_priority text COLLATE "C" CHECK (queue_priority IN ('normal', 'soon', 'urgent')),
    resume_on date,
    back_to text COLLATE "C" CHECK (back_to IN ('in_review', 'waitlisted')),
    assignment_id uuid,
    support_period_id uuid,
    follow_up_on date,
    outcome text COLLATE "C" CHECK (outcome IN ('completed_as_planned', 'discontinued', 'not_started', 'redirected', 'declined', 'withdrawn')),
    end_reason text COLLATE "C" CHECK (end_reason IN ('goals_reached', 'max_period_reached', 'continues_in_activity', 'continues_with_support_person', 'continues_as_friend_or_volunteer', 'client_wish', 'health_declined', 'memory_disorder', 'moved_to_intensive_housing', 'moved_away', 'deceased', 'link_worker_left', 'not_reached', 'programme_break', 'client_declined', 'no_suitable_link_worker', 'no_capacity', 'no_suitable_activity', 'distance', 'health_service', 'social_service', 'other_community_support', 'other_area', 'needs_care_service', 'too_demanding', 'outside_area', 'duplicate', 'insufficient_information', 'consent_withdrawn', 'client_withdrew', 'referrer_withdrew', 'other')),
    route text COLLATE "C" CHECK (route IN ('direct', 'link_worker')),
    closed_at timestamptz,
    closed_by_user uuid,
    closed_by_role text COLLATE "C" CHECK (closed_by_role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    created_at timestamptz NOT NULL,
    submitted_at timestamptz,
    link_worker_user_id uuid REFERENCES users (id),
    shared_until date,
    PRIMARY KEY (id),
    CHECK ((state = 'closed') = (outcome IS NOT NULL AND end_reason IS NOT NULL AND closed_at IS NOT NULL AND closed_by_role IS NOT NULL)),
    CHECK ((state = 'deferred') = (resume_on IS NOT NULL AND back_to IS NOT NULL)),
    CHECK ((state = 'awaiting_information') = (asked IS NOT NULL)),
    CHECK ((state = 'directly_guided') = (follow_up_on IS NOT NULL)),
    CHECK (state <> 'assigned' OR assignment_id IS NOT NULL),
    CHECK ((state = 'in_support') = (support_period_id IS NOT NULL)),
    CHECK (state IN ('draft', 'entered_in_error', 'closed') OR submitted_at IS NOT NULL),
    CHECK ((queue_accepted_at IS NULL) = (queue_priority IS NULL))
);

CREATE INDEX referrals_programme_id_created_at_idx ON referrals (programme_id, created_at, id);
CREATE INDEX referrals_programme_id_state_created_at_idx ON referrals (programme_id, state, created_at, id);
CREATE INDEX referrals_programme_id_state_since_idx ON referrals (programme_id, state, state_since, id);
CREATE INDEX referrals_programme_id_municipality_state_idx ON referrals (programme_id, municipality, state, created_at, id);
CREATE INDEX referrals_coordinator_id_idx ON referrals (coordinator_id, state, created_at, id) WHERE coordinator_id IS NOT NULL;
CREATE INDEX referrals_referrer_user_id_idx ON referrals (referrer_user_id, created_at, id) WHERE referrer_user_id IS NOT NULL;
CREATE INDEX referrals_api_client_id_idx ON referrals (api_client_id, created_at, id) WHERE api_client_id IS NOT NULL;
CREATE INDEX referrals_link_worker_user_id_idx ON referrals (link_worker_user_id, created_at, id) WHERE link_worker_user_id IS NOT NULL;
CREATE INDEX referrals_client_id_idx ON referrals (client_id, created_at, id);

CREATE TABLE referral_details (
    referral_id uuid NOT NULL REFERENCES referrals (id),
    referrer_name text COLLATE "C",
    referrer_contact text COLLATE "C",
    feedback_wanted boolean NOT NULL,
    wish text COLLATE "C",
    background text COLLATE "C",
    written_together boolean NOT NULL,
    joint_meeting_wished boolean NOT NULL,
    not_a_service_acknowledged boolean NOT NULL,
    source_system text COLLATE "C",
    source_id text COLLATE "C",
    previous_referral_id uuid REFERENCES referrals (id),
    tracking_code_sha256 bytea,
    PRIMARY KEY (referral_id),
    CONSTRAINT referral_details_source_key UNIQUE (source_system, source_id),
    CONSTRAINT referral_details_tracking_code_key UNIQUE (tracking_code_sha256)
);


CREATE TABLE referral_snapshots (
    referral_id uuid NOT NULL REFERENCES referrals (id),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    submitted_on date NOT NULL,
    age bigint NOT NULL CHECK (age BETWEEN 18 AND 200),
    sex text COLLATE "C" CHECK (sex IN ('female', 'male', 'other')),
    municipality text COLLATE "C" NOT NULL,
    evaluation boolean NOT NULL,
    PRIMARY KEY (referral_id)
);

CREATE INDEX referral_snapshots_programme_id_submitted_on_idx ON referral_snapshots (programme_id, submitted_on, referral_id);

CREATE TABLE referral_reasons (
    referral_id uuid NOT NULL REFERENCES referrals (id),
    reason text COLLATE "C" NOT NULL CHECK (reason IN ('loneliness', 'social_contacts', 'daily_activity', 'getting_started', 'lifestyle_change', 'practical_help', 'outdoors', 'conversation', 'events_and_groups')),
    PRIMARY KEY (referral_id, reason)
);


CREATE TABLE consents (
    id uuid NOT NULL,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    purposes text COLLATE "C" NOT NULL,
    withdrawn_purposes text COLLATE "C" NOT NULL,
    text_version text COLLATE "C" NOT NULL,
    language text COLLATE "C" NOT NULL CHECK (language IN ('fi', 'sv', 'en', 'se', 'smn', 'sms')),
    method text COLLATE "C" NOT NULL CHECK (method IN ('oral', 'written', 'electronic', 'asserted_by_sender')),
    given_with text COLLATE "C",
    given_at timestamptz NOT NULL,
    valid_until date,
    recorded_by uuid,
    verified_at timestamptz,
    verified_by uuid,
    withdrawn_at timestamptz,
    PRIMARY KEY (id),
    CHECK ((verified_at IS NULL) = (verified_by IS NULL))
);

CREATE INDEX consents_referral_id_idx ON consents (referral_id, given_at);

CREATE TABLE messages (
    id uuid NOT NULL,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('question', 'answer')),
    sender text COLLATE "C" NOT NULL CHECK (sender IN ('referrer', 'client', 'coordinator')),
    recipient text COLLATE "C" NOT NULL CHECK (recipient IN ('referrer', 'client', 'coordinator')),
    user_id uuid,
    words text COLLATE "C" NOT NULL,
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX messages_referral_id_idx ON messages (referral_id, sent_at, id);

CREATE TABLE contact_attempts (
    id uuid NOT NULL,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('phone', 'text_message', 'email', 'letter', 'home_visit')),
    result text COLLATE "C" NOT NULL CHECK (result IN ('reached', 'not_reached', 'left_message')),
    attempted_at timestamptz NOT NULL,
    recorded_by uuid NOT NULL REFERENCES users (id),
    note text COLLATE "C",
    PRIMARY KEY (id)
);

CREATE INDEX contact_attempts_referral_id_idx ON contact_attempts (referral_id, attempted_at, id);

CREATE TABLE events (
    id uuid NOT NULL,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('referral_created', 'referral_updated', 'referral_submitted', 'review_started', 'information_requested', 'information_answered', 'directly_guided', 'waitlisted', 'deferred', 'resumed', 'assignment_proposed', 'assignment_accepted', 'assignment_declined', 'assignment_expired', 'assignment_ended', 'contact_attempted', 'consent_recorded', 'consent_verified', 'consent_withdrawn', 'support_started', 'support_paused', 'support_resumed', 'support_extended', 'link_worker_changed', 'end_proposed', 'support_ended', 'goal_recorded', 'activity_linked', 'activity_link_changed', 'visit_planned', 'visit_held', 'visit_cancelled', 'visit_not_attended', 'visit_changed', 'measure_recorded', 'referral_withdrawn', 'referral_closed', 'referral_reopened', 'marked_as_error')),
    at timestamptz NOT NULL,
    caller_kind text COLLATE "C" NOT NULL CHECK (caller_kind IN ('user', 'api_client', 'anonymous', 'clock')),
    user_id uuid,
    api_client_id uuid,
    role text COLLATE "C" CHECK (role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    from_state text COLLATE "C" CHECK (from_state IN ('draft', 'submitted', 'in_review', 'awaiting_information', 'waitlisted', 'deferred', 'assigned', 'in_support', 'directly_guided', 'closed', 'entered_in_error')),
    to_state text COLLATE "C" CHECK (to_state IN ('draft', 'submitted', 'in_review', 'awaiting_information', 'waitlisted', 'deferred', 'assigned', 'in_support', 'directly_guided', 'closed', 'entered_in_error')),
    reason text COLLATE "C",
    comment text COLLATE "C",
    PRIMARY KEY (id)
);

CREATE INDEX events_referral_id_idx ON events (referral_id, at, id);

CREATE TABLE link_workers (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    user_id uuid NOT NULL REFERENCES users (id),
    name text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('active', 'paused', 'ended')),
    languages text COLLATE "C" NOT NULL,
    interests text COLLATE "C",
    max_clients bigint NOT NULL CHECK (max_clients BETWEEN 0 AND 20),
    hours_per_month bigint NOT NULL CHECK (hours_per_month BETWEEN 0 AND 160),
    PRIMARY KEY (id),
    CONSTRAINT link_workers_programme_id_user_id_key UNIQUE (programme_id, user_id)
);

CREATE INDEX link_workers_programme_id_name_idx ON link_workers (programme_id, name, id);
CREATE INDEX link_workers_user_id_idx ON link_workers (user_id);

CREATE TABLE link_worker_municipalities (
    link_worker_id uuid NOT NULL REFERENCES link_workers (id),
    municipality text COLLATE "C" NOT NULL,
    PRIMARY KEY (link_worker_id, municipality)
);


CREATE TABLE contracts (
    id uuid NOT NULL,
    link_worker_id uuid NOT NULL REFERENCES link_workers (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('fee', 'hourly', 'volunteer')),
    employer_id uuid NOT NULL REFERENCES organisations (id),
    valid_from date NOT NULL,
    valid_until date,
    fee_cents_per_hour bigint,
    insurance_note text COLLATE "C",
    PRIMARY KEY (id),
    CHECK (valid_until IS NULL OR valid_until >= valid_from)
);

CREATE INDEX contracts_link_worker_id_idx ON contracts (link_worker_id, valid_from);

CREATE TABLE trainings (
    id uuid NOT NULL,
    link_worker_id uuid NOT NULL REFERENCES link_workers (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('basic_course', 'refresher', 'other')),
    provider text COLLATE "C" NOT NULL,
    completed_on date NOT NULL,
    credits_tenths bigint,
    PRIMARY KEY (id)
);

CREATE INDEX trainings_link_worker_id_idx ON trainings (link_worker_id, completed_on);

CREATE TABLE assignments (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    link_worker_id uuid NOT NULL REFERENCES link_workers (id),
    link_worker_user_id uuid NOT NULL REFERENCES users (id),
    proposed_by uuid NOT NULL REFERENCES users (id),
    proposed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    message text COLLATE "C",
    state text COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'expired', 'ended')),
    answered_at timestamptz,
    decline_reason text COLLATE "C" CHECK (decline_reason IN ('no_time', 'distance', 'conflict_of_interest', 'language', 'not_suitable', 'other')),
    ended_at timestamptz,
    end_reason text COLLATE "C" CHECK (end_reason IN ('referral_closed', 'support_ended', 'link_worker_changed', 'link_worker_unavailable', 'client_wish', 'proposal_withdrawn', 'consent_withdrawn', 'deferred', 'other')),
    PRIMARY KEY (id),
    CHECK ((state = 'declined') = (decline_reason IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL AND end_reason IS NOT NULL))
);

CREATE UNIQUE INDEX assignments_one_open_key ON assignments (referral_id) WHERE state IN ('proposed', 'accepted');
CREATE INDEX assignments_referral_id_idx ON assignments (referral_id, proposed_at, id);
CREATE INDEX assignments_link_worker_id_state_idx ON assignments (link_worker_id, state, proposed_at, id);
CREATE INDEX assignments_expires_at_idx ON assignments (expires_at) WHERE state = 'proposed';

CREATE TABLE support_periods (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    starts_on date NOT NULL,
    planned_end_on date NOT NULL,
    first_planned_end_on date NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('active', 'paused', 'ended')),
    paused_since timestamptz,
    pause_reason text COLLATE "C" CHECK (pause_reason IN ('client_away', 'client_ill', 'link_worker_away', 'programme_break', 'other')),
    ended_on date,
    end_proposed_by uuid,
    end_proposed_at timestamptz,
    end_proposal_reason text COLLATE "C",
    PRIMARY KEY (id),
    CONSTRAINT support_periods_referral_id_key UNIQUE (referral_id),
    CHECK ((state = 'paused') = (paused_since IS NOT NULL AND pause_reason IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_on IS NOT NULL)),
    CHECK (planned_end_on > starts_on)
);

CREATE INDEX support_periods_programme_id_state_idx ON support_periods (programme_id, state, planned_end_on, id);
CREATE INDEX support_periods_client_id_idx ON support_periods (client_id);

CREATE TABLE goals (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    support_period_id uuid NOT NULL REFERENCES support_periods (id),
    words text COLLATE "C" NOT NULL,
    steps jsonb NOT NULL,
    outcome text COLLATE "C" CHECK (outcome IN ('achieved', 'partly', 'not')),
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX goals_support_period_id_idx ON goals (support_period_id, recorded_at, id);

CREATE TABLE activities (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    organisation_id uuid REFERENCES organisations (id),
    name text COLLATE "C" NOT NULL,
    name_lower text COLLATE "C" NOT NULL,
    description text COLLATE "C",
    municipality text COLLATE "C",
    price text COLLATE "C" NOT NULL CHECK (price IN ('free', 'fee', 'unknown')),
    kaikukortti boolean NOT NULL,
    remote boolean NOT NULL,
    languages text COLLATE "C" NOT NULL,
    checked_on date NOT NULL,
    active boolean NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX activities_programme_id_name_idx ON activities (programme_id, name_lower, id);
CREATE INDEX activities_name_idx ON activities (name_lower, id);

CREATE TABLE activity_themes (
    activity_id uuid NOT NULL REFERENCES activities (id),
    theme text COLLATE "C" NOT NULL CHECK (theme IN ('moving', 'eating', 'nature', 'culture', 'participation', 'mental_wellbeing', 'work_study_ability', 'sleep', 'substance_reduction', 'everyday_safety')),
    PRIMARY KEY (activity_id, theme)
);

CREATE INDEX activity_themes_theme_idx ON activity_themes (theme, activity_id);

CREATE TABLE activity_links (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    activity_id uuid NOT NULL REFERENCES activities (id),
    state text COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'started', 'attending', 'stopped')),
    continues boolean,
    barrier text COLLATE "C" CHECK (barrier IN ('money', 'transport', 'distance', 'no_events', 'no_suitable_association', 'language', 'health', 'shyness', 'digital_access', 'other')),
    proposed_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CHECK ((state = 'stopped') = (barrier IS NOT NULL)),
    CONSTRAINT activity_links_referral_id_activity_id_key UNIQUE (referral_id, activity_id)
);


CREATE TABLE visits (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    support_period_id uuid NOT NULL REFERENCES support_periods (id),
    visit_on date NOT NULL,
    minutes bigint NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    mode text COLLATE "C" NOT NULL CHECK (mode IN ('home_visit', 'other_place', 'activity_together', 'phone', 'remote_video', 'message')),
    purpose text COLLATE "C" NOT NULL CHECK (purpose IN ('first_visit', 'support', 'going_along', 'evaluation', 'last_visit')),
    support_kinds text COLLATE "C" NOT NULL,
    travel_metres bigint NOT NULL CHECK (travel_metres BETWEEN 0 AND 2000000),
    travel_minutes bigint NOT NULL CHECK (travel_minutes BETWEEN 0 AND 1440),
    note text COLLATE "C",
    barriers text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('planned', 'held', 'cancelled', 'not_attended')),
    recorded_at timestamptz,
    over_limit_reason text COLLATE "C",
    absent_party text COLLATE "C" CHECK (absent_party IN ('client', 'link_worker', 'logistics')),
    PRIMARY KEY (id),
    CHECK ((state = 'held') = (recorded_at IS NOT NULL)),
    CHECK ((state IN ('cancelled', 'not_attended')) = (absent_party IS NOT NULL))
);

CREATE INDEX visits_support_period_id_idx ON visits (support_period_id, visit_on, id);
CREATE INDEX visits_programme_id_visit_on_idx ON visits (programme_id, visit_on, id);
CREATE INDEX visits_client_id_visit_on_idx ON visits (client_id, visit_on);
CREATE INDEX visits_referral_id_idx ON visits (referral_id, visit_on);

CREATE TABLE visit_workers (
    visit_id uuid NOT NULL REFERENCES visits (id),
    link_worker_id uuid NOT NULL REFERENCES link_workers (id),
    fee_cents_per_hour bigint NOT NULL,
    PRIMARY KEY (visit_id, link_worker_id)
);

CREATE INDEX visit_workers_link_worker_id_idx ON visit_workers (link_worker_id, visit_id);

CREATE TABLE measures (
    id uuid NOT NULL,
    support_period_id uuid NOT NULL REFERENCES support_periods (id),
    instrument text COLLATE "C" NOT NULL CHECK (instrument IN ('swemwbs', 'recommendation')),
    timepoint text COLLATE "C" NOT NULL CHECK (timepoint IN ('start', 'end', 'follow_up')),
    mode text COLLATE "C" CHECK (mode IN ('self', 'helped', 'interview', 'remote')),
    answers jsonb,
    raw bigint,
    hundredths bigint,
    missing_reason text COLLATE "C" CHECK (missing_reason IN ('declined', 'not_asked', 'not_able', 'not_reached', 'language')),
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT measures_support_period_id_instrument_timepoint_key UNIQUE (support_period_id, instrument, timepoint),
    CHECK ((missing_reason IS NULL) = (mode IS NOT NULL AND answers IS NOT NULL AND raw IS NOT NULL AND hundredths IS NOT NULL))
);

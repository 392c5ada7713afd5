-- The main job, from a written referral to a closed support period. Codes are checked here as in the domain crate.

CREATE TABLE programmes (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    name TEXT NOT NULL,
    controller TEXT NOT NULL,
    privacy_notice_url TEXT,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    PRIMARY KEY (id)
) STRICT;


CREATE TABLE programme_municipalities (
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    municipality TEXT NOT NULL,
    PRIMARY KEY (programme_id, municipality)
) STRICT;

CREATE INDEX programme_municipalities_municipality_idx ON programme_municipalities (municipality, programme_id);

CREATE TABLE programme_terms (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    valid_from TEXT NOT NULL,
    max_months INTEGER NOT NULL CHECK (max_months BETWEEN 1 AND 6),
    max_minutes_per_month INTEGER NOT NULL CHECK (max_minutes_per_month BETWEEN 1 AND 44640),
    fee_cents_per_hour INTEGER NOT NULL CHECK (fee_cents_per_hour BETWEEN 0 AND 100000),
    PRIMARY KEY (id),
    CONSTRAINT programme_terms_programme_id_valid_from_key UNIQUE (programme_id, valid_from)
) STRICT;


CREATE TABLE organisations (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('wellbeing_county', 'municipality', 'association', 'parish', 'employment_service', 'state', 'company')),
    sector TEXT CHECK (sector IN ('elderly', 'mental_health', 'social_services', 'rehabilitation', 'primary_care', 'hospital', 'employment', 'education_culture', 'leisure_sports', 'parish', 'association', 'self')),
    municipality TEXT,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX organisations_programme_id_name_idx ON organisations (programme_id, name, id);

CREATE TABLE users (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    PRIMARY KEY (id),
    CONSTRAINT users_login_key UNIQUE (login)
) STRICT;

CREATE INDEX users_programme_id_name_idx ON users (programme_id, name, id);

CREATE TABLE role_assignments (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    organisation_id TEXT REFERENCES organisations (id),
    valid_from TEXT NOT NULL,
    valid_until TEXT,
    given_by TEXT,
    given_at TEXT NOT NULL,
    PRIMARY KEY (id),
    CHECK (role <> 'integration')
) STRICT;

CREATE INDEX role_assignments_user_id_idx ON role_assignments (user_id, valid_from);
CREATE INDEX role_assignments_programme_id_idx ON role_assignments (programme_id, given_at, id);

CREATE TABLE api_clients (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    name TEXT NOT NULL,
    source_system TEXT NOT NULL,
    secret_sha256 BLOB NOT NULL,
    secret_expires_at TEXT,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_at TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX api_clients_programme_id_idx ON api_clients (programme_id, name, id);

CREATE TABLE api_client_organisations (
    api_client_id TEXT NOT NULL REFERENCES api_clients (id),
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    PRIMARY KEY (api_client_id, organisation_id)
) STRICT;


CREATE TABLE clients (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    user_id TEXT REFERENCES users (id),
    provisional INTEGER NOT NULL CHECK (provisional IN (0, 1)),
    given_name TEXT NOT NULL,
    family_name TEXT NOT NULL,
    phone TEXT,
    email TEXT,
    address TEXT,
    client_will_contact INTEGER NOT NULL CHECK (client_will_contact IN (0, 1)),
    birth_date TEXT,
    birth_year INTEGER,
    identity_code_cipher BLOB,
    identity_code_index BLOB,
    sex TEXT CHECK (sex IN ('female', 'male', 'other')),
    municipality TEXT NOT NULL,
    language TEXT NOT NULL,
    interpreter_needed INTEGER NOT NULL CHECK (interpreter_needed IN (0, 1)),
    non_disclosure INTEGER NOT NULL CHECK (non_disclosure IN (0, 1)),
    lives_at_home INTEGER CHECK (lives_at_home IN (0, 1)),
    created_at TEXT NOT NULL,
    PRIMARY KEY (id),
    CHECK ((birth_date IS NULL) <> (birth_year IS NULL)),
    CHECK ((identity_code_cipher IS NULL) = (identity_code_index IS NULL))
) STRICT;

CREATE UNIQUE INDEX clients_programme_id_identity_code_key ON clients (programme_id, identity_code_index) WHERE identity_code_index IS NOT NULL AND NOT provisional;
CREATE INDEX clients_user_id_idx ON clients (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE referrals (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    channel TEXT NOT NULL CHECK (channel IN ('signed_in', 'anonymous', 'integration', 'self')),
    referrer_user_id TEXT REFERENCES users (id),
    api_client_id TEXT REFERENCES api_clients (id),
    organisation_id TEXT REFERENCES organisations (id),
    sector TEXT NOT NULL CHECK (sector IN ('elderly', 'mental_health', 'social_services', 'rehabilitation', 'primary_care', 'hospital', 'employment', 'education_culture', 'leisure_sports', 'parish', 'association', 'self')),
    municipality TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'in_review', 'awaiting_information', 'waitlisted', 'deferred', 'assigned', 'in_support', 'directly_guided', 'closed', 'entered_in_error')),
    state_since TEXT NOT NULL,
    coordinator_id TEXT REFERENCES users (id),
    asked TEXT CHECK (asked IN ('referrer', 'client', 'coordinator')),
    queue_accepted_at TEXT,
    queue_priority TEXT CHECK (queue_priority IN ('normal', 'soon', 'urgent')),
    resume_on TEXT,
    back_to TEXT CHECK (back_to IN ('in_review', 'waitlisted')),
    assignment_id TEXT,
    support_period_id TEXT,
    follow_up_on TEXT,
    outcome TEXT CHECK (outcome IN ('completed_as_planned', 'discontinued', 'not_started', 'redirected', 'declined', 'withdrawn')),
    end_reason TEXT CHECK (end_reason IN ('goals_reached', 'max_period_reached', 'continues_in_activity', 'continues_with_support_person', 'continues_as_friend_or_volunteer', 'client_wish', 'health_declined', 'memory_disorder', 'moved_to_intensive_housing', 'moved_away', 'deceased', 'link_worker_left', 'not_reached', 'programme_break', 'client_declined', 'no_suitable_link_worker', 'no_capacity', 'no_suitable_activity', 'distance', 'health_service', 'social_service', 'other_community_support', 'other_area', 'needs_care_service', 'too_demanding', 'outside_area', 'duplicate', 'insufficient_information', 'consent_withdrawn', 'client_withdrew', 'referrer_withdrew', 'other')),
    route TEXT CHECK (route IN ('direct', 'link_worker')),
    closed_at TEXT,
    closed_by_user TEXT,
    closed_by_role TEXT CHECK (closed_by_role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    created_at TEXT NOT NULL,
    submitted_at TEXT,
    link_worker_user_id TEXT REFERENCES users (id),
    shared_until TEXT,
    PRIMARY KEY (id),
    CHECK ((state = 'closed') = (outcome IS NOT NULL AND end_reason IS NOT NULL AND closed_at IS NOT NULL AND closed_by_role IS NOT NULL)),
    CHECK ((state = 'deferred') = (resume_on IS NOT NULL AND back_to IS NOT NULL)),
    CHECK ((state = 'awaiting_information') = (asked IS NOT NULL)),
    CHECK ((state = 'directly_guided') = (follow_up_on IS NOT NULL)),
    CHECK (state <> 'assigned' OR assignment_id IS NOT NULL),
    CHECK ((state = 'in_support') = (support_period_id IS NOT NULL)),
    CHECK (state IN ('draft', 'entered_in_error', 'closed') OR submitted_at IS NOT NULL),
    CHECK ((queue_accepted_at IS NULL) = (queue_priority IS NULL))
) STRICT;

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
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    referrer_name TEXT,
    referrer_contact TEXT,
    feedback_wanted INTEGER NOT NULL CHECK (feedback_wanted IN (0, 1)),
    wish TEXT,
    background TEXT,
    written_together INTEGER NOT NULL CHECK (written_together IN (0, 1)),
    joint_meeting_wished INTEGER NOT NULL CHECK (joint_meeting_wished IN (0, 1)),
    not_a_service_acknowledged INTEGER NOT NULL CHECK (not_a_service_acknowledged IN (0, 1)),
    source_system TEXT,
    source_id TEXT,
    previous_referral_id TEXT REFERENCES referrals (id),
    tracking_code_sha256 BLOB,
    PRIMARY KEY (referral_id),
    CONSTRAINT referral_details_source_key UNIQUE (source_system, source_id),
    CONSTRAINT referral_details_tracking_code_key UNIQUE (tracking_code_sha256)
) STRICT;


CREATE TABLE referral_snapshots (
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    submitted_on TEXT NOT NULL,
    age INTEGER NOT NULL CHECK (age BETWEEN 18 AND 200),
    sex TEXT CHECK (sex IN ('female', 'male', 'other')),
    municipality TEXT NOT NULL,
    evaluation INTEGER NOT NULL CHECK (evaluation IN (0, 1)),
    PRIMARY KEY (referral_id)
) STRICT;

CREATE INDEX referral_snapshots_programme_id_submitted_on_idx ON referral_snapshots (programme_id, submitted_on, referral_id);

CREATE TABLE referral_reasons (
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    reason TEXT NOT NULL CHECK (reason IN ('loneliness', 'social_contacts', 'daily_activity', 'getting_started', 'lifestyle_change', 'practical_help', 'outdoors', 'conversation', 'events_and_groups')),
    PRIMARY KEY (referral_id, reason)
) STRICT;


CREATE TABLE consents (
    id TEXT NOT NULL,
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    purposes TEXT NOT NULL,
    withdrawn_purposes TEXT NOT NULL,
    text_version TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('fi', 'sv', 'en', 'se', 'smn', 'sms')),
    method TEXT NOT NULL CHECK (method IN ('oral', 'written', 'electronic', 'asserted_by_sender')),
    given_with TEXT,
    given_at TEXT NOT NULL,
    valid_until TEXT,
    recorded_by TEXT,
    verified_at TEXT,
    verified_by TEXT,
    withdrawn_at TEXT,
    PRIMARY KEY (id),
    CHECK ((verified_at IS NULL) = (verified_by IS NULL))
) STRICT;

CREATE INDEX consents_referral_id_idx ON consents (referral_id, given_at);

CREATE TABLE messages (
    id TEXT NOT NULL,
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    kind TEXT NOT NULL CHECK (kind IN ('question', 'answer')),
    sender TEXT NOT NULL CHECK (sender IN ('referrer', 'client', 'coordinator')),
    recipient TEXT NOT NULL CHECK (recipient IN ('referrer', 'client', 'coordinator')),
    user_id TEXT,
    words TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX messages_referral_id_idx ON messages (referral_id, sent_at, id);

CREATE TABLE contact_attempts (
    id TEXT NOT NULL,
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    channel TEXT NOT NULL CHECK (channel IN ('phone', 'text_message', 'email', 'letter', 'home_visit')),
    result TEXT NOT NULL CHECK (result IN ('reached', 'not_reached', 'left_message')),
    attempted_at TEXT NOT NULL,
    recorded_by TEXT NOT NULL REFERENCES users (id),
    note TEXT,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX contact_attempts_referral_id_idx ON contact_attempts (referral_id, attempted_at, id);

CREATE TABLE events (
    id TEXT NOT NULL,
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    kind TEXT NOT NULL CHECK (kind IN ('referral_created', 'referral_updated', 'referral_submitted', 'review_started', 'information_requested', 'information_answered', 'directly_guided', 'waitlisted', 'deferred', 'resumed', 'assignment_proposed', 'assignment_accepted', 'assignment_declined', 'assignment_expired', 'assignment_ended', 'contact_attempted', 'consent_recorded', 'consent_verified', 'consent_withdrawn', 'support_started', 'support_paused', 'support_resumed', 'support_extended', 'link_worker_changed', 'end_proposed', 'support_ended', 'goal_recorded', 'activity_linked', 'activity_link_changed', 'visit_planned', 'visit_held', 'visit_cancelled', 'visit_not_attended', 'visit_changed', 'measure_recorded', 'referral_withdrawn', 'referral_closed', 'referral_reopened', 'marked_as_error')),
    at TEXT NOT NULL,
    caller_kind TEXT NOT NULL CHECK (caller_kind IN ('user', 'api_client', 'anonymous', 'clock')),
    user_id TEXT,
    api_client_id TEXT,
    role TEXT CHECK (role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    from_state TEXT CHECK (from_state IN ('draft', 'submitted', 'in_review', 'awaiting_information', 'waitlisted', 'deferred', 'assigned', 'in_support', 'directly_guided', 'closed', 'entered_in_error')),
    to_state TEXT CHECK (to_state IN ('draft', 'submitted', 'in_review', 'awaiting_information', 'waitlisted', 'deferred', 'assigned', 'in_support', 'directly_guided', 'closed', 'entered_in_error')),
    reason TEXT,
    comment TEXT,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX events_referral_id_idx ON events (referral_id, at, id);

CREATE TABLE link_workers (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'ended')),
    languages TEXT NOT NULL,
    interests TEXT,
    max_clients INTEGER NOT NULL CHECK (max_clients BETWEEN 0 AND 20),
    hours_per_month INTEGER NOT NULL CHECK (hours_per_month BETWEEN 0 AND 160),
    PRIMARY KEY (id),
    CONSTRAINT link_workers_programme_id_user_id_key UNIQUE (programme_id, user_id)
) STRICT;

CREATE INDEX link_workers_programme_id_name_idx ON link_workers (programme_id, name, id);
CREATE INDEX link_workers_user_id_idx ON link_workers (user_id);

CREATE TABLE link_worker_municipalities (
    link_worker_id TEXT NOT NULL REFERENCES link_workers (id),
    municipality TEXT NOT NULL,
    PRIMARY KEY (link_worker_id, municipality)
) STRICT;


CREATE TABLE contracts (
    id TEXT NOT NULL,
    link_worker_id TEXT NOT NULL REFERENCES link_workers (id),
    kind TEXT NOT NULL CHECK (kind IN ('fee', 'hourly', 'volunteer')),
    employer_id TEXT NOT NULL REFERENCES organisations (id),
    valid_from TEXT NOT NULL,
    valid_until TEXT,
    fee_cents_per_hour INTEGER,
    insurance_note TEXT,
    PRIMARY KEY (id),
    CHECK (valid_until IS NULL OR valid_until >= valid_from)
) STRICT;

CREATE INDEX contracts_link_worker_id_idx ON contracts (link_worker_id, valid_from);

CREATE TABLE trainings (
    id TEXT NOT NULL,
    link_worker_id TEXT NOT NULL REFERENCES link_workers (id),
    kind TEXT NOT NULL CHECK (kind IN ('basic_course', 'refresher', 'other')),
    provider TEXT NOT NULL,
    completed_on TEXT NOT NULL,
    credits_tenths INTEGER,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX trainings_link_worker_id_idx ON trainings (link_worker_id, completed_on);

CREATE TABLE assignments (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    link_worker_id TEXT NOT NULL REFERENCES link_workers (id),
    link_worker_user_id TEXT NOT NULL REFERENCES users (id),
    proposed_by TEXT NOT NULL REFERENCES users (id),
    proposed_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    message TEXT,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'accepted', 'declined', 'expired', 'ended')),
    answered_at TEXT,
    decline_reason TEXT CHECK (decline_reason IN ('no_time', 'distance', 'conflict_of_interest', 'language', 'not_suitable', 'other')),
    ended_at TEXT,
    end_reason TEXT CHECK (end_reason IN ('referral_closed', 'support_ended', 'link_worker_changed', 'link_worker_unavailable', 'client_wish', 'proposal_withdrawn', 'consent_withdrawn', 'deferred', 'other')),
    PRIMARY KEY (id),
    CHECK ((state = 'declined') = (decline_reason IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL AND end_reason IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX assignments_one_open_key ON assignments (referral_id) WHERE state IN ('proposed', 'accepted');
CREATE INDEX assignments_referral_id_idx ON assignments (referral_id, proposed_at, id);
CREATE INDEX assignments_link_worker_id_state_idx ON assignments (link_worker_id, state, proposed_at, id);
CREATE INDEX assignments_expires_at_idx ON assignments (expires_at) WHERE state = 'proposed';

CREATE TABLE support_periods (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    starts_on TEXT NOT NULL,
    planned_end_on TEXT NOT NULL,
    first_planned_end_on TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'ended')),
    paused_since TEXT,
    pause_reason TEXT CHECK (pause_reason IN ('client_away', 'client_ill', 'link_worker_away', 'programme_break', 'other')),
    ended_on TEXT,
    end_proposed_by TEXT,
    end_proposed_at TEXT,
    end_proposal_reason TEXT,
    PRIMARY KEY (id),
    CONSTRAINT support_periods_referral_id_key UNIQUE (referral_id),
    CHECK ((state = 'paused') = (paused_since IS NOT NULL AND pause_reason IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_on IS NOT NULL)),
    CHECK (planned_end_on > starts_on)
) STRICT;

CREATE INDEX support_periods_programme_id_state_idx ON support_periods (programme_id, state, planned_end_on, id);
CREATE INDEX support_periods_client_id_idx ON support_periods (client_id);

CREATE TABLE goals (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    support_period_id TEXT NOT NULL REFERENCES support_periods (id),
    words TEXT NOT NULL,
    steps TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('achieved', 'partly', 'not')),
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX goals_support_period_id_idx ON goals (support_period_id, recorded_at, id);

CREATE TABLE activities (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    organisation_id TEXT REFERENCES organisations (id),
    name TEXT NOT NULL,
    name_lower TEXT NOT NULL,
    description TEXT,
    municipality TEXT,
    price TEXT NOT NULL CHECK (price IN ('free', 'fee', 'unknown')),
    kaikukortti INTEGER NOT NULL CHECK (kaikukortti IN (0, 1)),
    remote INTEGER NOT NULL CHECK (remote IN (0, 1)),
    languages TEXT NOT NULL,
    checked_on TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX activities_programme_id_name_idx ON activities (programme_id, name_lower, id);
CREATE INDEX activities_name_idx ON activities (name_lower, id);

CREATE TABLE activity_themes (
    activity_id TEXT NOT NULL REFERENCES activities (id),
    theme TEXT NOT NULL CHECK (theme IN ('moving', 'eating', 'nature', 'culture', 'participation', 'mental_wellbeing', 'work_study_ability', 'sleep', 'substance_reduction', 'everyday_safety')),
    PRIMARY KEY (activity_id, theme)
) STRICT;

CREATE INDEX activity_themes_theme_idx ON activity_themes (theme, activity_id);

CREATE TABLE activity_links (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    activity_id TEXT NOT NULL REFERENCES activities (id),
    state TEXT NOT NULL CHECK (state IN ('proposed', 'started', 'attending', 'stopped')),
    continues INTEGER CHECK (continues IN (0, 1)),
    barrier TEXT CHECK (barrier IN ('money', 'transport', 'distance', 'no_events', 'no_suitable_association', 'language', 'health', 'shyness', 'digital_access', 'other')),
    proposed_at TEXT NOT NULL,
    PRIMARY KEY (id),
    CHECK ((state = 'stopped') = (barrier IS NOT NULL)),
    CONSTRAINT activity_links_referral_id_activity_id_key UNIQUE (referral_id, activity_id)
) STRICT;


CREATE TABLE visits (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    support_period_id TEXT NOT NULL REFERENCES support_periods (id),
    visit_on TEXT NOT NULL,
    minutes INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    mode TEXT NOT NULL CHECK (mode IN ('home_visit', 'other_place', 'activity_together', 'phone', 'remote_video', 'message')),
    purpose TEXT NOT NULL CHECK (purpose IN ('first_visit', 'support', 'going_along', 'evaluation', 'last_visit')),
    support_kinds TEXT NOT NULL,
    travel_metres INTEGER NOT NULL CHECK (travel_metres BETWEEN 0 AND 2000000),
    travel_minutes INTEGER NOT NULL CHECK (travel_minutes BETWEEN 0 AND 1440),
    note TEXT,
    barriers TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'held', 'cancelled', 'not_attended')),
    recorded_at TEXT,
    over_limit_reason TEXT,
    absent_party TEXT CHECK (absent_party IN ('client', 'link_worker', 'logistics')),
    PRIMARY KEY (id),
    CHECK ((state = 'held') = (recorded_at IS NOT NULL)),
    CHECK ((state IN ('cancelled', 'not_attended')) = (absent_party IS NOT NULL))
) STRICT;

CREATE INDEX visits_support_period_id_idx ON visits (support_period_id, visit_on, id);
CREATE INDEX visits_programme_id_visit_on_idx ON visits (programme_id, visit_on, id);
CREATE INDEX visits_client_id_visit_on_idx ON visits (client_id, visit_on);
CREATE INDEX visits_referral_id_idx ON visits (referral_id, visit_on);

CREATE TABLE visit_workers (
    visit_id TEXT NOT NULL REFERENCES visits (id),
    link_worker_id TEXT NOT NULL REFERENCES link_workers (id),
    fee_cents_per_hour INTEGER NOT NULL,
    PRIMARY KEY (visit_id, link_worker_id)
) STRICT;

CREATE INDEX visit_workers_link_worker_id_idx ON visit_workers (link_worker_id, visit_id);

CREATE TABLE measures (
    id TEXT NOT NULL,
    support_period_id TEXT NOT NULL REFERENCES support_periods (id),
    instrument TEXT NOT NULL CHECK (instrument IN ('swemwbs', 'recommendation')),
    timepoint TEXT NOT NULL CHECK (timepoint IN ('start', 'end', 'follow_up')),
    mode TEXT CHECK (mode IN ('self', 'helped', 'interview', 'remote')),
    answers TEXT,
    raw INTEGER,
    hundredths INTEGER,
    missing_reason TEXT CHECK (missing_reason IN ('declined', 'not_asked', 'not_able', 'not_reached', 'language')),
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT measures_support_period_id_instrument_timepoint_key UNIQUE (support_period_id, instrument, timepoint),
    CHECK ((missing_reason IS NULL) = (mode IS NOT NULL AND answers IS NOT NULL AND raw IS NOT NULL AND hundredths IS NOT NULL))
) STRICT;

-- Instruments as data with their versions, what single persons and groups answered, and what client, referrer and link worker say about a referral.

-- Which instruments there are is data now, and not every answer comes to one score.
CREATE TABLE measures_new (
    id TEXT NOT NULL,
    support_period_id TEXT NOT NULL REFERENCES support_periods (id),
    instrument TEXT NOT NULL,
    timepoint TEXT NOT NULL CHECK (timepoint IN ('start', 'end', 'follow_up')),
    mode TEXT CHECK (mode IN ('self', 'helped', 'interview', 'remote')),
    answers TEXT,
    raw INTEGER,
    hundredths INTEGER,
    missing_reason TEXT CHECK (missing_reason IN ('declined', 'not_asked', 'not_able', 'not_reached', 'language')),
    recorded_at TEXT NOT NULL,
    instrument_version INTEGER NOT NULL CHECK (instrument_version BETWEEN 1 AND 32767),
    PRIMARY KEY (id),
    CONSTRAINT measures_support_period_id_instrument_timepoint_key UNIQUE (support_period_id, instrument, timepoint),
    CHECK ((missing_reason IS NULL) = (mode IS NOT NULL AND answers IS NOT NULL)),
    CHECK ((mode IS NULL) = (answers IS NULL)),
    CHECK ((raw IS NULL) = (hundredths IS NULL)),
    CHECK (hundredths IS NULL OR missing_reason IS NULL)
) STRICT;
INSERT INTO measures_new (id, support_period_id, instrument, timepoint, mode, answers, raw, hundredths, missing_reason, recorded_at, instrument_version) SELECT id, support_period_id, instrument, timepoint, mode, answers, raw, hundredths, missing_reason, recorded_at, 1 FROM measures;
DROP TABLE measures;
ALTER TABLE measures_new RENAME TO measures;
CREATE INDEX measures_report_idx ON measures (support_period_id, instrument, instrument_version, timepoint, hundredths);
CREATE INDEX measures_support_period_id_recorded_at_idx ON measures (support_period_id, recorded_at, id);

-- Two more kinds of events: feedback, and a handover to another coordinator.
CREATE TABLE events_new (
    id TEXT NOT NULL,
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    kind TEXT NOT NULL CHECK (kind IN ('referral_created', 'referral_updated', 'referral_submitted', 'review_started', 'information_requested', 'information_answered', 'directly_guided', 'waitlisted', 'deferred', 'resumed', 'assignment_proposed', 'assignment_accepted', 'assignment_declined', 'assignment_expired', 'assignment_ended', 'contact_attempted', 'consent_recorded', 'consent_verified', 'consent_withdrawn', 'support_started', 'support_paused', 'support_resumed', 'support_extended', 'link_worker_changed', 'end_proposed', 'support_ended', 'goal_recorded', 'activity_linked', 'activity_link_changed', 'visit_planned', 'visit_held', 'visit_cancelled', 'visit_not_attended', 'visit_changed', 'measure_recorded', 'feedback_given', 'referral_withdrawn', 'referral_closed', 'referral_reopened', 'marked_as_error', 'coordinator_changed')),
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
INSERT INTO events_new (id, referral_id, programme_id, kind, at, caller_kind, user_id, api_client_id, role, from_state, to_state, reason, comment) SELECT id, referral_id, programme_id, kind, at, caller_kind, user_id, api_client_id, role, from_state, to_state, reason, comment FROM events;
DROP TABLE events;
ALTER TABLE events_new RENAME TO events;
CREATE INDEX events_referral_id_idx ON events (referral_id, at, id);

-- A version of an instrument that a programme has added. It is never changed: answers keep the version that scored them.
CREATE TABLE measure_instruments (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    code TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 32767),
    definition TEXT NOT NULL,
    added_at TEXT NOT NULL,
    added_by TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT measure_instruments_programme_id_code_version_key UNIQUE (programme_id, code, version)
) STRICT;

-- The words of an instrument in one language, as whoever holds the licence has loaded them.
CREATE TABLE measure_texts (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    code TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 32767),
    language TEXT NOT NULL,
    items TEXT NOT NULL,
    answer_labels TEXT NOT NULL,
    licence_ref TEXT NOT NULL,
    text_source TEXT NOT NULL,
    loaded_at TEXT NOT NULL,
    loaded_by TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT measure_texts_programme_id_code_version_language_key UNIQUE (programme_id, code, version, language)
) STRICT;

-- When a programme asks single persons with an instrument that is meant for groups, and why.
CREATE TABLE individual_uses (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    begun_at TEXT NOT NULL,
    begun_by TEXT NOT NULL,
    end_reason TEXT,
    ended_at TEXT,
    ended_by TEXT,
    PRIMARY KEY (id),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT;

CREATE UNIQUE INDEX individual_uses_one_open_key ON individual_uses (programme_id, code) WHERE ended_at IS NULL;

-- What a group answered, without persons.
CREATE TABLE group_answers (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    code TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 32767),
    held_on TEXT NOT NULL,
    answers TEXT NOT NULL,
    scores TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX group_answers_programme_id_code_held_on_idx ON group_answers (programme_id, code, held_on, id);

CREATE TABLE feedback (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    stage TEXT NOT NULL CHECK (stage IN ('during', 'end')),
    party TEXT NOT NULL CHECK (party IN ('client', 'referrer', 'link_worker')),
    author_id TEXT NOT NULL,
    author_role TEXT NOT NULL CHECK (author_role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    ratings TEXT NOT NULL,
    words TEXT,
    given_at TEXT NOT NULL,
    changed_at TEXT,
    PRIMARY KEY (id)
) STRICT;

CREATE UNIQUE INDEX feedback_one_each_key ON feedback (referral_id, stage, party) WHERE party <> 'link_worker';
CREATE UNIQUE INDEX feedback_one_worker_key ON feedback (referral_id, stage, author_id) WHERE party = 'link_worker';
CREATE INDEX feedback_referral_id_given_at_idx ON feedback (referral_id, given_at, id);
CREATE INDEX feedback_client_id_given_at_idx ON feedback (client_id, given_at, id);

-- The messages to a referrer who wants to hear back: a row for each event that is a milestone, with the id of the event. The day until which the client's
-- consents let the referrer hear of it changes with the consents.
CREATE TABLE milestones (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    referrer_user_id TEXT NOT NULL,
    milestone TEXT NOT NULL CHECK (milestone IN ('in_review', 'directly_guided', 'waitlisted', 'link_worker_found', 'support_started', 'support_ended', 'closed')),
    at TEXT NOT NULL,
    told_until TEXT,
    acknowledged_at TEXT,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX milestones_referrer_user_id_idx ON milestones (referrer_user_id, programme_id, at, id);
CREATE INDEX milestones_unread_idx ON milestones (referrer_user_id, programme_id, at, id) WHERE acknowledged_at IS NULL;
CREATE INDEX milestones_client_id_idx ON milestones (client_id);
CREATE INDEX milestones_referral_id_idx ON milestones (referral_id, at, id);

INSERT INTO milestones (id, programme_id, referral_id, client_id, referrer_user_id, milestone, at, told_until, acknowledged_at)
SELECT e.id, e.programme_id, e.referral_id, r.client_id, r.referrer_user_id,
    CASE e.kind
        WHEN 'review_started' THEN 'in_review'
        WHEN 'assignment_accepted' THEN 'link_worker_found'
        WHEN 'referral_closed' THEN 'closed'
        WHEN 'referral_withdrawn' THEN 'closed'
        ELSE e.kind
    END,
    e.at,
    min((
            SELECT max(coalesce(c.valid_until, '9999-12-31')) FROM consents c
            WHERE c.referral_id = r.id AND ',' || c.purposes || ',' LIKE '%,process_referral,%' AND ',' || c.withdrawn_purposes || ',' NOT LIKE '%,process_referral,%'
                AND (c.method <> 'asserted_by_sender' OR c.verified_at IS NOT NULL)
        ), (
            SELECT max(coalesce(c.valid_until, '9999-12-31')) FROM consents c
            WHERE c.referral_id = r.id AND ',' || c.purposes || ',' LIKE '%,feedback_to_referrer,%' AND ',' || c.withdrawn_purposes || ',' NOT LIKE '%,feedback_to_referrer,%'
                AND (c.method <> 'asserted_by_sender' OR c.verified_at IS NOT NULL)
        )),
    NULL
FROM events e
JOIN referrals r ON r.id = e.referral_id
JOIN referral_details d ON d.referral_id = r.id
WHERE r.channel = 'signed_in' AND r.referrer_user_id IS NOT NULL AND d.feedback_wanted
    AND e.kind IN ('review_started', 'directly_guided', 'waitlisted', 'assignment_accepted', 'support_started', 'support_ended', 'referral_closed', 'referral_withdrawn');

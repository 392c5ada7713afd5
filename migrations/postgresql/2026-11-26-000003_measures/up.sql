-- Instruments as data with their versions, what single persons and groups answered, and what client, referrer and link worker say about a referral.

-- Which instruments there are is data now, and not every answer comes to one score.
ALTER TABLE measures DROP CONSTRAINT measures_instrument_check;
ALTER TABLE measures DROP CONSTRAINT measures_check;
ALTER TABLE measures ADD COLUMN instrument_version bigint NOT NULL DEFAULT 1 CHECK (instrument_version BETWEEN 1 AND 32767);
ALTER TABLE measures ALTER COLUMN instrument_version DROP DEFAULT;
ALTER TABLE measures ADD CONSTRAINT measures_check CHECK ((missing_reason IS NULL) = (mode IS NOT NULL AND answers IS NOT NULL));
ALTER TABLE measures ADD CONSTRAINT measures_answers_check CHECK ((mode IS NULL) = (answers IS NULL));
ALTER TABLE measures ADD CONSTRAINT measures_raw_check CHECK ((raw IS NULL) = (hundredths IS NULL));
ALTER TABLE measures ADD CONSTRAINT measures_hundredths_check CHECK (hundredths IS NULL OR missing_reason IS NULL);
DROP INDEX measures_report_idx;
CREATE INDEX measures_report_idx ON measures (support_period_id, instrument, instrument_version, timepoint, hundredths);

-- Two more kinds of events: feedback, and a handover to another coordinator.
ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (kind IN ('referral_created', 'referral_updated', 'referral_submitted', 'review_started', 'information_requested', 'information_answered', 'directly_guided', 'waitlisted', 'deferred', 'resumed', 'assignment_proposed', 'assignment_accepted', 'assignment_declined', 'assignment_expired', 'assignment_ended', 'contact_attempted', 'consent_recorded', 'consent_verified', 'consent_withdrawn', 'support_started', 'support_paused', 'support_resumed', 'support_extended', 'link_worker_changed', 'end_proposed', 'support_ended', 'goal_recorded', 'activity_linked', 'activity_link_changed', 'visit_planned', 'visit_held', 'visit_cancelled', 'visit_not_attended', 'visit_changed', 'measure_recorded', 'feedback_given', 'referral_withdrawn', 'referral_closed', 'referral_reopened', 'marked_as_error', 'coordinator_changed'));

-- A version of an instrument that a programme has added. It is never changed: answers keep the version that scored them.
CREATE TABLE measure_instruments (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    code text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version BETWEEN 1 AND 32767),
    definition jsonb NOT NULL,
    added_at timestamptz NOT NULL,
    added_by uuid NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT measure_instruments_programme_id_code_version_key UNIQUE (programme_id, code, version)
);

-- The words of an instrument in one language, as whoever holds the licence has loaded them.
CREATE TABLE measure_texts (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    code text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version BETWEEN 1 AND 32767),
    language text COLLATE "C" NOT NULL,
    items jsonb NOT NULL,
    answer_labels jsonb NOT NULL,
    licence_ref text COLLATE "C" NOT NULL,
    text_source text COLLATE "C" NOT NULL,
    loaded_at timestamptz NOT NULL,
    loaded_by uuid NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT measure_texts_programme_id_code_version_language_key UNIQUE (programme_id, code, version, language)
);

-- When a programme asks single persons with an instrument that is meant for groups, and why.
CREATE TABLE individual_uses (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    code text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    begun_at timestamptz NOT NULL,
    begun_by uuid NOT NULL,
    end_reason text COLLATE "C",
    ended_at timestamptz,
    ended_by uuid,
    PRIMARY KEY (id),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);

CREATE UNIQUE INDEX individual_uses_one_open_key ON individual_uses (programme_id, code) WHERE ended_at IS NULL;

-- What a group answered, without persons.
CREATE TABLE group_answers (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    code text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version BETWEEN 1 AND 32767),
    held_on date NOT NULL,
    answers jsonb NOT NULL,
    scores jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by uuid NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX group_answers_programme_id_code_held_on_idx ON group_answers (programme_id, code, held_on, id);

CREATE TABLE feedback (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    stage text COLLATE "C" NOT NULL CHECK (stage IN ('during', 'end')),
    party text COLLATE "C" NOT NULL CHECK (party IN ('client', 'referrer', 'link_worker')),
    author_id uuid NOT NULL,
    author_role text COLLATE "C" NOT NULL CHECK (author_role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    ratings jsonb NOT NULL,
    words text COLLATE "C",
    given_at timestamptz NOT NULL,
    changed_at timestamptz,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX feedback_one_each_key ON feedback (referral_id, stage, party) WHERE party <> 'link_worker';
CREATE UNIQUE INDEX feedback_one_worker_key ON feedback (referral_id, stage, author_id) WHERE party = 'link_worker';
CREATE INDEX feedback_referral_id_given_at_idx ON feedback (referral_id, given_at, id);
CREATE INDEX feedback_client_id_given_at_idx ON feedback (client_id, given_at, id);

-- The messages to a referrer who wants to hear back: a row for each event that is a milestone, with the id of the event. The day until which the client's
-- consents let the referrer hear of it changes with the consents.
CREATE TABLE milestones (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    referrer_user_id uuid NOT NULL,
    milestone text COLLATE "C" NOT NULL CHECK (milestone IN ('in_review', 'directly_guided', 'waitlisted', 'link_worker_found', 'support_started', 'support_ended', 'closed')),
    at timestamptz NOT NULL,
    told_until date,
    acknowledged_at timestamptz,
    PRIMARY KEY (id)
);

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
    CASE WHEN (
            SELECT max(coalesce(c.valid_until, DATE '9999-12-31')) FROM consents c
            WHERE c.referral_id = r.id AND ',' || c.purposes || ',' LIKE '%,process_referral,%' AND ',' || c.withdrawn_purposes || ',' NOT LIKE '%,process_referral,%'
                AND (c.method <> 'asserted_by_sender' OR c.verified_at IS NOT NULL)
        ) IS NULL OR (
            SELECT max(coalesce(c.valid_until, DATE '9999-12-31')) FROM consents c
            WHERE c.referral_id = r.id AND ',' || c.purposes || ',' LIKE '%,feedback_to_referrer,%' AND ',' || c.withdrawn_purposes || ',' NOT LIKE '%,feedback_to_referrer,%'
                AND (c.method <> 'asserted_by_sender' OR c.verified_at IS NOT NULL)
        ) IS NULL THEN NULL ELSE least((
            SELECT max(coalesce(c.valid_until, DATE '9999-12-31')) FROM consents c
            WHERE c.referral_id = r.id AND ',' || c.purposes || ',' LIKE '%,process_referral,%' AND ',' || c.withdrawn_purposes || ',' NOT LIKE '%,process_referral,%'
                AND (c.method <> 'asserted_by_sender' OR c.verified_at IS NOT NULL)
        ), (
            SELECT max(coalesce(c.valid_until, DATE '9999-12-31')) FROM consents c
            WHERE c.referral_id = r.id AND ',' || c.purposes || ',' LIKE '%,feedback_to_referrer,%' AND ',' || c.withdrawn_purposes || ',' NOT LIKE '%,feedback_to_referrer,%'
                AND (c.method <> 'asserted_by_sender' OR c.verified_at IS NOT NULL)
        )) END,
    NULL
FROM events e
JOIN referrals r ON r.id = e.referral_id
JOIN referral_details d ON d.referral_id = r.id
WHERE r.channel = 'signed_in' AND r.referrer_user_id IS NOT NULL AND d.feedback_wanted
    AND e.kind IN ('review_started', 'directly_guided', 'waitlisted', 'assignment_accepted', 'support_started', 'support_ended', 'referral_closed', 'referral_withdrawn');

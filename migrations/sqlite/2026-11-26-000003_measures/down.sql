DROP TABLE milestones;
DROP TABLE feedback;
DROP TABLE group_answers;
DROP TABLE individual_uses;
DROP TABLE measure_texts;
DROP TABLE measure_instruments;

DELETE FROM events WHERE kind = 'feedback_given';
UPDATE events SET kind = 'referral_updated' WHERE kind = 'coordinator_changed';
CREATE TABLE events_new (
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
INSERT INTO events_new (id, referral_id, programme_id, kind, at, caller_kind, user_id, api_client_id, role, from_state, to_state, reason, comment) SELECT id, referral_id, programme_id, kind, at, caller_kind, user_id, api_client_id, role, from_state, to_state, reason, comment FROM events;
DROP TABLE events;
ALTER TABLE events_new RENAME TO events;
CREATE INDEX events_referral_id_idx ON events (referral_id, at, id);

DELETE FROM measures WHERE instrument NOT IN ('swemwbs', 'recommendation') OR instrument_version <> 1 OR (missing_reason IS NULL AND hundredths IS NULL);
CREATE TABLE measures_old (
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
INSERT INTO measures_old (id, support_period_id, instrument, timepoint, mode, answers, raw, hundredths, missing_reason, recorded_at) SELECT id, support_period_id, instrument, timepoint, mode, answers, raw, hundredths, missing_reason, recorded_at FROM measures;
DROP TABLE measures;
ALTER TABLE measures_old RENAME TO measures;
CREATE INDEX measures_report_idx ON measures (support_period_id, instrument, timepoint, hundredths);
CREATE INDEX measures_support_period_id_recorded_at_idx ON measures (support_period_id, recorded_at, id);

CREATE TABLE events_old (
    id TEXT NOT NULL,
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    kind TEXT NOT NULL CHECK (kind IN ('referral_created', 'referral_updated', 'referral_submitted', 'review_started', 'information_requested', 'information_answered', 'directly_guided', 'waitlisted', 'deferred', 'resumed', 'assignment_proposed', 'assignment_accepted', 'assignment_declined', 'assignment_expired', 'assignment_ended', 'contact_attempted', 'consent_recorded', 'consent_verified', 'consent_withdrawn', 'support_started', 'support_paused', 'support_resumed', 'support_extended', 'link_worker_changed', 'end_proposed', 'support_ended', 'goal_recorded', 'activity_linked', 'activity_link_changed', 'visit_planned', 'visit_held', 'visit_cancelled', 'visit_not_attended', 'visit_changed', 'measure_recorded', 'feedback_given', 'referral_withdrawn', 'referral_closed', 'referral_reopened', 'marked_as_error')),
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

INSERT INTO events_old
SELECT id, referral_id, programme_id, CASE kind WHEN 'coordinator_changed' THEN 'referral_updated' ELSE kind END, at, caller_kind, user_id, api_client_id, role, from_state, to_state, reason, comment FROM events;
DROP TABLE events;
ALTER TABLE events_old RENAME TO events;
CREATE INDEX events_referral_id_idx ON events (referral_id, at, id);
DROP TABLE concerns;
DROP TABLE concern_guidance;
DROP TABLE programme_breaks;
DROP TABLE mentoring_sessions;
DROP TABLE absences;
ALTER TABLE programmes DROP COLUMN refresher_months;

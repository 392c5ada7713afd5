UPDATE events SET kind = 'referral_updated' WHERE kind = 'coordinator_changed';
ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (kind IN ('referral_created', 'referral_updated', 'referral_submitted', 'review_started', 'information_requested', 'information_answered', 'directly_guided', 'waitlisted', 'deferred', 'resumed', 'assignment_proposed', 'assignment_accepted', 'assignment_declined', 'assignment_expired', 'assignment_ended', 'contact_attempted', 'consent_recorded', 'consent_verified', 'consent_withdrawn', 'support_started', 'support_paused', 'support_resumed', 'support_extended', 'link_worker_changed', 'end_proposed', 'support_ended', 'goal_recorded', 'activity_linked', 'activity_link_changed', 'visit_planned', 'visit_held', 'visit_cancelled', 'visit_not_attended', 'visit_changed', 'measure_recorded', 'feedback_given', 'referral_withdrawn', 'referral_closed', 'referral_reopened', 'marked_as_error'));
DROP TABLE concerns;
DROP TABLE concern_guidance;
DROP TABLE programme_breaks;
DROP TABLE mentoring_sessions;
DROP TABLE absences;
ALTER TABLE programmes DROP COLUMN refresher_months;

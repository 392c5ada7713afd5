DROP TABLE milestones;
DROP TABLE feedback;
DROP TABLE group_answers;
DROP TABLE individual_uses;
DROP TABLE measure_texts;
DROP TABLE measure_instruments;

DELETE FROM events WHERE kind = 'feedback_given';
UPDATE events SET kind = 'referral_updated' WHERE kind = 'coordinator_changed';
ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (kind IN ('referral_created', 'referral_updated', 'referral_submitted', 'review_started', 'information_requested', 'information_answered', 'directly_guided', 'waitlisted', 'deferred', 'resumed', 'assignment_proposed', 'assignment_accepted', 'assignment_declined', 'assignment_expired', 'assignment_ended', 'contact_attempted', 'consent_recorded', 'consent_verified', 'consent_withdrawn', 'support_started', 'support_paused', 'support_resumed', 'support_extended', 'link_worker_changed', 'end_proposed', 'support_ended', 'goal_recorded', 'activity_linked', 'activity_link_changed', 'visit_planned', 'visit_held', 'visit_cancelled', 'visit_not_attended', 'visit_changed', 'measure_recorded', 'referral_withdrawn', 'referral_closed', 'referral_reopened', 'marked_as_error'));

DELETE FROM measures WHERE instrument NOT IN ('swemwbs', 'recommendation') OR instrument_version <> 1 OR (missing_reason IS NULL AND hundredths IS NULL);
DROP INDEX measures_report_idx;
ALTER TABLE measures DROP CONSTRAINT measures_hundredths_check;
ALTER TABLE measures DROP CONSTRAINT measures_raw_check;
ALTER TABLE measures DROP CONSTRAINT measures_answers_check;
ALTER TABLE measures DROP CONSTRAINT measures_check;
ALTER TABLE measures DROP COLUMN instrument_version;
ALTER TABLE measures ADD CONSTRAINT measures_instrument_check CHECK (instrument IN ('swemwbs', 'recommendation'));
ALTER TABLE measures ADD CONSTRAINT measures_check CHECK ((missing_reason IS NULL) = (mode IS NOT NULL AND answers IS NOT NULL AND raw IS NOT NULL AND hundredths IS NOT NULL));
CREATE INDEX measures_report_idx ON measures (support_period_id, instrument, timepoint, hundredths);

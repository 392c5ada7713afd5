DROP INDEX audit_events_with_reason;
DROP INDEX referral_snapshots_assigned_idx;
ALTER TABLE referral_snapshots DROP COLUMN evaluation_until;
CREATE INDEX referral_snapshots_assigned_idx ON referral_snapshots (programme_id, submitted_on, referral_id, state, evaluation, assigned) WHERE assigned;
DROP TABLE consent_texts;

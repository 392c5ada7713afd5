-- What the outcomes report adds up stands where it is counted: in the snapshot of a referral, and in the visit.

ALTER TABLE referral_snapshots
    ADD COLUMN state text COLLATE "C" CHECK (state IN ('draft', 'submitted', 'in_review', 'awaiting_information', 'waitlisted', 'deferred', 'assigned', 'in_support', 'directly_guided', 'closed', 'entered_in_error')),
    ADD COLUMN outcome text COLLATE "C" CHECK (outcome IN ('completed_as_planned', 'discontinued', 'not_started', 'redirected', 'declined', 'withdrawn')),
    ADD COLUMN route text COLLATE "C" CHECK (route IN ('direct', 'link_worker')),
    ADD COLUMN sector text COLLATE "C" CHECK (sector IN ('elderly', 'mental_health', 'social_services', 'rehabilitation', 'primary_care', 'hospital', 'employment', 'education_culture', 'leisure_sports', 'parish', 'association', 'self')),
    ADD COLUMN reasons text COLLATE "C",
    ADD COLUMN assigned boolean;

UPDATE referral_snapshots s
SET state = r.state, outcome = r.outcome, route = r.route, sector = r.sector,
    reasons = coalesce((SELECT string_agg(w.reason, ',' ORDER BY w.reason) FROM referral_reasons w WHERE w.referral_id = r.id), ''),
    assigned = r.state IN ('assigned', 'in_support')
        OR EXISTS (SELECT 1 FROM assignments a WHERE a.referral_id = r.id AND a.state IN ('accepted', 'ended') AND a.answered_at IS NOT NULL)
        OR EXISTS (SELECT 1 FROM support_periods p WHERE p.referral_id = r.id)
FROM referrals r
WHERE r.id = s.referral_id;

ALTER TABLE referral_snapshots
    ALTER COLUMN state SET NOT NULL,
    ALTER COLUMN sector SET NOT NULL,
    ALTER COLUMN reasons SET NOT NULL,
    ALTER COLUMN assigned SET NOT NULL;

ALTER TABLE visits ADD COLUMN worker_cents_per_hour bigint NOT NULL DEFAULT 0;
UPDATE visits SET worker_cents_per_hour = (SELECT coalesce(sum(w.fee_cents_per_hour), 0) FROM visit_workers w WHERE w.visit_id = visits.id);

DROP INDEX referral_snapshots_programme_id_submitted_on_idx;
-- All that the report breaks the referrals down by: one range of this index is one pass.
CREATE INDEX referral_snapshots_report_idx ON referral_snapshots (programme_id, submitted_on, state, outcome, route, sector, sex, municipality, reasons, age);
-- The few of them with a link worker, from where their visits, agreements and measures are found, each in an index that holds what is added up.
CREATE INDEX referral_snapshots_assigned_idx ON referral_snapshots (programme_id, submitted_on, referral_id, state, evaluation, assigned) WHERE assigned;
DROP INDEX visits_referral_id_idx;
CREATE INDEX visits_referral_id_idx ON visits (referral_id, state, visit_on, mode, minutes, travel_metres, worker_cents_per_hour);
CREATE INDEX assignments_report_idx ON assignments (referral_id, state, answered_at, link_worker_id);
CREATE INDEX support_periods_report_idx ON support_periods (referral_id, state, id);
CREATE INDEX measures_report_idx ON measures (support_period_id, instrument, timepoint, hundredths);

-- Lists in their order, and what the clock and the references look for.
CREATE INDEX assignments_programme_id_idx ON assignments (programme_id, proposed_at, id);
CREATE INDEX assignments_programme_id_state_idx ON assignments (programme_id, state, proposed_at, id);
CREATE INDEX assignments_link_worker_id_proposed_at_idx ON assignments (link_worker_id, proposed_at, id);
CREATE INDEX assignments_link_worker_user_id_idx ON assignments (link_worker_user_id, proposed_at, id);
CREATE INDEX support_periods_programme_id_planned_end_on_idx ON support_periods (programme_id, planned_end_on, id);
CREATE INDEX activity_links_referral_id_proposed_at_idx ON activity_links (referral_id, proposed_at, id);
CREATE INDEX measures_support_period_id_recorded_at_idx ON measures (support_period_id, recorded_at, id);
CREATE INDEX referrals_drafts_idx ON referrals (created_at, id) WHERE state = 'draft';
CREATE INDEX referral_details_previous_idx ON referral_details (previous_referral_id) WHERE previous_referral_id IS NOT NULL;
DROP INDEX contracts_link_worker_id_idx;
CREATE INDEX contracts_link_worker_id_idx ON contracts (link_worker_id, valid_from, id);
DROP INDEX trainings_link_worker_id_idx;
CREATE INDEX trainings_link_worker_id_idx ON trainings (link_worker_id, completed_on, id);

-- What the outcomes report adds up stands where it is counted: in the snapshot of a referral, and in the visit.

CREATE TABLE referral_snapshots_new (
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    submitted_on TEXT NOT NULL,
    age INTEGER NOT NULL CHECK (age BETWEEN 18 AND 200),
    sex TEXT CHECK (sex IN ('female', 'male', 'other')),
    municipality TEXT NOT NULL,
    evaluation INTEGER NOT NULL CHECK (evaluation IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'in_review', 'awaiting_information', 'waitlisted', 'deferred', 'assigned', 'in_support', 'directly_guided', 'closed', 'entered_in_error')),
    outcome TEXT CHECK (outcome IN ('completed_as_planned', 'discontinued', 'not_started', 'redirected', 'declined', 'withdrawn')),
    route TEXT CHECK (route IN ('direct', 'link_worker')),
    sector TEXT NOT NULL CHECK (sector IN ('elderly', 'mental_health', 'social_services', 'rehabilitation', 'primary_care', 'hospital', 'employment', 'education_culture', 'leisure_sports', 'parish', 'association', 'self')),
    reasons TEXT NOT NULL,
    assigned INTEGER NOT NULL CHECK (assigned IN (0, 1)),
    PRIMARY KEY (referral_id)
) STRICT;

INSERT INTO referral_snapshots_new
SELECT s.referral_id, s.programme_id, s.submitted_on, s.age, s.sex, s.municipality, s.evaluation, r.state, r.outcome, r.route, r.sector,
    coalesce((SELECT group_concat(reason, ',') FROM (SELECT reason FROM referral_reasons w WHERE w.referral_id = r.id ORDER BY reason)), ''),
    r.state IN ('assigned', 'in_support')
        OR EXISTS (SELECT 1 FROM assignments a WHERE a.referral_id = r.id AND a.state IN ('accepted', 'ended') AND a.answered_at IS NOT NULL)
        OR EXISTS (SELECT 1 FROM support_periods p WHERE p.referral_id = r.id)
FROM referral_snapshots s JOIN referrals r ON r.id = s.referral_id;

DROP TABLE referral_snapshots;
ALTER TABLE referral_snapshots_new RENAME TO referral_snapshots;

ALTER TABLE visits ADD COLUMN worker_cents_per_hour INTEGER NOT NULL DEFAULT 0;
UPDATE visits SET worker_cents_per_hour = (SELECT coalesce(sum(w.fee_cents_per_hour), 0) FROM visit_workers w WHERE w.visit_id = visits.id);

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

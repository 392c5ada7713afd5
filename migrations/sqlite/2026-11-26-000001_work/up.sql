-- The work itself: whose word the outcome of a goal is, why somebody did not come, what clients would need, coordinators' time, and who has not been
-- visited for long. The steps of a goal are texts in older rows and objects that say whether they are done in newer ones.

ALTER TABLE goals ADD COLUMN outcome_role TEXT CHECK (outcome_role IN ('coordinator', 'link_worker', 'client'));
ALTER TABLE goals ADD COLUMN outcome_by TEXT;
ALTER TABLE goals ADD COLUMN outcome_at TEXT CHECK ((outcome_at IS NULL) = (outcome_role IS NULL));

ALTER TABLE visits ADD COLUMN absence_reason TEXT CHECK (absence_reason IN ('forgot', 'ill', 'weather_or_transport', 'changed_mind', 'misunderstanding', 'other', 'unknown'));
ALTER TABLE visits ADD COLUMN unmet_needs TEXT NOT NULL DEFAULT '';
UPDATE visits SET absence_reason = 'unknown' WHERE state = 'not_attended';

ALTER TABLE activity_links ADD COLUMN unmet_needs TEXT NOT NULL DEFAULT '';

-- What stood in the way and what was missing when a referral ended.
CREATE TABLE referral_closings (
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    barriers TEXT NOT NULL,
    unmet_needs TEXT NOT NULL,
    PRIMARY KEY (referral_id)
) STRICT;

-- Since when nobody has visited: the day of the last visit that was held, or the first day of the support period. Kept by whoever writes a visit.
ALTER TABLE support_periods ADD COLUMN quiet_since TEXT;
UPDATE support_periods SET quiet_since = coalesce(
    (SELECT max(v.visit_on) FROM visits v WHERE v.support_period_id = support_periods.id AND v.state = 'held'), starts_on);
CREATE INDEX support_periods_quiet_idx ON support_periods (programme_id, state, quiet_since, id);

CREATE TABLE time_entries (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    coordinator_id TEXT NOT NULL REFERENCES users (id),
    worked_on TEXT NOT NULL,
    minutes INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    kind TEXT NOT NULL CHECK (kind IN ('contact', 'planning', 'matching', 'meeting', 'documentation', 'other')),
    note TEXT,
    recorded_at TEXT NOT NULL,
    struck_at TEXT,
    struck_by TEXT,
    PRIMARY KEY (id),
    CHECK ((struck_at IS NULL) = (struck_by IS NULL))
) STRICT;

CREATE INDEX time_entries_referral_id_idx ON time_entries (referral_id, worked_on, id);

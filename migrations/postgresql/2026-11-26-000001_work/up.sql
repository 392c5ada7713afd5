-- The work itself: whose word the outcome of a goal is, why somebody did not come, what clients would need, coordinators' time, and who has not been
-- visited for long. The steps of a goal are texts in older rows and objects that say whether they are done in newer ones.

ALTER TABLE goals ADD COLUMN outcome_role text COLLATE "C" CHECK (outcome_role IN ('coordinator', 'link_worker', 'client'));
ALTER TABLE goals ADD COLUMN outcome_by uuid;
ALTER TABLE goals ADD COLUMN outcome_at timestamptz CHECK ((outcome_at IS NULL) = (outcome_role IS NULL));

ALTER TABLE visits ADD COLUMN absence_reason text COLLATE "C" CHECK (absence_reason IN ('forgot', 'ill', 'weather_or_transport', 'changed_mind', 'misunderstanding', 'other', 'unknown'));
ALTER TABLE visits ADD COLUMN unmet_needs text COLLATE "C" NOT NULL DEFAULT '';
UPDATE visits SET absence_reason = 'unknown' WHERE state = 'not_attended';

ALTER TABLE activity_links ADD COLUMN unmet_needs text COLLATE "C" NOT NULL DEFAULT '';

-- What stood in the way and what was missing when a referral ended.
CREATE TABLE referral_closings (
    referral_id uuid NOT NULL REFERENCES referrals (id),
    barriers text COLLATE "C" NOT NULL,
    unmet_needs text COLLATE "C" NOT NULL,
    PRIMARY KEY (referral_id)
);

-- Since when nobody has visited: the day of the last visit that was held, or the first day of the support period. Kept by whoever writes a visit.
ALTER TABLE support_periods ADD COLUMN quiet_since date;
UPDATE support_periods SET quiet_since = coalesce(
    (SELECT max(v.visit_on) FROM visits v WHERE v.support_period_id = support_periods.id AND v.state = 'held'), starts_on);
CREATE INDEX support_periods_quiet_idx ON support_periods (programme_id, state, quiet_since, id);

CREATE TABLE time_entries (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    coordinator_id uuid NOT NULL REFERENCES users (id),
    worked_on date NOT NULL,
    minutes bigint NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('contact', 'planning', 'matching', 'meeting', 'documentation', 'other')),
    note text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    struck_at timestamptz,
    struck_by uuid,
    PRIMARY KEY (id),
    CHECK ((struck_at IS NULL) = (struck_by IS NULL))
);

CREATE INDEX time_entries_referral_id_idx ON time_entries (referral_id, worked_on, id);

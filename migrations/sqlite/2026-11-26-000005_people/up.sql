-- The people who do the work: concerns, absences, mentoring, breaks of the programme, and cases that are handed over.

ALTER TABLE programmes ADD COLUMN refresher_months INTEGER NOT NULL DEFAULT 6 CHECK (refresher_months BETWEEN 1 AND 60);

CREATE TABLE absences (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    link_worker_id TEXT NOT NULL REFERENCES link_workers (id),
    from_day TEXT NOT NULL,
    until_day TEXT,
    reason TEXT NOT NULL CHECK (reason IN ('holiday', 'illness', 'study', 'family', 'other')),
    recorded_by TEXT NOT NULL REFERENCES users (id),
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (id),
    CHECK (until_day IS NULL OR until_day >= from_day)
) STRICT;

CREATE INDEX absences_link_worker_id_idx ON absences (link_worker_id, from_day, id);

CREATE TABLE mentoring_sessions (
    id TEXT NOT NULL,
    link_worker_id TEXT NOT NULL REFERENCES link_workers (id),
    held_on TEXT NOT NULL,
    minutes INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 600),
    mentor TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('individual', 'group')),
    recorded_by TEXT NOT NULL REFERENCES users (id),
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;

CREATE INDEX mentoring_sessions_link_worker_id_idx ON mentoring_sessions (link_worker_id, held_on, id);

CREATE TABLE programme_breaks (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    from_day TEXT NOT NULL,
    until_day TEXT,
    reason TEXT NOT NULL CHECK (reason IN ('holiday_season', 'staffing', 'funding', 'exceptional_conditions', 'other')),
    words TEXT NOT NULL,
    PRIMARY KEY (id),
    CHECK (until_day IS NULL OR until_day >= from_day)
) STRICT;

CREATE INDEX programme_breaks_programme_id_idx ON programme_breaks (programme_id, from_day, id);

-- An empty municipality is the whole programme.
CREATE TABLE concern_guidance (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    municipality TEXT NOT NULL CHECK (length(municipality) IN (0, 3)),
    kind TEXT NOT NULL CHECK (kind IN ('social_care', 'older_person', 'child', 'fire_or_accident', 'guardianship', 'serious_crime', 'violence_at_home', 'other')),
    place TEXT NOT NULL,
    contact TEXT,
    phone TEXT,
    hours TEXT,
    law TEXT,
    languages TEXT NOT NULL,
    hourly TEXT NOT NULL CHECK (hourly IN ('duty', 'right')),
    fee TEXT NOT NULL CHECK (fee IN ('duty', 'right')),
    volunteer TEXT NOT NULL CHECK (volunteer IN ('duty', 'right')),
    PRIMARY KEY (id),
    CONSTRAINT concern_guidance_place_key UNIQUE (programme_id, municipality, kind)
) STRICT;

-- A place that is left out is the whole programme, of which there is one row for each kind, too: NULL is never the same as another NULL.
CREATE UNIQUE INDEX concern_guidance_programme_key ON concern_guidance (programme_id, kind) WHERE municipality IS NULL;

-- What was seen, said and done is sealed; what is left tells that there is a concern, and nobody who may not know of it is shown that.
CREATE TABLE concerns (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    referral_id TEXT NOT NULL REFERENCES referrals (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    kind TEXT NOT NULL CHECK (kind IN ('social_care', 'older_person', 'child', 'fire_or_accident', 'guardianship', 'serious_crime', 'violence_at_home', 'other')),
    facts TEXT NOT NULL,
    person_informed INTEGER NOT NULL CHECK (person_informed IN (0, 1)),
    not_informed_reason TEXT,
    consulted TEXT,
    reported_place TEXT,
    reported_at TEXT,
    follow_up TEXT,
    reporter_id TEXT NOT NULL REFERENCES users (id),
    reporter_role TEXT NOT NULL CHECK (reporter_role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    recorded_at TEXT NOT NULL,
    closed_at TEXT,
    released_at TEXT,
    released_by TEXT,
    release_words TEXT,
    PRIMARY KEY (id),
    CHECK ((reported_place IS NULL) = (reported_at IS NULL)),
    CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CHECK (release_words IS NULL OR released_at IS NOT NULL)
) STRICT;

CREATE INDEX concerns_programme_id_idx ON concerns (programme_id, recorded_at, id);
CREATE INDEX concerns_reporter_id_idx ON concerns (reporter_id, programme_id, recorded_at, id);
CREATE INDEX concerns_referral_id_idx ON concerns (referral_id, recorded_at, id);
CREATE INDEX concerns_client_id_idx ON concerns (client_id, recorded_at, id);

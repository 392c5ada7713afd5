-- The people who do the work: concerns, absences, mentoring, breaks of the programme, and cases that are handed over.

ALTER TABLE programmes ADD COLUMN refresher_months bigint NOT NULL DEFAULT 6 CHECK (refresher_months BETWEEN 1 AND 60);

CREATE TABLE absences (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    link_worker_id uuid NOT NULL REFERENCES link_workers (id),
    from_day date NOT NULL,
    until_day date,
    reason text COLLATE "C" NOT NULL CHECK (reason IN ('holiday', 'illness', 'study', 'family', 'other')),
    recorded_by uuid NOT NULL REFERENCES users (id),
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CHECK (until_day IS NULL OR until_day >= from_day)
);

CREATE INDEX absences_link_worker_id_idx ON absences (link_worker_id, from_day, id);

CREATE TABLE mentoring_sessions (
    id uuid NOT NULL,
    link_worker_id uuid NOT NULL REFERENCES link_workers (id),
    held_on date NOT NULL,
    minutes bigint NOT NULL CHECK (minutes BETWEEN 1 AND 600),
    mentor text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('individual', 'group')),
    recorded_by uuid NOT NULL REFERENCES users (id),
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX mentoring_sessions_link_worker_id_idx ON mentoring_sessions (link_worker_id, held_on, id);

CREATE TABLE programme_breaks (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    from_day date NOT NULL,
    until_day date,
    reason text COLLATE "C" NOT NULL CHECK (reason IN ('holiday_season', 'staffing', 'funding', 'exceptional_conditions', 'other')),
    words jsonb NOT NULL,
    PRIMARY KEY (id),
    CHECK (until_day IS NULL OR until_day >= from_day)
);

CREATE INDEX programme_breaks_programme_id_idx ON programme_breaks (programme_id, from_day, id);

-- An empty municipality is the whole programme.
CREATE TABLE concern_guidance (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    municipality text COLLATE "C" NOT NULL CHECK (length(municipality) IN (0, 3)),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('social_care', 'older_person', 'child', 'fire_or_accident', 'guardianship', 'serious_crime', 'violence_at_home', 'other')),
    place text COLLATE "C" NOT NULL,
    contact text COLLATE "C",
    phone text COLLATE "C",
    hours text COLLATE "C",
    law text COLLATE "C",
    languages text COLLATE "C" NOT NULL,
    hourly text COLLATE "C" NOT NULL CHECK (hourly IN ('duty', 'right')),
    fee text COLLATE "C" NOT NULL CHECK (fee IN ('duty', 'right')),
    volunteer text COLLATE "C" NOT NULL CHECK (volunteer IN ('duty', 'right')),
    PRIMARY KEY (id),
    CONSTRAINT concern_guidance_place_key UNIQUE (programme_id, municipality, kind)
);

-- A place that is left out is the whole programme, of which there is one row for each kind, too: NULL is never the same as another NULL.
CREATE UNIQUE INDEX concern_guidance_programme_key ON concern_guidance (programme_id, kind) WHERE municipality IS NULL;

-- What was seen, said and done is sealed; what is left tells that there is a concern, and nobody who may not know of it is shown that.
CREATE TABLE concerns (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    referral_id uuid NOT NULL REFERENCES referrals (id),
    client_id uuid NOT NULL REFERENCES clients (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('social_care', 'older_person', 'child', 'fire_or_accident', 'guardianship', 'serious_crime', 'violence_at_home', 'other')),
    facts text COLLATE "C" NOT NULL,
    person_informed boolean NOT NULL,
    not_informed_reason text COLLATE "C",
    consulted text COLLATE "C",
    reported_place text COLLATE "C",
    reported_at timestamptz,
    follow_up text COLLATE "C",
    reporter_id uuid NOT NULL REFERENCES users (id),
    reporter_role text COLLATE "C" NOT NULL CHECK (reporter_role IN ('referrer', 'coordinator', 'link_worker', 'client', 'report_reader', 'privacy_officer', 'admin', 'integration')),
    recorded_at timestamptz NOT NULL,
    closed_at timestamptz,
    released_at timestamptz,
    released_by uuid,
    release_words text COLLATE "C",
    PRIMARY KEY (id),
    CHECK ((reported_place IS NULL) = (reported_at IS NULL)),
    CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CHECK (release_words IS NULL OR released_at IS NOT NULL)
);

CREATE INDEX concerns_programme_id_idx ON concerns (programme_id, recorded_at, id);
CREATE INDEX concerns_reporter_id_idx ON concerns (reporter_id, programme_id, recorded_at, id);
CREATE INDEX concerns_referral_id_idx ON concerns (referral_id, recorded_at, id);
CREATE INDEX concerns_client_id_idx ON concerns (client_id, recorded_at, id);

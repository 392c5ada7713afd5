-- The activity directory in full, its import from the national service directory, and the mapping of classes to themes.

ALTER TABLE activities ADD COLUMN text_language text COLLATE "C" NOT NULL DEFAULT 'fi';
ALTER TABLE activities ADD COLUMN summary text COLLATE "C";
ALTER TABLE activities ADD COLUMN translations jsonb NOT NULL DEFAULT '{}';
ALTER TABLE activities ADD COLUMN keywords text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE activities ADD COLUMN provider jsonb;
ALTER TABLE activities ADD COLUMN status text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'temporarily_closed', 'inactive', 'withdrawn'));
ALTER TABLE activities ADD COLUMN content_kind text COLLATE "C" NOT NULL DEFAULT 'service' CHECK (content_kind IN ('service', 'self_care_programme', 'information'));
-- Codes between commas, `,758,261,`: one row is written for an entry, and an index that holds them is walked for a list.
ALTER TABLE activities ADD COLUMN themes text COLLATE "C" NOT NULL DEFAULT '' CHECK (themes = '' OR themes LIKE ',%,');
ALTER TABLE activities ADD COLUMN municipalities text COLLATE "C" NOT NULL DEFAULT '' CHECK (municipalities = '' OR municipalities LIKE ',%,');
ALTER TABLE activities ADD COLUMN nationwide boolean NOT NULL DEFAULT FALSE;
ALTER TABLE activities ADD COLUMN notes jsonb NOT NULL DEFAULT '{}';
ALTER TABLE activities ADD COLUMN schedule jsonb NOT NULL DEFAULT '[]';
ALTER TABLE activities ADD COLUMN places jsonb NOT NULL DEFAULT '[]';
ALTER TABLE activities ADD COLUMN contact jsonb NOT NULL DEFAULT '{}';
ALTER TABLE activities ADD COLUMN source text COLLATE "C" NOT NULL DEFAULT 'own' CHECK (source IN ('own', 'ptv'));
ALTER TABLE activities ADD COLUMN source_id uuid;
ALTER TABLE activities ADD COLUMN source_modified timestamptz;
ALTER TABLE activities ADD COLUMN licence text COLLATE "C";
-- The number in the index of words; below zero for an entry that is not in it yet, which the program brings in when it starts.
ALTER TABLE activities ADD COLUMN search_no bigint NOT NULL DEFAULT 0;

UPDATE activities SET
    status = CASE WHEN active THEN 'active' ELSE 'inactive' END,
    municipalities = CASE WHEN municipality IS NULL THEN '' ELSE ',' || municipality || ',' END,
    nationwide = (municipality IS NULL AND remote),
    themes = coalesce((SELECT ',' || string_agg(theme, ',' ORDER BY theme) || ',' FROM activity_themes WHERE activity_id = activities.id), '');

UPDATE activities SET search_no = -numbered.no FROM (SELECT id, row_number() OVER (ORDER BY id) AS no FROM activities) numbered WHERE numbered.id = activities.id;

DROP TABLE activity_themes;
DROP INDEX activities_programme_id_name_idx;
DROP INDEX activities_name_idx;
ALTER TABLE activities DROP COLUMN active;
ALTER TABLE activities DROP COLUMN municipality;

-- A list is read from these alone: what it is filtered by stands in them.
CREATE INDEX activities_status_idx ON activities (status, name_lower, id, programme_id, source, content_kind, price, kaikukortti, remote, nationwide, checked_on, themes, municipalities, languages);
CREATE UNIQUE INDEX activities_search_no_key ON activities (search_no);
CREATE UNIQUE INDEX activities_programme_id_source_id_key ON activities (programme_id, source_id) WHERE source_id IS NOT NULL;

-- Words and pieces of words that the program makes, so that both databases find alike. Two underscores: each database has it in its own form.
CREATE TABLE __activity_search (
    search_no bigint NOT NULL,
    terms tsvector NOT NULL,
    PRIMARY KEY (search_no)
);

CREATE INDEX __activity_search_terms_idx ON __activity_search USING gin (terms);

-- What an import needs to know of an entry: whether it has changed there, what it is filed under, and which channels it names.
CREATE TABLE activity_sources (
    activity_id uuid NOT NULL REFERENCES activities (id),
    content_hash bytea NOT NULL,
    classes text COLLATE "C" NOT NULL,
    channels text COLLATE "C" NOT NULL,
    PRIMARY KEY (activity_id)
);

-- Organisations and channels of the other directory, without persons.
CREATE TABLE activity_import_records (
    programme_id uuid NOT NULL REFERENCES programmes (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('organisation', 'channel')),
    source_id uuid NOT NULL,
    business_id text COLLATE "C",
    content_hash bytea NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (programme_id, kind, source_id)
);

CREATE INDEX activity_import_records_business_id_idx ON activity_import_records (programme_id, business_id, source_id) WHERE business_id IS NOT NULL;

CREATE TABLE activity_imports (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    origin text COLLATE "C" NOT NULL CHECK (origin IN ('server', 'command_line')),
    municipalities text COLLATE "C" NOT NULL,
    changed_since timestamptz,
    state text COLLATE "C" NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'failed')),
    phase text COLLATE "C" NOT NULL CHECK (phase IN ('organisations', 'channels', 'services', 'archived', 'withdrawn')),
    step bigint NOT NULL CHECK (step >= 0),
    page bigint NOT NULL CHECK (page >= 1),
    item bigint NOT NULL CHECK (item >= 0),
    pages_of_step bigint,
    pages bigint NOT NULL,
    seen bigint NOT NULL,
    added bigint NOT NULL,
    changed bigint NOT NULL,
    unchanged bigint NOT NULL,
    tombstoned bigint NOT NULL,
    skipped bigint NOT NULL,
    faults jsonb NOT NULL,
    problem text COLLATE "C",
    created_at timestamptz NOT NULL,
    created_by uuid REFERENCES users (id),
    beat_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (id),
    CHECK ((state IN ('finished', 'failed')) = (finished_at IS NOT NULL))
);

CREATE INDEX activity_imports_programme_id_idx ON activity_imports (programme_id, created_at, id);
CREATE INDEX activity_imports_open_idx ON activity_imports (created_at, id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX activity_imports_unfinished_key ON activity_imports (programme_id) WHERE finished_at IS NULL;

CREATE TABLE theme_mappings (
    programme_id uuid NOT NULL REFERENCES programmes (id),
    version bigint NOT NULL CHECK (version >= 1),
    entries jsonb NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by uuid REFERENCES users (id),
    -- Up to which entry of the directory it has been applied; none when to all.
    applied_after uuid,
    PRIMARY KEY (programme_id)
);

CREATE INDEX theme_mappings_applying_idx ON theme_mappings (programme_id) WHERE applied_after IS NOT NULL;

-- The activity directory in full, its import from the national service directory, and the mapping of classes to themes.

ALTER TABLE activities ADD COLUMN text_language TEXT NOT NULL DEFAULT 'fi';
ALTER TABLE activities ADD COLUMN summary TEXT;
ALTER TABLE activities ADD COLUMN translations TEXT NOT NULL DEFAULT '{}';
ALTER TABLE activities ADD COLUMN keywords TEXT NOT NULL DEFAULT '';
ALTER TABLE activities ADD COLUMN provider TEXT;
ALTER TABLE activities ADD COLUMN status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'temporarily_closed', 'inactive', 'withdrawn'));
ALTER TABLE activities ADD COLUMN content_kind TEXT NOT NULL DEFAULT 'service' CHECK (content_kind IN ('service', 'self_care_programme', 'information'));
-- Codes between commas, `,758,261,`: one row is written for an entry, and an index that holds them is walked for a list.
ALTER TABLE activities ADD COLUMN themes TEXT NOT NULL DEFAULT '' CHECK (themes = '' OR themes LIKE ',%,');
ALTER TABLE activities ADD COLUMN municipalities TEXT NOT NULL DEFAULT '' CHECK (municipalities = '' OR municipalities LIKE ',%,');
ALTER TABLE activities ADD COLUMN nationwide INTEGER NOT NULL DEFAULT 0 CHECK (nationwide IN (0, 1));
ALTER TABLE activities ADD COLUMN notes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE activities ADD COLUMN schedule TEXT NOT NULL DEFAULT '[]';
ALTER TABLE activities ADD COLUMN places TEXT NOT NULL DEFAULT '[]';
ALTER TABLE activities ADD COLUMN contact TEXT NOT NULL DEFAULT '{}';
ALTER TABLE activities ADD COLUMN source TEXT NOT NULL DEFAULT 'own' CHECK (source IN ('own', 'ptv'));
ALTER TABLE activities ADD COLUMN source_id TEXT;
ALTER TABLE activities ADD COLUMN source_modified TEXT;
ALTER TABLE activities ADD COLUMN licence TEXT;
-- The number in the index of words; below zero for an entry that is not in it yet, which the program brings in when it starts.
ALTER TABLE activities ADD COLUMN search_no INTEGER NOT NULL DEFAULT 0;

UPDATE activities SET
    status = CASE active WHEN 1 THEN 'active' ELSE 'inactive' END,
    municipalities = CASE WHEN municipality IS NULL THEN '' ELSE ',' || municipality || ',' END,
    nationwide = CASE WHEN municipality IS NULL AND remote = 1 THEN 1 ELSE 0 END,
    themes = coalesce((SELECT ',' || group_concat(t.theme, ',') || ',' FROM (SELECT theme FROM activity_themes WHERE activity_id = activities.id ORDER BY theme) t), ''),
    search_no = -rowid;

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
CREATE VIRTUAL TABLE __activity_search USING fts5(terms, content = '', contentless_delete = 1, detail = 'none', tokenize = 'ascii');

-- What an import needs to know of an entry: whether it has changed there, what it is filed under, and which channels it names.
CREATE TABLE activity_sources (
    activity_id TEXT NOT NULL REFERENCES activities (id),
    content_hash BLOB NOT NULL,
    classes TEXT NOT NULL,
    channels TEXT NOT NULL,
    PRIMARY KEY (activity_id)
) STRICT;

-- Organisations and channels of the other directory, without persons.
CREATE TABLE activity_import_records (
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    kind TEXT NOT NULL CHECK (kind IN ('organisation', 'channel')),
    source_id TEXT NOT NULL,
    business_id TEXT,
    content_hash BLOB NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (programme_id, kind, source_id)
) STRICT;

CREATE INDEX activity_import_records_business_id_idx ON activity_import_records (programme_id, business_id, source_id) WHERE business_id IS NOT NULL;

CREATE TABLE activity_imports (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    origin TEXT NOT NULL CHECK (origin IN ('server', 'command_line')),
    municipalities TEXT NOT NULL,
    changed_since TEXT,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'failed')),
    phase TEXT NOT NULL CHECK (phase IN ('organisations', 'channels', 'services', 'archived', 'withdrawn')),
    step INTEGER NOT NULL CHECK (step >= 0),
    page INTEGER NOT NULL CHECK (page >= 1),
    item INTEGER NOT NULL CHECK (item >= 0),
    pages_of_step INTEGER,
    pages INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    tombstoned INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    faults TEXT NOT NULL,
    problem TEXT,
    created_at TEXT NOT NULL,
    created_by TEXT REFERENCES users (id),
    beat_at TEXT,
    finished_at TEXT,
    PRIMARY KEY (id),
    CHECK ((state IN ('finished', 'failed')) = (finished_at IS NOT NULL))
) STRICT;

CREATE INDEX activity_imports_programme_id_idx ON activity_imports (programme_id, created_at, id);
CREATE INDEX activity_imports_open_idx ON activity_imports (created_at, id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX activity_imports_unfinished_key ON activity_imports (programme_id) WHERE finished_at IS NULL;

CREATE TABLE theme_mappings (
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    entries TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    changed_by TEXT REFERENCES users (id),
    -- Up to which entry of the directory it has been applied; none when to all.
    applied_after TEXT,
    PRIMARY KEY (programme_id)
) STRICT;

CREATE INDEX theme_mappings_applying_idx ON theme_mappings (programme_id) WHERE applied_after IS NOT NULL;

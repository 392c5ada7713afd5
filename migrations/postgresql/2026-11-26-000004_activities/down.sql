DROP TABLE theme_mappings;
DROP TABLE activity_imports;
DROP TABLE activity_import_records;
DROP TABLE activity_sources;
DROP TABLE __activity_search;

ALTER TABLE activities ADD COLUMN municipality text COLLATE "C";
ALTER TABLE activities ADD COLUMN active boolean NOT NULL DEFAULT TRUE;
UPDATE activities SET
    municipality = CASE municipalities WHEN '' THEN NULL ELSE substr(municipalities, 2, 3) END,
    active = (status = 'active');

CREATE TABLE activity_themes (
    activity_id uuid NOT NULL REFERENCES activities (id),
    theme text COLLATE "C" NOT NULL CHECK (theme IN ('moving', 'eating', 'nature', 'culture', 'participation', 'mental_wellbeing', 'work_study_ability', 'sleep', 'substance_reduction', 'everyday_safety')),
    PRIMARY KEY (activity_id, theme)
);

INSERT INTO activity_themes
SELECT a.id, t.value FROM activities a, jsonb_array_elements_text('["moving","eating","nature","culture","participation","mental_wellbeing","work_study_ability","sleep","substance_reduction","everyday_safety"]') t (value)
WHERE a.themes LIKE '%,' || t.value || ',%';

CREATE INDEX activity_themes_theme_idx ON activity_themes (theme, activity_id);

DROP INDEX activities_status_idx;
DROP INDEX activities_search_no_key;
DROP INDEX activities_programme_id_source_id_key;
ALTER TABLE activities ALTER COLUMN active DROP DEFAULT;
ALTER TABLE activities DROP COLUMN search_no;
ALTER TABLE activities DROP COLUMN licence;
ALTER TABLE activities DROP COLUMN source_modified;
ALTER TABLE activities DROP COLUMN source_id;
ALTER TABLE activities DROP COLUMN source;
ALTER TABLE activities DROP COLUMN contact;
ALTER TABLE activities DROP COLUMN places;
ALTER TABLE activities DROP COLUMN schedule;
ALTER TABLE activities DROP COLUMN notes;
ALTER TABLE activities DROP COLUMN nationwide;
ALTER TABLE activities DROP COLUMN municipalities;
ALTER TABLE activities DROP COLUMN themes;
ALTER TABLE activities DROP COLUMN content_kind;
ALTER TABLE activities DROP COLUMN status;
ALTER TABLE activities DROP COLUMN provider;
ALTER TABLE activities DROP COLUMN keywords;
ALTER TABLE activities DROP COLUMN translations;
ALTER TABLE activities DROP COLUMN summary;
ALTER TABLE activities DROP COLUMN text_language;
CREATE INDEX activities_programme_id_name_idx ON activities (programme_id, name_lower, id);
CREATE INDEX activities_name_idx ON activities (name_lower, id);

DROP TABLE time_entries;
DROP INDEX support_periods_quiet_idx;
ALTER TABLE support_periods DROP COLUMN quiet_since;
DROP TABLE referral_closings;
ALTER TABLE activity_links DROP COLUMN unmet_needs;
ALTER TABLE visits DROP COLUMN unmet_needs, DROP COLUMN absence_reason;
ALTER TABLE goals DROP COLUMN outcome_at, DROP COLUMN outcome_by, DROP COLUMN outcome_role;
UPDATE goals SET steps = coalesce(
    (SELECT jsonb_agg(CASE jsonb_typeof(s.step) WHEN 'object' THEN s.step -> 'words' ELSE s.step END ORDER BY s.place)
     FROM jsonb_array_elements(goals.steps) WITH ORDINALITY AS s (step, place)), '[]');

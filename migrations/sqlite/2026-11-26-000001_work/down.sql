DROP TABLE time_entries;
DROP INDEX support_periods_quiet_idx;
ALTER TABLE support_periods DROP COLUMN quiet_since;
DROP TABLE referral_closings;
ALTER TABLE activity_links DROP COLUMN unmet_needs;
ALTER TABLE visits DROP COLUMN unmet_needs;
ALTER TABLE visits DROP COLUMN absence_reason;
ALTER TABLE goals DROP COLUMN outcome_at;
ALTER TABLE goals DROP COLUMN outcome_by;
ALTER TABLE goals DROP COLUMN outcome_role;
UPDATE goals SET steps = (
    SELECT json_group_array(CASE s.type WHEN 'object' THEN json_extract(s.value, '$.words') ELSE s.value END) FROM json_each(goals.steps) s);

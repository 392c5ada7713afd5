DROP TABLE concerns;
DROP TABLE concern_guidance;
DROP TABLE programme_breaks;
DROP TABLE mentoring_sessions;
DROP TABLE absences;
ALTER TABLE programmes DROP COLUMN refresher_months;

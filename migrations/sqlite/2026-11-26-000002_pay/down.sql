DROP TRIGGER hour_sheet_lines_delete;
DROP TRIGGER hour_sheet_lines_update;
DROP TRIGGER hour_sheet_lines_insert;
DROP TABLE hour_sheet_lines;
DROP TABLE hour_sheets;
DROP TABLE mileage_rates;
ALTER TABLE visit_workers DROP COLUMN drives;
ALTER TABLE visits DROP COLUMN travel_passengers;

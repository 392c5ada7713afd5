DROP TABLE hour_sheet_lines;
DROP FUNCTION hour_sheet_lines_stand();
DROP TABLE hour_sheets;
DROP TABLE mileage_rates;
ALTER TABLE visit_workers DROP COLUMN drives;
ALTER TABLE visits DROP COLUMN travel_passengers;

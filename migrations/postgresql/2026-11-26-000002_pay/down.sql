DROP TABLE hour_sheet_lines;
DROP FUNCTION hour_sheet_lines_stand();
DROP TABLE hour_sheets;
DROP TABLE mileage_rates;
UPDATE visits SET worker_cents_per_hour = (SELECT coalesce(sum(w.fee_cents_per_hour), 0) FROM visit_workers w WHERE w.visit_id = visits.id);
ALTER TABLE visit_workers DROP COLUMN drives;
ALTER TABLE visits DROP COLUMN travel_passengers;

-- Pay: what a kilometre is paid, and the hour sheets of link workers with their lines.

ALTER TABLE visits ADD COLUMN travel_passengers INTEGER NOT NULL DEFAULT 0 CHECK (travel_passengers BETWEEN 0 AND 8);
ALTER TABLE visit_workers ADD COLUMN drives INTEGER NOT NULL DEFAULT 0 CHECK (drives IN (0, 1));
-- Until now nobody said who drove: the first of those who were there.
UPDATE visit_workers SET drives = 1
WHERE link_worker_id = (SELECT min(w.link_worker_id) FROM visit_workers w WHERE w.visit_id = visit_workers.visit_id);
-- Telephone and messages are recorded and not paid: the report adds them up as the hour sheets do.
UPDATE visits SET worker_cents_per_hour = 0 WHERE mode IN ('phone', 'message');

CREATE TABLE mileage_rates (
    id TEXT NOT NULL,
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    vehicle TEXT NOT NULL CHECK (vehicle IN ('car')),
    agreement TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    per_km_cents INTEGER NOT NULL CHECK (per_km_cents BETWEEN 0 AND 1000),
    tier_metres INTEGER CHECK (tier_metres BETWEEN 0 AND 100000000),
    per_km_above_cents INTEGER CHECK (per_km_above_cents BETWEEN 0 AND 1000),
    per_passenger_km_cents INTEGER NOT NULL CHECK (per_passenger_km_cents BETWEEN 0 AND 1000),
    source TEXT NOT NULL,
    given_at TEXT NOT NULL,
    given_by TEXT,
    PRIMARY KEY (id),
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CHECK ((tier_metres IS NULL) = (per_km_above_cents IS NULL))
) STRICT;

CREATE INDEX mileage_rates_programme_id_idx ON mileage_rates (programme_id, valid_from, id);

-- The state's tax-free maximum, which every programme begins with.
INSERT INTO mileage_rates
SELECT lower(substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-8' || substr(h, 18, 3) || '-' || substr(h, 21, 12)),
    programme_id, 'car', 'Verohallinnon enimmäismäärä', year || '-01-01', year || '-12-31', per_km, NULL, NULL, per_passenger_km,
    'vero.fi: verovapaat matkakustannusten korvaukset', year || '-01-01T06:00:00.000000Z', NULL
FROM (
    SELECT p.id AS programme_id, r.*, hex(randomblob(16)) AS h FROM programmes p, (
        SELECT '2022' AS year, 46 AS per_km, 3 AS per_passenger_km UNION ALL SELECT '2023', 53, 4 UNION ALL SELECT '2024', 57, 4
        UNION ALL SELECT '2025', 59, 4 UNION ALL SELECT '2026', 55, 4
    ) r
);

CREATE TABLE hour_sheets (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    programme_id TEXT NOT NULL REFERENCES programmes (id),
    link_worker_id TEXT NOT NULL REFERENCES link_workers (id),
    link_worker_user_id TEXT NOT NULL REFERENCES users (id),
    month TEXT NOT NULL CHECK (month LIKE '____-__-01'),
    state TEXT NOT NULL CHECK (state IN ('open', 'submitted', 'approved', 'paid')),
    minutes INTEGER NOT NULL,
    phone_minutes INTEGER NOT NULL,
    travel_minutes INTEGER NOT NULL,
    metres INTEGER NOT NULL,
    fee_cents INTEGER NOT NULL,
    mileage_cents INTEGER NOT NULL,
    submitted_at TEXT,
    submitted_by TEXT,
    approved_at TEXT,
    approved_by TEXT,
    paid_on TEXT,
    paid_at TEXT,
    paid_by TEXT,
    returned_at TEXT,
    returned_by TEXT,
    return_reason TEXT,
    PRIMARY KEY (id),
    CONSTRAINT hour_sheets_link_worker_id_month_key UNIQUE (link_worker_id, month),
    CHECK ((state <> 'open') = (submitted_at IS NOT NULL)),
    CHECK ((state IN ('approved', 'paid')) = (approved_at IS NOT NULL)),
    CHECK ((state = 'paid') = (paid_on IS NOT NULL)),
    CHECK ((submitted_at IS NULL) = (submitted_by IS NULL)),
    CHECK ((approved_at IS NULL) = (approved_by IS NULL)),
    CHECK ((paid_on IS NULL) = (paid_at IS NULL) AND (paid_on IS NULL) = (paid_by IS NULL)),
    CHECK ((returned_at IS NULL) = (returned_by IS NULL) AND (returned_at IS NULL) = (return_reason IS NULL))
) STRICT;

CREATE INDEX hour_sheets_programme_id_idx ON hour_sheets (programme_id, month, id);
CREATE INDEX hour_sheets_programme_id_state_idx ON hour_sheets (programme_id, state, month, id);
CREATE INDEX hour_sheets_link_worker_user_id_idx ON hour_sheets (link_worker_user_id, month, id);

CREATE TABLE hour_sheet_lines (
    id TEXT NOT NULL,
    hour_sheet_id TEXT NOT NULL REFERENCES hour_sheets (id),
    link_worker_id TEXT NOT NULL REFERENCES link_workers (id),
    visit_id TEXT NOT NULL REFERENCES visits (id),
    kind TEXT NOT NULL CHECK (kind IN ('visit', 'correction')),
    corrects_sheet_id TEXT,
    corrects_line_id TEXT,
    visit_on TEXT NOT NULL,
    fee_cents_per_hour INTEGER NOT NULL,
    contract_kind TEXT NOT NULL CHECK (contract_kind IN ('fee', 'hourly', 'volunteer')),
    payer_id TEXT,
    vehicle TEXT NOT NULL CHECK (vehicle IN ('car')),
    minutes INTEGER NOT NULL,
    phone_minutes INTEGER NOT NULL,
    travel_minutes INTEGER NOT NULL,
    fee_cents INTEGER NOT NULL,
    metres INTEGER NOT NULL,
    passengers INTEGER NOT NULL CHECK (passengers BETWEEN 0 AND 8),
    rate_id TEXT REFERENCES mileage_rates (id),
    metres_before INTEGER NOT NULL CHECK (metres_before >= 0),
    metres_above INTEGER NOT NULL,
    mileage_cents INTEGER NOT NULL,
    PRIMARY KEY (id),
    CHECK ((kind = 'correction') = (corrects_line_id IS NOT NULL)),
    CHECK ((corrects_sheet_id IS NULL) = (corrects_line_id IS NULL))
) STRICT;

CREATE INDEX hour_sheet_lines_hour_sheet_id_idx ON hour_sheet_lines (hour_sheet_id, visit_on, id);
CREATE INDEX hour_sheet_lines_visit_id_idx ON hour_sheet_lines (visit_id, link_worker_id);
CREATE INDEX hour_sheet_lines_link_worker_id_idx ON hour_sheet_lines (link_worker_id, visit_on);

-- Whatever the program does: lines come and go on open sheets alone.
CREATE TRIGGER hour_sheet_lines_insert BEFORE INSERT ON hour_sheet_lines
WHEN (SELECT state FROM hour_sheets WHERE id = NEW.hour_sheet_id) <> 'open'
BEGIN
    SELECT RAISE(ABORT, 'hour_sheet_lines of a settled sheet stand');
END;

CREATE TRIGGER hour_sheet_lines_update BEFORE UPDATE ON hour_sheet_lines
WHEN (SELECT state FROM hour_sheets WHERE id = OLD.hour_sheet_id) <> 'open' OR (SELECT state FROM hour_sheets WHERE id = NEW.hour_sheet_id) <> 'open'
BEGIN
    SELECT RAISE(ABORT, 'hour_sheet_lines of a settled sheet stand');
END;

CREATE TRIGGER hour_sheet_lines_delete BEFORE DELETE ON hour_sheet_lines
WHEN (SELECT state FROM hour_sheets WHERE id = OLD.hour_sheet_id) <> 'open'
BEGIN
    SELECT RAISE(ABORT, 'hour_sheet_lines of a settled sheet stand');
END;

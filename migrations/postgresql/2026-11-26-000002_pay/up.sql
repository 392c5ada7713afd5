-- Pay: what a kilometre is paid, and the hour sheets of link workers with their lines.

ALTER TABLE visits ADD COLUMN travel_passengers bigint NOT NULL DEFAULT 0 CHECK (travel_passengers BETWEEN 0 AND 8);
ALTER TABLE visit_workers ADD COLUMN drives boolean NOT NULL DEFAULT FALSE;
-- Until now nobody said who drove: the first of those who were there.
UPDATE visit_workers SET drives = TRUE
WHERE link_worker_id = (SELECT w.link_worker_id FROM visit_workers w WHERE w.visit_id = visit_workers.visit_id ORDER BY w.link_worker_id LIMIT 1);
-- Telephone and messages are recorded and not paid: the report adds them up as the hour sheets do.
UPDATE visits SET worker_cents_per_hour = 0 WHERE mode IN ('phone', 'message');

CREATE TABLE mileage_rates (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    vehicle text COLLATE "C" NOT NULL CHECK (vehicle IN ('car')),
    agreement text COLLATE "C" NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    per_km_cents bigint NOT NULL CHECK (per_km_cents BETWEEN 0 AND 1000),
    tier_metres bigint CHECK (tier_metres BETWEEN 0 AND 100000000),
    per_km_above_cents bigint CHECK (per_km_above_cents BETWEEN 0 AND 1000),
    per_passenger_km_cents bigint NOT NULL CHECK (per_passenger_km_cents BETWEEN 0 AND 1000),
    source text COLLATE "C" NOT NULL,
    given_at timestamptz NOT NULL,
    given_by uuid,
    PRIMARY KEY (id),
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    CHECK ((tier_metres IS NULL) = (per_km_above_cents IS NULL))
);

CREATE INDEX mileage_rates_programme_id_idx ON mileage_rates (programme_id, valid_from, id);

-- The state's tax-free maximum, which every programme begins with.
INSERT INTO mileage_rates
SELECT gen_random_uuid(), p.id, 'car', 'Verohallinnon enimmäismäärä', make_date(r.year, 1, 1), make_date(r.year, 12, 31), r.per_km, NULL, NULL, r.per_passenger_km,
    'vero.fi: verovapaat matkakustannusten korvaukset', make_timestamptz(r.year, 1, 1, 6, 0, 0, 'UTC'), NULL
FROM programmes p, (VALUES (2022, 46, 3), (2023, 53, 4), (2024, 57, 4), (2025, 59, 4), (2026, 55, 4)) AS r (year, per_km, per_passenger_km);

CREATE TABLE hour_sheets (
    id uuid NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    programme_id uuid NOT NULL REFERENCES programmes (id),
    link_worker_id uuid NOT NULL REFERENCES link_workers (id),
    link_worker_user_id uuid NOT NULL REFERENCES users (id),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    state text COLLATE "C" NOT NULL CHECK (state IN ('open', 'submitted', 'approved', 'paid')),
    minutes bigint NOT NULL,
    phone_minutes bigint NOT NULL,
    travel_minutes bigint NOT NULL,
    metres bigint NOT NULL,
    fee_cents bigint NOT NULL,
    mileage_cents bigint NOT NULL,
    submitted_at timestamptz,
    submitted_by uuid,
    approved_at timestamptz,
    approved_by uuid,
    paid_on date,
    paid_at timestamptz,
    paid_by uuid,
    returned_at timestamptz,
    returned_by uuid,
    return_reason text COLLATE "C",
    PRIMARY KEY (id),
    CONSTRAINT hour_sheets_link_worker_id_month_key UNIQUE (link_worker_id, month),
    CHECK ((state <> 'open') = (submitted_at IS NOT NULL)),
    CHECK ((state IN ('approved', 'paid')) = (approved_at IS NOT NULL)),
    CHECK ((state = 'paid') = (paid_on IS NOT NULL)),
    CHECK ((submitted_at IS NULL) = (submitted_by IS NULL)),
    CHECK ((approved_at IS NULL) = (approved_by IS NULL)),
    CHECK ((paid_on IS NULL) = (paid_at IS NULL) AND (paid_on IS NULL) = (paid_by IS NULL)),
    CHECK ((returned_at IS NULL) = (returned_by IS NULL) AND (returned_at IS NULL) = (return_reason IS NULL))
);

CREATE INDEX hour_sheets_programme_id_idx ON hour_sheets (programme_id, month, id);
CREATE INDEX hour_sheets_programme_id_state_idx ON hour_sheets (programme_id, state, month, id);
CREATE INDEX hour_sheets_link_worker_user_id_idx ON hour_sheets (link_worker_user_id, month, id);

CREATE TABLE hour_sheet_lines (
    id uuid NOT NULL,
    hour_sheet_id uuid NOT NULL REFERENCES hour_sheets (id),
    link_worker_id uuid NOT NULL REFERENCES link_workers (id),
    visit_id uuid NOT NULL REFERENCES visits (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('visit', 'correction')),
    corrects_sheet_id uuid,
    corrects_line_id uuid,
    visit_on date NOT NULL,
    fee_cents_per_hour bigint NOT NULL,
    contract_kind text COLLATE "C" NOT NULL CHECK (contract_kind IN ('fee', 'hourly', 'volunteer')),
    payer_id uuid,
    vehicle text COLLATE "C" NOT NULL CHECK (vehicle IN ('car')),
    minutes bigint NOT NULL,
    phone_minutes bigint NOT NULL,
    travel_minutes bigint NOT NULL,
    fee_cents bigint NOT NULL,
    metres bigint NOT NULL,
    passengers bigint NOT NULL CHECK (passengers BETWEEN 0 AND 8),
    rate_id uuid REFERENCES mileage_rates (id),
    metres_before bigint NOT NULL CHECK (metres_before >= 0),
    metres_above bigint NOT NULL,
    mileage_cents bigint NOT NULL,
    PRIMARY KEY (id),
    CHECK ((kind = 'correction') = (corrects_line_id IS NOT NULL)),
    CHECK ((corrects_sheet_id IS NULL) = (corrects_line_id IS NULL))
);

CREATE INDEX hour_sheet_lines_hour_sheet_id_idx ON hour_sheet_lines (hour_sheet_id, visit_on, id);
CREATE INDEX hour_sheet_lines_visit_id_idx ON hour_sheet_lines (visit_id, link_worker_id);
CREATE INDEX hour_sheet_lines_link_worker_id_idx ON hour_sheet_lines (link_worker_id, visit_on);

-- Whatever the program does: lines come and go on open sheets alone.
CREATE FUNCTION hour_sheet_lines_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND (SELECT state FROM hour_sheets WHERE id = OLD.hour_sheet_id) <> 'open' THEN
        RAISE EXCEPTION 'hour_sheet_lines of a settled sheet stand';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF (SELECT state FROM hour_sheets WHERE id = NEW.hour_sheet_id) <> 'open' THEN
        RAISE EXCEPTION 'hour_sheet_lines of a settled sheet stand';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER hour_sheet_lines_settled BEFORE INSERT OR UPDATE OR DELETE ON hour_sheet_lines
    FOR EACH ROW EXECUTE FUNCTION hour_sheet_lines_stand();

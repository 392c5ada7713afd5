-- Data keys that change, and a trail that can be checked against what was signed outside the database.

-- While keys are changed an identity code has an index under a key of each slot: odd ids here, even ids there.
ALTER TABLE clients ADD COLUMN identity_code_index_2 bytea;
CREATE UNIQUE INDEX clients_programme_id_identity_code_2_key ON clients (programme_id, identity_code_index_2) WHERE identity_code_index_2 IS NOT NULL AND NOT provisional;

CREATE TABLE data_keys (
    id smallint NOT NULL CHECK (id BETWEEN 1 AND 255),
    check_value bytea NOT NULL CHECK (octet_length(check_value) = 32),
    since timestamptz NOT NULL,
    retired_at timestamptz,
    PRIMARY KEY (id)
);

-- The chain holds a salted hash of a stated reason in place of the reason, so that an erasure can take the reason out.
ALTER TABLE audit_events ADD COLUMN reason_salt bytea CHECK (octet_length(reason_salt) = 16);
ALTER TABLE audit_events ADD COLUMN reason_hash bytea CHECK (octet_length(reason_hash) = 32);

-- Where chains begin whose oldest events were forgotten, signed by the program.
CREATE TABLE audit_beginnings (
    writer_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 2),
    prev_hash bytea NOT NULL CHECK (octet_length(prev_hash) = 32),
    at timestamptz NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    PRIMARY KEY (writer_id)
);

CREATE FUNCTION audit_beginnings_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.writer_id = OLD.writer_id AND NEW.seq > OLD.seq THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_events is append-only';
END;
$$;

CREATE TRIGGER audit_beginnings_no_change BEFORE UPDATE OR DELETE ON audit_beginnings
    FOR EACH ROW EXECUTE FUNCTION audit_beginnings_forward();
CREATE TRIGGER audit_beginnings_no_truncate BEFORE TRUNCATE ON audit_beginnings
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only();

CREATE FUNCTION audit_events_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM audit_beginnings b WHERE b.writer_id = OLD.writer_id AND OLD.seq < b.seq) THEN
            RETURN OLD;
        END IF;
    ELSIF NEW.reason IS NULL AND NEW.reason_salt IS NULL AND OLD.reason_hash IS NOT NULL
        AND to_jsonb(NEW) - 'reason' - 'reason_salt' = to_jsonb(OLD) - 'reason' - 'reason_salt' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'audit_events is append-only';
END;
$$;

DROP TRIGGER audit_events_no_change ON audit_events;
CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_guard();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_events_append_only();

-- The texts that clients consent to, word for word as they were shown. What somebody has agreed to is never changed afterwards.
CREATE TABLE consent_texts (
    id uuid NOT NULL,
    programme_id uuid NOT NULL REFERENCES programmes (id),
    version text COLLATE "C" NOT NULL,
    language text COLLATE "C" NOT NULL CHECK (language IN ('fi', 'sv', 'en', 'se', 'smn', 'sms')),
    body text COLLATE "C" NOT NULL,
    valid_from date NOT NULL,
    published_at timestamptz NOT NULL,
    published_by uuid,
    PRIMARY KEY (id),
    CONSTRAINT consent_texts_programme_id_version_language_key UNIQUE (programme_id, version, language)
);

CREATE FUNCTION consent_texts_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'consent_texts is append-only';
END
$$;

CREATE TRIGGER consent_texts_no_change BEFORE UPDATE OR DELETE ON consent_texts
    FOR EACH STATEMENT EXECUTE FUNCTION consent_texts_append_only();

-- The last day of a consent to evaluation that has one: the report asks the calendar, too.
ALTER TABLE referral_snapshots ADD COLUMN evaluation_until date;
UPDATE referral_snapshots SET evaluation_until = (
    SELECT nullif(max(coalesce(c.valid_until, '9999-12-31')), '9999-12-31') FROM consents c
    WHERE c.referral_id = referral_snapshots.referral_id AND ',' || c.purposes || ',' LIKE '%,evaluation,%'
        AND ',' || c.withdrawn_purposes || ',' NOT LIKE '%,evaluation,%'
        AND (c.method <> 'asserted_by_sender' OR c.verified_at IS NOT NULL)
) WHERE evaluation;
DROP INDEX referral_snapshots_assigned_idx;
CREATE INDEX referral_snapshots_assigned_idx ON referral_snapshots (programme_id, submitted_on, referral_id, state, evaluation, evaluation_until, assigned) WHERE assigned;

-- What was read for a stated reason, for the privacy officer: few among many.
CREATE INDEX audit_events_with_reason ON audit_events (programme_id, at, id) WHERE reason IS NOT NULL;

-- The record, what may be erased beside it, and who may do what.
--
-- One ledger is one schema. The runner sets search_path to it and puts the quoted names of this
-- ledger in place of "$schema", "$views", "$runtime" and "$projector"; nothing else names them.

-- migrate:up

-- ---------------------------------------------------------------- what was recorded stays

CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: what was recorded is never changed or removed',
        TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = TG_ARGV[0];
END
$$;

REVOKE ALL ON FUNCTION refuse_change() FROM PUBLIC;

CREATE TABLE facts (
    position bigint PRIMARY KEY CHECK (position > 0),
    type text NOT NULL,
    tags text [] NOT NULL,
    leaf bytea NOT NULL CHECK (octet_length(leaf) <= 65535),
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    recorded timestamptz NOT NULL
);

COMMENT ON TABLE facts IS 'The log. Positions are dense and begin at 1; leaf index = position - 1.';
COMMENT ON COLUMN facts.leaf IS 'The exact bytes that are hashed; never encoded again.';
COMMENT ON COLUMN facts.leaf_hash IS 'SHA-256 over a zero byte and the leaf (RFC 6962).';
COMMENT ON COLUMN facts.recorded IS 'The ledger''s clock; never decreases along the log.';

CREATE TRIGGER facts_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON facts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(
        'Record fact-corrected, or the fact that supersedes it: the earlier one stays.'
    );

CREATE TABLE fact_tags (
    tag text NOT NULL,
    type text NOT NULL,
    position bigint NOT NULL REFERENCES facts,
    PRIMARY KEY (tag, type, position)
);

COMMENT ON TABLE fact_tags IS 'facts.tags, one a row, with the type: a boundary is found by key.';

CREATE TRIGGER fact_tags_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON fact_tags
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(
        'The tags of a fact stand in its bytes; record another fact instead.'
    );

CREATE TABLE requests (
    key_hmac bytea PRIMARY KEY,
    body_hmac bytea NOT NULL,
    cause text NOT NULL,
    positions bigint [] NOT NULL
);

COMMENT ON TABLE requests IS 'Spent request keys: keyed HMACs and the positions they recorded.';

CREATE TRIGGER requests_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON requests
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(
        'A request key is spent once and for good; send a new key.'
    );

CREATE TABLE schema_migrations (
    version text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE schema_migrations IS 'Which migration files were applied, and their SHA-256.';

CREATE TRIGGER schema_migrations_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON schema_migrations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(
        'Migrations only go forward; to go back, restore a backup.'
    );

-- A replication role, which a superuser may set, must not put the guards to sleep.
ALTER TABLE facts ENABLE ALWAYS TRIGGER facts_stay;
ALTER TABLE fact_tags ENABLE ALWAYS TRIGGER fact_tags_stay;
ALTER TABLE requests ENABLE ALWAYS TRIGGER requests_stay;
ALTER TABLE schema_migrations ENABLE ALWAYS TRIGGER schema_migrations_stay;

-- ---------------------------------------------------------------- what erasure empties

CREATE TABLE subject_keys (
    subject text PRIMARY KEY,
    ring text NOT NULL,
    wrapped bytea NOT NULL
);

COMMENT ON TABLE subject_keys IS 'The key of each person, wrapped; without it nothing opens.';

CREATE TABLE disclosures (
    digest text PRIMARY KEY,
    position bigint NOT NULL,
    subject text NOT NULL,
    sealed bytea NOT NULL
);

COMMENT ON TABLE disclosures IS 'The values behind the salted digests in leaves, encrypted.';

CREATE INDEX disclosures_of_position ON disclosures (position);
CREATE INDEX disclosures_of_subject ON disclosures (subject);

CREATE TABLE aliases (
    lookup bytea PRIMARY KEY,
    kind text NOT NULL,
    handle text NOT NULL UNIQUE,
    subject text NOT NULL,
    sealed bytea NOT NULL
);

COMMENT ON TABLE aliases IS 'The callers'' ids behind our handles: a keyed HMAC, and encrypted.';

CREATE INDEX aliases_of_subject ON aliases (subject);

-- ---------------------------------------------------------------- who may do what

GRANT USAGE ON SCHEMA "$schema" TO "$runtime", "$projector";

GRANT SELECT, INSERT ON facts, fact_tags, requests TO "$runtime";
GRANT SELECT, INSERT, DELETE ON subject_keys, disclosures, aliases TO "$runtime";
GRANT SELECT ON schema_migrations TO "$runtime";

GRANT SELECT ON facts, fact_tags TO "$projector";

-- Read models: made, filled and swapped by the projector in the schema it owns; read by requests.
GRANT USAGE ON SCHEMA "$views" TO "$runtime";
ALTER DEFAULT PRIVILEGES FOR ROLE "$projector" IN SCHEMA "$views"
    GRANT SELECT ON TABLES TO "$runtime";

-- migrate:down

-- Never run. What was recorded stays: to go back, restore a backup.

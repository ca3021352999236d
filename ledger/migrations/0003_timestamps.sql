-- What authorities outside say about when a checkpoint existed.

-- migrate:up

CREATE TABLE timestamps (
    size bigint NOT NULL CHECK (size >= 0),
    stamped timestamptz NOT NULL,
    note bytea NOT NULL,
    token bytea NOT NULL CHECK (octet_length(token) <= 32768),
    PRIMARY KEY (size, stamped)
);

COMMENT ON TABLE timestamps IS 'RFC 3161 tokens over published checkpoints.';
COMMENT ON COLUMN timestamps.note IS 'The signed note as published: what the token is about.';
COMMENT ON COLUMN timestamps.stamped IS 'The time in the token.';

CREATE TRIGGER timestamps_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON timestamps
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(
        'A token stays as the authority made it; have a later checkpoint stamped instead.'
    );

ALTER TABLE timestamps ENABLE ALWAYS TRIGGER timestamps_stay;

GRANT SELECT, INSERT ON timestamps TO "$runtime";

-- migrate:down

-- Never run. What was recorded stays: to go back, restore a backup.

-- The tree over the log, and what was signed of it.

-- migrate:up

CREATE TABLE tree_nodes (
    position bigint PRIMARY KEY REFERENCES facts,
    hashes bytea NOT NULL,
    CHECK (
        octet_length(hashes) > 0 AND octet_length(hashes) % 32 = 0
        AND position & -position = 1::bigint << (octet_length(hashes) / 32)
    )
);

COMMENT ON TABLE tree_nodes IS 'The perfect subtrees that end at an even position (RFC 6962).';
COMMENT ON COLUMN tree_nodes.hashes IS
'32 bytes each, of height 1, 2 and so on, lowest first; height 0 is facts.leaf_hash.';

CREATE TRIGGER tree_nodes_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON tree_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(
        'The tree only grows, with the facts. `hireledger fsck` says whether it is right.'
    );

CREATE TABLE tree_heads (
    size bigint PRIMARY KEY REFERENCES facts,
    edge bytea NOT NULL CHECK (octet_length(edge) = 32 * bit_count(size::bit(64))),
    root bytea NOT NULL CHECK (octet_length(root) = 32)
);

COMMENT ON TABLE tree_heads IS 'The tree as each commit left it; the largest size is the tip.';
COMMENT ON COLUMN tree_heads.edge IS
'The perfect subtrees on the right edge, largest first: one hash for each bit set in size.';

CREATE TRIGGER tree_heads_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON tree_heads
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(
        'The tree only grows, with the facts. `hireledger fsck` says whether it is right.'
    );

CREATE TABLE checkpoints (
    size bigint NOT NULL CHECK (size >= 0),
    signed timestamptz NOT NULL,
    origin text NOT NULL,
    note bytea NOT NULL,
    PRIMARY KEY (size, signed)
);

COMMENT ON TABLE checkpoints IS 'Checkpoints as the log signed them; one size again with new keys.';
COMMENT ON COLUMN checkpoints.note IS 'The signed note (C2SP), with the log''s signatures alone.';

CREATE TRIGGER checkpoints_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(
        'What was signed was promised; sign a later checkpoint instead.'
    );

CREATE TABLE cosignatures (
    size bigint NOT NULL CHECK (size >= 0),
    origin text NOT NULL,
    line bytea NOT NULL,
    received timestamptz NOT NULL,
    PRIMARY KEY (size, origin, line)
);

COMMENT ON TABLE cosignatures IS 'What witnesses signed of checkpoints, as signature lines.';

CREATE TRIGGER cosignatures_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON cosignatures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change(
        'What a witness signed stays; ask it for a later cosignature instead.'
    );

ALTER TABLE tree_nodes ENABLE ALWAYS TRIGGER tree_nodes_stay;
ALTER TABLE tree_heads ENABLE ALWAYS TRIGGER tree_heads_stay;
ALTER TABLE checkpoints ENABLE ALWAYS TRIGGER checkpoints_stay;
ALTER TABLE cosignatures ENABLE ALWAYS TRIGGER cosignatures_stay;

GRANT SELECT, INSERT ON tree_nodes, tree_heads, checkpoints, cosignatures TO "$runtime";

-- migrate:down

-- Never run. What was recorded stays: to go back, restore a backup.

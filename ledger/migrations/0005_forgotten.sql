-- What ANALYZE copied out of the tables that erasure empties, and the aliases of those erased so
-- far: neither may outlive the person.

-- migrate:up

-- Statistics hold values of a column for the planner, where no erasure and no vacuum of the table
-- reaches them. These columns are random or found by a unique index: a plan needs none of them.
ALTER TABLE subject_keys ALTER COLUMN wrapped SET STATISTICS 0;
ALTER TABLE aliases ALTER COLUMN lookup SET STATISTICS 0;
ALTER TABLE aliases ALTER COLUMN sealed SET STATISTICS 0;
ALTER TABLE disclosures ALTER COLUMN sealed SET STATISTICS 0;

-- A target of 0 leaves what was copied before. Setting the type, which stays the same and so
-- rewrites nothing, is the only way in which an owner can have it removed on every version.
-- squawk-ignore changing-column-type
ALTER TABLE subject_keys ALTER COLUMN wrapped TYPE bytea;
-- squawk-ignore changing-column-type
ALTER TABLE aliases ALTER COLUMN lookup TYPE bytea;
-- squawk-ignore changing-column-type
ALTER TABLE aliases ALTER COLUMN sealed TYPE bytea;
-- squawk-ignore changing-column-type
ALTER TABLE disclosures ALTER COLUMN sealed TYPE bytea;

-- Until now subject_keys alone was rewritten. The start after this sees the mark, and does it all.
INSERT INTO unvacuumed_erasures (position)
SELECT max(position) FROM facts WHERE type LIKE 'subject-erased.%' HAVING count(*) > 0
ON CONFLICT DO NOTHING;

COMMENT ON TABLE unvacuumed_erasures IS
'Erasures since which the tables of keys and ids were not rewritten; the owner removes the rows.';

-- migrate:down

-- Never run. What was recorded stays: to go back, restore a backup.

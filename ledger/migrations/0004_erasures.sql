-- Erasures whose keys are deleted and still stand as dead rows in the file of subject_keys.

-- migrate:up

CREATE TABLE unvacuumed_erasures (
    position bigint PRIMARY KEY REFERENCES facts
);

COMMENT ON TABLE unvacuumed_erasures IS
'Erasures since which subject_keys was not rewritten; the owner removes a row once it was.';

GRANT SELECT, INSERT ON unvacuumed_erasures TO "$runtime";

-- migrate:down

-- Never run. What was recorded stays: to go back, restore a backup.

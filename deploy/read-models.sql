-- What a dump of the record leaves out: the schema of the read models, and who may read them. Run
-- it by the owner after the dump; the next start builds the tables in it.
CREATE SCHEMA IF NOT EXISTS hireledger_views AUTHORIZATION hireledger_projector;
GRANT USAGE ON SCHEMA hireledger_views TO hireledger_runtime;
ALTER DEFAULT PRIVILEGES FOR ROLE hireledger_projector IN SCHEMA hireledger_views
    GRANT SELECT ON TABLES TO hireledger_runtime;

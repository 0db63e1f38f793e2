-- The extension installs into a schema of the user's choice and stays there.
CREATE SCHEMA analytics;
CREATE EXTENSION churn SCHEMA analytics;
ALTER EXTENSION churn SET SCHEMA public;
LOAD '$libdir/churn';
-- Settings refuse nonsense when it is said.
SET churn.today = '2024-02-30';
SET churn.today = '2024-02-29';
SHOW churn.today;
SHOW churn.memory;
DROP EXTENSION churn;
DROP SCHEMA analytics;

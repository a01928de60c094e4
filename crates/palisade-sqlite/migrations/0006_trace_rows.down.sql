-- What was written since cannot be read by the version before.
DELETE FROM traces WHERE steps IS NOT NULL;
DROP INDEX traces_by_time;
DROP INDEX traces_by_org;
ALTER TABLE traces DROP COLUMN steps;
CREATE INDEX traces_by_time ON traces (started, id, span);
CREATE INDEX traces_by_org ON traces (org, started, id, span);

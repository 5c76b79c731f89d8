-- after-rows
-- What reading needs and writing does not, in a file of its own: a copy into new tables makes these after the rows. The package's
-- other indexes, by test and by state of a run, serve no query of ours, and every index costs time in each write.

-- A window of time, for judging.
CREATE INDEX IF NOT EXISTS "idx_{prefix}failures_failed_at" ON "{prefix}failures" (failed_at);

-- Pages of runs are read in this order. Without the Z, text order is time order whether a time has three fraction digits or
-- six; the project stands behind so that a page of one project skips the others' runs within the index.
CREATE INDEX IF NOT EXISTS "idx_{prefix}runs_started" ON "{prefix}runs" (rtrim(started_at, 'Z'), run_id, project);

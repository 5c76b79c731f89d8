-- after-rows
-- What reading needs and writing does not, in a file of its own: a copy into new tables makes these after the rows. The package's
-- other indexes, by test and by state of a run, serve no query of ours, and every index costs time in each write.

-- A window of time, for judging: of all projects, and of one. SQLite ends both with the id, so that pages are read in their order.
CREATE INDEX IF NOT EXISTS "idx_{prefix}failures_failed_at" ON "{prefix}failures" (failed_at);
CREATE INDEX IF NOT EXISTS "idx_{prefix}failures_project" ON "{prefix}failures" (project, failed_at);

-- Pages of runs are read in this order: those of all projects, and those of one. Without the Z, text order is time order whether a
-- time has three fraction digits or six.
CREATE INDEX IF NOT EXISTS "idx_{prefix}runs_started" ON "{prefix}runs" (rtrim(started_at, 'Z'), run_id);
CREATE INDEX IF NOT EXISTS "idx_{prefix}runs_project" ON "{prefix}runs" (project, rtrim(started_at, 'Z'), run_id);

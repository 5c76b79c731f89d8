-- after-rows
-- What reading needs and writing does not. The package's other indexes, by test and by state of a run, serve no query of ours, and
-- every index costs time in each write.

-- In the order in which every write takes them, so that neither waits for the other forever.
DO $$
BEGIN
  LOCK TABLE "{prefix}runs", "{prefix}rosters", "{prefix}parts", "{prefix}failures" IN SHARE ROW EXCLUSIVE MODE;
END $$;

-- A window of time, for judging: of all projects, and of one. The second ends with the id, in the order of its pages.
CREATE INDEX IF NOT EXISTS "idx_{prefix}failures_failed_at" ON "{prefix}failures" (failed_at);
CREATE INDEX IF NOT EXISTS "idx_{prefix}failures_project" ON "{prefix}failures" (project, failed_at, id);

-- Pages of runs are read in this order: those of all projects, and those of one.
CREATE INDEX IF NOT EXISTS "idx_{prefix}runs_started" ON "{prefix}runs" (started_at, run_id COLLATE "C");
CREATE INDEX IF NOT EXISTS "idx_{prefix}runs_project" ON "{prefix}runs" (project, started_at, run_id COLLATE "C");

-- References of tables that are ours, checked once for all rows instead of row by row, and each by a statement of its own, as Citus
-- wants it. Deleting a run deletes what belongs to it. The package's failures have their reference already; where they have none, and
-- rows without a run, they stay as they are. Parts do not refer to their rosters, which are distributed by another column.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"{prefix}failures"'::regclass AND contype = 'f') THEN
    ALTER TABLE "{prefix}failures" ADD FOREIGN KEY (run_id) REFERENCES "{prefix}runs" (run_id) ON DELETE CASCADE;
  END IF;
EXCEPTION WHEN foreign_key_violation THEN NULL;
END $$;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"{prefix}parts"'::regclass AND contype = 'f') THEN
    ALTER TABLE "{prefix}parts" ADD FOREIGN KEY (run_id) REFERENCES "{prefix}runs" (run_id) ON DELETE CASCADE;
  END IF;
END $$;

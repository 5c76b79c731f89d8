-- after-rows
-- What reading needs and writing does not. The package's other indexes, by test and by state of a run, serve no query of ours, and
-- every index costs time in each write.

-- In the order in which every write takes them, so that neither waits for the other forever.
DO $$
BEGIN
  LOCK TABLE "{prefix}runs", "{prefix}rosters", "{prefix}parts", "{prefix}failures" IN SHARE ROW EXCLUSIVE MODE;
END $$;

-- A window of time, for judging.
CREATE INDEX IF NOT EXISTS "idx_{prefix}failures_failed_at" ON "{prefix}failures" (failed_at);

-- Pages of runs are read in this order.
CREATE INDEX IF NOT EXISTS "idx_{prefix}runs_started" ON "{prefix}runs" (started_at, run_id COLLATE "C");

-- References of tables that are ours, checked once for all rows instead of row by row. The package's failures have theirs already;
-- where they have none, and rows without a run, they stay as they are.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"{prefix}failures"'::regclass AND contype = 'f') THEN
    ALTER TABLE "{prefix}failures" ADD FOREIGN KEY (run_id) REFERENCES "{prefix}runs" (run_id);
  END IF;
EXCEPTION WHEN foreign_key_violation THEN NULL;
END $$;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '"{prefix}parts"'::regclass AND contype = 'f') THEN
    ALTER TABLE "{prefix}parts"
      ADD FOREIGN KEY (run_id) REFERENCES "{prefix}runs" (run_id),
      ADD FOREIGN KEY (roster_id) REFERENCES "{prefix}rosters" (roster_id);
  END IF;
END $$;

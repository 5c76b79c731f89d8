-- The tables of the npm packages @flaky-tests/store-sqlite 0.2 in their own form, so that either tool reads and writes what the
-- other made: version 1 of theirs, then the columns of their versions 2 to 6, one statement each.

CREATE TABLE IF NOT EXISTS "{prefix}schema" (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS "{prefix}runs" (
  run_id TEXT PRIMARY KEY,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  duration_ms INTEGER,
  status TEXT,
  total_tests INTEGER,
  failed_tests INTEGER,
  git_sha TEXT,
  git_dirty INTEGER
);

-- The package's own tables have no ON DELETE CASCADE. SQLite keeps references only after PRAGMA foreign_keys = ON.
CREATE TABLE IF NOT EXISTS "{prefix}failures" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL REFERENCES "{prefix}runs" (run_id) ON DELETE CASCADE,
  test_file TEXT NOT NULL,
  test_name TEXT NOT NULL,
  failure_kind TEXT NOT NULL,
  error_message TEXT,
  error_stack TEXT,
  duration_ms INTEGER,
  failed_at TEXT NOT NULL
);

-- if-missing: {prefix}runs.passed_tests
ALTER TABLE "{prefix}runs" ADD COLUMN passed_tests INTEGER;
-- if-missing: {prefix}runs.errors_between_tests
ALTER TABLE "{prefix}runs" ADD COLUMN errors_between_tests INTEGER;
-- if-missing: {prefix}runs.runtime_version
ALTER TABLE "{prefix}runs" ADD COLUMN runtime_version TEXT;
-- if-missing: {prefix}runs.test_args
ALTER TABLE "{prefix}runs" ADD COLUMN test_args TEXT;
-- if-missing: {prefix}runs.project
ALTER TABLE "{prefix}runs" ADD COLUMN project TEXT;

-- A run's failures are read with every run, also while a copy is being checked.
CREATE INDEX IF NOT EXISTS "idx_{prefix}failures_run" ON "{prefix}failures" (run_id);

-- Where the package keeps its own list of versions, it must not add the columns once more.
-- if-present: {prefix}schema_version.applied_at: INSERT OR IGNORE INTO "{prefix}schema_version" (version, applied_at) SELECT value, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM json_each('[1,2,3,4,5,6]');

-- What this program keeps beyond the npm packages: the parts that make up a run, the rosters of the tests that they executed,
-- and nullable columns, which do not disturb inserts that name theirs.

-- if-missing: {prefix}runs.tree_sha
ALTER TABLE "{prefix}runs" ADD COLUMN tree_sha TEXT;
-- if-missing: {prefix}runs.branch
ALTER TABLE "{prefix}runs" ADD COLUMN branch TEXT;
-- if-missing: {prefix}runs.ci_url
ALTER TABLE "{prefix}runs" ADD COLUMN ci_url TEXT;
-- if-missing: {prefix}runs.missing_tests
ALTER TABLE "{prefix}runs" ADD COLUMN missing_tests INTEGER;
-- if-missing: {prefix}runs.commit_at
ALTER TABLE "{prefix}runs" ADD COLUMN commit_at TEXT;
-- if-missing: {prefix}runs.merge_base
ALTER TABLE "{prefix}runs" ADD COLUMN merge_base TEXT;
-- if-missing: {prefix}runs.edited_tree
ALTER TABLE "{prefix}runs" ADD COLUMN edited_tree TEXT;

-- if-missing: {prefix}failures.part_id
ALTER TABLE "{prefix}failures" ADD COLUMN part_id TEXT;
-- if-missing: {prefix}failures.line
ALTER TABLE "{prefix}failures" ADD COLUMN line INTEGER;
-- if-missing: {prefix}failures.attempt
ALTER TABLE "{prefix}failures" ADD COLUMN attempt INTEGER;
-- if-missing: {prefix}failures.shuffle_seed
ALTER TABLE "{prefix}failures" ADD COLUMN shuffle_seed INTEGER;
-- if-missing: {prefix}failures.preceding_test
ALTER TABLE "{prefix}failures" ADD COLUMN preceding_test TEXT;
-- if-missing: {prefix}failures.signal
ALTER TABLE "{prefix}failures" ADD COLUMN signal TEXT;
-- if-missing: {prefix}failures.program
ALTER TABLE "{prefix}failures" ADD COLUMN program TEXT;
-- if-missing: {prefix}failures.parameter
ALTER TABLE "{prefix}failures" ADD COLUMN parameter TEXT;
-- That of the run, for the index by project. NULL in rows of the packages, whose run may have one.
-- if-missing: {prefix}failures.project
ALTER TABLE "{prefix}failures" ADD COLUMN project TEXT;

-- A text that begins with { is a roster, and one that begins with [ is a list of names, to which rosters refer.
CREATE TABLE IF NOT EXISTS "{prefix}rosters" (
  roster_id TEXT PRIMARY KEY NOT NULL,
  tests TEXT NOT NULL
);

-- A part belongs to its run: the same part_id under another run would be another part. It does not refer to its roster: without an
-- index by roster, each removal of one would read all parts.
CREATE TABLE IF NOT EXISTS "{prefix}parts" (
  run_id TEXT NOT NULL REFERENCES "{prefix}runs" (run_id) ON DELETE CASCADE,
  part_id TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  duration_ms INTEGER,
  status TEXT,
  total_tests INTEGER,
  passed_tests INTEGER,
  failed_tests INTEGER,
  errors_between_tests INTEGER,
  variant TEXT,
  shard TEXT,
  roster_id TEXT,
  ended_early TEXT,
  missing_tests INTEGER,
  host TEXT,
  shuffle_seed INTEGER,
  planned_tests INTEGER,
  rank INTEGER,
  executions TEXT,
  durations TEXT,
  PRIMARY KEY (run_id, part_id)
);

-- Who is copying into this history, so that no second copy begins meanwhile: one row, or none. Seconds since 1970, by the server's
-- clock.
CREATE TABLE IF NOT EXISTS "{prefix}claims" (
  name TEXT PRIMARY KEY NOT NULL,
  holder TEXT NOT NULL,
  lapses_at INTEGER NOT NULL
);

-- What this program keeps beyond the npm packages: the parts that make up a run, the rosters of the tests that they executed,
-- and nullable columns, which do not disturb inserts that name theirs.

ALTER TABLE "{prefix}runs"
  ADD COLUMN IF NOT EXISTS tree_sha TEXT,
  ADD COLUMN IF NOT EXISTS branch TEXT,
  ADD COLUMN IF NOT EXISTS ci_url TEXT,
  ADD COLUMN IF NOT EXISTS missing_tests BIGINT,
  ADD COLUMN IF NOT EXISTS commit_at TIMESTAMPTZ,
  ADD COLUMN IF NOT EXISTS merge_base TEXT,
  ADD COLUMN IF NOT EXISTS edited_tree TEXT;

ALTER TABLE "{prefix}failures"
  ADD COLUMN IF NOT EXISTS part_id TEXT COLLATE "C",
  ADD COLUMN IF NOT EXISTS line BIGINT,
  ADD COLUMN IF NOT EXISTS attempt BIGINT,
  ADD COLUMN IF NOT EXISTS shuffle_seed BIGINT,
  ADD COLUMN IF NOT EXISTS preceding_test TEXT,
  ADD COLUMN IF NOT EXISTS signal TEXT,
  ADD COLUMN IF NOT EXISTS program TEXT,
  ADD COLUMN IF NOT EXISTS parameter TEXT;

-- That of the run, for the index by project. NULL in rows of the packages, whose run may have one.
ALTER TABLE "{prefix}failures" ADD COLUMN IF NOT EXISTS project TEXT;

-- A text that begins with { is a roster, and one that begins with [ is a list of names, to which rosters refer.
CREATE TABLE IF NOT EXISTS "{prefix}rosters" (
  roster_id TEXT COLLATE "C" PRIMARY KEY,
  tests TEXT NOT NULL
);

-- A part belongs to its run: the same part_id under another run would be another part.
CREATE TABLE IF NOT EXISTS "{prefix}parts" (
  run_id TEXT COLLATE "C" NOT NULL,
  part_id TEXT COLLATE "C" NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  ended_at TIMESTAMPTZ,
  duration_ms BIGINT,
  status TEXT CONSTRAINT known_status CHECK (status IN ('pass', 'fail')),
  total_tests BIGINT,
  passed_tests BIGINT,
  failed_tests BIGINT,
  errors_between_tests BIGINT,
  variant TEXT,
  shard TEXT,
  roster_id TEXT COLLATE "C",
  ended_early TEXT,
  missing_tests BIGINT,
  host TEXT,
  shuffle_seed BIGINT,
  planned_tests BIGINT,
  rank BIGINT,
  executions TEXT,
  durations TEXT,
  PRIMARY KEY (run_id, part_id)
);

-- Who is copying into this history, so that no second copy begins meanwhile: one row, or none. Seconds since 1970, by the server's
-- clock.
CREATE TABLE IF NOT EXISTS "{prefix}claims" (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  lapses_at BIGINT NOT NULL
);

-- The tables of the npm package @flaky-tests/store-postgres 0.2, so that either tool reads and writes what the other made. Where
-- the package made them, also from its printed SQL, what they lack is added and what is too narrow is widened.

CREATE TABLE IF NOT EXISTS "{prefix}schema" (
  version BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at TIMESTAMPTZ NOT NULL
);

-- Ids are compared byte by byte whatever the database's collation is: so they are ordered alike in every store, and fast.
CREATE TABLE IF NOT EXISTS "{prefix}runs" (
  run_id TEXT COLLATE "C" PRIMARY KEY,
  project TEXT,
  started_at TIMESTAMPTZ NOT NULL,
  ended_at TIMESTAMPTZ,
  duration_ms BIGINT,
  status TEXT CONSTRAINT known_status CHECK (status IN ('pass', 'fail')),
  total_tests BIGINT,
  passed_tests BIGINT,
  failed_tests BIGINT,
  errors_between_tests BIGINT,
  git_sha TEXT,
  git_dirty BOOLEAN,
  runtime_version TEXT,
  test_args TEXT
);

-- The key begins with the run, as it must where the tables are distributed or partitioned by it; the package's own table has the id
-- alone. Nothing else needs the id to be found by itself.
CREATE TABLE IF NOT EXISTS "{prefix}failures" (
  id BIGSERIAL NOT NULL,
  run_id TEXT COLLATE "C" NOT NULL,
  test_file TEXT NOT NULL,
  test_name TEXT NOT NULL,
  failure_kind TEXT NOT NULL
    CONSTRAINT known_failure_kind CHECK (failure_kind IN ('assertion', 'timeout', 'uncaught', 'unknown')),
  error_message TEXT,
  error_stack TEXT,
  duration_ms BIGINT,
  failed_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (run_id, id)
);

ALTER TABLE "{prefix}runs"
  ADD COLUMN IF NOT EXISTS project TEXT,
  ADD COLUMN IF NOT EXISTS passed_tests BIGINT,
  ADD COLUMN IF NOT EXISTS errors_between_tests BIGINT,
  ADD COLUMN IF NOT EXISTS runtime_version TEXT,
  ADD COLUMN IF NOT EXISTS test_args TEXT;

-- Only columns that need it: changing a column's type rewrites the table, and fails where a view shows the column.
DO $$
DECLARE
  narrow RECORD;
BEGIN
  FOR narrow IN
    SELECT attrelid::regclass AS relation,
           string_agg(format('ALTER COLUMN %I TYPE BIGINT', attname), ', ' ORDER BY attnum) AS actions
    FROM pg_attribute
    WHERE attrelid IN ('"{prefix}runs"'::regclass, '"{prefix}failures"'::regclass)
      AND attname IN ('id', 'duration_ms', 'total_tests', 'passed_tests', 'failed_tests', 'errors_between_tests')
      AND atttypid IN ('smallint'::regtype, 'integer'::regtype)
      AND NOT attisdropped
    GROUP BY attrelid
  LOOP
    EXECUTE format('ALTER TABLE %s %s', narrow.relation, narrow.actions);
  END LOOP;
END $$;

DO $$
DECLARE
  numbers REGCLASS := pg_get_serial_sequence('"{prefix}failures"', 'id');
BEGIN
  IF EXISTS (SELECT FROM pg_sequence WHERE seqrelid = numbers AND seqtypid <> 'bigint'::regtype) THEN
    EXECUTE format('ALTER SEQUENCE %s AS BIGINT', numbers);
  END IF;
END $$;

-- A run's failures are read with every run, also while a copy is being checked. Our key serves that; the package's does not, and the
-- tables of its printed SQL have no such index.
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = '"{prefix}failures"'::regclass AND a.attname = 'run_id' AND i.indpred IS NULL AND i.indisvalid
  ) THEN
    CREATE INDEX IF NOT EXISTS "idx_{prefix}failures_run" ON "{prefix}failures" (run_id);
  END IF;
END $$;

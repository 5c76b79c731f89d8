-- after-rows
-- What people ask of a history in SQL (docs/guides/query-the-history.md). This program does not read these views. A text that is
-- damaged, or has another form, gives no rows and no error. A condition on a run, part or roster is applied before the texts are taken
-- apart: the views are plain joins. SQLite has no LATERAL; json_each with a subquery as its argument does the same. A subquery without
-- FROM is computed once, however often its columns are used.

-- The tests of each roster that have a result, and their places. A piece: [program, list, marks, tests with a result before it].
CREATE VIEW IF NOT EXISTS "{prefix}roster_tests" AS
SELECT
  o.roster_id,
  json_extract(piece.value, '$[3]') + length(replace(substr(json_extract(piece.value, '$[2]'), 1, name.key), '-', '')) AS place,
  json_extract(piece.value, '$[0]') AS program,
  name.value AS test_name,
  substr(json_extract(piece.value, '$[2]'), name.key + 1, 1) = '1' AS executed,
  l.roster_id AS list_id
FROM "{prefix}rosters" AS o
CROSS JOIN json_each((
  SELECT json_group_array(json_array(x.program, x.list_id, x.marks, x.before))
  FROM (
    SELECT
      g.key AS program, json_extract(q.value, '$[0]') AS list_id, json_extract(q.value, '$[1]') AS marks,
      coalesce(sum(length(replace(json_extract(q.value, '$[1]'), '-', ''))) OVER (
        ORDER BY g.id, q.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM json_each(CASE WHEN json_valid(o.tests) AND substr(o.tests, 1, 1) = '{' THEN o.tests ELSE '{}' END) AS g
    CROSS JOIN json_each(CASE g.type WHEN 'array' THEN g.value ELSE '[]' END) AS q
    WHERE q.type = 'array'
  ) AS x
)) AS piece
CROSS JOIN "{prefix}rosters" AS l ON l.roster_id = json_extract(piece.value, '$[1]')
CROSS JOIN json_each(CASE
  WHEN json_valid(l.tests) AND substr(l.tests, 1, 1) = '['
    AND json_array_length(l.tests) = length(json_extract(piece.value, '$[2]')) THEN l.tests
  ELSE '[]' END) AS name
WHERE substr(json_extract(piece.value, '$[2]'), name.key + 1, 1) IN ('1', 's') AND name.type = 'text';

-- The tests of each part. A piece: [program, list, marks, tests with a result before it, their number, their durations].
CREATE VIEW IF NOT EXISTS "{prefix}executions" AS
SELECT
  p.run_id, p.part_id, r.project,
  json_extract(piece.value, '$[0]') AS program,
  name.value AS test_name,
  CASE
    WHEN counts.value = '{}' THEN substr(json_extract(piece.value, '$[2]'), name.key + 1, 1) = '1'
    ELSE coalesce(
      json_extract(counts.value, '$."' || (
        json_extract(piece.value, '$[3]') + length(replace(substr(json_extract(piece.value, '$[2]'), 1, name.key), '-', ''))
      ) || '"[0]'),
      substr(json_extract(piece.value, '$[2]'), name.key + 1, 1) = '1')
  END AS executed,
  CASE
    WHEN counts.value = '{}' THEN substr(json_extract(piece.value, '$[2]'), name.key + 1, 1) = 's'
    ELSE coalesce(
      json_extract(counts.value, '$."' || (
        json_extract(piece.value, '$[3]') + length(replace(substr(json_extract(piece.value, '$[2]'), 1, name.key), '-', ''))
      ) || '"[1]'),
      substr(json_extract(piece.value, '$[2]'), name.key + 1, 1) = 's')
  END AS skipped,
  CASE
    WHEN failed.value = '[]' OR instr(failed.value, json_quote(name.value)) = 0 THEN 0
    ELSE (
      SELECT count(*) FROM json_each(failed.value) AS f
      WHERE json_extract(f.value, '$[0]') = json_extract(piece.value, '$[0]') AND json_extract(f.value, '$[1]') = name.value)
  END AS failed,
  (
    SELECT CASE WHEN d.n < 6 THEN d.n ELSE ((6 + d.n % 6) << (d.n / 6 - 1)) END / 1000.0
    FROM (
      SELECT CASE WHEN c.code BETWEEN 33 AND 125 THEN c.code - 33 WHEN c.code BETWEEN 256 AND 400 THEN c.code - 163 END AS n
      FROM (
        SELECT unicode(substr(json_extract(piece.value, '$[5]'), 1 + length(replace(
          substr(json_extract(piece.value, '$[2]'), 1, name.key), '-', '')), 1)) AS code
      ) AS c
    ) AS d
  ) AS duration_ms,
  p.started_at, r.git_sha, r.branch, p.variant, p.host, p.rank
FROM "{prefix}parts" AS p
JOIN "{prefix}runs" AS r ON r.run_id = p.run_id
CROSS JOIN "{prefix}rosters" AS o ON o.roster_id = p.roster_id
CROSS JOIN json_each((
  SELECT json_array(json_group_array(json_array(f.program, f.test_name)))
  FROM (
    SELECT DISTINCT coalesce(program, '') AS program, test_name, attempt FROM "{prefix}failures"
    WHERE run_id = p.run_id AND part_id = p.part_id
  ) AS f
)) AS failed
CROSS JOIN json_each((
  SELECT json_group_array(json_array(x.program, x.list_id, x.marks, x.before, x.tests,
    CASE WHEN length(p.durations) = x.size THEN substr(p.durations, x.before + 1, x.tests) END))
  FROM (
    SELECT
      y.program, y.list_id, y.marks, y.tests,
      sum(y.tests) OVER (ORDER BY y.at, y.at_2) - y.tests AS before,
      sum(y.tests) OVER () AS size
    FROM (
      SELECT
        g.key AS program, g.id AS at, q.id AS at_2, json_extract(q.value, '$[0]') AS list_id,
        json_extract(q.value, '$[1]') AS marks, length(replace(json_extract(q.value, '$[1]'), '-', '')) AS tests
      FROM json_each(CASE WHEN json_valid(o.tests) AND substr(o.tests, 1, 1) = '{' THEN o.tests ELSE '{}' END) AS g
      CROSS JOIN json_each(CASE g.type WHEN 'array' THEN g.value ELSE '[]' END) AS q
      WHERE q.type = 'array'
    ) AS y
  ) AS x
)) AS piece
CROSS JOIN json_each((
  SELECT json_array(json_group_object(e.key, json(e.value)))
  FROM json_each(CASE WHEN json_valid(p.executions) THEN p.executions END) AS e
  WHERE e.type = 'array' AND CAST(e.key AS INTEGER) - json_extract(piece.value, '$[3]') BETWEEN 0 AND json_extract(piece.value, '$[4]') - 1
)) AS counts
CROSS JOIN "{prefix}rosters" AS l ON l.roster_id = json_extract(piece.value, '$[1]')
CROSS JOIN json_each(CASE
  WHEN json_valid(l.tests) AND substr(l.tests, 1, 1) = '['
    AND json_array_length(l.tests) = length(json_extract(piece.value, '$[2]')) THEN l.tests
  ELSE '[]' END) AS name
WHERE substr(json_extract(piece.value, '$[2]'), name.key + 1, 1) IN ('1', 's') AND name.type = 'text'
  AND (p.executions IS NULL OR json_valid(p.executions) AND substr(p.executions, 1, 1) = '{');

-- The failures, each with what is known of its run and part.
CREATE VIEW IF NOT EXISTS "{prefix}failures_with_run" AS
SELECT
  f.id, f.run_id, f.part_id, r.project, f.program, f.test_name, f.test_file, f.line, f.parameter, f.failure_kind, f.error_message,
  f.error_stack, f.attempt, f.duration_ms, f.failed_at, f.shuffle_seed, f.preceding_test, f.signal,
  r.started_at, r.status, r.git_sha, r.git_dirty, r.branch, r.ci_url, p.variant, p.host, p.shard, p.rank
FROM "{prefix}failures" AS f
JOIN "{prefix}runs" AS r ON r.run_id = f.run_id
LEFT JOIN "{prefix}parts" AS p ON p.run_id = f.run_id AND p.part_id = f.part_id;

-- Each test on each day (UTC): in how many parts it had a result, and in how many of them it failed at least once.
CREATE VIEW IF NOT EXISTS "{prefix}test_days" AS
SELECT
  project, program, test_name, substr(started_at, 1, 10) AS day, count(*) AS parts, sum(failed > 0) AS failed_parts,
  sum(executed) AS executed, sum(skipped) AS skipped, avg(duration_ms) AS duration_ms, max(duration_ms) AS max_duration_ms
FROM "{prefix}executions"
GROUP BY project, program, test_name, substr(started_at, 1, 10);

-- Each day (UTC) of each branch. Neither passed nor failed: running, or ended early.
CREATE VIEW IF NOT EXISTS "{prefix}run_days" AS
SELECT
  project, branch, substr(started_at, 1, 10) AS day, count(*) AS runs, coalesce(sum(status = 'pass'), 0) AS passed_runs,
  coalesce(sum(status = 'fail'), 0) AS failed_runs, sum(total_tests) AS total_tests, sum(failed_tests) AS failed_tests,
  avg(duration_ms) AS duration_ms
FROM "{prefix}runs"
GROUP BY project, branch, substr(started_at, 1, 10);

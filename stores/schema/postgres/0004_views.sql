-- after-rows
-- What people ask of a history in SQL (docs/guides/query-the-history.md). This program does not read these views. A text that is
-- damaged, or has another form, gives no rows and no error: only what has exactly the form of history/roster.h is read as JSON. A
-- condition on a run, part or roster is applied before the texts are taken apart.
--
-- Each view is made only where it is missing, so that this can be run again after a later file has given it more columns. It shows to a
-- role what this role may read in the tables; before PostgreSQL 15 it shows what its owner may read, to those who have rights to it.

-- The tests of each roster that have a result, and their places.
DO $$
BEGIN
  IF to_regclass('"{prefix}roster_tests"') IS NULL THEN
    CREATE VIEW "{prefix}roster_tests" AS
    SELECT o.roster_id, t.place, t.program, t.test_name, t.mark = '1' AS executed, t.list_id
    FROM "{prefix}rosters" AS o
    CROSS JOIN LATERAL (
      SELECT
        row_number() OVER (ORDER BY g.at, q.at, n.at) - 1 AS place, g.program, n.test_name, n.mark, q.list->>0 AS list_id
      FROM json_each(CASE
        WHEN o.tests ~ ('^\{("([^"\\\u0001-\u001f]|\\["\\nrt]|\\u00(0[1-9a-f]|1[0-9a-f]))*":'
          '\[\["[0-9a-f]+","[-1s]+"\](,\["[0-9a-f]+","[-1s]+"\])*\]'
          '(,"([^"\\\u0001-\u001f]|\\["\\nrt]|\\u00(0[1-9a-f]|1[0-9a-f]))*":'
          '\[\["[0-9a-f]+","[-1s]+"\](,\["[0-9a-f]+","[-1s]+"\])*\])*)?\}$')
        THEN o.tests::json END) WITH ORDINALITY AS g (program, lists, at)
      CROSS JOIN LATERAL json_array_elements(g.lists) WITH ORDINALITY AS q (list, at)
      LEFT JOIN "{prefix}rosters" AS l ON l.roster_id = q.list->>0
      CROSS JOIN LATERAL ROWS FROM (
        json_array_elements_text(CASE
          WHEN l.tests ~ ('^\["([^"\\\u0001-\u001f]|\\["\\nrt]|\\u00(0[1-9a-f]|1[0-9a-f]))*"'
            '(,"([^"\\\u0001-\u001f]|\\["\\nrt]|\\u00(0[1-9a-f]|1[0-9a-f]))*")*\]$')
          THEN CASE WHEN json_array_length(l.tests::json) = length(q.list->>1) THEN l.tests::json END END),
        unnest(string_to_array(q.list->>1, NULL))
      ) WITH ORDINALITY AS n (test_name, mark, at)
      WHERE n.mark <> '-'
    ) AS t
    WHERE t.test_name IS NOT NULL;
    IF current_setting('server_version_num')::int >= 150000 THEN
      ALTER VIEW "{prefix}roster_tests" SET (security_invoker = true);
    END IF;
  END IF;
END $$;

-- The tests of each part. All that is known of them is put next to each other by their places.
DO $$
BEGIN
  IF to_regclass('"{prefix}executions"') IS NULL THEN
    CREATE VIEW "{prefix}executions" AS
    SELECT
      p.run_id, p.part_id, r.project, t.program, t.test_name,
      coalesce((c.counts->(t.at - 1)::text->>0)::bigint, (t.mark = '1')::int) AS executed,
      coalesce((c.counts->(t.at - 1)::text->>1)::bigint, (t.mark = 's')::int) AS skipped,
      coalesce((c.failed->>concat(length(t.program), ' ', t.program, t.test_name))::bigint, 0) AS failed,
      (CASE
        WHEN ascii(t.step) BETWEEN 33 AND 38 THEN ascii(t.step) - 33
        WHEN ascii(t.step) BETWEEN 39 AND 125
          THEN (6 + (ascii(t.step) - 33) % 6)::bigint << ((ascii(t.step) - 33) / 6 - 1)
        WHEN ascii(t.step) BETWEEN 256 AND 400
          THEN (6 + (ascii(t.step) - 163) % 6)::bigint << ((ascii(t.step) - 163) / 6 - 1)
      END)::double precision / 1000 AS duration_ms,
      p.started_at, r.git_sha, r.branch, p.variant, p.host, p.rank
    FROM "{prefix}parts" AS p
    JOIN "{prefix}runs" AS r ON r.run_id = p.run_id
    JOIN "{prefix}rosters" AS o ON o.roster_id = p.roster_id
    CROSS JOIN LATERAL (
      SELECT
        CASE WHEN p.executions ~ '^\{"[0-9]{1,18}":\[[0-9]{1,18},[0-9]{1,18}\](,"[0-9]{1,18}":\[[0-9]{1,18},[0-9]{1,18}\])*\}$'
          THEN p.executions::jsonb END AS counts,
        (SELECT jsonb_object_agg(concat(length(f.program), ' ', f.program, f.test_name), f.attempts)
         FROM (
           SELECT coalesce(program, '') AS program, test_name, count(DISTINCT coalesce(attempt, -1)) AS attempts
           FROM "{prefix}failures" WHERE run_id = p.run_id AND part_id = p.part_id GROUP BY coalesce(program, ''), test_name
         ) AS f) AS failed
      OFFSET 0
    ) AS c
    CROSS JOIN LATERAL (
      SELECT array_agg(s.program) AS programs, array_agg(s.test_name) AS names, array_agg(s.mark) AS marks
      FROM (
        SELECT g.program, n.test_name, n.mark
        FROM json_each(CASE
          WHEN o.tests ~ ('^\{("([^"\\\u0001-\u001f]|\\["\\nrt]|\\u00(0[1-9a-f]|1[0-9a-f]))*":'
            '\[\["[0-9a-f]+","[-1s]+"\](,\["[0-9a-f]+","[-1s]+"\])*\]'
            '(,"([^"\\\u0001-\u001f]|\\["\\nrt]|\\u00(0[1-9a-f]|1[0-9a-f]))*":'
            '\[\["[0-9a-f]+","[-1s]+"\](,\["[0-9a-f]+","[-1s]+"\])*\])*)?\}$')
          THEN o.tests::json END) WITH ORDINALITY AS g (program, lists, at)
        CROSS JOIN LATERAL json_array_elements(g.lists) WITH ORDINALITY AS q (list, at)
        LEFT JOIN "{prefix}rosters" AS l ON l.roster_id = q.list->>0
        CROSS JOIN LATERAL ROWS FROM (
          json_array_elements_text(CASE
            WHEN l.tests ~ ('^\["([^"\\\u0001-\u001f]|\\["\\nrt]|\\u00(0[1-9a-f]|1[0-9a-f]))*"'
              '(,"([^"\\\u0001-\u001f]|\\["\\nrt]|\\u00(0[1-9a-f]|1[0-9a-f]))*")*\]$')
            THEN CASE WHEN json_array_length(l.tests::json) = length(q.list->>1) THEN l.tests::json END END),
          unnest(string_to_array(q.list->>1, NULL))
        ) WITH ORDINALITY AS n (test_name, mark, at)
        WHERE n.mark <> '-'
        ORDER BY g.at, q.at, n.at
      ) AS s
    ) AS a
    CROSS JOIN LATERAL unnest(
      a.programs, a.names, a.marks,
      CASE WHEN length(p.durations) = cardinality(a.names) THEN string_to_array(p.durations, NULL) END
    ) WITH ORDINALITY AS t (program, test_name, mark, step, at)
    WHERE t.test_name IS NOT NULL AND (p.executions IS NULL OR c.counts IS NOT NULL);
    IF current_setting('server_version_num')::int >= 150000 THEN
      ALTER VIEW "{prefix}executions" SET (security_invoker = true);
    END IF;
  END IF;
END $$;

-- The failures, each with what is known of its run and part.
DO $$
BEGIN
  IF to_regclass('"{prefix}failures_with_run"') IS NULL THEN
    CREATE VIEW "{prefix}failures_with_run" AS
    SELECT
      f.id, f.run_id, f.part_id, r.project, f.program, f.test_name, f.test_file, f.line, f.parameter, f.failure_kind, f.error_message,
      f.error_stack, f.attempt, f.duration_ms, f.failed_at, f.shuffle_seed, f.preceding_test, f.signal,
      r.started_at, r.status, r.git_sha, r.git_dirty, r.branch, r.ci_url, p.variant, p.host, p.shard, p.rank
    FROM "{prefix}failures" AS f
    JOIN "{prefix}runs" AS r ON r.run_id = f.run_id
    LEFT JOIN "{prefix}parts" AS p ON p.run_id = f.run_id AND p.part_id = f.part_id;
    IF current_setting('server_version_num')::int >= 150000 THEN
      ALTER VIEW "{prefix}failures_with_run" SET (security_invoker = true);
    END IF;
  END IF;
END $$;

-- Each test on each day (UTC): in how many parts it had a result, and in how many of them it failed at least once.
DO $$
BEGIN
  IF to_regclass('"{prefix}test_days"') IS NULL THEN
    CREATE VIEW "{prefix}test_days" AS
    SELECT
      project, program, test_name, (started_at AT TIME ZONE 'UTC')::date AS day, count(*) AS parts,
      count(*) FILTER (WHERE failed > 0) AS failed_parts, sum(executed)::bigint AS executed, sum(skipped)::bigint AS skipped,
      avg(duration_ms) AS duration_ms, max(duration_ms) AS max_duration_ms
    FROM "{prefix}executions"
    GROUP BY project, program, test_name, (started_at AT TIME ZONE 'UTC')::date;
    IF current_setting('server_version_num')::int >= 150000 THEN
      ALTER VIEW "{prefix}test_days" SET (security_invoker = true);
    END IF;
  END IF;
END $$;

-- Each day (UTC) of each branch. A run that neither passed nor failed is running, or ended early.
DO $$
BEGIN
  IF to_regclass('"{prefix}run_days"') IS NULL THEN
    CREATE VIEW "{prefix}run_days" AS
    SELECT
      project, branch, (started_at AT TIME ZONE 'UTC')::date AS day, count(*) AS runs,
      count(*) FILTER (WHERE status = 'pass') AS passed_runs, count(*) FILTER (WHERE status = 'fail') AS failed_runs,
      sum(total_tests)::bigint AS total_tests, sum(failed_tests)::bigint AS failed_tests,
      avg(duration_ms)::double precision AS duration_ms
    FROM "{prefix}runs"
    GROUP BY project, branch, (started_at AT TIME ZONE 'UTC')::date;
    IF current_setting('server_version_num')::int >= 150000 THEN
      ALTER VIEW "{prefix}run_days" SET (security_invoker = true);
    END IF;
  END IF;
END $$;

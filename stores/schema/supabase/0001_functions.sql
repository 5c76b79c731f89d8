-- What Supabase's REST interface needs beyond the tables of ../postgres: one function for each thing that is asked of a history, so
-- that each is one request and one transaction, with one snapshot, whatever the row cap of the interface is.
--
-- Requests are JSON within a text: not everything between the program and here hands an object on as one. Rows travel as arrays: their
-- columns in the order of history/fields.h, those of parts and failures behind the run's id. Numbers are texts, because not everything
-- between here and the program keeps 64 bits; times are ISO 8601.
--
-- Each function names what it uses with its schema, and sets search_path, so that it calls no function of another role. It turns
-- row_security off, so that a role which may not see every row gets an error and not some of the rows.

CREATE TABLE IF NOT EXISTS public."{prefix}supabase_schema" (
  version BIGINT PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at TIMESTAMPTZ NOT NULL
);

-- Which migrations there are: of the tables, and of what this folder adds.
CREATE OR REPLACE FUNCTION public."rest_{prefix}schema"() RETURNS JSON
LANGUAGE sql STABLE
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
  SELECT json_build_object(
    'tables', (SELECT json_agg(json_build_array(version::text, name, checksum)) FROM public."{prefix}schema"),
    'functions', (SELECT json_agg(json_build_array(version::text, name, checksum)) FROM public."{prefix}supabase_schema"));
$function$;

-- The runs that are there, each with all that belongs to it; failures have their own id in front. `whole` false: the runs alone.
CREATE OR REPLACE FUNCTION public."rest_{prefix}records"(ids TEXT[], whole BOOLEAN)
RETURNS TABLE (place BIGINT, run_id TEXT, record JSON)
LANGUAGE sql STABLE
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
  SELECT k.place, k.run_id, json_build_object(
    'run', json_build_array(
      r.run_id, r.project, r.started_at, r.ended_at, r.duration_ms::text, r.status, r.total_tests::text, r.passed_tests::text,
      r.failed_tests::text, r.errors_between_tests::text, r.git_sha, r.git_dirty, r.runtime_version, r.test_args, r.tree_sha,
      r.branch, r.ci_url, r.missing_tests::text, r.commit_at, r.merge_base, r.edited_tree),
    'parts', CASE WHEN whole THEN (
      SELECT json_agg(json_build_array(
        p.run_id, p.part_id, p.started_at, p.ended_at, p.duration_ms::text, p.status, p.total_tests::text, p.passed_tests::text,
        p.failed_tests::text, p.errors_between_tests::text, p.variant, p.shard, p.roster_id, p.ended_early,
        p.missing_tests::text, p.host, p.shuffle_seed::text, p.planned_tests::text, p.rank::text, p.executions, p.durations)
        ORDER BY p.part_id COLLATE "C")
      FROM public."{prefix}parts" p WHERE p.run_id = k.run_id) END,
    'failures', CASE WHEN whole THEN (
      SELECT json_agg(json_build_array(
        f.id::text, f.run_id, f.test_file, f.test_name, f.failure_kind, f.error_message, f.error_stack, f.duration_ms::text,
        f.failed_at, f.part_id, f.line::text, f.attempt::text, f.shuffle_seed::text, f.preceding_test, f.signal,
        f.program, f.parameter) ORDER BY f.id)
      FROM public."{prefix}failures" f WHERE f.run_id = k.run_id) END)
  FROM unnest(ids) WITH ORDINALITY AS k (run_id, place)
  CROSS JOIN LATERAL (SELECT t.* FROM public."{prefix}runs" t WHERE t.run_id = k.run_id OFFSET 0) r;
$function$;

-- As many of the runs as fit into so many bytes, one at least, with their states and those of their rosters, and of the lists that these
-- name, that are not known yet.
-- `done`: how many of the ids that answers; `more`: whether there is anything behind it, as the caller knows of the ids.
CREATE OR REPLACE FUNCTION public."rest_{prefix}answer"(ids TEXT[], more BOOLEAN, whole BOOLEAN, bytes BIGINT, known TEXT[]) RETURNS JSON
LANGUAGE plpgsql STABLE
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
DECLARE
  done BIGINT;
  records JSON;
  states JSON;
BEGIN
  SELECT max(b.place), json_agg(b.record ORDER BY b.place), json_agg(md5(b.record::text) ORDER BY b.place)
  INTO done, records, states
  FROM (
    SELECT a.place, a.record, sum(a.size) OVER (ORDER BY a.place) - a.size AS size_before
    FROM (
      SELECT x.place, x.record, octet_length(x.record::text)::bigint AS size FROM public."rest_{prefix}records"(ids, whole) x OFFSET 0
    ) a
  ) b
  WHERE b.size_before < bytes;
  IF done IS NULL OR NOT EXISTS (
    SELECT FROM unnest(ids[done + 1:]) AS k (run_id) JOIN public."{prefix}runs" r ON r.run_id = k.run_id
  ) THEN
    done := coalesce(cardinality(ids), 0);
  END IF;
  RETURN json_build_object(
    'done', done::text,
    'more', more OR done < cardinality(ids),
    'records', records,
    'states', states,
    'rosters', CASE WHEN whole THEN (
      SELECT json_agg(json_build_array(t.roster_id, t.tests))
      FROM public."{prefix}rosters" t
      WHERE t.roster_id IN (
          SELECT p.roster_id FROM public."{prefix}parts" p WHERE p.run_id = ANY (ids[:done])
          UNION ALL
          SELECT (regexp_matches(l.tests, '\["([0-9a-f]{32})"', 'g'))[1] FROM public."{prefix}rosters" l
          WHERE l.roster_id IN (SELECT p.roster_id FROM public."{prefix}parts" p WHERE p.run_id = ANY (ids[:done])))
        AND NOT t.roster_id = ANY (known)) END);
END;
$function$;

-- The texts of an array; none of what is absent.
CREATE OR REPLACE FUNCTION public."rest_{prefix}texts"(list JSON) RETURNS TEXT[]
LANGUAGE sql IMMUTABLE
SET search_path TO pg_catalog, pg_temp
AS $function$
  SELECT coalesce(array_agg(e.value ORDER BY e.place), '{}')
  FROM json_array_elements_text(coalesce(list, '[]')) WITH ORDINALITY AS e (value, place);
$function$;

-- The records of these runs: {ids, rosters, bytes}.
CREATE OR REPLACE FUNCTION public."rest_{prefix}fetch"(request TEXT) RETURNS JSON
LANGUAGE sql STABLE
SET timezone TO 'UTC'
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
  SELECT public."rest_{prefix}answer"(
    public."rest_{prefix}texts"(request::json->'ids'), false, true, (request::json->>'bytes')::bigint, public."rest_{prefix}texts"(request::json->'rosters'));
$function$;

-- A page of runs: {project (absent: any), since, until, after: [started_at, run_id], newest_first, whole, most, bytes, rosters}.
CREATE OR REPLACE FUNCTION public."rest_{prefix}runs"(request TEXT) RETURNS JSON
LANGUAGE plpgsql STABLE
SET timezone TO 'UTC'
SET plan_cache_mode TO force_custom_plan
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
DECLARE
  query JSON := request;
  any_project BOOLEAN := query->'project' IS NULL;
  wanted TEXT := query->>'project';
  -- Then the project is named in the order, because a NULL is no constant to the planner, and the index begins with it.
  no_project BOOLEAN := NOT any_project AND wanted IS NULL;
  since TIMESTAMPTZ := query->>'since';
  until TIMESTAMPTZ := query->>'until';
  from_start BOOLEAN := query->'after' IS NULL;
  after_time TIMESTAMPTZ := query->'after'->>0;
  after_id TEXT := query->'after'->>1;
  most BIGINT := query->>'most';
  ids TEXT[];
BEGIN
  -- A time that is none was read as 1970; the place is where it really stands.
  IF after_time = 'epoch' THEN
    SELECT coalesce(max(r.started_at), after_time) INTO after_time
    FROM public."{prefix}runs" r WHERE r.run_id = after_id AND NOT isfinite(r.started_at);
  END IF;
  IF (query->>'newest_first')::boolean THEN
    SELECT array_agg(x.run_id ORDER BY x.started_at DESC, x.run_id COLLATE "C" DESC) INTO ids
    FROM (
      SELECT r.run_id, r.started_at FROM public."{prefix}runs" r
      WHERE CASE WHEN any_project THEN true WHEN wanted IS NULL THEN r.project IS NULL ELSE r.project = wanted END
        AND (since IS NULL OR r.started_at >= since) AND (until IS NULL OR r.started_at < until)
        AND (from_start OR (r.started_at, r.run_id COLLATE "C") < (after_time, after_id))
      ORDER BY CASE WHEN no_project THEN r.project END DESC, r.started_at DESC, r.run_id COLLATE "C" DESC
      LIMIT most + 1
    ) x;
  ELSE
    SELECT array_agg(x.run_id ORDER BY x.started_at, x.run_id COLLATE "C") INTO ids
    FROM (
      SELECT r.run_id, r.started_at FROM public."{prefix}runs" r
      WHERE CASE WHEN any_project THEN true WHEN wanted IS NULL THEN r.project IS NULL ELSE r.project = wanted END
        AND (since IS NULL OR r.started_at >= since) AND (until IS NULL OR r.started_at < until)
        AND (from_start OR (r.started_at, r.run_id COLLATE "C") > (after_time, after_id))
      ORDER BY CASE WHEN no_project THEN r.project END, r.started_at, r.run_id COLLATE "C"
      LIMIT most + 1
    ) x;
  END IF;
  RETURN public."rest_{prefix}answer"(
    coalesce(ids[:most], '{}'), coalesce(cardinality(ids) > most, false), (query->>'whole')::boolean, (query->>'bytes')::bigint, public."rest_{prefix}texts"(query->'rosters'));
END;
$function$;

-- A page of the ids of runs that begin with a text: {prefix, after, most}.
CREATE OR REPLACE FUNCTION public."rest_{prefix}find"(request TEXT) RETURNS JSON
LANGUAGE sql STABLE
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
  SELECT coalesce(json_agg(x.run_id ORDER BY x.run_id COLLATE "C"), '[]')
  FROM (
    SELECT r.run_id FROM public."{prefix}runs" r
    WHERE r.run_id COLLATE "C" >= request::json->>'prefix' AND starts_with(r.run_id, request::json->>'prefix')
      AND (request::json->>'after' IS NULL OR r.run_id COLLATE "C" > request::json->>'after')
    ORDER BY r.run_id COLLATE "C"
    LIMIT (request::json->>'most')::bigint
  ) x;
$function$;

-- A page of failures with what is to be known of their runs: {project, after, test_name, runs, ids, behind: [failed_at, id], texts,
-- most, bytes}. `runs` and `ids` name single failures. Of one project there are those with its name and, of the rows without one, those
-- of its runs, which are only read until the end of a full page of the others.
--
-- The planner is left only the ways that begin at the page in an index: it estimates a window from statistics that may be old, and would
-- then read and sort the whole table for each page.
CREATE OR REPLACE FUNCTION public."rest_{prefix}failures"(request TEXT) RETURNS JSON
LANGUAGE plpgsql STABLE
SET timezone TO 'UTC'
SET plan_cache_mode TO force_custom_plan
SET jit TO off
SET enable_seqscan TO off
SET enable_bitmapscan TO off
SET enable_sort TO off
SET enable_incremental_sort TO on
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
DECLARE
  query JSON := request;
  any_project BOOLEAN := query->'project' IS NULL;
  wanted TEXT := query->>'project';
  after TIMESTAMPTZ := query->>'after';
  wanted_test TEXT := query->>'test_name';
  from_start BOOLEAN := query->'behind' IS NULL;
  behind_time TIMESTAMPTZ := query->'behind'->>0;
  behind_id BIGINT := query->'behind'->>1;
  texts BOOLEAN := query->>'texts';
  most BIGINT := query->>'most';
  page JSON;
BEGIN
  IF behind_time = 'epoch' THEN
    SELECT coalesce(max(f.failed_at), behind_time) INTO behind_time
    FROM public."{prefix}failures" f WHERE f.id = behind_id AND f.failed_at IN ('-infinity', 'infinity');
  ELSIF behind_time >= after THEN
    after := NULL;
  END IF;
  -- The index on the time alone is for all projects; its pages are sorted by id within each time.
  PERFORM set_config('enable_incremental_sort', CASE WHEN any_project THEN 'on' ELSE 'off' END, true);
  WITH one_by_one AS MATERIALIZED (
    SELECT f.run_id, f.id, f.test_file, f.test_name, f.failure_kind, f.failed_at, r.ended_at, r.failed_tests,
      CASE WHEN texts THEN f.error_message WHEN f.error_message IS NOT NULL THEN '' END AS error_message,
      CASE WHEN texts THEN f.error_stack WHEN f.error_stack IS NOT NULL THEN '' END AS error_stack
    FROM public."{prefix}failures" f
    CROSS JOIN LATERAL (
      SELECT t.ended_at, t.failed_tests FROM public."{prefix}runs" t
      WHERE t.run_id = f.run_id AND (any_project OR t.project IS NOT DISTINCT FROM wanted) OFFSET 0
    ) r
    WHERE query->'ids' IS NOT NULL AND f.run_id = ANY (public."rest_{prefix}texts"(query->'runs'))
      AND f.id = ANY (public."rest_{prefix}texts"(query->'ids')::bigint[])
      AND (after IS NULL OR f.failed_at > after)
      AND (wanted_test IS NULL OR f.test_name = wanted_test)
      AND (from_start OR (f.failed_at, f.id) > (behind_time, behind_id))
  ), own AS MATERIALIZED (
    SELECT f.run_id, f.id, f.test_file, f.test_name, f.failure_kind, f.failed_at, r.ended_at, r.failed_tests,
      CASE WHEN texts THEN f.error_message WHEN f.error_message IS NOT NULL THEN '' END AS error_message,
      CASE WHEN texts THEN f.error_stack WHEN f.error_stack IS NOT NULL THEN '' END AS error_stack
    FROM public."{prefix}failures" f
    CROSS JOIN LATERAL (
      SELECT t.ended_at, t.failed_tests FROM public."{prefix}runs" t WHERE t.run_id = f.run_id OFFSET 0
    ) r
    WHERE query->'ids' IS NULL AND CASE WHEN any_project THEN true ELSE f.project = wanted END
      AND (after IS NULL OR f.failed_at > after)
      AND (wanted_test IS NULL OR f.test_name = wanted_test)
      AND (from_start OR (f.failed_at, f.id) > (behind_time, behind_id))
    ORDER BY f.failed_at, f.id
    LIMIT most
  ), others AS MATERIALIZED (
    SELECT f.run_id, f.id, f.test_file, f.test_name, f.failure_kind, f.failed_at, r.ended_at, r.failed_tests,
      CASE WHEN texts THEN f.error_message WHEN f.error_message IS NOT NULL THEN '' END AS error_message,
      CASE WHEN texts THEN f.error_stack WHEN f.error_stack IS NOT NULL THEN '' END AS error_stack
    FROM public."{prefix}failures" f
    CROSS JOIN LATERAL (
      SELECT t.ended_at, t.failed_tests FROM public."{prefix}runs" t
      WHERE t.run_id = f.run_id AND t.project IS NOT DISTINCT FROM wanted OFFSET 0
    ) r
    WHERE query->'ids' IS NULL AND NOT any_project AND f.project IS NULL
      AND f.failed_at <= coalesce((SELECT max(o.failed_at) FROM own o HAVING count(*) = most), 'infinity')
      AND (after IS NULL OR f.failed_at > after)
      AND (wanted_test IS NULL OR f.test_name = wanted_test)
      AND (from_start OR (f.failed_at, f.id) > (behind_time, behind_id))
    ORDER BY f.project, f.failed_at, f.id
    LIMIT most
  )
  SELECT json_agg(json_build_array(
    b.run_id, b.id::text, b.test_file, b.test_name, b.failure_kind, b.error_message, b.error_stack, b.failed_at, b.ended_at,
    b.failed_tests::text) ORDER BY b.failed_at, b.id)
  INTO page
  FROM (
    SELECT *, sum(a.octets) OVER (ORDER BY a.failed_at, a.id) - a.octets AS octets_before
    FROM (
      SELECT *, (coalesce(octet_length(f.error_message), 0) + coalesce(octet_length(f.error_stack), 0))::bigint AS octets
      FROM (SELECT * FROM one_by_one UNION ALL SELECT * FROM own UNION ALL SELECT * FROM others) f
      ORDER BY f.failed_at, f.id
      LIMIT most
    ) a
  ) b
  WHERE b.octets_before < (query->>'bytes')::bigint;
  RETURN coalesce(page, '[]');
END;
$function$;

-- How much there is: {project, since, until}.
CREATE OR REPLACE FUNCTION public."rest_{prefix}count"(request TEXT) RETURNS JSON
LANGUAGE plpgsql STABLE
SET plan_cache_mode TO force_custom_plan
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
DECLARE
  query JSON := request;
  any_project BOOLEAN := query->'project' IS NULL;
  wanted TEXT := query->>'project';
  since TIMESTAMPTZ := query->>'since';
  until TIMESTAMPTZ := query->>'until';
BEGIN
  IF any_project AND since IS NULL AND until IS NULL THEN
    RETURN (
      SELECT json_build_array(
        (SELECT count(*) FROM public."{prefix}runs")::text, (SELECT count(*) FROM public."{prefix}parts")::text,
        (SELECT count(*) FROM public."{prefix}failures")::text));
  END IF;
  RETURN (
    WITH chosen AS (
      SELECT r.run_id FROM public."{prefix}runs" r
      WHERE CASE WHEN any_project THEN true WHEN wanted IS NULL THEN r.project IS NULL ELSE r.project = wanted END
        AND (since IS NULL OR r.started_at >= since) AND (until IS NULL OR r.started_at < until))
    SELECT json_build_array(
      (SELECT count(*) FROM chosen)::text,
      (SELECT count(*) FROM chosen JOIN public."{prefix}parts" USING (run_id))::text,
      (SELECT count(*) FROM chosen JOIN public."{prefix}failures" USING (run_id))::text));
END;
$function$;

-- The rows of {rosters, parts, failures} that belong to these runs.
CREATE OR REPLACE FUNCTION public."rest_{prefix}add"(change JSON, run_ids TEXT[]) RETURNS VOID
LANGUAGE plpgsql VOLATILE
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
BEGIN
  INSERT INTO public."{prefix}rosters" (roster_id, tests)
  SELECT e.value->>0, e.value->>1 FROM json_array_elements(change->'rosters') AS e ORDER BY (e.value->>0) COLLATE "C"
  ON CONFLICT (roster_id) DO NOTHING;

  INSERT INTO public."{prefix}parts" AS p (
    run_id, part_id, started_at, ended_at, duration_ms, status, total_tests, passed_tests, failed_tests, errors_between_tests, variant,
    shard, roster_id, ended_early, missing_tests, host, shuffle_seed, planned_tests, rank, executions, durations)
  SELECT v->>0, v->>1, (v->>2)::timestamptz, (v->>3)::timestamptz, (v->>4)::bigint, v->>5, (v->>6)::bigint, (v->>7)::bigint,
    (v->>8)::bigint, (v->>9)::bigint, v->>10, v->>11, v->>12, v->>13, (v->>14)::bigint,
    v->>15, (v->>16)::bigint, (v->>17)::bigint, (v->>18)::bigint, v->>19, v->>20
  FROM json_array_elements(change->'parts') AS e CROSS JOIN LATERAL (SELECT e.value::jsonb AS v OFFSET 0) n
  WHERE v->>0 = ANY (run_ids)
  ON CONFLICT (run_id, part_id) DO UPDATE SET
    started_at = excluded.started_at, ended_at = excluded.ended_at, duration_ms = excluded.duration_ms, status = excluded.status,
    total_tests = excluded.total_tests, passed_tests = excluded.passed_tests, failed_tests = excluded.failed_tests,
    errors_between_tests = excluded.errors_between_tests, variant = excluded.variant, shard = excluded.shard,
    roster_id = excluded.roster_id, ended_early = excluded.ended_early,
    missing_tests = excluded.missing_tests, host = excluded.host, shuffle_seed = excluded.shuffle_seed,
    planned_tests = excluded.planned_tests, rank = excluded.rank, executions = excluded.executions, durations = excluded.durations;

  INSERT INTO public."{prefix}failures" (
    run_id, test_file, test_name, failure_kind, error_message, error_stack, duration_ms, failed_at, part_id, line, attempt,
    shuffle_seed, preceding_test, signal, program, parameter, project)
  SELECT v->>0, v->>1, v->>2, v->>3, v->>4, v->>5, (v->>6)::bigint, (v->>7)::timestamptz, v->>8, (v->>9)::bigint, (v->>10)::bigint,
    (v->>11)::bigint, v->>12, v->>13, v->>14, v->>15,
    (SELECT r.project FROM public."{prefix}runs" r WHERE r.run_id = v->>0)
  FROM json_array_elements(change->'failures') AS e CROSS JOIN LATERAL (SELECT e.value::jsonb AS v OFFSET 0) n
  WHERE v->>0 = ANY (run_ids);
END;
$function$;

-- Inserts {runs, parts, failures, rosters}: those of runs that are not there yet, whose ids it gives.
CREATE OR REPLACE FUNCTION public."rest_{prefix}insert"(request TEXT) RETURNS JSON
LANGUAGE plpgsql VOLATILE
SET timezone TO 'UTC'
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
DECLARE
  change JSON := request;
  inserted TEXT[];
BEGIN
  WITH fresh AS (
    INSERT INTO public."{prefix}runs" (
      run_id, project, started_at, ended_at, duration_ms, status, total_tests, passed_tests, failed_tests, errors_between_tests, git_sha,
      git_dirty, runtime_version, test_args, tree_sha, branch, ci_url, missing_tests, commit_at, merge_base, edited_tree)
    SELECT v->>0, v->>1, (v->>2)::timestamptz, (v->>3)::timestamptz, (v->>4)::bigint, v->>5, (v->>6)::bigint, (v->>7)::bigint,
      (v->>8)::bigint, (v->>9)::bigint, v->>10, (v->>11)::boolean, v->>12, v->>13, v->>14, v->>15, v->>16,
      (v->>17)::bigint, (v->>18)::timestamptz, v->>19, v->>20
    FROM json_array_elements(change->'runs') AS e CROSS JOIN LATERAL (SELECT e.value::jsonb AS v OFFSET 0) n
    ORDER BY (v->>0) COLLATE "C"
    ON CONFLICT (run_id) DO NOTHING
    RETURNING run_id)
  SELECT coalesce(array_agg(run_id), '{}') INTO inserted FROM fresh;
  PERFORM public."rest_{prefix}add"(change, inserted);
  RETURN to_json(inserted);
END;
$function$;

-- Changes runs that are there: {states: [[run_id, state], …], runs, parts, failures, rosters, old_failures: [[run_id, id], …],
-- old_parts: [[run_id, part_id], …]}. A run whose state is no longer the one that was read is left alone; gives the ids of the others.
CREATE OR REPLACE FUNCTION public."rest_{prefix}change"(request TEXT) RETURNS JSON
LANGUAGE plpgsql VOLATILE
SET timezone TO 'UTC'
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
DECLARE
  change JSON := request;
  ids TEXT[];
  same TEXT[];
BEGIN
  SELECT array_agg(e.value->>0) INTO ids FROM json_array_elements(change->'states') AS e;
  -- Nobody else changes these runs, or inserts what belongs to them, until the transaction ends.
  PERFORM FROM public."{prefix}runs" r WHERE r.run_id = ANY (ids) ORDER BY r.run_id COLLATE "C" FOR UPDATE;
  SELECT coalesce(array_agg(x.run_id), '{}') INTO same
  FROM public."rest_{prefix}records"(ids, true) x
  JOIN json_array_elements(change->'states') AS e ON e.value->>0 = x.run_id AND e.value->>1 = md5(x.record::text);

  UPDATE public."{prefix}runs" r SET
    project = v->>1, started_at = (v->>2)::timestamptz, ended_at = (v->>3)::timestamptz, duration_ms = (v->>4)::bigint, status = v->>5,
    total_tests = (v->>6)::bigint, passed_tests = (v->>7)::bigint, failed_tests = (v->>8)::bigint,
    errors_between_tests = (v->>9)::bigint, git_sha = v->>10, git_dirty = (v->>11)::boolean, runtime_version = v->>12,
    test_args = v->>13, tree_sha = v->>14, branch = v->>15, ci_url = v->>16, missing_tests = (v->>17)::bigint,
    commit_at = (v->>18)::timestamptz, merge_base = v->>19, edited_tree = v->>20
  FROM json_array_elements(change->'runs') AS e CROSS JOIN LATERAL (SELECT e.value::jsonb AS v OFFSET 0) n
  WHERE r.run_id = v->>0 AND r.run_id = ANY (same);
  PERFORM public."rest_{prefix}add"(change, same);
  DELETE FROM public."{prefix}failures" f USING json_array_elements(change->'old_failures') AS e
  WHERE f.id = (e.value->>1)::bigint AND f.run_id = e.value->>0 AND f.run_id = ANY (same);
  DELETE FROM public."{prefix}parts" p USING json_array_elements(change->'old_parts') AS e
  WHERE p.run_id = e.value->>0 AND p.part_id = e.value->>1 AND p.run_id = ANY (same);
  UPDATE public."{prefix}failures" f SET project = r.project
  FROM json_array_elements(change->'runs') AS e JOIN public."{prefix}runs" r ON r.run_id = e.value->>0
  WHERE f.run_id = r.run_id AND r.run_id = ANY (same) AND f.project IS DISTINCT FROM r.project;
  RETURN to_json(same);
END;
$function$;

-- Store::Claim: {holder, lease, instead_of}; gives [holder, seconds], or nothing.
CREATE OR REPLACE FUNCTION public."rest_{prefix}claim"(request TEXT) RETURNS JSON
LANGUAGE plpgsql VOLATILE
SET search_path TO pg_catalog, pg_temp
SET row_security TO off
AS $function$
DECLARE
  claim JSON := request;
  this_second BIGINT := floor(extract(epoch FROM clock_timestamp()));
  lease BIGINT := claim->>'lease';
BEGIN
  IF lease > 0 THEN
    INSERT INTO public."{prefix}claims" AS c (name, holder, lapses_at) VALUES ('copy', claim->>'holder', this_second + lease)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lapses_at = excluded.lapses_at
    WHERE c.holder IN (claim->>'holder', claim->>'instead_of') OR c.lapses_at <= this_second;
  ELSE
    DELETE FROM public."{prefix}claims" WHERE name = 'copy' AND holder = claim->>'holder';
  END IF;
  RETURN coalesce(
    (SELECT json_build_array(c.holder, (c.lapses_at - this_second)::text)
     FROM public."{prefix}claims" c WHERE c.name = 'copy' AND c.lapses_at > this_second),
    '[]');
END;
$function$;

-- No policy: who bypasses row-level security, as a secret key does, sees everything, everybody else nothing. The tables' owner is not
-- bound by it either. What is not rows, TRUNCATE and the sequence's numbers, is a matter of rights: a project grants them to everybody.
ALTER TABLE public."{prefix}runs" ENABLE ROW LEVEL SECURITY;
ALTER TABLE public."{prefix}parts" ENABLE ROW LEVEL SECURITY;
ALTER TABLE public."{prefix}failures" ENABLE ROW LEVEL SECURITY;
ALTER TABLE public."{prefix}rosters" ENABLE ROW LEVEL SECURITY;
ALTER TABLE public."{prefix}claims" ENABLE ROW LEVEL SECURITY;
ALTER TABLE public."{prefix}schema" ENABLE ROW LEVEL SECURITY;
ALTER TABLE public."{prefix}supabase_schema" ENABLE ROW LEVEL SECURITY;

DO $$
DECLARE
  role_name TEXT;
  function_name REGPROCEDURE;
  numbers TEXT;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  numbers := pg_get_serial_sequence('public."{prefix}failures"', 'id');
  FOR role_name IN
    SELECT 'PUBLIC' UNION ALL SELECT quote_ident(rolname) FROM pg_roles WHERE rolname IN ('anon', 'authenticated')
  LOOP
    EXECUTE format(
      'REVOKE ALL ON public."{prefix}runs", public."{prefix}parts", public."{prefix}failures", public."{prefix}rosters", '
      'public."{prefix}claims", public."{prefix}schema", public."{prefix}supabase_schema" FROM %s', role_name);
    EXECUTE format('REVOKE ALL ON SEQUENCE %s FROM %s', numbers, role_name);
  END LOOP;
  FOR function_name IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace
      AND p.proname IN (
        'rest_{prefix}schema', 'rest_{prefix}records', 'rest_{prefix}answer', 'rest_{prefix}texts', 'rest_{prefix}fetch',
        'rest_{prefix}runs', 'rest_{prefix}find', 'rest_{prefix}failures', 'rest_{prefix}count', 'rest_{prefix}add',
        'rest_{prefix}insert', 'rest_{prefix}change', 'rest_{prefix}claim')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function_name);
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
      EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %I', function_name, role_name);
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO service_role', function_name);
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON public."{prefix}runs", public."{prefix}parts", public."{prefix}failures",
      public."{prefix}rosters", public."{prefix}claims" TO service_role;
    GRANT SELECT ON public."{prefix}schema", public."{prefix}supabase_schema" TO service_role;
    EXECUTE format('GRANT USAGE ON SEQUENCE %s TO service_role', numbers);
  END IF;
END $$;

NOTIFY pgrst, 'reload schema';

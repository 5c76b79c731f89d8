"""The sections that need servers. Each starts its own servers, like the tests."""

import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import time
import urllib.parse
import uuid

from harness import TABLES, fail, remove, table

SHAPE = ("--failures", "3", "--days", "365", "--end", "now")
PROJECT = "engine"


class Servers:
    def __init__(self, bench):
        self.bench = bench
        self.process = subprocess.Popen(
            [bench.program("tests/servers/with_server"), "postgres,sqld,supabase", "--", "sh", "-c",
             'printf "%s\\n" "$DATABASE_URL" "$SQLD_URL" "$SUPABASE_URL" "$SUPABASE_KEY" "$SUPABASE_DB"; exec cat >&2'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.postgres, self.sqld, self.supabase, self.supabase_key, self.supabase_db = (
            self.process.stdout.readline().strip() for _ in range(5))
        if not self.supabase_db:
            fail("the servers did not start; `./dev test` installs them")

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def env(self, store):
        addresses = {"postgres": self.postgres, "turso": self.sqld, "supabase": self.supabase}
        if store == "sqlite":
            return {"FLAKY_TESTS_DB": self.bench.path("store.db")}
        token = {"FLAKY_TESTS_AUTH_TOKEN": self.supabase_key} if store == "supabase" else {}
        return {"FLAKY_TESTS_STORE": store, "FLAKY_TESTS_CONNECTION_STRING": addresses[store], **token}

    def psql(self, *arguments, database=None):
        return ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", database or self.postgres, *arguments]

    def empty(self, store, tables=True):
        """Drops the tables of the store and creates empty ones with all their indexes. Supabase's tables are only emptied,
        because its interface reads the list of tables when it starts."""
        if store == "sqlite":
            remove(self.bench.path("store.db"))
        elif store == "postgres":
            names = ", ".join(f"flaky_test_{name}" for name in (*TABLES, "schema"))
            self.bench.run(self.psql("-c", f"DROP TABLE IF EXISTS {names}"))
        elif store == "supabase":
            names = ", ".join(f"flaky_test_{name}" for name in TABLES)
            self.bench.run(self.psql("-c", f"TRUNCATE {names}", database=self.supabase_db))
            return
        else:
            hrana = Hrana(self.sqld)
            for name in (*reversed(TABLES), "schema"):
                hrana.send(hrana.body([f"DROP TABLE IF EXISTS flaky_test_{name}"]))
        if tables:
            self.bench.run([self.bench.flaky, "schema", "migrate"], self.env(store))


class Hrana:
    """The simplest possible client: requests are prepared in advance, answers are only checked for errors."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlparse(url).netloc)

    @staticmethod
    def body(statements):
        """Returns one transaction as one conditional batch. A statement is SQL, or SQL with its values."""
        steps = [{"stmt": {"sql": "BEGIN IMMEDIATE"}}]
        for statement in [*statements, "COMMIT"]:
            sql, values = statement if isinstance(statement, tuple) else (statement, [])
            steps.append({"stmt": {"sql": sql, "args": values}, "condition": {"type": "ok", "step": len(steps) - 1}})
        return json.dumps({"requests": [{"type": "batch", "batch": {"steps": steps}}, {"type": "close"}]},
                          ensure_ascii=False).encode()

    @staticmethod
    def value(value):
        if value is None:
            return {"type": "null"}
        return {"type": "integer", "value": str(value)} if isinstance(value, int) else {"type": "text", "value": value}

    def send(self, body):
        self.connection.request("POST", "/v2/pipeline", body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200 or re.search(rb'"step_errors":\[[^\]]*\{', text) or b'"type":"error"' in text:
            fail(f"sqld answered {answer.status}: {text[:500]!r}")
        return text


@contextlib.contextmanager
def running(bench):
    servers = Servers(bench)
    try:
        yield servers
    finally:
        servers.close()


def delivery(bench):
    """One delivery of a run with 100 failures, like the one that a test program starts when it ends."""
    recorded = bench.program("tests/fixtures/many_tests")
    spool = bench.path("spool")
    failures = [f"Suite0.Test{number}" for number in range(100)]

    with running(bench) as servers:
        for store in ("sqlite", "postgres", "turso"):
            servers.empty(store)

        def deliver(store):
            def action():
                shutil.rmtree(spool, ignore_errors=True)
                env = {**servers.env(store), "FLAKY_TESTS_SPOOL": spool, "FLAKY_TESTS_PROJECT": PROJECT}
                bench.run([recorded], {**env, "MANY_TESTS": "100", "MANY_FAILURES": "100", "FLAKY_TESTS_DELIVERY_TIMEOUT": "0"},
                          ok=(1,))
                return bench.run([bench.flaky, "deliver"], env)
            return action

        def insert_sql():
            run_id, now = uuid.uuid4().hex, time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            values = ", ".join(f"('{run_id}', 'many_tests.cc', '{test}', 'assertion', '{'x' * 530}', '{now}')" for test in failures)
            return [f"INSERT INTO flaky_test_runs (run_id, started_at) VALUES ('{run_id}', '{now}')",
                    f"INSERT INTO flaky_test_failures (run_id, test_file, test_name, failure_kind, error_message, failed_at) VALUES {values}"]

        def by_psql():
            script = bench.path("insert.sql")
            with open(script, "w") as file:
                file.write("BEGIN;\n" + ";\n".join(insert_sql()) + ";\nCOMMIT;\n")
            return bench.run(servers.psql("-f", script))

        def by_curl():
            body = bench.path("insert.json")
            with open(body, "wb") as file:
                file.write(Hrana.body(insert_sql()))
            return bench.run(["curl", "-sf", f"{servers.sqld}/v2/pipeline", "--data-binary", f"@{body}"])

        result = bench.compare({
            "sqlite: `flaky deliver`": deliver("sqlite"),
            "postgres: `flaky deliver`": deliver("postgres"),
            "postgres: the same rows as SQL, by `psql`": by_psql,
            "turso: `flaky deliver`": deliver("turso"),
            "turso: the same rows as one request, by `curl`": by_curl,
        })
    table("One delivery of 100 failures, whole process", ["variant", "ms"],
          [[name, f"{seconds * 1e3:.1f}"] for name, (seconds, _) in result.items()])


def npm_query(dialect):
    """Returns a query of the form that the npm package sends for the same purpose, with its parameters inserted."""
    kinds = "string_agg(DISTINCT f.failure_kind, ',')" if dialect == "postgres" else "GROUP_CONCAT(DISTINCT f.failure_kind)"
    week, fortnight = (time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - days * 86_400)) for days in (7, 14))
    recent = f"SUM(CASE WHEN f.failed_at > '{week}' THEN 1 ELSE 0 END)"
    prior = f"SUM(CASE WHEN f.failed_at <= '{week}' THEN 1 ELSE 0 END)"
    return f"""
      SELECT f.test_file, f.test_name, {recent}, {prior}, {kinds}, MAX(f.failed_at)
        FROM flaky_test_failures f JOIN flaky_test_runs r ON r.run_id = f.run_id
       WHERE r.failed_tests < 10 AND r.ended_at IS NOT NULL AND r.project = '{PROJECT}' AND f.failed_at > '{fortnight}'
       GROUP BY f.test_file, f.test_name HAVING {recent} >= 2 AND {prior} = 0 ORDER BY {recent} DESC"""


def judging(bench):
    """`flaky check` on 100,000 runs per store, compared with one grouped query in the store."""
    source = bench.history(100_000, *SHAPE)
    with running(bench) as servers:
        for store in ("sqlite", "postgres", "turso"):
            servers.empty(store, tables=False)
            bench.run([bench.flaky, "migrate-store", "--from", f"sqlite:{source}"], servers.env(store))
        bench.run(servers.psql("-c", "VACUUM ANALYZE"))
        request = bench.path("query.json")
        with open(request, "w") as file:
            json.dump({"requests": [{"type": "execute", "stmt": {"sql": npm_query("turso")}}, {"type": "close"}]}, file)

        def check(store):
            return lambda: bench.run([bench.flaky, "check", "--project", PROJECT], servers.env(store), ok=(0, 1))

        result = bench.compare({
            "sqlite: `flaky check`": check("sqlite"),
            "sqlite: grouped query by `sqlite3`": lambda: bench.run(["sqlite3", bench.path("store.db"), npm_query("sqlite")]),
            "postgres: `flaky check`": check("postgres"),
            "postgres: grouped query by `psql`": lambda: bench.run(servers.psql("-c", npm_query("postgres"))),
            "turso: `flaky check`": check("turso"),
            "turso: grouped query by `curl`": lambda: bench.run(
                ["curl", "-sf", f"{servers.sqld}/v2/pipeline", "--data-binary", f"@{request}"]),
        })
    table("Judging 100,000 runs, 300,000 failures, one year, whole process", ["variant", "ms", "peak MiB"],
          [[name, f"{seconds * 1e3:.1f}", f"{peak / 1024:.1f}"] for name, (seconds, peak) in result.items()])


SECTIONS = (delivery, judging)

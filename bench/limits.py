"""The section for docs/guides/choosing-a-store.md: what each store can hold, how fast, and what happens without it."""

import contextlib
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import time

from harness import fail, remove, table
from servers import Hrana, running

STORES = ("sqlite", "postgres", "turso", "supabase")
MIB = 1 << 20
MESSAGES = (4 * MIB, 5 * MIB, 16 * MIB, 64 * MIB, 255 * MIB, 257 * MIB)
WRITERS = (1, 32, 64)
RUNS = 5_000
SHAPE = ("--failures", "3", "--days", "90", "--end", "now")


def ask(servers, store, sql):
    """Returns one number from a store, read by the simplest client."""
    if store == "sqlite":
        with contextlib.closing(sqlite3.connect(servers.bench.path("store.db"))) as connection:
            return connection.execute(sql).fetchone()[0]
    if store in ("postgres", "supabase"):
        database = servers.supabase_db if store == "supabase" else None
        command = servers.psql("-At", "-c", sql, database=database)
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout or 0)
    answer = Hrana(servers.sqld).send(Hrana.body([f"{sql} AS value"]))
    return int(answer.split(b'"rows":[[{"type":"integer","value":"')[1].split(b'"')[0])


def flaky(bench, arguments, env):
    """Runs the program to its end; returns its exit code, seconds and messages."""
    begin = time.perf_counter()
    done = subprocess.run([bench.flaky, *arguments], env={**bench.env, **env}, cwd=bench.work, capture_output=True, text=True)
    return done.returncode, time.perf_counter() - begin, (done.stderr + done.stdout).strip()


def journal(bench, spool, env, ok=(0,)):
    """Runs a test program of one test with the recorder; returns the seconds it took."""
    return bench.run([bench.program("tests/fixtures/many_tests")],
                     {"FLAKY_TESTS_DELIVERY_TIMEOUT": "0", **env, "FLAKY_TESTS_SPOOL": spool, "MANY_TESTS": "1"}, ok)[0]


def messages(bench, servers):
    """Copies one run with one failure, whose message has the given size, into an empty store."""
    source = bench.path("long.db")
    rows = []
    for size in MESSAGES:
        remove(source)
        bench.run([bench.program("tests/support/make_history"), f"sqlite:{source}", "--runs", "40", "--seed", "1", *SHAPE])
        with contextlib.closing(sqlite3.connect(source)) as connection, connection:
            connection.execute("DELETE FROM flaky_test_failures WHERE id > (SELECT min(id) FROM flaky_test_failures)")
            connection.execute("UPDATE flaky_test_failures SET error_message = replace(hex(zeroblob(?)), '0', 'x')", (size // 2,))
        row = [f"{size // MIB} MiB"]
        for store in STORES:
            servers.empty(store)
            code, seconds, said = flaky(bench, ["migrate-store", "--from", f"sqlite:{source}"], servers.env(store))
            kept = ask(servers, store, "SELECT coalesce(max(length(error_message)), 0) FROM flaky_test_failures")
            what = "whole" if kept == size else f"cut to {kept:,}" if kept else "refused"
            row.append(f"{what}, {seconds:.1f} s" + (f", exit code {code}: {said.splitlines()[0][:160]}" if code else ""))
        rows.append(row)
    remove(source)
    table("The longest message", ["message", *STORES], rows)


def copies(bench, servers):
    """A verified copy, and the disk space that it takes."""
    source = bench.history(RUNS, *SHAPE)
    sizes = {
        "postgres": "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c WHERE relname LIKE 'flaky_test_%' "
                    "AND relkind = 'r'",
        "turso": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    }
    sizes["sqlite"], sizes["supabase"] = sizes["turso"], sizes["postgres"]
    rows = []
    for store in STORES:
        seconds = []
        for _ in range(3):
            servers.empty(store, tables=False)
            seconds.append(bench.run([bench.flaky, "migrate-store", "--from", f"sqlite:{source}"], servers.env(store))[0])
        if store == "sqlite":
            with contextlib.closing(sqlite3.connect(bench.path("store.db"))) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = ask(servers, store, sizes[store])
        rows.append([store, f"{RUNS / statistics.median(seconds):,.0f}", f"{size / RUNS * 1000 / 1e6:.1f}"])
    table(f"A copy of {RUNS:,} runs, three failures each", ["store", "runs per second, verified", "MB per 1,000 runs"], rows)


def writers(bench, servers):
    """Deliveries of one run each that start at the same moment, each from a separate spool."""
    rows = []
    for count in WRITERS:
        row = [str(count)]
        for store in STORES:
            servers.empty(store)
            times = []
            for _ in range(5):
                before = ask(servers, store, "SELECT count(*) FROM flaky_test_runs")
                spools = [bench.path(f"spool-{number}") for number in range(count)]
                for spool in spools:
                    journal(bench, spool, {})
                begin = time.perf_counter()
                started = [subprocess.Popen([bench.flaky, "deliver"], cwd=bench.work, stdout=subprocess.DEVNULL,
                                            env={**bench.env, **servers.env(store), "FLAKY_TESTS_SPOOL": spool})
                           for spool in spools]
                codes = [process.wait() for process in started]
                times.append(time.perf_counter() - begin)
                kept = ask(servers, store, "SELECT count(*) FROM flaky_test_runs") - before
                if any(codes) or kept != count:
                    fail(f"{store}: {kept} of {count} runs were stored; exit codes {codes}")
                for spool in spools:
                    shutil.rmtree(spool)
            seconds = statistics.median(times)
            row.append(f"{seconds * 1e3:,.0f} ms, {count / seconds:,.0f} per second")
        rows.append(row)
    table("Deliveries of one run at the same moment, whole processes, all kept", ["deliveries", *STORES], rows)


def without(bench):
    """What a test program and a delivery do if the server refuses, or accepts the connection and never answers."""
    rows = []
    with contextlib.closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as silent:
        for what, port in (("refuses", 1), ("never answers", silent.getsockname()[1])):
            for store, url in (("postgres", f"postgres://ci@127.0.0.1:{port}/nothing"), ("turso", f"http://127.0.0.1:{port}"),
                               ("supabase", f"http://127.0.0.1:{port}")):
                spool = bench.path("waiting")
                env = {"FLAKY_TESTS_STORE": store, "FLAKY_TESTS_CONNECTION_STRING": url, "FLAKY_TESTS_DELIVERY_TIMEOUT": "10",
                       "FLAKY_TESTS_PROGRAM": bench.flaky, "FLAKY_TESTS_AUTH_TOKEN": "none"}
                first, second = (journal(bench, spool, env) for _ in range(2))
                code, seconds, _ = flaky(bench, ["deliver"], {**env, "FLAKY_TESTS_SPOOL": spool})
                kept = len([name for name in os.listdir(spool) if name.endswith(".jsonl")])
                rows.append([f"{store}, {what}", f"{first:.2f} s", f"{second:.2f} s", f"{seconds:.1f} s, exit code {code}",
                             f"{kept} of 2"])
                shutil.rmtree(spool)
    table("Without the server", ["store", "test program", "the next one within a minute", "`flaky deliver`", "journals kept"], rows)


def limits(bench):
    """The figures in the guide to choosing a store."""
    with running(bench) as servers:
        messages(bench, servers)
        copies(bench, servers)
        writers(bench, servers)
    without(bench)


SECTIONS = (limits,)

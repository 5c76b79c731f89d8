"""The sections that copy: `transfer` measures every ordered pair of stores and compares it with other tools; `memory` measures
the peak memory at two sizes. They start their own servers, as in bench/servers.py."""

import os
import shlex
import sqlite3
import subprocess
import time

from harness import TABLES, count_rows, fail, table
from servers import Hrana, running

SHAPE = ("--failures", "3", "--days", "365")
STORES = ("sqlite", "postgres", "turso", "jsonl", "jsonl.zst")
SIZES = {10_000: 3, 100_000: 1}  # runs, and how many times each copy is measured after a warm-up
MEMORY_RUNS = (10_000, 1_000_000)
MAX_STATEMENT_ROWS = 100
MAX_REQUEST_BYTES = 2_000_000

ATTACH = """
  ATTACH '{source}' AS old;
  BEGIN;
  INSERT INTO flaky_test_runs SELECT * FROM old.flaky_test_runs;
  INSERT INTO flaky_test_rosters SELECT * FROM old.flaky_test_rosters;
  INSERT INTO flaky_test_parts SELECT * FROM old.flaky_test_parts;
  INSERT INTO flaky_test_failures SELECT * FROM old.flaky_test_failures;
  COMMIT;
"""

# With the default sizes, pgloader runs out of its 1 GB of memory on 100,000 runs.
PGLOADER = """
  LOAD DATABASE FROM sqlite://{source} INTO {target}
  WITH data only, disable triggers, reset sequences, batch rows = 5000, batch size = 8 MB, prefetch rows = 5000
  INCLUDING ONLY TABLE NAMES LIKE {tables};
"""


class Copies:
    """For each store, a history to copy from and a place to copy to; on a server, the two have different prefixes."""

    def __init__(self, bench, servers, runs):
        self.bench = bench
        self.servers = servers
        self.sqlite = bench.history(runs, *SHAPE)
        self.runs = runs

    def source(self, store):
        places = {"sqlite": f"sqlite:{self.sqlite}", "postgres": self.servers.postgres + "?prefix=old_",
                  "turso": self.servers.sqld + "?prefix=old_"}
        return places.get(store) or self.bench.path(f"source-{self.runs}.{store}")

    def target(self, store):
        places = {"sqlite": f"sqlite:{self.bench.path('store.db')}", "postgres": self.servers.postgres, "turso": self.servers.sqld}
        return places.get(store) or self.bench.path(f"target.{store}")

    def command(self, source, target):
        if target.startswith("jsonl"):
            return [self.bench.flaky, "export", self.target(target), "--from", self.source(source)]
        if source.startswith("jsonl"):
            return [self.bench.flaky, "import", self.source(source), "--to", self.target(target)]
        return [self.bench.flaky, "migrate-store", "--from", self.source(source), "--to", self.target(target)]

    def empty(self, store, tables=False):
        """Removes the target's tables; with `tables`, creates empty ones with all their indexes."""
        if not store.startswith("jsonl"):  # an export replaces the file
            self.servers.empty(store, tables)

    def copy(self, source, target):
        def action():
            self.empty(target)
            return self.bench.run(self.command(source, target))
        return action

    def again(self, source, target):
        """Copies into a target that is already equal, because `copy` has just filled it."""
        return lambda: self.bench.run(self.command(source, target))

    def fill_sources(self):
        for store in STORES[1:]:
            if store.startswith("jsonl"):
                self.bench.run([self.bench.flaky, "export", self.source(store), "--from", self.source("sqlite")])
            else:
                self.bench.run([self.bench.flaky, "migrate-store", "--from", self.source("sqlite"), "--to", self.source(store)])


def timed(action):
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin, 0


def columns_of(connection, name):
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info(flaky_test_{name})")]
    return [column for column in columns if column != "id"]


def hrana_bodies(source):
    """The source's rows as requests of about MAX_REQUEST_BYTES, MAX_STATEMENT_ROWS rows per INSERT."""
    bodies, statements, size = [], [], 0
    with sqlite3.connect(source) as connection:
        for name in TABLES:
            columns = columns_of(connection, name)
            marks = "(" + ",".join("?" * len(columns)) + ")"
            cursor = connection.execute(f"SELECT {','.join(columns)} FROM flaky_test_{name}")
            while rows := cursor.fetchmany(MAX_STATEMENT_ROWS):
                values = [value for row in rows for value in row]
                statements.append((f"INSERT INTO flaky_test_{name} ({','.join(columns)}) VALUES {','.join([marks] * len(rows))}",
                                   [Hrana.value(value) for value in values]))
                size += sum(len(value) if isinstance(value, str) else 8 for value in values)
                if size >= MAX_REQUEST_BYTES:
                    bodies.append(Hrana.body(statements))
                    statements, size = [], 0
    bodies.append(Hrana.body(statements))
    return bodies


# Other tools for the same copy, by source and target.

def attach(copies):
    target = copies.bench.path("store.db")

    def action():
        copies.empty("sqlite", tables=True)
        return copies.bench.run(["sqlite3", target, ATTACH.format(source=copies.sqlite)])
    return action


def sqlite_csv_to_copy(copies):
    def action():
        copies.empty("postgres", tables=True)
        lines = []
        with sqlite3.connect(copies.sqlite) as connection:
            for name in TABLES:
                columns = ",".join(columns_of(connection, name))
                copy = copies.servers.psql("-c", f"\\copy flaky_test_{name} ({columns}) FROM STDIN CSV")
                select = ["sqlite3", "-csv", copies.sqlite, f"SELECT {columns} FROM flaky_test_{name}"]
                lines.append(f"{shlex.join(select)} | {shlex.join(copy)}")
        return copies.bench.run(["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)])
    return action


def pgloader(copies):
    def action():
        copies.empty("postgres", tables=True)
        script = copies.bench.path("pgloader.load")
        with open(script, "w") as file:
            file.write(PGLOADER.format(source=copies.sqlite, target=copies.servers.postgres,
                                       tables=", ".join(f"'flaky_test_{name}'" for name in TABLES)))
        result = copies.bench.run(["pgloader", "--root-dir", copies.bench.path("pgloader"), script])
        expected = count_rows(copies.sqlite)
        sums = " + ".join(f"(SELECT count(*) FROM flaky_test_{name})" for name in TABLES)
        found = subprocess.run(copies.servers.psql("-At", "-c", f"SELECT {sums}"), env=copies.bench.env, check=True,
                               stdout=subprocess.PIPE, text=True).stdout
        if int(found) != expected:  # pgloader continues after errors and exits with 0
            fail(f"pgloader copied {found.strip()} of {expected} rows")
        return result
    return action


def copy_to_import(copies):
    target = copies.bench.path("store.db")

    def action():
        copies.empty("sqlite", tables=True)
        lines = []
        with sqlite3.connect(copies.sqlite) as connection:
            for name in TABLES:
                columns = ",".join(row[1] for row in connection.execute(f"PRAGMA table_info(flaky_test_{name})"))
                copy = copies.servers.psql("-c", f"\\copy old_{name} ({columns}) TO STDOUT CSV")
                load = ["sqlite3", "-csv", target, f".import /dev/stdin flaky_test_{name}"]
                lines.append(f"{shlex.join(copy)} | {shlex.join(load)}")
        return copies.bench.run(["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)])
    return action


def hand_made_requests(copies):
    bodies = hrana_bodies(copies.sqlite)

    def action():
        copies.empty("turso", tables=True)
        hrana = Hrana(copies.servers.sqld)
        return timed(lambda: [hrana.send(body) for body in bodies])
    return action


RIVALS = {
    ("sqlite", "sqlite"): {"`ATTACH` + `INSERT … SELECT`": attach},
    ("sqlite", "postgres"): {"`sqlite3 -csv` piped to `\\copy`": sqlite_csv_to_copy, "`pgloader`": pgloader},
    ("postgres", "sqlite"): {"`\\copy` to CSV, `.import`": copy_to_import},
    ("sqlite", "turso"): {"hand-made requests of 2 MB, prepared in advance": hand_made_requests},
}


def row(what, rows, result, base):
    seconds, peak = result
    speed = "" if base is None else f"{seconds / base:.2f}"
    return [what, f"{seconds:.2f}", f"{rows / seconds:,.0f}", speed, f"{peak / 1024:.0f}" if peak else ""]


def transfer(bench):
    """Every ordered pair of stores, verified, compared with other tools; and the same copy again."""
    for runs, rounds in SIZES.items():
        with running(bench) as servers:
            copies = Copies(bench, servers, runs)
            copies.fill_sources()
            rows = count_rows(copies.sqlite)
            lines = []
            for source in STORES:
                for target in STORES:
                    if source.startswith("jsonl") and target.startswith("jsonl"):
                        continue  # `cp` copies a file
                    variants = {"first": copies.copy(source, target)}
                    if not target.startswith("jsonl"):
                        variants["again"] = copies.again(source, target)
                    rivals = {name: make(copies) for name, make in RIVALS.get((source, target), {}).items()}
                    result = bench.compare({**variants, **rivals}, rounds=rounds)
                    copies.empty(target)
                    first = result["first"][0]
                    lines.append(row(f"**{source} to {target}**", rows, result["first"], None))
                    if "again" in result:
                        lines.append(row("the same copy again", rows, result["again"], first))
                    lines += [row(name, rows, result[name], first) for name in rivals]
            table(f"Copies of {runs:,} runs, {rows:,} rows, {os.path.getsize(copies.sqlite) / 1e6:,.0f} MB",
                  ["copy", "seconds", "rows/s", "speed of the first copy compared with it", "peak MiB"], lines)


MEMORY_PAIRS = (("sqlite", "sqlite"), ("sqlite", "postgres"), ("postgres", "sqlite"), ("sqlite", "turso"), ("turso", "sqlite"),
                ("sqlite", "jsonl"), ("jsonl", "sqlite"), ("sqlite", "jsonl.zst"), ("jsonl.zst", "sqlite"))


def memory(bench):
    """The peak memory of a copy does not depend on how much is copied."""
    peaks = {}
    for runs in MEMORY_RUNS:
        with running(bench) as servers:
            copies = Copies(bench, servers, runs)
            copies.fill_sources()
            for pair in MEMORY_PAIRS:
                peaks[pair, runs] = copies.copy(*pair)()
                copies.empty(pair[1])
    table("Peak memory of copies, MiB", ["copy", *(f"{runs:,} runs" for runs in MEMORY_RUNS), "seconds of the last"],
          [[" to ".join(pair), *(f"{peaks[pair, runs][1] / 1024:.0f}" for runs in MEMORY_RUNS),
            f"{peaks[pair, MEMORY_RUNS[-1]][0]:.0f}"] for pair in MEMORY_PAIRS])


SECTIONS = (transfer, memory)

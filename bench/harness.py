"""Shared by the sections of bench/run: runs whole programs in turn and prints tables of the results."""

import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 7
TABLES = ("runs", "rosters", "parts", "failures")  # referenced tables come before the tables that refer to them


def fail(message):
    sys.exit(f"bench/run: {message}")


class Bench:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.flaky = self.program("cli/flaky")
        self.work = tempfile.mkdtemp(prefix="flaky-bench-")
        self.env = {"PATH": os.environ["PATH"], "HOME": self.work, "LANG": "C.UTF-8",
                    "FLAKY_TESTS_SPOOL": self.path("no-spool")}
        self._histories = {}

    def program(self, path):
        full = os.path.join(self.build, path)
        if not os.access(full, os.X_OK):
            fail(f"{full} does not exist; build the preset release first (./dev bench does this)")
        return full

    def path(self, name):
        return os.path.join(self.work, name)

    def run(self, command, env=None, ok=(0,)):
        """Runs the command to its end; returns seconds and peak memory in KiB."""
        peak_file = self.path("peak")
        begin = time.perf_counter()
        done = subprocess.run(["/usr/bin/time", "-q", "-f", "%M", "-o", peak_file, *command], env={**self.env, **(env or {})},
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.work)
        seconds = time.perf_counter() - begin
        if done.returncode not in ok:
            fail(f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
        with open(peak_file) as file:
            return seconds, int(file.read().split()[-1])

    def compare(self, variants, rounds=ROUNDS):
        """variants: {name: callable that returns (seconds, KiB)}. Runs them in turn; returns the medians of both."""
        results = {name: [] for name in variants}
        for round_number in range(rounds + 1):
            for name, action in variants.items():
                result = action()
                if round_number > 0:
                    results[name].append(result)
        return {name: tuple(statistics.median(column) for column in zip(*rows)) for name, rows in results.items()}

    def history(self, runs, *options):
        """Returns a SQLite file with a generated history; it is made once for each shape."""
        key = (runs, options)
        if key not in self._histories:
            database = self.path(f"history-{len(self._histories)}.db")
            self.run([self.program("tests/support/make_history"), f"sqlite:{database}", "--runs", str(runs), "--seed", "1",
                      *options])
            self._histories[key] = database
        return self._histories[key]


def count_rows(database):
    with sqlite3.connect(database) as connection:
        return sum(connection.execute(f"SELECT count(*) FROM flaky_test_{name}").fetchone()[0] for name in TABLES)


def remove(database):
    for suffix in ("", "-wal", "-shm", "-journal"):
        if os.path.exists(database + suffix):
            os.remove(database + suffix)


def table(title, head, rows):
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()

# SPDX-License-Identifier: MIT
"""The sections that measure the cost per process if each test is one process: `process` runs programs by themselves, `ctest`
runs programs of gtest_discover_tests under ctest."""

import os
import shutil
import sqlite3
import statistics
import subprocess
import time

from harness import fail, table

CTEST_TESTS = 2000
CTEST_ROUNDS = 7
JOBS = 2
PROCESSES = 1000
ALONE = 200
REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Built twice, with and without the recorder, like a user's project.
PROJECT = """
cmake_minimum_required(VERSION 3.20)
project(bench CXX)
find_package(GTest REQUIRED)
include(GoogleTest)
enable_testing()
add_executable(many_tests "@REPOSITORY@/tests/fixtures/many_tests.cc")
target_compile_features(many_tests PRIVATE cxx_std_17)
target_link_libraries(many_tests PRIVATE GTest::gtest_main ${CMAKE_DL_LIBS})
if(RECORDED)
  target_sources(many_tests PRIVATE "@REPOSITORY@/recorder/listener.cc")
  target_compile_definitions(many_tests PRIVATE FLAKY_RECORDER_PROGRAM="@PROGRAM@")
endif()
gtest_discover_tests(many_tests)
"""


def spawn(command, env):
    """Runs the command to its end; returns seconds, and seconds of CPU time, including all children that were waited for."""
    null = os.open(os.devnull, os.O_RDWR)
    begin = time.perf_counter()
    pid = os.posix_spawn(command[0], command, env, file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)])
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begin
    os.close(null)
    if status != 0:
        fail(f"{command} ended with status {status}")
    return seconds, usage.ru_utime + usage.ru_stime


def in_turn(variants, rounds, warm_up):
    results = {name: [] for name in variants}
    for number in range(rounds + warm_up):
        for name, action in variants.items():
            result = action()
            if number >= warm_up:
                results[name].append(result)
    return results


def show(title, results, per, column):
    """Prints median and minimum per process, and the difference from the first row. Other work on the machine can only add
    time, so the minimum is the better figure if the two differ much."""
    def figures(values):
        return statistics.median(values) / per * 1e3, min(values) / per * 1e3

    rows, base = [], None
    for name, measured in results.items():
        wall, cpu = (figures([row[at] for row in measured]) for at in (0, 1))
        base = base or (wall, cpu)
        row = [name]
        for mine, its in zip((wall, cpu), base):
            row += [" / ".join(f"{value:.2f}" for value in mine),
                    " / ".join(f"{value - other:.3f}" for value, other in zip(mine, its)) if mine is not its else ""]
        rows.append(row)
    table(title, [column, "ms, median / minimum", "above the first", "CPU ms, median / minimum", "above the first"], rows)


def process(bench):
    """The cost per process of one test; the variants run in turn."""
    plain, recorded = bench.program("tests/fixtures/many_tests_plain"), bench.program("tests/fixtures/many_tests")
    spool = bench.path("spool")
    env = {**bench.env, "MANY_TESTS": "1", "FLAKY_TESTS_SPOOL": spool, "FLAKY_TESTS_DB": bench.path("process.db")}

    def one(program, **more):
        return lambda: spawn([program], {**env, **more})

    results = in_turn({
        "no recorder": one(plain),
        "recorded, delivered later": one(recorded, FLAKY_TESTS_DELIVERY_TIMEOUT="0"),
    }, PROCESSES, warm_up=20)
    shutil.rmtree(spool)
    delivered = in_turn({"delivered": one(recorded, FLAKY_TESTS_PROGRAM=bench.flaky)}, PROCESSES // 10, warm_up=2)
    results["recorded and delivered to SQLite at its end"] = delivered["delivered"]
    show(f"{PROCESSES} processes of one test", results, 1, "variant")


def insertion_of_a_run(database):
    """Returns a function that makes SQL with the rows of the newest run, under new ids."""
    with sqlite3.connect(database) as connection:
        run, part = connection.execute(
            "SELECT run_id, part_id FROM flaky_test_parts ORDER BY rowid DESC LIMIT 1").fetchone()
        statements = []
        for name in ("runs", "rosters", "parts"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info(flaky_test_{name})")]
            values = connection.execute("SELECT " + ", ".join(f"quote({column})" for column in columns) +
                                        f" FROM flaky_test_{name} ORDER BY rowid DESC LIMIT 1").fetchone()
            statements.append(f"INSERT OR IGNORE INTO flaky_test_{name} ({', '.join(columns)}) VALUES ({', '.join(values)});")
    script = "BEGIN IMMEDIATE;" + "".join(statements) + "COMMIT;"

    def fresh():
        return script.replace(part, os.urandom(16).hex()).replace(run, os.urandom(16).hex())

    return fresh


def alone(bench):
    """A process that delivers to SQLite, next to `sqlite3` that inserts the same rows; and the start of both programs."""
    plain, recorded = bench.program("tests/fixtures/many_tests_plain"), bench.program("tests/fixtures/many_tests")
    spool, database, sqlite = bench.path("alone-spool"), bench.path("alone.db"), shutil.which("sqlite3")
    env = {**bench.env, "MANY_TESTS": "1", "FLAKY_TESTS_SPOOL": spool, "FLAKY_TESTS_DB": database,
           "FLAKY_TESTS_PROGRAM": bench.flaky}
    spawn([recorded], {**env, "FLAKY_TESTS_DELIVERY_WAIT": "60000"})
    insertion = insertion_of_a_run(database)
    results = in_turn({
        "no recorder": lambda: spawn([plain], env),
        "recorded and delivered to SQLite at its end": lambda: spawn([recorded], env),
        "`sqlite3` inserting the same rows, whole process": lambda: spawn([sqlite, database, insertion()], env),
        "`sqlite3 --version`": lambda: spawn([sqlite, "--version"], env),
        "`flaky --version`": lambda: spawn([bench.flaky, "--version"], env),
    }, ALONE, warm_up=5)
    show("A process alone", results, 1, "variant")


def project(bench, name, recorded, env):
    source, build = bench.path("project"), bench.path(name)
    os.makedirs(source, exist_ok=True)
    with open(os.path.join(source, "CMakeLists.txt"), "w") as file:
        file.write(PROJECT.replace("@REPOSITORY@", REPOSITORY).replace("@PROGRAM@", bench.flaky))
    for command in (["cmake", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release", f"-DRECORDED={recorded}"],
                    ["cmake", "--build", build, "-j", str(JOBS)]):
        subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)
    return build


def ctest(bench):
    """`ctest -j2` on 2,000 tests of one program. Each round waits until the history was delivered, after ctest has ended."""
    spool, database = bench.path("ctest-spool"), bench.path("ctest.db")
    env = {**bench.env, "MANY_TESTS": str(CTEST_TESTS), "FLAKY_TESTS_SPOOL": spool, "FLAKY_TESTS_DB": database}
    program, deliveries = shutil.which("ctest"), []

    def run(build):
        return lambda: spawn([program, "--test-dir", build, "-j", str(JOBS)], env)

    def run_and_wait(build):
        def action():
            result = run(build)()
            begin = time.perf_counter()
            while any(name.endswith(".jsonl") or name.startswith(".ctest-") for name in os.listdir(spool)):
                if time.perf_counter() - begin > 60:
                    fail(f"{spool} still has undelivered journals after a minute")
                time.sleep(0.02)
            deliveries.append(time.perf_counter() - begin)
            time.sleep(0.5)  # until the delivery process has ended
            return result
        return action

    plain, recorded = (project(bench, name, name == "recorded", env) for name in ("plain", "recorded"))
    results = in_turn({"no recorder": run(plain), "recorded": run_and_wait(recorded)}, CTEST_ROUNDS, warm_up=1)
    show(f"`ctest -j{JOBS}` on {CTEST_TESTS:,} tests, per test", results, CTEST_TESTS, "variant")
    print(f"\nThe history was in SQLite {statistics.median(deliveries) * 1e3:.0f} ms after the end of ctest (median of "
          f"{len(deliveries)}; {min(deliveries) * 1e3:.0f} to {max(deliveries) * 1e3:.0f}).")


SECTIONS = (process, alone, ctest)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the judge on simulated histories and prints the tables of docs/reference/judgement.md.

usage: quality.py --judge PROGRAM [--seeds 1-10] [--runs 20,50,200,1000] [--scenarios mixed,…] [--folder DIR] [--alarms]
       quality.py --judge PROGRAM --check

PROGRAM is judge_results. The histories are made by simulate.py and kept in the folder, if one is given. Beside the
judge stand two simple rules, computed here from the same histories: the rule of the npm packages, and "both outcomes on
one commit" (within 14 days; parts with more than 80 % failures are skipped). --alarms judges each history at the end of
each of its weeks and counts wrong alarms. --check measures two seeds at two sizes and fails below the bar of BAR.
"""
import argparse
import collections
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import score  # pylint: disable=wrong-import-position
import simulate  # pylint: disable=wrong-import-position

WEEK = 7 * 86400.0
# What --check demands of the means over seeds 1 and 2: below it a change has made the judge worse than two seeds vary.
BAR = {
    20: dict(precision=0.90, f1=0.70, interval=0.90, attribution_precision=0.95, attribution_recall=0.85),
    200: dict(precision=0.97, f1=0.88, interval=0.93, attribution_precision=0.96, attribution_recall=0.90),
}


def numbers(text):
    found = []
    for item in text.split(","):
        first, _, last = item.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def world(folder, scenario, seed, runs):
    """The path of a history; makes it if it is missing."""
    path = os.path.join(folder, f"{scenario}-{runs}-{seed}.jsonl")
    if not os.path.exists(path.removesuffix(".jsonl") + ".truth.json"):
        simulate.build(path, seed, runs, 600, [scenario])
    return path


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def judge(program, path, at):
    """What the judge says as of a time: the answer as JSON text."""
    return subprocess.run([program, path, "--at", at], check=True, capture_output=True, text=True).stdout


def read_parts(path):
    """For the simple rules: per part its run, start, code, tests that failed and tests that passed at last."""
    parts = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            part = json.loads(line)
            failed, passed = collections.Counter(), set(part.get("passed", ()))
            for result in part.get("results", ()):
                if result["outcome"] == "passed":
                    passed.add(result["name"])
                elif result["outcome"] != "skipped":
                    failed[result["name"]] += 1
            parts.append(dict(run=part["run_id"], at=seconds(part["started_at"]), sha=part.get("git_sha"),
                              dirty=part.get("git_dirty"), failed=failed, passed=passed))
    return parts


def npm_rule(parts, end):
    """Two failures within a week and none in the week before, in runs with fewer than ten failed tests."""
    failed_of_run = collections.defaultdict(set)
    for part in parts:
        failed_of_run[part["run"]] |= set(part["failed"])
    recent, prior = collections.Counter(), set()
    for part in parts:
        if len(failed_of_run[part["run"]]) >= 10:
            continue
        if end - WEEK < part["at"] <= end:
            recent.update(part["failed"])
        elif end - 2 * WEEK < part["at"] <= end - WEEK:
            prior |= set(part["failed"])
    return {test: dict(verdict="newly_flaky", blame=[]) for test, n in recent.items() if n >= 2 and test not in prior}


def both_outcomes(parts, end):
    """Failed and passed on one commit."""
    failed, passed = collections.defaultdict(set), collections.defaultdict(set)
    for part in parts:
        size = len(part["passed"] | set(part["failed"]))
        if part["at"] <= end - 2 * WEEK or part["dirty"] or len(part["failed"]) > 0.8 * size:
            continue
        failed[part["sha"]] |= set(part["failed"])
        passed[part["sha"]] |= part["passed"]
    return {test: dict(verdict="flaky", blame=[]) for sha, tests in failed.items() for test in tests & passed[sha]}


def weekly_alarms(program, path, truth):
    """Tests that are never flaky and are called so at the end of a week, per 1,000 such tests and week."""
    never = {name for name, test in truth["tests"].items() if not test["flaky"] and test["added"] <= truth["end"] < test["removed"]}
    ends = []
    at = truth["end"]
    while at > truth["start"] + WEEK / 2:
        ends.append(at)
        at -= WEEK
    before, wrong = set(), 0
    for at in reversed(ends):
        said = json.loads(judge(program, path, simulate.iso(at)))["tests"]
        flagged = {test["test_name"] for test in said if test["verdict"] in ("flaky", "newly_flaky")} & never
        wrong += len(flagged - before)
        before = flagged
    return 1000 * wrong / len(never) / len(ends)


def measure(program, folder, scenario, seed, runs, alarms=False):
    path = world(folder, scenario, seed, runs)
    with open(path.removesuffix(".jsonl") + ".truth.json", encoding="utf-8") as file:
        truth = json.load(file)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as out:
        out.write(judge(program, path, truth["end_iso"]))
        out.flush()
        found = {"judge": score.score(truth, score.read(out.name))}
    parts = read_parts(path)
    found["npm"] = score.score(truth, npm_rule(parts, truth["end"]))
    found["both"] = score.score(truth, both_outcomes(parts, truth["end"]))
    if alarms:
        found["judge"]["alarms"] = weekly_alarms(program, path, truth)
    return found


def mean(rows, what, key):
    values = [row[what][key] for row in rows if row[what][key] is not None]
    return statistics.mean(values) if values else None


def pooled(rows, what):
    true, false, missed = (sum(row[what][key] for row in rows) for key in ("true", "false", "missed"))
    return score.shares(true, false, missed)


def holds(rows):
    of = sum(row["interval"]["of"] for row in rows)
    return sum(row["interval"]["holds"] for row in rows) / of if of else None


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def percent(value):
    return "-" if value is None else f"{100 * value:.1f} %"


def pair(shares):
    counts = f"{shares['true']}/{shares['false']}/{shares['missed']}"
    return f"{number(shares['precision'], 3)} / {number(shares['recall'], 3)} ({counts})"


def print_sizes(results):
    """The table over sizes of one scenario; results: {runs: [{judge, npm, both}, …]}."""
    sizes = sorted(results)
    print("| " + " | ".join(["", *(f"{runs:,} runs" for runs in sizes)]) + " |")
    print("| --- |" + " --- |" * len(sizes))

    def line(title, cell):
        print(f"| {title} | " + " | ".join(cell(results[runs]) for runs in sizes) + " |")

    def of(rule):
        return lambda rows: " / ".join(number(mean([r[rule] for r in rows], "flaky", key)) for key in ("precision", "recall", "f1"))

    line("flaky: precision / recall / F1", of("judge"))
    line("the same by the npm rule", of("npm"))
    line("the same by both outcomes on one commit", of("both"))
    if all("alarms" in r["judge"] for rows in results.values() for r in rows):
        line("wrong alarms per 1,000 healthy tests and week", lambda rows: number(statistics.mean(r["judge"]["alarms"] for r in rows)))
    line("95 % interval holds", lambda rows: percent(holds([r["judge"] for r in rows])))
    for what, title in (("attribution", "the code is at fault"), ("newly_flaky", "newly flaky"), ("broken", "broken"), ("fixed", "fixed")):
        line(f"{title}: precision / recall (true/false/missed)", lambda rows, w=what: pair(pooled([r["judge"] for r in rows], w)))
    line("newly flaky by the npm rule", lambda rows: pair(pooled([r["npm"] for r in rows], "newly_flaky")))


def print_scenarios(results):
    print("| world | the judge | npm rule | both outcomes on one commit | interval | the code is at fault |")
    print("| --- | --- | --- | --- | --- | --- |")
    for scenario, rows in results.items():
        cells = [" / ".join(number(mean([r[rule] for r in rows], "flaky", key)) for key in ("precision", "recall", "f1"))
                 for rule in ("judge", "npm", "both")]
        own = [r["judge"] for r in rows]
        print(f"| {scenario} | " + " | ".join([*cells, percent(holds(own)), pair(pooled(own, "attribution"))]) + " |")


def check(program, folder):
    failed = []
    for runs, bar in BAR.items():
        rows = [measure(program, folder, "mixed", seed, runs)["judge"] for seed in (1, 2)]
        attribution = pooled(rows, "attribution")
        found = dict(precision=mean(rows, "flaky", "precision"), f1=mean(rows, "flaky", "f1"), interval=holds(rows),
                     attribution_precision=attribution["precision"], attribution_recall=attribution["recall"])
        for what, least in bar.items():
            value = found[what]
            print(f"{runs} runs: {what} {number(value, 3)}, expected {least} or more")
            if value is None or value < least:
                failed.append(f"{what} at {runs} runs is {number(value, 3)}, below {least}")
    print("\n".join(failed) or "the judge keeps the bar")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", required=True)
    parser.add_argument("--seeds", type=numbers, default=numbers("1-10"))
    parser.add_argument("--runs", type=numbers, default=numbers("20,50,200,1000"))
    parser.add_argument("--scenarios", default="mixed")
    parser.add_argument("--folder")
    parser.add_argument("--alarms", action="store_true")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    scenarios = given.scenarios.split(",")
    with tempfile.TemporaryDirectory() as own:
        folder = given.folder or own
        if given.check:
            return check(given.judge, folder)
        if len(scenarios) == 1:
            print_sizes({runs: [measure(given.judge, folder, scenarios[0], seed, runs, given.alarms) for seed in given.seeds]
                         for runs in given.runs})
        else:
            print_scenarios({scenario: [measure(given.judge, folder, scenario, seed, runs) for seed in given.seeds
                                        for runs in given.runs] for scenario in scenarios})
    return 0


if __name__ == "__main__":
    sys.exit(main())
